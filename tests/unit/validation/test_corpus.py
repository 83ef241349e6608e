"""Agreement with a real API server on manifests of public repositories, which are not part of this one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from gitops_ci.validation import Checks, check
from gitops_ci.validation.manifests.documents import split
from tests.support import shared

pytestmark = pytest.mark.corpus

CHECKS = Checks(kubernetes_versions=("1.36",))
REFUSING = ("yaml/", "schema/", "api/")


def refused_lines(path: str, text: str) -> list[int]:
    findings = check([(path, text)], CHECKS).findings
    return [found.line for found in findings if found.severity == "error" and found.rule.startswith(REFUSING)]


def documents(text: str) -> Iterator[tuple[int, int]]:
    """(first line, last line) of each document."""
    starts = [piece.line for piece in split(text)]
    yield from zip(starts, [*starts[1:], 10**9], strict=True)


@pytest.mark.corpus
def test_verdicts_on_real_repositories_agree() -> None:
    verdicts = json.loads(shared("truth", "corpus-verdicts.json").read_text())
    agreed, wrong = 0, []
    for path in sorted({entry["file"] for entry in verdicts}):
        text = shared("corpus", path).read_bytes().decode()
        found = refused_lines(path, text)
        places = list(documents(text))
        for entry in verdicts:
            # Items of a List share the lines of one document; chart templates are judged when rendered.
            if entry["file"] != path or "." in str(entry["doc"]) or "{{" in text:
                continue
            first, last = places[int(entry["doc"])]
            refused = any(first < line <= last for line in found)
            agreed += refused != entry["accepted"]
            if refused == entry["accepted"]:
                wrong.append((path, entry["doc"], entry["reason"]))
    assert wrong == []
    assert agreed > 500
