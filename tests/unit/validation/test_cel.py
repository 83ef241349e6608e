"""Rules in CEL: those of custom resources, and what definitions and policies hold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from gitops_ci.validation import Report, check
from gitops_ci.validation.cel import engine
from gitops_ci.validation.cel.schema_rules import escaped, rules_of
from gitops_ci.validation.violation import UNCHECKED, Violation, show_path

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.acme.io}}
spec:
  group: acme.io
  scope: Namespaced
  names: {{kind: Widget, plural: widgets}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              x-kubernetes-validations:
                - rule: {rule}
                  message: the rule is broken
              properties:
                min: {{type: integer}}
                max: {{type: integer, default: 10}}
                share: {{type: number}}
                tier-name: {{type: string}}
                names: {{type: array, items: {{type: string}}}}
                size: {{type: string}}
                key: {{type: string, format: byte}}
                since: {{type: string, format: date-time}}
                tags: {{type: array, x-kubernetes-list-type: set, items: {{type: string}}}}
                note: {{type: string, nullable: true}}
"""


def judged(rule: str, spec: str) -> Report:
    widget = f"apiVersion: acme.io/v1\nkind: Widget\nmetadata: {{name: a}}\nspec: {spec}\n"
    return check([("crd.yaml", CRD.format(rule=repr(rule))), ("widget.yaml", widget)])


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(engine, "_environment", lambda variables: None)
    engine.expression.cache_clear()
    yield
    engine.expression.cache_clear()


@pytest.mark.parametrize(
    ("rule", "kept", "broken"),
    [
        ("self.min <= self.max", "{min: 1, max: 2}", "{min: 3, max: 2}"),
        ("self.min <= self.max", "{min: 10}", "{min: 11}"),  # the default counts
        ("!has(self.min) || self.min > 0", "{}", "{min: 0}"),
        ("self.share < 0.5", "{share: 0}", "{share: 1}"),  # a whole number is a double all the same
        ("self.tier__dash__name.startsWith('a')", "{tier-name: abc}", "{tier-name: bcd}"),
        ("self.names.all(n, n.matches('^[a-z]+$'))", "{names: [a, b]}", "{names: [a, B]}"),
        ("self.names.isSorted() && self.names.exists_one(n, n == 'a')", "{names: [a, b]}", "{names: [b, a]}"),
        ("size(self.names) < 2", "{names: [a]}", "{names: [a, b]}"),
        ("quantity(self.size).isGreaterThan(quantity('1Gi'))", "{size: 2Gi}", "{size: 1000M}"),
        ("quantity(self.size) == quantity('1')", "{size: 1000m}", "{size: 2000m}"),
        ("self.?size.orValue('x') == 'x'", "{}", "{size: '1'}"),
        ("self.min > 1", "{min: 2}", "{}"),  # to read what is not there fails on the server
        ("int(self.size) > 1", "{size: '2'}", "{size: two}"),  # and so does what cannot be converted
        ("quantity(self.size).isLessThan(quantity('1Gi'))", "{size: 1M}", "{size: big}"),
        ("self.key == b'hi'", "{key: aGk=}", "{key: aGVsbG8=}"),
        ("url(self.size).getScheme() == 'https'", "{size: 'https://a'}", "{size: a}"),
        ("isURL(self.size) && url(self.size).getPort() == '80'", "{size: 'x://[::1]:80/'}", "{size: 'x://[::1]/'}"),
        ("has(self.note)", "{note: a}", "{note: null}"),
    ],
)
def test_a_rule_is_kept_or_broken(rule: str, kept: str, broken: str) -> None:
    assert judged(rule, kept).findings == ()
    (found,) = judged(rule, broken).findings
    assert (found.rule, found.path, found.line) == ("schema/rule", "widget.yaml", 4)
    assert found.message == "spec: the rule is broken"


def test_rules_about_the_object_before_say_nothing_of_a_new_one() -> None:
    report = judged("self.min == oldSelf.min", "{min: 1}")
    assert (report.findings, report.skipped) == ((), ())


