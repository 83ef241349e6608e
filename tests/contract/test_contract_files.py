"""The contracts in tests/data/contracts: a malformed one fails here, and none lets a mistake pass."""

from __future__ import annotations

import json

import pytest

from tests.support.contract import Contract
from tests.support.contract_file import CONTRACTS, read_contract, read_graphql
from tests.support.contract_schema import ContractError
from tests.support.forge_hosts import KINDS

WHOLE = """\
host: A host
query:
  version!: one of 1 | 2
refusals:
  404: Error
shapes:
  Error:
    message: string
  Pull:
    number!: integer
    body?: string up to 5
    labels: [{name!: string}]
requests:
  open-pull:
    method: POST
    path: /repos/{owner}/pulls
    source: https://docs.example.com/pulls#open
    query:
      dry: boolean
    body:
      title!: string
      draft: boolean
      state: one of open | closed
    answers:
      201: Pull
      204:
  get-pull:
    method: GET
    path: /repos/{owner}/pulls/{number:integer}
    source: https://docs.example.com/pulls#get
    answers:
      200: Pull
  get-file:
    method: GET
    path: /repos/{owner}/files/{name:path}
    source: https://docs.example.com/files#get
    answers:
      200: {size: number, more: anything}
"""


@pytest.mark.parametrize("name", sorted(path.name for path in CONTRACTS.iterdir() if path.suffix != ".md"))
def test_each_contract_is_well_formed(name):
    path = CONTRACTS / name
    if path.suffix == ".graphql":
        types = read_graphql(path).type_map.values()
        own = [kind for kind in types if kind.ast_node]
        assert [kind.name for kind in own if not (kind.description or "").startswith("https://docs.github.com/")] == []
    else:
        assert read_contract(path)


