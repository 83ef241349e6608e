"""The definitions of Argo CD's, Flux's and Fleet's kinds that ship with the package."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gitops_ci.validation import Surroundings, check
from gitops_ci.validation.custom_resources import bundled_kinds
from gitops_ci.validation.custom_resources.bundled_kinds import find_problems
from gitops_ci.validation.custom_resources.plainly_sound import is_plainly_sound

KINDS, LINES = bundled_kinds._lines()
SCHEMAS = [json.loads(line) for line in LINES[1:]]
PROVIDER = "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nmetadata: {name: a}\n"
ALERT = PROVIDER.replace("Provider", "Alert")
CLUSTER = "apiVersion: fleet.cattle.io/v1alpha1\nkind: Cluster\nmetadata: {name: a}\n"
RELEASE = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\n"
APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
TO = "project: default, destination: {name: in-cluster}"


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            for one in value.values() if key == "properties" else [value]:
                yield from parts(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from parts(one)


@pytest.mark.parametrize(
    ("text", "rule", "severity", "line", "message"),
    [
        # Kinds without a table of their fields.
        (PROVIDER + "spec: {type: slack, channel: a}\n", "", "", 0, ""),
        (PROVIDER + "spec: {type: slack, chanel: a}\n", "unknown-field", "error", 4, "unknown field 'chanel'"),
        (PROVIDER + "spec: {type: slack, quux: a}\n", "unknown-field", "warning", 4, "unknown field 'quux'"),
        (PROVIDER + "spec: {channel: a}\n", "field", "error", 4, "required field 'type' is missing"),
        (PROVIDER + "spec: {type: [a]}\n", "field", "error", 4, "spec.type: must be a string, is a list"),
        (PROVIDER + "spec: {type: slack, interval: 5 minutes}\n", "field", "error", 4, "spec.interval: "),
        (
            ALERT + "spec: {providerRef: {name: a}, eventSources: [{kind: HelmReleas, name: b}]}\n",
            "field",
            "error",
            4,
            "",
        ),
        # A release of Flux has more kinds than the one before.
        (ALERT + "spec: {providerRef: {name: a}, eventSources: [{kind: Quux, name: b}]}\n", "field", "warning", 4, ""),
        (CLUSTER + "spec: {paused: 'yes'}\n", "field", "error", 4, "spec.paused: must be true or false, is a string"),
        (CLUSTER + "spec: {}\nstatus: {quux: 1}\n", "", "", 0, ""),
        # What a table leaves open.
        (RELEASE + "spec: {interval: 5m, releaseName: A_, chartRef: {kind: HelmChart, name: a}}\n", "", "", 0, ""),
        (APPLICATION + f"spec: {{{TO}, source: {{repoURL: a, path: b}}}}\n", "", "", 0, ""),
        (
            APPLICATION + f"spec: {{{TO}, source: {{repoURL: a, path: b}}}}\noperation: {{sync: 1}}\n",
            "field",
            "error",
            5,
            "",
        ),
        # A reason is given once.
        (
            APPLICATION + f"spec: {{{TO}, source: {{path: b}}}}\n",
            "field",
            "error",
            4,
            "required field 'repoURL' is missing",
        ),
    ],
)
def test_what_a_definition_refuses_is_a_finding(text: str, rule: str, severity: str, line: int, message: str) -> None:
    report = check([("a.yaml", text)], None, Surroundings())
    assert (report.skipped, report.summary["documents"]) == ((), 1)
    found = [(one.rule, one.severity, one.line) for one in report.findings]
    assert found == ([(f"gitops/{rule}", severity, line)] if rule else [])
    assert not found or message in report.findings[0].message


def test_a_rule_of_a_kind_without_a_table_is_checked() -> None:
    pytest.importorskip("cel_expr_python")
    (found,) = check([("a.yaml", PROVIDER + "spec: {type: github, certSecretRef: {name: a}, proxy: 'x'}\n")]).findings
    assert found.rule == "gitops/field"


def test_an_unknown_value_is_not_judged() -> None:
    text = ALERT + "spec: {providerRef: {name: a}, eventSeverity: '${severity}', eventSources: []}\n"
    assert check([("a.yaml", text)], None, Surroundings(has_variables=True)).findings == ()


def test_a_short_look_and_the_engine_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value that the short look takes is sound to the engine, which is asked about each kind here."""
    looked = []

    def look(value: Any, schema: Any, root: Any, *, with_rules: bool) -> bool:
        looked.append(is_plainly_sound(value, schema, root, with_rules=with_rules))
        return False

    monkeypatch.setattr(bundled_kinds, "is_plainly_sound", look)
    for name in KINDS:
        api_version, kind = name.split()
        root = bundled_kinds._root(api_version, kind)
        for value in samples(root, root):
            problems = find_problems({**value, "metadata": {}}, api_version, kind, with_rules=False)
            assert not (looked[-1] and problems), (name, value, problems)
    assert looked.count(True) > len(KINDS)
    assert looked.count(False) > len(KINDS)


def samples(schema: Any, root: Any, depth: int = 0) -> list[Any]:
    """Values of a schema's type, sound and not: each field by itself with each value that one might write there."""
    while "$ref" in schema:
        schema = root[schema["$ref"].removeprefix("#/")]
    others = [None, "", "x", "5m", "https://a", 0, -1, 1 << 40, 1 << 64, 1.5, True, [], {}, *schema.get("enum", ())]
    if depth > 3:
        return others[:6]
    if schema.get("type") == "array":
        inner = samples(schema["items"], root, depth + 1)
        return [*others, [inner[-1]], [inner[-1], inner[-1]], [inner[0]]]
    if schema.get("type") != "object" or "properties" not in schema:
        return others
    fields = {key: samples(field, root, depth + 1) for key, field in schema["properties"].items()}
    full = {key: fields[key][-1] for key in schema.get("required", ())}
    made = [{**full, key: value} for key, values in fields.items() for value in values[-3:]]
    made += [{**full, "quux": 1}, *({key: full[key] for key in full if key != left} for left in full)]
    return [*made, full] if depth == 0 else [*others, *made[:: max(1, len(made) // 20)], full]


def test_patterns_are_read_alike_by_python_and_re2() -> None:
    """Without classes and assertions that differ: the short look matches with Python."""
    patterns = {part["pattern"] for schema in SCHEMAS for part in parts(schema) if isinstance(part.get("pattern"), str)}
    assert len(patterns) > 10
    for pattern in patterns:
        re.compile(pattern)
        assert not re.search(r"\\[a-zA-Z0-9]|\(\?", pattern), pattern


def test_references_lead_to_lines() -> None:
    found = [part["$ref"] for schema in SCHEMAS for part in parts(schema) if "$ref" in part]
    assert all(0 < int(one.removeprefix("#/")) < len(LINES) for one in found)
    assert len(found) > 200
