"""Who merged the pull request of a commit, and when, as each host tells it."""

from __future__ import annotations

import pytest

from gitops_ci.forges.base import Merged, ReadsMerges
from gitops_ci.forges.plain_git import PlainGit
from gitops_ci.repourl import RepoUrl
from tests.support.forge_hosts import KINDS, hosting

NOON = 1_796_040_000  # 2026-11-30T12:00:00Z


@pytest.mark.parametrize("name", KINDS)
def test_every_host_tells_who_merged_and_when(name):
    with hosting(name) as host:
        host.stub.merge_of("a" * 40, 71, "ada", "2026-11-30T12:00:00Z")
        forge = host.connect()
        assert isinstance(forge, ReadsMerges)
        assert forge.merged("a" * 40) == Merged(71, "ada", NOON)
        assert forge.merged("b" * 40) is None, "a commit that somebody pushed"


@pytest.mark.parametrize("name", KINDS)
def test_a_deleted_account_has_no_name(name):
    with hosting(name) as host:
        host.stub.merge_of("a" * 40, 71, "", "2026-11-30T13:00:00+01:00")
        assert host.connect().merged("a" * 40) == Merged(71, "", NOON)


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_of_several_the_one_whose_merge_it_is(name):
    """A commit is in other merged pull requests, too: in those of branches that were merged after it."""
    with hosting(name) as host:
        host.stub.merge_of("a" * 40, 70, "grace", "2026-11-30T18:00:00Z")
        host.stub.merge_of("a" * 40, 71, "ada", "2026-11-30T12:00:00Z")
        key = "merge_commit_sha"
        listed = host.stub._list_pulls_of_commit if name == "github" else host.stub._list_merge_requests_of_commit

        def answer(asked):
            status, found = listed(asked)
            return status, [{**one, key: "e" * 40} if one.get("number", one.get("iid")) == 70 else one for one in found]

        for operation, handler in host.stub._routes.items():
            if handler == listed:
                host.stub._routes[operation] = answer
                break
        assert host.connect().merged("a" * 40) == Merged(71, "ada", NOON)


def test_plain_git_does_not_tell():
    assert not isinstance(PlainGit(RepoUrl.parse("https://git.example/a/b")), ReadsMerges)
