"""Every code host answers the same questions, against a stub that judges requests by the contract of its host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gitops_ci.errors import ForgeError
from gitops_ci.forges import FORGES
from gitops_ci.forges.base import Forge
from gitops_ci.model import Proposal, PullRequest
from tests.support.forge_github import GitHubStub
from tests.support.forge_hosts import KINDS, Host, hosting, merge, opened_whole, updated_whole

HEAD, BASE = "gitops-ci/staging/ghcr.io-acme-shop", "main"
PROPOSAL = Proposal(HEAD, BASE, "staging: shop 1.5.0", "| image | new |\n|---|---|\n| shop | `1.5.0` |")


@pytest.fixture(params=KINDS)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    with hosting(request.param) as running:
        yield running


@pytest.fixture
def forge(host: Host) -> Forge:
    return host.connect()


def ensure(forge: Forge, proposal: Proposal) -> PullRequest:
    existing = forge.find_open(head=proposal.head, base=proposal.base)
    return opened_whole(forge, proposal) if existing is None else updated_whole(forge, existing, proposal)


def written(host: Host) -> list[str]:
    return [f"{r.method} {r.path}" for r in host.stub.requests if r.method != "GET" and not r.path.endswith("/graphql")]


def test_every_kind_is_here():
    # Gerrit has no API here: tests/flows/test_gerrit.py plays it with Git alone.
    stubs, hosts = {kind.forge for kind in KINDS.values()}, FORGES.keys() - {"git", "gerrit"}
    assert not (left := sorted(hosts - stubs)), f"add a stub and a row of KINDS in tests/support/forge_hosts.py: {left}"
    assert not (gone := sorted(stubs - hosts)), f"FORGES in gitops_ci/forges/__init__.py does not have {gone}"


def test_the_default_branch_is_asked_for(host, forge):
    host.stub.default_branch = "trunk"
    assert forge.default_branch() == "trunk"


def test_opening_makes_one_that_is_found_again(host, forge):
    assert forge.find_open(head=HEAD, base=BASE) is None
    opened = opened_whole(forge, PROPOSAL)
    found = forge.find_open(head=HEAD, base=BASE)
    assert (opened.state, opened.status, opened.head, opened.base) == ("opened", "open", HEAD, BASE)
    assert opened.number == 1
    assert opened.url.startswith(("http://", "https://"))
    assert (found.number, found.title, found.body, found.url) == (1, PROPOSAL.title, PROPOSAL.body, opened.url)


def test_the_same_again_changes_nothing_and_writes_nothing(host, forge):
    first = ensure(forge, PROPOSAL)
    before = written(host)
    again = ensure(forge, PROPOSAL)
    assert (again.state, again.number) == ("unchanged", first.number)
    assert written(host) == before


def test_a_newer_image_updates_the_same_one(host, forge):
    ensure(forge, PROPOSAL)
    newer = replace(PROPOSAL, title="staging: shop 1.6.0", body="other")
    updated = ensure(forge, newer)
    assert (updated.state, updated.number, updated.title, updated.body) == ("updated", 1, newer.title, newer.body)
    assert [(p.title, p.body) for p in host.stub.pulls] == [(newer.title, newer.body)]


def test_opening_adopts_one_that_was_opened_in_the_meantime(host, forge):
    host.stub.add_pull(HEAD, BASE, title="older", body="older")
    adopted = opened_whole(forge, PROPOSAL)
    assert adopted.number == 1
    assert [(p.title, p.body) for p in host.stub.pulls] == [(PROPOSAL.title, PROPOSAL.body)]


def test_ten_identical_runs_at_once_make_one(host):
    forges = [host.connect() for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda forge: ensure(forge, PROPOSAL), forges))
    assert {p.number for p in found} == {1}
    assert [(p.title, p.status) for p in host.stub.pulls] == [(PROPOSAL.title, "open")]


def test_only_our_own_branches_are_found(host, forge):
    host.stub.add_pull("other", BASE)
    host.stub.add_pull(HEAD, "release")
    host.stub.add_pull(HEAD, BASE, fork=True)
    assert forge.find_open(head=HEAD, base=BASE) is None
    assert forge.find_latest(head=HEAD, base=BASE) is None


@pytest.mark.parametrize(
    "head", ['gitops-ci/a"b/c', "gitops-ci/a+b/c#d&e=f%20g", "gitops-ci/ü/ß", "x;y", "a'b", "{v}", "$(x)"]
)
def test_a_branch_of_any_name_is_found(host, forge, head):
    proposal = replace(PROPOSAL, head=head)
    assert ensure(forge, proposal).head == head
    assert ensure(forge, proposal).state == "unchanged"
    assert [p.head for p in host.stub.pulls] == [head]


@pytest.mark.parametrize(
    ("states", "number", "status"),
    [
        (["closed"], 1, "closed"),
        (["merged"], 1, "merged"),
        (["closed", "merged"], 2, "merged"),
        (["merged", "closed"], 2, "closed"),
        (["open", "merged"], 1, "open"),
    ],
)
def test_the_latest_is_the_open_one_or_else_the_newest(host, forge, states, number, status):
    for state in states:
        host.stub.add_pull(HEAD, BASE, status=state)
    found = forge.find_latest(head=HEAD, base=BASE)
    assert (found.number, found.status) == (number, status)
    assert (forge.find_open(head=HEAD, base=BASE) is None) == ("open" not in states)


def test_labels_reviewers_and_assignees_are_set_where_the_host_has_them(host, forge):
    ada, grace = host.stub.people[:2]
    proposal = replace(PROPOSAL, labels=("gitops", "image"), reviewers=(ada,), assignees=(grace,))
    opened = opened_whole(forge, proposal)
    pull = host.stub.pulls[0]
    assert pull.reviewers == [ada]
    assert pull.labels == (["gitops", "image"] if host.kind.labels else [])
    assert pull.assignees == ([grace] if host.kind.assignees else [])
    assert len(opened.warnings) == (not host.kind.labels) + (not host.kind.assignees)
    assert updated_whole(forge, forge.find_open(head=HEAD, base=BASE), proposal).state == "unchanged"


def test_what_a_killed_run_left_out_is_added_by_the_next(host, forge):
    host.stub.add_pull(HEAD, BASE, title=PROPOSAL.title, body=PROPOSAL.body)
    ada, grace = host.stub.people[:2]
    proposal = replace(PROPOSAL, labels=("gitops",), reviewers=(ada,), assignees=(grace,))
    assert ensure(forge, proposal).state == "updated"
    pull = host.stub.pulls[0]
    assert pull.reviewers == [ada]
    assert pull.labels == (["gitops"] if host.kind.labels else [])


def test_what_people_added_stays(host, forge):
    ada, grace = host.stub.people[:2]
    host.stub.add_pull(HEAD, BASE, labels=["hold"], reviewers=[ada], assignees=[ada] if host.kind.assignees else [])
    proposal = replace(PROPOSAL, labels=("gitops",), reviewers=(grace,), assignees=(grace,))
    ensure(forge, proposal)
    pull = host.stub.pulls[0]
    assert pull.title == PROPOSAL.title
    assert sorted(pull.reviewers) == sorted([ada, grace])
    assert pull.labels == (["hold", "gitops"] if host.kind.labels else ["hold"])
    assert pull.assignees == ([ada, grace] if host.kind.assignees else [])


def test_a_reviewer_that_is_refused_is_a_warning(host, forge):
    ada = host.stub.people[0]
    unknown = "{00000000-dead-4000-8000-000000000000}" if host.kind.forge == "bitbucket" else "nobody"
    opened = opened_whole(forge, replace(PROPOSAL, reviewers=(unknown, ada)))
    assert (opened.state, opened.reviewers.count(ada), host.stub.pulls[0].reviewers) == ("opened", 1, [ada])
    assert [unknown in warning for warning in opened.warnings] == [True]
    again = updated_whole(forge, forge.find_open(head=HEAD, base=BASE), replace(PROPOSAL, reviewers=(unknown, ada)))
    assert again.state == "unchanged"


def test_a_draft_is_opened_and_stays_one(host, forge):
    ensure(forge, replace(PROPOSAL, draft=True))
    found = forge.find_open(head=HEAD, base=BASE)
    assert (host.stub.pulls[0].draft, found.draft, found.title) == (True, True, PROPOSAL.title)
    assert ensure(forge, replace(PROPOSAL, draft=True)).state == "unchanged"
    assert ensure(forge, replace(PROPOSAL, title="newer", draft=False)).state == "updated"
    assert (host.stub.pulls[0].draft, host.stub.pulls[0].title) == (True, "newer")


def test_new_content_becomes_a_draft_again_and_old_content_does_not(host, forge):
    host.stub.add_pull(HEAD, BASE, title=PROPOSAL.title, body=PROPOSAL.body)
    draft = replace(PROPOSAL, draft=True)
    assert ensure(forge, draft).state == "unchanged"
    assert not host.stub.pulls[0].draft
    assert ensure(forge, replace(draft, title="newer")).draft
    assert host.stub.pulls[0].draft


def test_a_comment_is_said_once_and_replaced(host, forge):
    pull = ensure(forge, PROPOSAL)
    host.stub.add_comment(host.stub.pulls[0], "a person speaks")
    forge.comment(pull, "first", key="diff")
    forge.comment(pull, "first", key="diff")
    forge.comment(pull, "second", key="diff")
    forge.comment(pull, "other", key="validate")
    said = list(host.stub.pulls[0].comments.values())
    assert [text.partition("\n")[0] for text in said] == ["a person speaks", "second", "other"]
    assert len({re.search(r"gitops-ci:\w+", text)[0] for text in said[1:]}) == 2


def test_a_comment_that_only_updates_is_not_the_first(host, forge):
    pull = ensure(forge, PROPOSAL)
    forge.comment(pull, "nothing", key="diff", is_new=False)
    assert list(host.stub.pulls[0].comments.values()) == []
    forge.comment(pull, "something", key="diff")
    forge.comment(pull, "nothing any more", key="diff", is_new=False)
    assert [text.partition("\n")[0] for text in host.stub.pulls[0].comments.values()] == ["nothing any more"]


def test_closing_says_why_and_happens_once(host, forge):
    pull = ensure(forge, PROPOSAL)
    forge.close(pull, comment="Replaced by https://forge.example/2")
    assert (host.stub.pulls[0].status, len(host.stub.pulls[0].comments)) == ("closed", 1)
    before = written(host)
    forge.close(forge.find_latest(head=HEAD, base=BASE), comment="Replaced by https://forge.example/2")
    assert written(host) == before
    assert forge.find_open(head=HEAD, base=BASE) is None


def test_who_closed_it_is_read_back(host, forge):
    opened = opened_whole(forge, PROPOSAL)
    forge.close(opened, comment="done")
    closed = forge.find_latest(head=PROPOSAL.head, base=PROPOSAL.base)
    assert (closed.status, closed.is_refusal) == ("closed", False)
    assert closed.body.startswith(opened.body.rstrip())
    host.stub.pulls[0].status = "open"  # by a person, and the next run writes its words again
    reopened = forge.find_open(head=PROPOSAL.head, base=PROPOSAL.base)
    assert updated_whole(forge, reopened, PROPOSAL).state == "updated"
    host.stub.pulls[0].status = "closed"
    assert forge.find_latest(head=PROPOSAL.head, base=PROPOSAL.base).is_refusal


def test_a_run_killed_between_comment_and_closing_is_finished_by_the_next(host, forge):
    pull = ensure(forge, PROPOSAL)
    forge.comment(pull, "Replaced", key="closed")
    forge.close(pull, comment="Replaced")
    assert (host.stub.pulls[0].status, len(host.stub.pulls[0].comments)) == ("closed", 1)


def test_merging_waits_for_the_checks_where_the_host_can(host, forge):
    if isinstance(host.stub, GitHubStub):
        host.stub.status = "BLOCKED"
    pull = ensure(forge, PROPOSAL)
    assert merge(host.stub, forge, pull) is host.kind.merges
    assert [p.status for p in host.stub.pulls] == ["open"]
    assert bool(host.stub.pulls[0].auto_merge) is host.kind.merges
    before = written(host)
    assert merge(host.stub, forge, pull) is host.kind.merges
    assert written(host) == before or host.kind.forge == "gitea"


def test_merging_happens_now_where_nothing_is_left_to_wait_for(host, forge):
    host.stub.pipeline_running = host.stub.checks_running = False
    pull = ensure(forge, PROPOSAL)
    assert merge(host.stub, forge, pull) is host.kind.merges
    assert [p.status for p in host.stub.pulls] == ["merged" if host.kind.merges else "open"]
    assert merge(host.stub, forge, pull) is host.kind.merges


@pytest.mark.parametrize("status", [0, 502])
@pytest.mark.parametrize("after", [True, False], ids=["done", "not-done"])
def test_a_lost_answer_to_create_is_followed_by_a_search_and_makes_one(host, forge, status, after):
    host.stub.fault("POST", host.kind.creates, status, after=after)
    proposal = replace(PROPOSAL, labels=("gitops",) if host.kind.labels else (), reviewers=(host.stub.people[0],))
    opened = opened_whole(forge, proposal)
    assert (opened.state, opened.number) == ("opened", 1)
    assert [(p.title, p.reviewers) for p in host.stub.pulls] == [(PROPOSAL.title, [host.stub.people[0]])]
    creations = [
        n for n, r in enumerate(host.stub.requests) if r.method == "POST" and re.search(host.kind.creates, r.path)
    ]
    assert len(creations) == (1 if after else 2)
    assert host.stub.requests[creations[0] + 1].method == "GET"


def lose_every_answer_once(host: Host, status: int) -> None:
    for method in ("POST", "PUT", "PATCH"):
        host.stub.fault(method, "", status, after=True)


@pytest.mark.parametrize("status", [0, 502])
def test_lost_answers_to_comment_and_close_are_no_second_comment_and_no_error(host, forge, status):
    pull = ensure(forge, PROPOSAL)
    lose_every_answer_once(host, status)
    forge.close(pull, comment="Replaced")
    assert (host.stub.pulls[0].status, len(host.stub.pulls[0].comments)) == ("closed", 1)


@pytest.mark.parametrize("status", [0, 502])
@pytest.mark.parametrize("running", [True, False])
def test_a_lost_answer_to_merge_is_followed_by_a_look_at_what_happened(host, forge, status, running):
    host.stub.pipeline_running = host.stub.checks_running = running
    if isinstance(host.stub, GitHubStub) and running:
        host.stub.status = "BLOCKED"
    pull = ensure(forge, PROPOSAL)
    lose_every_answer_once(host, status)
    assert merge(host.stub, forge, pull) is host.kind.merges
    assert len(host.stub.merging) == host.kind.merges


def test_a_create_that_is_lost_every_time_gives_up_with_the_reason(host, forge):
    host.stub.fault("POST", host.kind.creates, 502, times=99)
    with pytest.raises(ForgeError) as caught:
        opened_whole(forge, PROPOSAL)
    assert (caught.value.status, bool(caught.value.hint)) == (502, True)
    assert len(host.stub.sent("POST", host.kind.creates)) == 3


def test_a_search_that_lags_behind_still_finds_the_one_that_exists(host, forge):
    host.stub.add_pull(HEAD, BASE)
    host.stub.search_lag = 2
    adopted = opened_whole(forge, PROPOSAL)
    assert (adopted.number, len(host.stub.pulls)) == (1, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500])
def test_a_refusal_is_a_forge_error_that_says_who_what_and_what_to_do(host, forge, status):
    refusal = host.stub.refusal(status, "The moon is full").body
    host.stub.fault("POST", host.kind.creates, status, body=refusal, times=99)
    with pytest.raises(ForgeError) as caught:
        opened_whole(forge, PROPOSAL)
    error = caught.value
    assert (error.status, error.exit_code) == (status, 6)
    assert re.match(rf"(GitHub|GitLab|Gitea|Bitbucket|Azure DevOps) answered {status} while opening", error.message)
    assert "The moon is full" in error.message
    assert re.search(r"\(http://127\.0\.0\.1:\d+/\S+\)$", error.message), "which repository"
    assert error.hint or status in {400, 422}
    assert host.stub.pulls == []


def test_a_wrong_token_is_said_so_without_showing_it(host):
    with pytest.raises(ForgeError) as caught:
        host.connect("wrong-token-999").default_branch()
    assert caught.value.status == 401
    assert "token" in caught.value.hint
    assert "wrong-token-999" not in f"{caught.value.message}{caught.value.hint}{caught.value!r}"


def test_no_token_is_said_so(host):
    with pytest.raises(ForgeError) as caught:
        host.connect("").default_branch()
    assert "GITOPS_CI_TOKEN" in caught.value.hint


def test_another_repository_is_not_found_with_a_hint(host):
    with pytest.raises(ForgeError) as caught:
        host.connect(path=host.stub.path.replace("config", "other")).default_branch()
    assert (caught.value.status, bool(caught.value.hint)) == (404, True)


def test_a_rate_limit_is_waited_for(host, forge):
    host.stub.fault("POST", host.kind.creates, 429, headers={"Retry-After": "17"})
    assert opened_whole(forge, PROPOSAL).state == "opened"
    assert host.pauses == [17]


def test_a_rate_limit_beyond_the_deadline_names_the_time(host, forge):
    host.stub.fault("GET", "", 429, headers={"Retry-After": "4000"})
    with pytest.raises(ForgeError) as caught:
        forge.find_open(head=HEAD, base=BASE)
    assert caught.value.status == 429
    assert "4000 s" in caught.value.hint
    assert host.pauses == []


def test_reading_is_tried_again_after_a_passing_failure(host, forge):
    host.stub.fault("GET", "", 503, times=2)
    assert forge.default_branch() == "main"
    assert len(host.pauses) == 2


def test_the_token_goes_to_no_other_host(host, forge):
    with GitHubStub() as elsewhere:
        host.stub.fault("GET", "", 302, headers={"Location": f"{elsewhere.origin}/steal"}, times=99)
        host.stub.fault("POST", "", 307, headers={"Location": f"{elsewhere.origin}/steal"}, times=99)
        for ask in (forge.default_branch, lambda: opened_whole(forge, PROPOSAL)):
            with pytest.raises(ForgeError, match="not followed"):
                ask()
        assert elsewhere.requests == []
        assert elsewhere.problems == []


@pytest.mark.parametrize("answer", ["a page", [1], {"unexpected": True}, [{}], None, {"value": [{}], "values": [{}]}])
def test_an_answer_of_another_shape_is_an_error_for_people(host, forge, answer):
    host.stub.fault("GET", "", 200, body=answer, times=99)
    with pytest.raises(ForgeError):
        forge.find_open(head=HEAD, base=BASE)


def test_texts_are_cut_to_what_the_host_takes_and_then_left_alone(host, forge):
    body = "```diff\n" + "+ a line of the diff\n" * (host.kind.body_limit // 20 + 50) + "```\nend"
    long = replace(PROPOSAL, title="t" * 2000, body=body)
    opened = ensure(forge, long)
    assert opened.state == "opened"
    pull = host.stub.pulls[0]
    assert len(pull.body) <= host.kind.body_limit
    assert len(pull.body) > host.kind.body_limit * 0.9
    assert pull.body.count("```") == 2
    assert ensure(forge, long).state == "unchanged"


def test_a_comment_is_as_long_as_the_host_takes_comments(host, forge):
    pull = ensure(forge, PROPOSAL)
    text = "a line of the diff\n" * (host.kind.comment_limit // 19 + 50)
    for _ in range(2):
        forge.comment(pull, text, key="diff")
    [said] = host.stub.pulls[0].comments.values()
    assert host.kind.comment_limit * 0.9 < len(said) <= host.kind.comment_limit
    assert "gitops-ci:diff" in said


def test_line_ends_of_a_host_are_no_change(host, forge):
    host.stub.add_pull(HEAD, BASE, title=PROPOSAL.title + " ", body=PROPOSAL.body.replace("\n", "\r\n") + "\r\n")
    assert ensure(forge, PROPOSAL).state == "unchanged"


def test_a_branch_that_is_not_there_is_refused(host):
    host.stub.branch_exists = lambda branch: branch == BASE
    with pytest.raises(ForgeError) as caught:
        opened_whole(host.connect(), PROPOSAL)
    assert caught.value.status in {400, 404, 422}
    assert host.stub.pulls == []
