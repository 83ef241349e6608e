"""What only GitHub does: auto-merge by GraphQL with its refusals, commits by API, tokens of workflows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gitops_ci.errors import ForgeError
from gitops_ci.forges import FORGES
from gitops_ci.forges.base import CommitsByApi
from gitops_ci.model import FileChange, Proposal
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret
from tests.support.forge_github import GitHubStub
from tests.support.forge_hosts import Host, hosting, merge, opened_whole, updated_whole

PROPOSAL = Proposal("gitops-ci/staging/shop", "main", "staging: shop 1.5.0", "body")
BASE_SHA = "b" * 40


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting("github") as running:
        yield running


@pytest.fixture
def stub(host) -> GitHubStub:
    return host.stub


@pytest.fixture
def forge(host) -> Any:
    return host.connect()


@pytest.mark.parametrize("words", ["head invalid", "not all refs are readable"])
def test_a_branch_that_github_has_not_noticed_yet_is_waited_for(host, stub, forge, words):
    stub.fault("POST", "/pulls$", 422, body=stub.refusal(422, words).body, times=2)
    assert opened_whole(forge, PROPOSAL).state == "opened"
    assert (len(stub.pulls), host.pauses) == (1, [2, 2])


def test_auto_merge_is_asked_for_at_the_commit_that_was_seen(stub, forge):
    stub.status = "BLOCKED"
    assert merge(stub, forge, opened_whole(forge, PROPOSAL))
    sent = stub.sent("POST", "graphql")[-1].body["variables"]["input"]
    assert sent == {"pullRequestId": "PR_1", "mergeMethod": "MERGE", "expectedHeadOid": stub.sha(PROPOSAL.head)}
    assert (stub.pulls[0].status, stub.pulls[0].auto_merge) == ("open", "merge")


@pytest.mark.parametrize("status", ["CLEAN", "HAS_HOOKS"])
@pytest.mark.parametrize("allowed", [True, False])
def test_where_nothing_is_left_to_wait_for_it_is_merged_at_the_commit_that_was_seen(stub, forge, status, allowed):
    stub.status, stub.auto_merge_allowed = status, allowed
    assert merge(stub, forge, opened_whole(forge, PROPOSAL))
    assert stub.pulls[0].status == "merged"
    assert stub.sent("PUT", "/merge")[0].body == {"sha": stub.sha(PROPOSAL.head), "merge_method": "merge"}


@pytest.mark.parametrize(("methods", "chosen"), [({"squash"}, "squash"), ({"rebase", "squash"}, "rebase")])
def test_the_method_is_one_that_the_repository_allows(stub, forge, methods, chosen):
    stub.status, stub.methods = "BLOCKED", methods
    assert merge(stub, forge, opened_whole(forge, PROPOSAL))
    assert stub.pulls[0].auto_merge == chosen


@pytest.mark.parametrize(("status", "allowed"), [("UNSTABLE", True), ("UNSTABLE", False), ("BLOCKED", False)])
def test_what_is_not_green_is_never_merged(stub, forge, status, allowed):
    stub.status, stub.auto_merge_allowed = status, allowed
    with pytest.raises(ForgeError) as caught:
        merge(stub, forge, opened_whole(forge, PROPOSAL))
    assert "Allow auto-merge" in caught.value.hint
    assert stub.pulls[0].status == "open"
    assert stub.sent("PUT", "/merge") == []


def test_a_draft_is_not_merged(stub, forge):
    with pytest.raises(ForgeError, match="draft"):
        merge(stub, forge, opened_whole(forge, replace(PROPOSAL, draft=True)))
    assert stub.pulls[0].status == "open"


def test_a_branch_that_moved_between_looking_and_merging_is_not_merged(stub, forge):
    pull = opened_whole(forge, PROPOSAL)
    shas = iter(["1" * 40])
    stub.tip = lambda branch: next(shas, "2" * 40)
    with pytest.raises(ForgeError) as caught:
        merge(stub, forge, pull)
    assert caught.value.status in {409, 422}
    assert stub.pulls[0].status == "open"


def test_teams_are_asked_as_teams(stub, forge):
    opened = opened_whole(forge, replace(PROPOSAL, reviewers=("acme/sre", "ada")))
    assert (opened.reviewers, stub.pulls[0].reviewers) == (("acme/sre", "ada"), ["acme/sre", "ada"])
    assert forge.find_open(head=PROPOSAL.head, base="main").reviewers == ("ada", "acme/sre")


def test_who_has_reviewed_this_content_is_not_asked_again(stub, forge):
    proposal = replace(PROPOSAL, reviewers=("ada",))
    opened_whole(forge, proposal)
    stub.pulls[0].reviews.append("ada")
    assert updated_whole(forge, forge.find_open(head=PROPOSAL.head, base="main"), proposal).state == "unchanged"
    assert len(stub.sent("POST", "requested_reviewers")) == 1
    newer = replace(proposal, body="newer")
    assert updated_whole(forge, forge.find_open(head=PROPOSAL.head, base="main"), newer).state == "updated"
    assert len(stub.sent("POST", "requested_reviewers")) == 2


def test_the_author_as_reviewer_is_a_warning(stub, forge):
    stub.people.append(stub.author)
    opened = opened_whole(forge, replace(PROPOSAL, reviewers=(stub.author,)))
    assert "Review cannot be requested from pull request author" in opened.warnings[0]


def test_an_assignee_that_github_leaves_out_in_silence_is_a_warning(stub, forge):
    opened = opened_whole(forge, replace(PROPOSAL, assignees=("ada", "nobody")))
    assert opened.assignees == ("ada",)
    assert [w.partition(" ")[0] for w in opened.warnings] == ["nobody"]


def test_a_pull_request_by_github_token_says_that_no_workflow_starts(stub, forge):
    stub.author = "github-actions[bot]"
    assert "create-github-app-token" in opened_whole(forge, PROPOSAL).warnings[0]


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [
        (403, "Resource not accessible by integration", "create-github-app-token"),
        (403, "GitHub Actions is not permitted to create or approve pull requests.", "Allow GitHub Actions to create"),
        (403, "Resource protected by organization SAML enforcement.", "single sign-on"),
        (403, "You have exceeded a secondary rate limit.", "run again in some minutes"),
        (404, "Not Found", "GITHUB_TOKEN reaches only the repository it runs in"),
        (422, "No commits between main and gitops-ci/staging/shop", "nothing that the base branch has not"),
    ],
)
def test_a_refusal_to_a_workflows_token_says_what_to_do(host, status, words, hint):
    token = "ghs_0123456789abcdef"
    host.stub.token = token
    host.stub.fault("POST", "/pulls$", status, body=host.stub.refusal(status, words).body, times=99)
    with pytest.raises(ForgeError) as caught:
        opened_whole(host.connect(token), PROPOSAL)
    assert hint in caught.value.hint
    assert token not in caught.value.hint + caught.value.message


def test_a_missing_base_branch_names_the_option(host):
    host.stub.branch_exists = lambda branch: branch != "main"
    with pytest.raises(ForgeError, match="base invalid") as caught:
        opened_whole(host.connect(), PROPOSAL)
    assert "--base" in caught.value.hint


def test_a_repository_that_was_renamed_is_found_by_its_new_name(host, stub):
    """Git over ssh follows a rename in silence; the API answers with redirects (mislav/hub issues/878)."""
    opened_whole(host.connect(), PROPOSAL)
    stub.former = "oldcorp/old-config"
    forge = host.connect(path=stub.former)
    found = forge.find_open(head=PROPOSAL.head, base="main")
    assert found.number == 1
    newer = replace(PROPOSAL, title="newer", labels=("gitops",))
    assert updated_whole(forge, found, newer).state == "updated"
    assert (stub.pulls[0].title, stub.pulls[0].labels) == ("newer", ["gitops"])
    stub.status = "BLOCKED"
    assert merge(stub, forge, found)
    other = replace(PROPOSAL, head="gitops-ci/other")
    assert opened_whole(host.connect(path=stub.former), other).number == 2


def test_a_token_of_another_host_is_recognized(host):
    with pytest.raises(ForgeError) as caught:
        host.connect("glpat-0123456789").default_branch()
    assert "one of gitlab" in caught.value.hint


def test_a_secondary_rate_limit_is_waited_for(host, forge):
    words = {"message": "You have exceeded a secondary rate limit."}
    host.stub.fault("POST", "/pulls$", 403, body=words, headers={"Retry-After": "60"})
    assert opened_whole(forge, PROPOSAL).state == "opened"
    assert host.pauses == [60]


def test_comments_are_found_beyond_the_first_page(stub, forge):
    pull = opened_whole(forge, PROPOSAL)
    for number in range(100):
        stub.add_comment(stub.pulls[0], f"noise {number}")
    forge.comment(pull, "first", key="diff")
    forge.comment(pull, "second", key="diff")
    assert [text[:6] for text in list(stub.pulls[0].comments.values())[100:]] == ["second"]


def changes(**texts: str) -> tuple[FileChange, ...]:
    return tuple(FileChange(f"{name}.yaml", "old\n", text) for name, text in texts.items())


def test_only_github_commits_by_api():
    url = RepoUrl.parse("https://forge.example/acme/platform/_git/config")
    able = {name for name, kind in FORGES.items() if isinstance(kind.connect(url, Secret("x" * 9), None), CommitsByApi)}
    assert able == {"github"}


def test_a_commit_by_api_holds_the_files_the_message_and_the_parent(stub, forge):
    sha = forge.commit(
        branch=PROPOSAL.head,
        parent=BASE_SHA,
        message="Title\n\nBody\n\nImage: x\n",
        files=changes(a="é\r\n", b="\ufeffx"),
    )
    made = stub.commits[sha]
    assert stub.refs == {PROPOSAL.head: sha}
    assert (made.branch, made.parent, made.message) == (PROPOSAL.head, BASE_SHA, "Title\n\nBody\n\nImage: x")
    assert made.files == {"a.yaml": "é\r\n".encode(), "b.yaml": "\ufeffx".encode()}


def test_a_commit_on_a_branch_that_moved_is_refused(stub, forge):
    tip = forge.commit(branch=PROPOSAL.head, parent="c" * 40, message="theirs", files=changes(a="x"))
    with pytest.raises(ForgeError, match=f"it is at {tip[:12]}, not at bbbbbbbbbbbb") as caught:
        forge.commit(branch=PROPOSAL.head, parent=BASE_SHA, message="ours", files=changes(a="x"))
    assert caught.value.status == 409
    assert (stub.refs[PROPOSAL.head], list(stub.commits)) == (tip, [tip])


def test_the_same_commit_again_is_the_one_that_is_there(stub, forge):
    branch = "gitops-ci/a#b?c d%20"
    made = [forge.commit(branch=branch, parent=BASE_SHA, message="m", files=changes(a="x")) for _ in range(2)]
    assert made[0] == made[1]
    assert (stub.refs, list(stub.commits)) == ({branch: made[0]}, [made[0]])


@pytest.mark.parametrize("status", [0, 502])
def test_a_commit_whose_answer_is_lost_is_found_and_not_made_twice(stub, forge, status):
    stub.fault("POST", "graphql", status, after=True)
    sha = forge.commit(branch=PROPOSAL.head, parent=BASE_SHA, message="Title\n\nBody", files=changes(a="x"))
    assert (stub.refs[PROPOSAL.head], list(stub.commits)) == (sha, [sha])


def test_a_commit_that_never_arrived_is_an_error(stub, forge):
    stub.fault("POST", "graphql", 502)
    with pytest.raises(ForgeError) as caught:
        forge.commit(branch=PROPOSAL.head, parent=BASE_SHA, message="m", files=changes(a="x"))
    assert (caught.value.status, stub.commits) == (502, {})


def test_a_commit_that_somebody_else_made_first_is_not_taken_for_ours(stub, forge):
    forge.commit(branch=PROPOSAL.head, parent=BASE_SHA, message="theirs", files=changes(a="x"))
    tip = stub.refs[PROPOSAL.head]
    with pytest.raises(ForgeError) as caught:
        forge.commit(branch=PROPOSAL.head, parent=BASE_SHA, message="ours", files=changes(a="y"))
    assert (caught.value.status, stub.refs[PROPOSAL.head]) == (409, tip)
