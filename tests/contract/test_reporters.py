"""Every report format answers the same questions, and each is checked against what is published about it."""

from __future__ import annotations

import html
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import pytest
from jsonschema.validators import validator_for
from markdown_it import MarkdownIt

from gitops_ci.errors import UsageError
from gitops_ci.model import Finding, Outcome
from gitops_ci.reporting import REPORTERS, for_name
from gitops_ci.secret import Secret
from tests.support.outcomes import OUTCOMES, everywhere
from tests.support.report_schemas import JUNIT, SARIF

ALL = [pytest.param(OUTCOMES[name], id=name) for name in OUTCOMES]
HOSTILE = pytest.param(everywhere("é\n::x::\x00\x1b[2J\u202e]]>&<\"'|`\ud800\ufffe\t"), id="hostile")
EMPTY = pytest.param(everywhere(""), id="empty texts")


@pytest.fixture(params=sorted(REPORTERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("outcome", [*ALL, HOSTILE, EMPTY])
def test_report_is_one_text_that_ends_in_one_newline(name: str, outcome: Outcome) -> None:
    text = REPORTERS[name].report(outcome)
    assert text == "" or re.search(r"[^\n]\n\Z", text)
    text.encode("utf-8")


@pytest.mark.parametrize("outcome", ALL)
def test_report_is_the_same_whatever_order_things_were_found_in(name: str, outcome: Outcome) -> None:
    turned = replace(
        outcome,
        changes=outcome.changes[::-1],
        files=outcome.files[::-1],
        skipped=outcome.skipped[::-1],
        findings=outcome.findings[::-1],
    )
    assert REPORTERS[name].report(turned) == REPORTERS[name].report(outcome)


def test_report_never_shows_a_secret_in_any_spelling(name: str) -> None:
    token = "c4n4ry%&<'\",:]\\/+~"
    Secret(token)
    text = REPORTERS[name].report(everywhere(f"before {token} after"))
    for seen in (text, html.unescape(text), unquote(text), text.replace("\\", ""), json.dumps(text), _strings(text)):
        assert "c4n4ry" not in seen
    assert text == "" or "***" in text or "***" in unquote(text) or r"\*\*\*" in text


def test_every_finding_and_every_file_that_was_not_read_is_reported(name: str) -> None:
    outcome = OUTCOMES["invalid"]
    text = REPORTERS[name].report(outcome)
    for finding in outcome.findings:
        assert finding.rule in text
        assert finding.path in text
    assert "apps/broken/app.yaml" in text
    assert "a tab where indentation was expected" in text


def test_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no report format 'pdf'") as refused:
        for_name("pdf")
    assert all(known in refused.value.hint for known in REPORTERS)
    with pytest.raises(UsageError) as refused:
        for_name("junti")
    assert refused.value.hint.startswith("Did you mean 'junit'?")


def test_every_format_is_found_under_its_own_id(name: str) -> None:
    assert name == for_name(name).ID


class TestJson:
    schema = json.loads(files("gitops_ci.reporting").joinpath("outcome.schema.json").read_text())

    def test_shipped_schema_is_a_valid_schema(self) -> None:
        assert jsonschema_rs.meta.is_valid(self.schema)

    @pytest.mark.parametrize("outcome", [*ALL, HOSTILE, EMPTY])
    def test_document_follows_the_shipped_schema(self, outcome: Outcome) -> None:
        document = json.loads(REPORTERS["json"].report(outcome))
        jsonschema_rs.Draft202012Validator(self.schema).validate(document)

    @pytest.mark.parametrize("outcome", [*ALL, HOSTILE])
    def test_document_has_every_key_of_the_schema_and_no_other(self, outcome: Outcome) -> None:
        document = json.loads(REPORTERS["json"].report(outcome))
        for schema, value in _objects(self.schema, self.schema, document):
            assert list(value) == list(schema["properties"])
            assert set(schema["required"]) == set(schema["properties"])


class TestSarif:
    @pytest.fixture(scope="class")
    @classmethod
    def schema(cls) -> Any:
        # Not jsonschema_rs: the schema holds a pattern with a stray bracket, which only Python's engine forgives.
        schema = json.loads(SARIF.read())
        return validator_for(schema)(schema)

    @pytest.mark.parametrize("outcome", [*ALL, HOSTILE, EMPTY])
    def test_log_follows_the_published_schema(self, schema: Any, outcome: Outcome) -> None:
        schema.validate(json.loads(REPORTERS["sarif"].report(outcome)))

    def test_published_schema_does_refuse(self, schema: Any) -> None:
        log = json.loads(REPORTERS["sarif"].report(OUTCOMES["invalid"]))
        log["runs"][0]["results"][0]["level"] = "critical"
        assert not schema.is_valid(log)

    def test_addresses_are_relative_and_rules_are_described(self) -> None:
        run = json.loads(REPORTERS["sarif"].report(OUTCOMES["invalid"]))["runs"][0]
        described = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        for result in run["results"]:
            assert described[result["ruleIndex"]] == result["ruleId"]
            uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"apps/[a-z./]+", uri)

    def test_addresses_are_escaped(self) -> None:
        outcome = replace(OUTCOMES["valid"], findings=(Finding("yaml/x", "error", "m", "a b/ü:#%?.yaml", 3),))
        location = json.loads(REPORTERS["sarif"].report(outcome))["runs"][0]["results"][0]["locations"][0]
        assert location["physicalLocation"] == {
            "artifactLocation": {"uri": "a%20b/%C3%BC%3A%23%25%3F.yaml", "uriBaseId": "SRCROOT"},
            "region": {"startLine": 3},
        }


class TestJUnit:
    @pytest.fixture(scope="class")
    @classmethod
    def schema(cls) -> Any:
        import xmlschema  # it takes longer to import than the rest of this file, in every worker

        return xmlschema.XMLSchema10(io.BytesIO(JUNIT.read()))

    @pytest.mark.parametrize("outcome", [*ALL, HOSTILE, EMPTY])
    def test_document_follows_the_published_schema(self, schema: Any, outcome: Outcome) -> None:
        schema.validate(io.BytesIO(REPORTERS["junit"].report(outcome).encode()))

    def test_published_schema_does_refuse(self, schema: Any) -> None:
        document = REPORTERS["junit"].report(OUTCOMES["invalid"]).replace("<failure", "<fault", 1)
        assert not schema.is_valid(io.BytesIO(document.replace("</failure", "</fault", 1).encode()))

    @pytest.mark.parametrize("outcome", [*ALL, HOSTILE])
    def test_counts_are_those_of_the_cases(self, outcome: Outcome) -> None:
        root = ET.fromstring(REPORTERS["junit"].report(outcome).encode())
        for element in (root, *root.iter("testsuite")):
            assert int(element.attrib["tests"]) == len(list(element.iter("testcase")))
            assert int(element.attrib["failures"]) == len(list(element.iter("failure")))
        assert list(root.iter("testcase"))
        names = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
        assert len(names) == len(set(names))


def test_what_fails_a_validation_is_told_once() -> None:
    outcome = OUTCOMES["invalid"]
    errors = sum(finding.severity == "error" for finding in outcome.findings)
    unread = sum(skip.failed for skip in outcome.skipped)
    assert outcome.error is not None
    assert outcome.error.kind == "findings"
    root = ET.fromstring(REPORTERS["junit"].report(outcome).encode())
    assert int(root.attrib["failures"]) == errors + unread
    assert REPORTERS["github"].report(outcome).count("::error ") == errors + unread
    notes = json.loads(REPORTERS["sarif"].report(outcome))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert sum(note["level"] == "error" for note in notes) == unread
    assert outcome.error.message not in REPORTERS["markdown"].report(outcome)


class TestCodeQuality:
    @pytest.mark.parametrize("outcome", [*ALL, HOSTILE, EMPTY])
    def test_issues_have_the_documented_fields(self, outcome: Outcome) -> None:
        issues = json.loads(REPORTERS["codequality"].report(outcome))
        for issue in issues:
            assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
            assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
            assert issue["location"]["path"]
            assert not issue["location"]["path"].startswith(("./", "/"))
            assert issue["location"]["lines"]["begin"] >= 1
            assert re.fullmatch(r"[0-9a-f]{64}", issue["fingerprint"])
        marks = [issue["fingerprint"] for issue in issues]
        assert len(marks) == len(set(marks))

    def test_fingerprints_outlive_lines_added_above(self) -> None:
        outcome = OUTCOMES["invalid"]
        moved = tuple(replace(finding, line=finding.line + 10) for finding in outcome.findings)
        assert _marks(replace(outcome, findings=moved)) == _marks(outcome)


class TestMarkdown:
    @pytest.mark.parametrize("outcome", ALL)
    def test_tables_and_the_folded_diff_come_out_as_such(self, outcome: Outcome) -> None:
        tokens = MarkdownIt("commonmark").enable("table").parse(REPORTERS["markdown"].report(outcome))
        tables = sum(token.type == "table_open" for token in tokens)
        assert tables == bool(outcome.findings) + bool(outcome.changes) + bool(outcome.skipped)
        rows = sum(token.type == "tr_open" for token in tokens)
        assert rows == tables + len(outcome.findings) + len(outcome.changes) + len(outcome.skipped)
        assert sum(token.type == "fence" and token.info == "diff" for token in tokens) == bool(outcome.files)
        blocks = [token.content.strip() for token in tokens if token.type == "html_block"]
        assert blocks == ["<details><summary>Diff</summary>", "</details>"] * bool(outcome.files)


def _marks(outcome: Outcome) -> list[str]:
    return [issue["fingerprint"] for issue in json.loads(REPORTERS["codequality"].report(outcome))]


def _strings(text: str) -> str:
    """What a JSON reader sees; the text itself where it is not JSON."""
    try:
        return "\n".join(_leaves(json.loads(text)))
    except ValueError:
        return text


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield str(value)


def _objects(root: Any, schema: Any, value: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Every object of a document with the schema that describes its keys."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        schema = next(s for s in schema["anyOf"] if ("$ref" in s) == (value is not None))
        yield from _objects(root, schema, value)
    elif isinstance(value, dict) and "properties" in schema:
        yield schema, value
        for key, item in value.items():
            yield from _objects(root, schema["properties"][key], item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(root, schema["items"], item)
