"""The contracts hold what the program asks and reads: nothing is missing, and nothing is there that nobody uses.

One journey through all that a code host is asked for, on each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, TypeInfo, TypeInfoVisitor, Visitor, parse, visit
from graphql.utilities import type_from_ast

from gitops_ci.forges.api import Fields
from gitops_ci.forges.base import AutoMerge, OpensAcross
from gitops_ci.model import FileChange, Proposal
from gitops_ci.repourl import RepoUrl
from tests.support.contract import Contract
from tests.support.contract_file import CONTRACTS, Entry, read_graphql
from tests.support.contract_schema import described_fields
from tests.support.forge_hosts import KINDS, Host, hosting, opened_whole, updated_whole

HEAD, BASE = "gitops-ci/staging/shop", "main"
PROPOSAL = Proposal(HEAD, BASE, "staging: shop 1.5.0", "body")
# Fields that are read in case a host has them, and that no host describes.
READ_IN_CASE = {"github": {"organization"}}  # of a team, to tell teams of other organizations apart
GRAPHQL = partial(read_graphql, CONTRACTS / "github.graphql")


@dataclass(frozen=True)
class Traveled:
    """What a journey asked: each request with its entry in the contract, and the fields of answers that were read."""

    forge: str
    contract: Contract
    requests: tuple[tuple[Entry | None, Any], ...]
    read: frozenset[str]


@pytest.fixture(scope="module", params=KINDS)
def traveled(request: pytest.FixtureRequest) -> Traveled:
    # Leaving the stub fails for a request that is not an entry.
    with pytest.MonkeyPatch.context() as patch, hosting(request.param) as host:
        read: set[str] = set()
        for method in ("get", "__getitem__"):
            patch.setattr(Fields, method, noting(getattr(Fields, method), read))
        journey(host)
        contract, below = host.stub.contract, host.stub.PREFIX
        found = [(contract.find(r.method, r.path.removeprefix(below)), r) for r in host.stub.requests]
        requests = tuple((operation and operation.entry, r) for operation, r in found)
        return Traveled(host.kind.forge, contract, requests, frozenset(read))


def noting(method: Callable[..., Any], read: set[str]) -> Callable[..., Any]:
    def noted(self: Fields, key: str, *default: Any) -> Any:
        read.add(key)
        return method(self, key, *default)

    return noted


def journey(host: Host) -> None:
    """Everything that the program asks this kind of host for."""
    stub, forge = host.stub, host.connect()
    forge.default_branch()
    ada, grace = stub.people[:2]
    reviewers = (ada, *(["acme/sre"] if hasattr(stub, "teams") else []))
    proposal = replace(PROPOSAL, labels=("gitops",), reviewers=reviewers, assignees=(grace,), milestone="Q3")
    pull = opened_whole(forge, proposal)
    stub.pulls[0].reviews.append(ada)
    pull = updated_whole(forge, forge.find_latest(head=HEAD, base=BASE), proposal)
    pull = updated_whole(forge, pull, replace(proposal, title="newer", labels=("gitops", "image")))
    updated_whole(forge, pull, replace(proposal, title="newest", draft=True))
    forge.comment(pull, "first", key="diff")
    forge.comment(pull, "second", key="diff")
    stub.pulls[0].draft = False
    merge(host, forge)
    other = opened_whole(forge, replace(PROPOSAL, head="other", draft=True))
    forge.close(other, comment="Replaced")
    stub.merged(stub.pulls[0])
    forge.find_latest(head=HEAD, base=BASE)
    stub.report("c" * 40, "Kustomization/shop/1", "success")
    stub.report("c" * 40, "build", "success", by="ci-app")
    list(forge.statuses("c" * 40))
    stub.merge_of("d" * 40, 70, ada, "2026-11-30T12:00:00Z")
    forge.merged("d" * 40)
    if host.kind.forge == "bitbucket":
        ask_an_account(host, forge)
    if host.kind.forge == "github":
        commit(forge)
    if isinstance(forge, OpensAcross):
        from_fork(host, forge)


def merge(host: Host, forge: Any) -> None:
    if host.kind.forge == "github":
        host.stub.status = "BLOCKED"
    pull = forge.find_open(head=HEAD, base=BASE)
    forge.merge_when_green(pull, AutoMerge(host.stub.sha(HEAD)))
    forge.merge_when_green(pull, AutoMerge(host.stub.sha(HEAD)))
    if host.kind.forge == "gitlab":
        host.stub.merged_results, host.stub.pipeline_lag, host.stub.pulls[0].looks = True, 3, 0
        host.stub.pulls[0].auto_merge = ""
        forge.merge_when_green(pull, AutoMerge(host.stub.sha(HEAD)))
    if host.kind.forge in {"gitlab", "bitbucket-dc"}:
        host.stub.pulls[0].auto_merge = ""
        forge.merge_when_green(pull, AutoMerge(host.stub.sha(HEAD), method="merge"))
    if host.kind.forge == "github":
        host.stub.auto_merge_allowed, host.stub.pulls[0].auto_merge, host.stub.has_queue = False, "", True
        forge.merge_when_green(pull, AutoMerge(host.stub.sha(HEAD)))
        host.stub.has_queue = False
        host.stub.status, host.stub.auto_merge_allowed, host.stub.pulls[0].auto_merge = "CLEAN", False, ""
        forge.merge_when_green(pull, AutoMerge(host.stub.sha(HEAD)))


def from_fork(host: Host, forge: Any) -> None:
    host.stub.fork, host.stub.fork_tip = "bot/config", lambda branch: "d" * 40
    forge.use_fork(RepoUrl.parse("https://forge.example/bot/config"))
    forge.open(replace(PROPOSAL, head="from the fork"))
    assert forge.find_open(head="from the fork", base=BASE) is not None


def ask_an_account(host: Host, forge: Any) -> None:
    host.stub.default_reviewers = host.stub.people[:1]
    account = "557058:c9b06a50-0f7d-4a0f-9b0e-1d5b4b0f6a11"
    opened_whole(forge, replace(PROPOSAL, head="third", reviewers=(account,)))


def commit(forge: Any) -> None:
    for _ in range(2):
        forge.commit(branch="made", parent="b" * 40, message="m", files=(FileChange("a.yaml", "old\n", "new\n"),))
    forge.merge(onto="a" * 40, other="b" * 40, tree="c" * 40, message="m")


def test_every_request_is_an_entry_and_every_entry_is_asked_for(traveled):
    asked = {entry.id for entry, _ in traveled.requests if entry}
    assert asked == {entry.id for entry in traveled.contract.entries}


def test_every_parameter_and_every_field_of_a_body_is_sent(traveled):
    unused = {
        (entry.id, name)
        for entry in traveled.contract.entries
        for name in (*entry.query["properties"], *described_fields(entry.body))
    }
    for entry, request in traveled.requests:
        if entry:
            names = (*dict(parse_qsl(request.query)), *keys(request.body))
            unused -= {(entry.id, name) for name in names}
    assert unused == set()


def test_every_field_that_the_program_reads_is_described(traveled):
    answers = [answer for entry in traveled.contract.entries for answer in entry.answers.values()]
    described = {name for answer in answers for name in described_fields(answer)}
    if traveled.forge == "github":
        described |= {field.partition(".")[2] for field in all_graphql_fields()}
        described |= {"data", "errors", "type", "message"}  # of every answer to GraphQL
    assert traveled.read - described == READ_IN_CASE.get(traveled.forge, set())


@pytest.mark.parametrize("traveled", ["github"], indirect=True)
def test_every_graphql_field_is_asked_for(traveled):
    unused = set(all_graphql_fields())
    for _, request in traveled.requests:
        if request.path.endswith("/graphql"):
            unused -= set(graphql_fields(request.body["query"], request.body["variables"]))
    assert unused == set()


@pytest.mark.parametrize("name", KINDS)
def test_every_entry_has_a_route_of_the_stub_and_every_route_is_an_entry(name):
    stub = KINDS[name].stub()
    assert stub._routes.keys() == {(entry.method, entry.template) for entry in stub.contract.entries}


def all_graphql_fields() -> Iterator[str]:
    for kind in GRAPHQL().type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType) and not kind.name.startswith("__"):
            yield from (f"{kind.name}.{name}" for name in kind.fields)


def graphql_fields(document: str, variables: dict[str, Any]) -> Iterator[str]:
    """`Type.field` of all that a request selects and sends."""
    schema = GRAPHQL()
    tree, types, found = parse(document), TypeInfo(schema), []

    class Selected(Visitor):
        def enter_field(self, node: Any, *_: Any) -> None:
            found.append(f"{types.get_parent_type().name}.{node.name.value}")

    visit(tree, TypeInfoVisitor(types, Selected()))
    yield from found
    for variable in tree.definitions[0].variable_definitions:
        yield from sent_fields(type_from_ast(schema, variable.type), variables[variable.variable.name.value])


def sent_fields(kind: Any, value: Any) -> Iterator[str]:
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    for item in value if isinstance(value, list) else [value]:
        if isinstance(kind, GraphQLInputObjectType):
            for name, part in item.items():
                yield f"{kind.name}.{name}"
                yield from sent_fields(kind.fields[name].type, part)


def keys(body: Any) -> Iterator[str]:
    """Every name of a field in a body."""
    if isinstance(body, dict):
        for name, part in body.items():
            yield name
            yield from keys(part)
    elif isinstance(body, list):
        for item in body:
            yield from keys(item)