def test_the_example_of_the_readme_is_well_formed(tmp_path):
    text = (CONTRACTS / "README.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    assert [entry.id for entry in read_contract(written(tmp_path, text))] == ["update-pull-request"]


def test_every_kind_of_host_has_a_contract():
    there = {path.stem for path in CONTRACTS.glob("*.yaml")}
    missing, unused = sorted(KINDS.keys() - there), sorted(there - KINDS.keys())
    assert not missing, f"add tests/data/contracts/<host>.yaml for {missing}; the README there describes the form"
    assert not unused, f"no row of KINDS in tests/support/forge_hosts.py uses {unused}"
    wrong = {name: kind.stub.CONTRACT for name, kind in KINDS.items() if name != kind.stub.CONTRACT}
    assert not wrong, f"CONTRACT of a stub is its name in KINDS: {wrong}"


def written(folder, text, name="host"):
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("before", "after", "at", "reason"),
    [
        ("host: A host\n", "", "", "host is missing"),
        ("host: A host\n", "host: [\n", "line 3", "expected"),
        ("refusals:", "refusal:", "refusal", "is none of host, like"),
        ("refusals:\n  404: Error", "refusals: 404", "refusals", "is not a mapping"),
        ("  404: Error", "  4040: Error", "refusals/4040", "is not an HTTP status"),
        ("  404: Error", "  404: Eror", "refusals/404", "'Eror' is not a type"),
        ("    message: string", "    message: strng", "shapes/Error/message", "'strng' is not a type"),
        ("    message: string", "    message: Error", "shapes/Error/message", "contains itself"),
        ("    message: string", "    message: string\n    message: string", "line 9", "'message' is given twice"),
        ("    message: string", "    message:", "shapes/Error/message", "None is not a type"),
        ("    message: string", "    message: boolean up to 3", "shapes/Error/message", "a boolean has no limit"),
        ("    message: string", "    two words: string", "shapes/Error/two words", "is not the name of a field"),
        ("    message: string", "    m!: string\n    m: string", "shapes/Error/m", "is given twice"),
        ("  Error:\n", "  Other: {a: string}\n  Error:\n", "shapes/Other", "is used by no request"),
        ("  Error:\n", "  error: {a: string}\n  Error:\n", "shapes/error", "begins with a capital letter"),
        ("[{name!: string}]", "[string, integer]", "shapes/Pull/labels", "a list has one part"),
        ("  open-pull:", "  Open_pull:", "requests/Open_pull", "an id has lower-case letters"),
        ("  get-pull:", "  open-pull:", "line 27", "'open-pull' is given twice"),
        ("method: POST", "method: post", "requests/open-pull/method", "'post' is none of GET"),
        ("method: POST", "method: GET", "requests/open-pull/body", "a GET has no body"),
        ("    query:\n      dry", "    querry:\n      dry", "requests/open-pull/querry", "is none of answers, body"),
        ("dry: boolean", "dry: anything", "requests/open-pull/query/dry", "'anything' is not a type"),
        ("title!: string", "title!: {}", "requests/open-pull/body/title", "is not a mapping, or an empty one"),
        ("    source: https://docs.example.com/pulls#open\n", "", "requests/open-pull", "source is missing"),
        ("https://docs.example.com/pulls#open", "the docs", "requests/open-pull/source", "is not the https address"),
        ("      201: Pull\n      204:", "      409: Error", "requests/open-pull/answers", "there is no success"),
        ("path: /repos/{owner}/pulls\n", "path: repos\n", "requests/open-pull/path", "is not a path that starts"),
        ("path: /repos/{owner}/pulls\n", "path: /a?b=c\n", "requests/open-pull/path", "is not a path that starts"),
        ("{number:integer}", "{number:int}", "requests/get-pull/path", "a parameter is {name}"),
        ("{number:integer}", "{owner}", "requests/get-pull/path", "the parameter owner is given twice"),
        ("files/{name:path}", "pulls/{number}", "requests/get-file", "is the same request as get-pull"),
    ],
)
def test_a_malformed_contract_names_file_place_and_reason(tmp_path, before, after, at, reason):
    assert before in WHOLE
    path = written(tmp_path, WHOLE.replace(before, after, 1))
    with pytest.raises(ContractError) as caught:
        read_contract(path)
    assert str(caught.value).startswith(f"{path}: {at}: " if at else f"{path}: ")
    assert reason in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path):
    with pytest.raises(ContractError, match=r"absent\.yaml: cannot be read"):
        read_contract(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ContractError, match=r"binary\.yaml: cannot be read"):
        read_contract(tmp_path / "binary.yaml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("type Query {\n  a: Strin\n", "line 3: Syntax Error"),
        ("type Query {\n  a: Absent\n}\n", "Unknown type 'Absent'"),
        ("type Query {\n  a: Int\n  a: Int\n}\n", "'Query.a' can only be defined once"),
    ],
)
def test_malformed_graphql_types_name_file_and_reason(tmp_path, text, reason):
    path = tmp_path / "host.graphql"
    path.write_text(text)
    with pytest.raises(ContractError) as caught:
        read_graphql(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)


def test_a_contract_like_another_has_its_entries_but_those_it_replaces(tmp_path):
    written(tmp_path, WHOLE)
    text = WHOLE.partition("requests:\n")[2].partition("  get-file:")[0].partition("  get-pull:")[2]
    replaced = f"host: Older\nlike: host\nrequests:\n  get-pull:{text.replace('pulls/', 'old/')}"
    entries = {entry.id: entry.template for entry in read_contract(written(tmp_path, replaced, "older"))}
    assert entries["get-pull"] == "/repos/{owner}/old/{number}"
    assert entries.keys() == {"open-pull", "get-pull", "get-file"}
    with pytest.raises(ContractError, match="like: older is itself like another"):
        read_contract(written(tmp_path, replaced.replace("like: host", "like: older"), "oldest"))


@pytest.fixture
def contract(tmp_path):
    return Contract("host", read_contract(written(tmp_path, WHOLE)))