def test_a_rule_for_new_objects_too_sees_no_object_before() -> None:
    schema = {
        "type": "object",
        "x-kubernetes-validations": [{"rule": "oldSelf.hasValue() || self.a == 1", "optionalOldSelf": True}],
    }
    rules = rules_of(schema)
    assert rules is not None
    problems: list[Violation] = []
    rules({"a": 1}, None, problems)
    assert problems == []
    rules({"a": 2}, None, problems)
    assert [problem.rule for problem in problems] == ["schema/rule"]


def test_rules_are_not_run_over_what_the_schema_refuses() -> None:
    assert [found.rule for found in judged("self.min > 5", "{min: one}").findings] == ["schema/type"]


@pytest.mark.parametrize(
    "rule",
    [
        "ip(self.size).family() == 4",
        "self.since == timestamp('2026-01-01T00:00:00Z')",
        "self.tags == ['b', 'a']",
        "self.names.all(a, b, a < b)",
    ],
)
def test_what_cannot_be_told_is_told_once(rule: str) -> None:
    widget = "apiVersion: acme.io/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: a, names: [a]}\n"
    files = [(f"{number}.yaml", widget.replace("name: a}", f"name: a{number}}}")) for number in range(9)]
    report = check([("crd.yaml", CRD.format(rule=repr(rule))), *files])
    assert [found for found in report.findings if found.rule.startswith(("schema/", "api/"))] == []
    told = [skip for skip in report.skipped if f"the rule {rule} is not checked" in skip.reason]
    assert [skip.path for skip in told] == ["0.yaml"]


def test_a_rule_that_would_run_for_ever_is_given_up() -> None:
    names = f"{{names: [{', '.join('abcdefghij' * 100)}]}}"
    rule = "self.names.all(a, self.names.all(b, self.names.all(c, self.names.all(d, true))))"
    before = time.process_time()
    report = judged(rule, names)
    assert time.process_time() - before < 2
    assert report.findings == ()
    assert "is not checked" in report.skipped[0].reason


@pytest.mark.usefixtures("without_library")
def test_without_the_library_one_line_says_so() -> None:
    report = judged("self.min > 1", "{min: 0}")
    assert report.findings == ()
    (skip,) = report.skipped
    assert "not installed" in skip.reason
    assert "gitops-ci[cel]" in skip.hint


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("self.min >", "no CEL expression"),
        ("1 + 1", "must give true or false, gives int"),
        ("self.mim > 1", "'self' has no field 'mim' here"),
        ('"a"', "must give true or false, gives string"),
    ],
)
def test_a_definition_with_a_rule_that_no_server_compiles(rule: str, message: str) -> None:
    (found,) = check([("crd.yaml", CRD.format(rule=repr(rule)))]).findings
    assert (found.rule, found.line) == ("api/crd", 19)
    assert message in found.message


def test_names_are_escaped_as_expressions_write_them() -> None:
    assert [escaped(name) for name in ("a-b", "a.b/c", "namespace", "x__y", "plain")] == [
        "a__dash__b",
        "a__dot__b__slash__c",
        "__namespace__",
        "x__underscores__y",
        "plain",
    ]


def test_rules_hold_everywhere_below() -> None:
    ports = {"type": "object", "properties": {"port": {"type": "integer"}}}
    ports["x-kubernetes-validations"] = [{"rule": "self.port > 0", "fieldPath": ".port"}]  # type: ignore[assignment]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"lists": {"type": "array", "items": ports}, "maps": {"additionalProperties": ports}},
    }
    rules = rules_of(schema)
    assert rules is not None
    problems: list[Violation] = []
    rules({"lists": [{"port": 1}, {"port": 0}], "maps": {"a": {"port": -1}}}, None, problems)
    assert [show_path(problem.path) for problem in problems] == ["lists[1].port", "maps.a.port"]
    assert all(problem.rule != UNCHECKED for problem in problems)
    assert rules_of({"type": "object"}) is None
