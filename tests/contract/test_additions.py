"""Labels, assignees and reviewers never fail a pull request: each that a host refuses is a warning of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_ci.model import Proposal
from tests.support.forge_hosts import KINDS, hosting, opened_whole, updated_whole

PROPOSAL = Proposal("gitops-ci/staging/shop", "main", "staging: shop 1.5.0", "body")
# The request that adds one of each.
ADDS = {
    "github": {
        "label": ("POST", "/labels$"),
        "assignee": ("POST", "/assignees$"),
        "milestone": ("PATCH", "/issues/1$"),
    },
    "gitlab": {
        "label": ("PUT", r"/merge_requests/1$"),
        "assignee": ("PUT", r"/merge_requests/1$"),
        "milestone": ("PUT", r"/merge_requests/1$"),
    },
    "gitea": {"label": ("POST", "/labels$"), "assignee": ("PATCH", "/pulls/1$"), "milestone": ("PATCH", "/pulls/1$")},
    "gitea-1.25": {
        "label": ("POST", "/labels$"),
        "assignee": ("PATCH", "/pulls/1$"),
        "milestone": ("PATCH", "/pulls/1$"),
    },
    "azure-devops": {"label": ("POST", "/labels$")},
}
REFUSED = [(name, kind) for name, kinds in ADDS.items() for kind in kinds]


@pytest.mark.parametrize(("name", "kind"), REFUSED)
@pytest.mark.parametrize("status", [0, 400, 403, 404, 410, 422, 500])
def test_what_is_refused_is_a_warning_and_the_rest_is_added(name, kind, status):
    with hosting(name) as host:
        words = "You do not have permission to create labels on this repository."
        body = host.stub.refusal(status, words).body if status else None
        host.stub.fault(*ADDS[name][kind], status, body=body)
        if status in {0, 500}:  # tried again: it never comes through
            host.stub.faults[-1].times = 7
        ada = host.stub.people[0]
        wanted = {"label": {"labels": ("gitops",)}, "assignee": {"assignees": (ada,)}, "milestone": {"milestone": "Q3"}}
        wanted = wanted[kind]
        opened = opened_whole(host.connect(), replace(PROPOSAL, **wanted))
        assert (opened.state, opened.number, len(opened.warnings)) == ("opened", 1, 1)
        pull = host.stub.pulls[0]
        assert (pull.labels, pull.assignees, pull.milestone) == ([], [], "")
        assert (words if status in {400, 403, 404, 410, 422} else "") in opened.warnings[0]
        host.stub.faults.clear()
        again = opened_whole(host.connect(), replace(PROPOSAL, **wanted))
        assert (again.state, again.warnings) == ("updated", ())


@pytest.mark.parametrize("name", ADDS)
def test_one_label_that_may_not_be_made_keeps_nothing_from_the_others(name):
    with hosting(name) as host:
        host.stub.fault(*ADDS[name]["label"], 403, body=host.stub.refusal(403).body)
        opened = opened_whole(host.connect(), replace(PROPOSAL, labels=("new", "gitops")))
        assert (host.stub.pulls[0].labels, opened.labels, len(opened.warnings)) == (["gitops"], ("gitops",), 1)


@pytest.mark.parametrize("name", ["github", "gitlab", "gitea", "gitea-1.25"])
def test_a_milestone_is_set_by_its_title_and_the_one_that_a_person_chose_stays(name):
    with hosting(name) as host:
        host.stub.milestones = [f"M{number}" for number in range(150)] + ["Q3 2026", "Q3"]
        forge, wanted = host.connect(), replace(PROPOSAL, milestone="Q3")
        opened = opened_whole(forge, wanted)
        assert (host.stub.pulls[0].milestone, opened.milestone, opened.warnings) == ("Q3", "Q3", ())
        host.stub.pulls[0].milestone = "M7"
        updated_whole(forge, forge.find_open(head=PROPOSAL.head, base="main"), replace(wanted, title="newer"))
        assert host.stub.pulls[0].milestone == "M7"
        host.stub.pulls[0].milestone = ""
        found = forge.find_open(head=PROPOSAL.head, base="main")
        again = updated_whole(forge, found, replace(wanted, title="newer", milestone="Q5"))
        assert again.warnings == ("There is no open milestone 'Q5': make it",)


def test_a_milestone_that_github_leaves_out_in_silence_is_a_warning():
    with hosting("github") as host:
        host.stub.may_triage = False
        opened = opened_whole(host.connect(), replace(PROPOSAL, milestone="Q3"))
        assert opened.warnings == ("The milestone 'Q3' was not set: check that the token may set it",)


@pytest.mark.parametrize("name", ["bitbucket", "bitbucket-dc", "azure-devops"])
def test_a_host_without_milestones_says_so(name):
    with hosting(name) as host:
        opened = opened_whole(host.connect(), replace(PROPOSAL, milestone="Q3"))
        assert (opened.state, len(opened.warnings)) == ("opened", 1)
        assert "has no milestones" in opened.warnings[0]


@pytest.mark.parametrize("name", ["bitbucket", "bitbucket-dc"])
@pytest.mark.parametrize("gone", [1, 2])
def test_reviewers_who_left_do_not_stop_an_update(name, gone):
    with hosting(name) as host:
        people = [*host.stub.people]
        forge = host.connect()
        opened = opened_whole(forge, replace(PROPOSAL, reviewers=tuple(people)))
        host.stub.people = people[gone:]
        found = forge.find_open(head=PROPOSAL.head, base="main")
        updated = updated_whole(forge, found, replace(PROPOSAL, title="newer"))
        assert (updated.state, host.stub.pulls[0].title) == ("updated", "newer")
        assert host.stub.pulls[0].reviewers == people[gone:]
        assert [warning.partition(" ")[0] for warning in updated.warnings] == people[:gone]
        assert opened.warnings == ()


@pytest.mark.parametrize("name", ["bitbucket", "bitbucket-dc"])
def test_a_reviewer_who_left_does_not_stop_a_pull_request_from_being_closed(name):
    with hosting(name) as host:
        forge = host.connect()
        opened = opened_whole(forge, replace(PROPOSAL, reviewers=(host.stub.people[0],)))
        host.stub.people = host.stub.people[1:]
        forge.close(opened, comment="nothing left")
        closed = forge.find_latest(head=PROPOSAL.head, base="main")
        assert (closed.status, closed.is_refusal) == ("closed", False)


def test_bitbucket_gets_its_default_reviewers_but_those_who_left():
    with hosting("bitbucket") as host:
        ada, grace = host.stub.people
        host.stub.default_reviewers, host.stub.people = [ada, grace], [grace]
        opened = opened_whole(host.connect(), PROPOSAL)
        assert (host.stub.pulls[0].reviewers, opened.warnings) == ([grace], ())


@pytest.mark.parametrize("name", KINDS)
def test_a_host_without_drafts_gets_a_pull_request_and_a_warning(name):
    with hosting(name) as host:
        words = "Draft pull requests are not supported in this repository."
        host.stub.fault("POST", host.kind.creates, 422, body=host.stub.refusal(422, words).body)
        opened = opened_whole(host.connect(), replace(PROPOSAL, draft=True))
        assert (opened.state, opened.draft, opened.warnings) == ("opened", False, (f"It is not a draft: {words}",))
