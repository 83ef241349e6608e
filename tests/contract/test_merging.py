"""What a host is asked to merge by itself is the commit that was pushed, once the host has noticed the push."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gitops_ci.errors import ForgeError
from gitops_ci.forges.base import AutoMerge
from gitops_ci.model import Proposal
from tests.support.forge_hosts import KINDS, Host, hosting, merge, opened_whole

PROPOSAL = Proposal("gitops-ci/staging/shop", "main", "staging: shop 1.5.0", "body")
MERGING = [name for name, kind in KINDS.items() if kind.merges]
BEFORE, PUSHED = "1" * 40, "2" * 40


class Pushed:
    """An open pull request whose head was pushed a moment ago; the host has seen the commit before."""

    def __init__(self, host: Host, auto_merge: str = "") -> None:
        self.host, self.stub, self.forge = host, host.stub, host.connect()
        self.tip = BEFORE
        self.stub.tip = lambda branch: self.tip
        self.opened = opened_whole(self.forge, PROPOSAL)
        self.pull = self.stub.pulls[0]
        self.stub.noticed(self.pull)
        self.pull.auto_merge = auto_merge
        self.tip = PUSHED

    def merge(self, *, is_new: bool = True) -> Any:
        return merge(self.stub, self.forge, self.opened, is_new=is_new)


@pytest.fixture
def gitlab() -> Iterator[Host]:
    with hosting("gitlab") as host:
        yield host


@pytest.mark.parametrize("name", sorted({*MERGING} - {"azure-devops"}))  # auto-complete is for whatever comes
@pytest.mark.parametrize("lag", [0, 1, 3])
def test_a_host_that_shows_the_commit_before_is_waited_for(name, lag):
    with hosting(name) as host:
        pushed = Pushed(host)
        if name == "github":
            host.stub.status = "BLOCKED"
        host.stub.push_lag = lag
        assert pushed.merge()
        assert pushed.pull.auto_merge
        assert PUSHED in str(host.stub.requests[-1].body or host.stub.requests[-2].body) or name == "bitbucket-dc"
        assert pushed.merge(is_new=False)


@pytest.mark.parametrize("name", sorted({*MERGING} - {"azure-devops"}))
def test_a_host_that_never_notices_the_push_merges_nothing(name):
    with hosting(name) as host:
        pushed = Pushed(host)
        host.stub.push_lag = 99
        with pytest.raises(ForgeError, match="its head is 111111111111 and not 222222222222") as caught:
            pushed.merge()
        assert (caught.value.status, pushed.pull.status, pushed.pull.auto_merge) == (409, "open", "")
        assert caught.value.message.count("answered") == 1
        assert "run the command again" in caught.value.hint


@pytest.mark.parametrize("name", ["gitlab", "github", "bitbucket-dc"])
@pytest.mark.parametrize("lag", [0, 2])
def test_what_a_push_takes_back_is_asked_for_again(name, lag):
    """GitLab's auto-merge, GitHub's merge queue, and the auto-merge of Bitbucket Data Center, which names a commit."""
    with hosting(name) as host:
        pushed = Pushed(host, {"gitlab": "merge_when_checks_pass", "github": "queue"}.get(name, f"no-ff {BEFORE}"))
        if name == "github":
            host.stub.status = "BLOCKED"
        host.stub.push_lag = lag
        assert pushed.merge()
        for _ in range(9):  # whatever the host does later in the background
            pushed.forge.find_open(head=PROPOSAL.head, base="main")
        kept = {"gitlab": "merge_when_checks_pass", "github": "merge"}.get(name, f"no-ff {PUSHED}")
        assert (pushed.pull.status, pushed.pull.auto_merge) == ("open", kept)


def test_gitlab_that_takes_auto_merge_back_late_is_waited_for(gitlab):
    pushed = Pushed(gitlab, "merge_when_checks_pass")
    gitlab.stub.push_lag, gitlab.stub.abort_lag = 1, 2
    assert pushed.merge()
    assert pushed.pull.auto_merge == "merge_when_checks_pass"


@pytest.mark.parametrize("merged_results", [True, False])
def test_gitlab_merges_nothing_before_the_commit_has_a_pipeline(gitlab, merged_results):
    pushed = Pushed(gitlab)
    gitlab.stub.pipeline_lag, gitlab.stub.merged_results = 3, merged_results
    assert pushed.merge()
    assert (pushed.pull.status, pushed.pull.auto_merge) == ("open", "merge_when_checks_pass")


def test_gitlab_whose_pipeline_never_comes_merges_nothing_and_says_so(gitlab):
    pushed = Pushed(gitlab)
    gitlab.stub.pipeline_lag = 99
    with pytest.raises(ForgeError, match="no pipeline started for 222222222222") as caught:
        pushed.merge()
    assert "Pipelines must succeed" in caught.value.hint
    assert pushed.pull.status == "open"
    assert sum(gitlab.pauses) > 10


def test_gitlab_that_waits_for_pipelines_by_itself_is_asked_at_once(gitlab):
    pushed = Pushed(gitlab)
    gitlab.stub.pipeline_lag, gitlab.stub.requires_pipeline = 99, True
    assert pushed.merge()
    assert (pushed.pull.status, pushed.pull.auto_merge) == ("open", "merge_when_checks_pass")


def test_gitlab_without_any_pipeline_has_nothing_to_wait_for(gitlab):
    pushed = Pushed(gitlab)
    gitlab.stub.has_pipelines = False
    assert pushed.merge()
    assert pushed.pull.status == "merged"


@pytest.mark.parametrize(
    ("name", "allowed", "chosen"),
    [
        ("gitea", {"squash"}, "squash"),
        ("gitea-1.25", {"rebase", "squash"}, "rebase"),
        ("gitea", {"fast-forward-only"}, "fast-forward-only"),
        ("azure-devops", {"squash"}, "squash"),
        ("azure-devops", {"rebase", "squash"}, "rebase"),
        ("azure-devops", None, "noFastForward"),
        ("github", {"squash"}, "squash"),
    ],
)
def test_the_method_is_one_that_the_repository_allows(name, allowed, chosen):
    with hosting(name) as host:
        host.stub.status, host.stub.methods = "BLOCKED", allowed
        forge = host.connect()
        assert merge(host.stub, forge, opened_whole(forge, PROPOSAL))
        assert host.stub.pulls[0].auto_merge == chosen


@pytest.mark.parametrize("status", ["BLOCKED", "CLEAN"])
def test_a_linear_history_is_merged_into_by_another_method(status):
    """The settings allow merge commits, a ruleset of the branch does not (runatlantis/atlantis issues/1176)."""
    with hosting("github") as host:
        host.stub.status, host.stub.linear = status, True
        forge = host.connect()
        assert merge(host.stub, forge, opened_whole(forge, PROPOSAL))
        assert host.stub.pulls[0].auto_merge == ("rebase" if status == "BLOCKED" else "")
        assert host.stub.pulls[0].status == ("open" if status == "BLOCKED" else "merged")


def test_a_merge_queue_is_entered_where_auto_merge_is_not_allowed():
    with hosting("github") as host:
        host.stub.status, host.stub.auto_merge_allowed, host.stub.has_queue = "BLOCKED", False, True
        pushed = Pushed(host)
        assert pushed.merge()
        assert pushed.pull.auto_merge == "queue"
        assert pushed.merge(is_new=False)
        assert len([r for r in host.stub.requests if "Enqueue" in str(r.body)]) == 1


METHODS = {
    "github": {"merge": "merge", "squash": "squash", "rebase": "rebase", "fast-forward": None},
    "gitlab": {"merge": "", "squash": "", "rebase": None, "fast-forward": None},
    "gitea": {"merge": "merge", "squash": "squash", "rebase": "rebase", "fast-forward": "fast-forward-only"},
    "bitbucket-dc": {"merge": "no-ff", "squash": "squash", "rebase": "rebase-no-ff", "fast-forward": "ff-only"},
    "azure-devops": {"merge": "noFastForward", "squash": "squash", "rebase": "rebase", "fast-forward": "rebase"},
}


@pytest.mark.parametrize(("name", "method"), [(name, method) for name, found in METHODS.items() for method in found])
def test_the_method_that_was_named_is_the_one_that_is_asked_for(name, method):
    with hosting(name) as host:
        host.stub.status = "BLOCKED"
        forge, chosen = host.connect(), METHODS[name][method]
        opened = opened_whole(forge, PROPOSAL)
        wanted = AutoMerge(host.stub.sha(PROPOSAL.head), method=method)
        if chosen is None:
            with pytest.raises(ForgeError, match=f"does not merge by {method}") as caught:
                forge.merge_when_green(opened, wanted)
            assert "--merge-method" in caught.value.hint
            assert (host.stub.pulls[0].status, host.stub.pulls[0].auto_merge) == ("open", "")
            return
        assert forge.merge_when_green(opened, wanted)
        assert host.stub.pulls[0].auto_merge.startswith(chosen)
        if name == "gitlab":
            assert host.stub.sent("PUT", "/merge$")[0].body["squash"] is (method == "squash")


def test_gitlabs_refusal_is_told_once(gitlab):
    pushed = Pushed(gitlab)
    gitlab.stub.merge_answers = [409] * 9
    with pytest.raises(ForgeError) as caught:
        pushed.merge()
    assert caught.value.message.count("GitLab answered") == 1


def test_a_draft_stays_open_on_gitlab(gitlab):
    opened = opened_whole(gitlab.connect(), replace(PROPOSAL, draft=True))
    with pytest.raises(ForgeError, match="draft_status"):
        merge(gitlab.stub, gitlab.connect(), opened)
