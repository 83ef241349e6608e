"""Agreement with a real kube-apiserver 1.36.2, whose recorded verdicts lie beside the checkout.

Findings of yaml/, schema/ and api/ mean "an API server refuses this" and nothing else: no manifest that the
server takes may have one, and few of those that it refuses may be without.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from gitops_ci.model import Finding
from gitops_ci.validation import Checks, check
from gitops_ci.validation.manifests.documents import split
from tests.support import shared

CHECKS = Checks(kubernetes_versions=("1.36",))
REFUSING = ("yaml/", "schema/", "api/")


@cache
def recorded() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(shared("truth", "given", "verdicts.json").read_text())
    return [case for case in cases if case["scope"] == "file"]


def refusals(path: str, text: str) -> list[Finding]:
    findings = check([(path, text)], CHECKS).findings
    return [found for found in findings if found.severity == "error" and found.rule.startswith(REFUSING)]


def text_of(case: dict[str, Any]) -> str:
    return shared("truth", "given", case["file"]).read_bytes().decode()


def test_no_manifest_that_the_server_accepts_is_refused() -> None:
    accepted = [case for case in recorded() if case["apiserver"]["accepted"]]
    assert len(accepted) > 500
    wrong = {case["id"]: found for case in accepted if (found := refusals(case["file"], text_of(case)))}
    assert wrong == {}


def test_every_manifest_that_the_server_refuses_without_cel_is_refused() -> None:
    refused = [case for case in recorded() if not case["apiserver"]["accepted"] and not case.get("needs")]
    assert len(refused) > 800
    passed = [case["id"] for case in refused if not refusals(case["file"], text_of(case))]
    assert passed == []


def test_every_refusal_has_a_place_in_the_file() -> None:
    for case in recorded()[::5]:
        text = text_of(case)
        lines = text.split("\n")
        for found in refusals(case["file"], text):
            assert 1 <= found.line <= len(lines), (case["id"], found)
            assert 1 <= found.column <= len(lines[found.line - 1]) + 1, (case["id"], found)


def documents(text: str) -> Iterator[tuple[int, int]]:
    """(first line, last line) of each document."""
    starts = [piece.line for piece in split(text)]
    yield from zip(starts, [*starts[1:], 10**9], strict=True)


def test_verdicts_on_real_repositories_agree() -> None:
    verdicts = json.loads(shared("truth", "corpus-verdicts.json").read_text())
    agreed, wrong = 0, []
    for path in sorted({entry["file"] for entry in verdicts}):
        text = shared("corpus", path).read_bytes().decode()
        found = refusals(path, text)
        places = list(documents(text))
        for entry in verdicts:
            # Items of a List share the lines of one document; chart templates are judged when rendered.
            if entry["file"] != path or "." in str(entry["doc"]) or "{{" in text:
                continue
            first, last = places[int(entry["doc"])]
            refused = any(first < finding.line <= last for finding in found)
            agreed += refused != entry["accepted"]
            if refused == entry["accepted"]:
                wrong.append((path, entry["doc"], entry["reason"]))
    assert wrong == []
    assert agreed > 500


@pytest.mark.parametrize("version", ["1.25", "1.30", "1.37"])
def test_the_sound_base_manifests_are_sound_in_other_versions(version: str) -> None:
    bases = [case for case in recorded() if case["family"] == "base"]
    checks = Checks(kubernetes_versions=(version,))
    for case in bases:
        found = [f for f in check([(case["file"], text_of(case))], checks).findings if f.severity == "error"]
        newer = {"api/not-served", "schema/unknown-field"}
        known = all(f.rule in newer or "'ReadWriteOncePod' is not supported" in f.message for f in found)
        assert known if version < "1.36" else found == [], (case["id"], found)
