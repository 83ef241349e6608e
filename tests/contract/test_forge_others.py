"""What only one of the other code hosts does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from gitops_ci.errors import ForgeError
from gitops_ci.forges.base import AutoMerge
from gitops_ci.forges.gitea import _says_do
from gitops_ci.forges.gitlab import KIND as GITLAB
from gitops_ci.forges.gitlab import push_options
from gitops_ci.forges.plain_git import KIND as PLAIN
from gitops_ci.forges.tokens import JobToken, advice
from gitops_ci.model import Proposal
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret
from tests.support.forge_hosts import TOKEN, Host, hosting, merge, opened_whole, updated_whole

PROPOSAL = Proposal("gitops-ci/staging/shop", "main", "staging: shop 1.5.0", "First line\n\nSecond\n")


@contextmanager
def opened(name: str, proposal: Proposal = PROPOSAL) -> Iterator[tuple[Host, Any, Any]]:
    with hosting(name) as host:
        forge = host.connect()
        yield host, forge, opened_whole(forge, proposal)


# GitLab


def test_gitlab_is_asked_again_while_it_looks_at_a_new_merge_request():
    with opened("gitlab") as (host, forge, pull):
        host.stub.undecided = 2
        host.stub.merge_answers = [405, 405]
        assert merge(host.stub, forge, pull)
        assert host.stub.pulls[0].auto_merge
        assert host.pauses == [1, 2, 1, 2, 1]


def test_gitlab_that_keeps_refusing_to_merge_says_the_status():
    with opened("gitlab") as (host, forge, pull):
        host.stub.merge_answers = [405] * 9
        with pytest.raises(ForgeError, match="its status is mergeable") as caught:
            merge(host.stub, forge, pull)
        assert (caught.value.status, bool(caught.value.hint)) == (405, True)


def test_gitlab_is_told_the_commit_and_both_names_of_the_parameter():
    with opened("gitlab") as (host, forge, pull):
        merge(host.stub, forge, pull)
        sent = host.stub.sent("PUT", "/merge$")[0].body
    assert (sent["auto_merge"], sent["merge_when_pipeline_succeeds"]) == (True, True)
    assert sent["sha"] == host.stub.sha(PROPOSAL.head)


def test_gitlab_without_a_user_of_that_name_warns():
    with opened("gitlab", replace(PROPOSAL, reviewers=("ADA", "nobody", "acme/sre"))) as (host, _, pull):
        assert host.stub.pulls[0].reviewers == ["ada"]
        assert [w.partition(" ")[0] for w in pull.warnings] == ["nobody", "acme/sre"]


def test_gitlab_that_takes_one_reviewer_only_warns_about_the_rest():
    with hosting("gitlab") as host:
        host.stub.one_reviewer = True
        pull = opened_whole(host.connect(), replace(PROPOSAL, reviewers=("ada", "grace")))
        assert pull.reviewers == ("ada",)
        assert "grace is not reviewer: no access, or this edition allows only one" in pull.warnings


def test_gitlabs_job_token_goes_in_its_own_header_and_is_explained():
    with hosting("gitlab") as host:
        with pytest.raises(ForgeError) as caught:
            opened_whole(host.connect("glcbt-64_0123456789"), PROPOSAL)
        headers = host.stub.requests[0].headers
    assert "cannot open merge requests" in caught.value.hint
    assert headers["job-token"] == "glcbt-64_0123456789"
    assert "private-token" not in headers


@pytest.mark.parametrize("value", ["64_0123456789abcdef", "acme-glcbt-64_0123456789", "plain0123456789"])
def test_gitlabs_job_token_is_known_by_its_variable_and_with_an_instances_prefix(value):
    """Before 16.9 it showed nothing (gitlab-org/gitlab issues/426137); prefixes came with issues/207268."""
    token = Secret(value) if "glcbt" in value else JobToken(value)
    assert GITLAB.git_sign_in(token)[0] == "gitlab-ci-token"
    assert "cannot open merge requests" in advice(token, "gitlab")
    forge = GITLAB.connect(RepoUrl.parse("https://gitlab.example/acme/config"), token, None)
    assert "JOB-TOKEN" in forge._api.http._headers
    assert GITLAB.git_sign_in(Secret("acme-glpat-0123456789"))[0] == "oauth2"


def test_gitlabs_push_options_have_no_line_breaks():
    proposal = replace(PROPOSAL, title="a\nb\0c", labels=("x\ny",), assignees=("ada",), milestone="Q3", draft=True)
    options = push_options(proposal, merge_when_green=True)
    assert options == (
        "merge_request.create",
        "merge_request.remove_source_branch",
        "merge_request.target=main",
        "merge_request.title=Draft: a b c",
        "merge_request.description=First line",
        "merge_request.label=x y",
        "merge_request.assign=ada",
        "merge_request.milestone=Q3",
        "merge_request.auto_merge",
    )


# Gitea and Forgejo


def test_gitea_with_short_pages_is_read_to_the_end():
    with opened("gitea") as (host, forge, pull):
        host.stub.longest_page = 5
        for number in range(12):
            host.stub.add_pull(f"other-{number}")
        assert forge.find_open(head=PROPOSAL.head, base="main").number == pull.number
        assert forge.find_open(head="absent", base="main") is None


@pytest.mark.parametrize(
    ("version", "new"),
    [
        ("1.27.0", True),
        ("1.26.0", True),
        ("2.0.0+dev", True),
        ("v1.26.1", True),
        ("1.25.5", False),
        ("1.9.0", False),
        ("11.0.1+gitea-1.22.0", False),
        ("15.0.0+gitea-1.27.0", False),
        ("", False),
        ("dev", False),
    ],
)
def test_gitea_calls_the_field_do_from_1_26_on_and_forgejo_never(version, new):
    assert _says_do(version) is new


def test_gitea_is_asked_again_while_it_looks_at_a_new_pull_request():
    with opened("gitea") as (host, forge, pull):
        host.stub.merge_answers = [(405, "Please try again later")] * 2
        assert merge(host.stub, forge, pull)
        assert (host.stub.pulls[0].auto_merge, host.pauses) == ("merge", [1, 2])


def test_gitea_that_refuses_to_merge_is_an_error():
    with opened("gitea") as (host, forge, pull):
        host.stub.merge_answers = [(405, "Does not have enough approvals")]
        with pytest.raises(ForgeError, match="not have enough approvals"):
            merge(host.stub, forge, pull)
        assert host.pauses == []


def test_gitea_without_a_label_of_that_name_warns():
    with opened("gitea", replace(PROPOSAL, labels=("gitops", "unknown"))) as (_, _, pull):
        assert pull.labels == ("gitops",)
        assert "There is no label 'unknown'" in pull.warnings[0]


def test_gitea_with_hundreds_of_pull_requests_still_finds_ours():
    with hosting("gitea") as host:
        host.stub.add_pull(PROPOSAL.head, "main", title="ours")
        for number in range(120):
            host.stub.add_pull(f"other-{number}", "main")
        assert host.connect().find_open(head=PROPOSAL.head, base="main").title == "ours"


def test_gitea_does_not_ask_again_who_has_reviewed_this_content():
    proposal = replace(PROPOSAL, reviewers=("ada",))
    with opened("gitea", proposal) as (host, forge, _):
        host.stub.pulls[0].reviews.append("ada")
        assert updated_whole(forge, forge.find_open(head=PROPOSAL.head, base="main"), proposal).state == "unchanged"


# Bitbucket Cloud


def test_bitbucket_takes_an_api_token_with_its_email():
    with hosting("bitbucket") as host:
        host.stub.authorization = "Basic YWRhQGFjbWUuY29tOkFUQVRUMDEyMzQ1Njc4OQ=="
        assert host.connect("ada@acme.com:ATATT0123456789").default_branch() == "main"


def test_bitbucket_knows_people_by_id_only():
    with opened("bitbucket", replace(PROPOSAL, reviewers=("ada",))) as (host, _, pull):
        assert "by {uuid} or account id" in pull.warnings[0]
        assert host.stub.pulls[0].reviewers == []


# Bitbucket Data Center


def test_bitbucket_dc_writes_again_when_somebody_was_faster():
    with opened("bitbucket-dc") as (host, forge, pull):
        host.stub.pulls[0].reviewers.append("linus")
        host.stub.racing_changes = 2
        updated = updated_whole(forge, pull, replace(PROPOSAL, title="newer"))
        assert (updated.state, host.stub.pulls[0].title) == ("updated", "newer")
        assert host.stub.pulls[0].reviewers == ["linus"]
        assert len(host.stub.sent("PUT")) == 3


def test_bitbucket_dc_without_auto_merge_says_what_blocks():
    with opened("bitbucket-dc") as (host, forge, pull):
        host.stub.auto_merge_enabled = False
        with pytest.raises(ForgeError, match="You need 1 successful build") as caught:
            merge(host.stub, forge, pull)
        assert "auto-merge" in caught.value.hint
        assert host.stub.pulls[0].status == "open"


def test_bitbucket_dc_finds_ours_on_a_later_page():
    with hosting("bitbucket-dc") as host:
        host.stub.add_pull(PROPOSAL.head, "main", title="ours")
        for number in range(150):
            host.stub.add_pull(PROPOSAL.head, f"release-{number}")
        assert host.connect().find_open(head=PROPOSAL.head, base="main").title == "ours"


# Azure DevOps


def test_azure_devops_reads_the_whole_description_before_it_compares():
    long = replace(PROPOSAL, body="x" * 3000, labels=("gitops",))
    with opened("azure-devops", long) as (_, forge, _):
        found = forge.find_open(head=PROPOSAL.head, base="main")
        assert (len(found.body), found.labels) == (3000, ("gitops",))
        assert updated_whole(forge, found, long).state == "unchanged"


def test_azure_devops_takes_a_pipelines_token_as_bearer():
    with hosting("azure-devops") as host:
        host.stub.authorization = "Bearer eyJ0eXAi.eyJh.c2lnbmF0dXJl"
        assert host.connect("eyJ0eXAi.eyJh.c2lnbmF0dXJl").default_branch() == "main"


@pytest.mark.parametrize(
    ("status", "headers"), [(302, {"Location": "https://spsprodeus1.vssps.visualstudio.com/_signin"}), (203, {})]
)
def test_azure_devops_sign_in_page_is_a_wrong_token(status, headers):
    with hosting("azure-devops") as host:
        host.stub.fault("GET", "", status, body=b"<html>Sign in</html>", headers=headers, times=9)
        with pytest.raises(ForgeError) as caught:
            host.connect().default_branch()
    assert "token is wrong, has expired" in caught.value.hint


def test_azure_devops_comments_keep_no_thread_open():
    with opened("azure-devops") as (host, forge, pull):
        forge.comment(pull, "said", key="diff")
        assert host.stub.sent("POST", "/threads$")[0].body["status"] == "closed"


# Git without an API


def test_plain_git_opens_nothing_and_says_what_is_to_be_opened():
    forge = PLAIN.connect(RepoUrl.parse("/srv/git/config.git"), None, None)
    request = opened_whole(forge, PROPOSAL)
    assert (request.number, request.url, request.state) == (None, "", "opened")
    assert (request.head, request.title, request.body) == (PROPOSAL.head, PROPOSAL.title, PROPOSAL.body)
    assert forge.find_open(head=PROPOSAL.head, base="main") is None
    assert forge.find_latest(head=PROPOSAL.head, base="main") is None
    assert updated_whole(forge, request, PROPOSAL).state == "unchanged"
    assert not forge.merge_when_green(request, AutoMerge("1" * 40))


def test_plain_git_does_not_know_the_default_branch():
    with pytest.raises(ForgeError) as caught:
        PLAIN.connect(RepoUrl.parse("/srv/git/config.git"), None, None).default_branch()
    assert "--base" in caught.value.hint


@pytest.mark.parametrize("name", ["github", "gitlab", "gitea", "bitbucket", "bitbucket-dc", "azure-devops"])
def test_the_token_is_in_no_url_and_no_body(name):
    with opened(name) as (host, forge, pull):
        forge.comment(pull, "said", key="diff")
        merge(host.stub, forge, pull)
        for request in host.stub.requests:
            assert TOKEN not in f"{request.path}{request.query}{request.body}"