def asked(contract, method, target, body=None, content_type="application/json"):
    path, _, query = target.partition("?")
    operation = contract.find(method, path)
    sent = b"" if body is None else json.dumps(body).encode()
    return list(contract.request_problems(operation, query, content_type, sent)) if operation else ["no such request"]


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/repos/acme/pulls?version=1", {"title": "t"}),
        ("POST", "/repos/acme/pulls?version=2&dry=true", {"title": "t", "draft": True, "state": "open"}),
        ("GET", "/repos/a%2Fb/pulls/7?version=1", None),
        ("GET", "/repos/acme/files/a/b.yaml?version=1", None),
    ],
)
def test_a_request_as_described_passes(contract, method, target, body):
    assert asked(contract, method, target, body) == []


@pytest.mark.parametrize(
    ("method", "target", "body", "problem"),
    [
        ("PUT", "/repos/acme/pulls?version=1", {"title": "t"}, "no such request"),
        ("GET", "/repos/acme/pull/7?version=1", None, "no such request"),
        ("GET", "/repos/a/b/pulls/7?version=1", None, "no such request"),
        ("GET", "/repos/acme/pulls/x?version=1", None, "path/number: 'x' is not of type 'integer'"),
        ("GET", "/repos/acme/pulls/7", None, "'version' is a required property"),
        ("GET", "/repos/acme/pulls/7?version=3", None, "query/version: '3' is not one of"),
        ("GET", "/repos/acme/pulls/7?version=1&page=2", None, "query: Additional properties are not allowed ('page'"),
        ("GET", "/repos/acme/pulls/7?version=1&version=1", None, "the query parameter version is given 2 times"),
        ("GET", "/repos/acme/pulls/7?version=1", {}, "a body where none belongs"),
        ("POST", "/repos/acme/pulls?version=1&dry=yes", {"title": "t"}, "query/dry: 'yes' is not of type 'boolean'"),
        ("POST", "/repos/acme/pulls?version=1", None, "no body"),
        ("POST", "/repos/acme/pulls?version=1", {}, "body: 'title' is a required property"),
        ("POST", "/repos/acme/pulls?version=1", {"title": 1}, "body/title: 1 is not of type 'string'"),
        ("POST", "/repos/acme/pulls?version=1", {"title": None}, "body/title: None is not of type 'string'"),
        ("POST", "/repos/acme/pulls?version=1", {"title": "t", "state": "new"}, "body/state: 'new' is not one of"),
        ("POST", "/repos/acme/pulls?version=1", {"title": "t", "extra": 1}, "body: Additional properties"),
    ],
)
def test_a_request_beyond_the_description_is_a_problem(contract, method, target, body, problem):
    assert any(said.startswith(problem) or problem in said for said in asked(contract, method, target, body))


def test_a_body_that_is_no_json_is_a_problem(contract):
    said = asked(contract, "POST", "/repos/acme/pulls?version=1", {"title": "t"}, content_type="text/plain")
    assert said == ["content type text/plain (open-pull in tests/data/contracts/host.yaml)"]


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (201, {"number": 1}, ""),
        (201, {"number": 1, "body": None, "labels": [{"name": "a"}]}, ""),
        (204, None, ""),
        (404, {"message": "no"}, ""),
        (200, {"number": 1}, "there is no answer 200"),
        (204, {}, "answer 204 has no content"),
        (201, None, "answer 201: None is not of type 'object'"),
        (201, {}, "answer 201: 'number' is a required property"),
        (201, {"number": None}, "answer 201/number: None is not of type 'integer'"),
        (201, {"number": 1, "body": "longer"}, "answer 201/body: 'longer' is too long"),
        (201, {"number": 1, "labels": [{"name": 1}]}, "answer 201/labels/0/name: 1 is not of type 'string'"),
        (201, {"number": 1, "url": "https://x"}, "answer 201: Additional properties"),
        (404, {"error": "no"}, "answer 404: Additional properties"),
    ],
)
def test_an_answer_beyond_the_description_is_a_problem(contract, status, body, problem):
    operation = contract.find("POST", "/repos/acme/pulls")
    assert [said[: len(problem)] for said in contract.answer_problems(operation, status, body)] == [problem] * bool(
        problem
    )
