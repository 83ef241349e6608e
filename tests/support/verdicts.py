"""Manifests with what a real kube-apiserver says about them, as `scripts/record_verdicts.py` recorded it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import CHECKOUT

__all__ = ["FOLDER", "Case", "Manifest", "lines", "manifests", "recorded", "recorded_versions", "verdicts_file"]

FOLDER = CHECKOUT / "tests" / "data" / "apiserver"


@dataclass(frozen=True)
class Manifest:
    """`id` is `FAMILY.OPERATOR.NUMBER.BASE`: the manifest BASE, changed by an operator of a family."""

    id: str
    text: str
    scope: str = "file"
    """`cluster`: the verdict depends on what the cluster contains."""
    needs: str = ""
    """`cel`: the server refuses the manifest because it compiles the CEL expressions in it."""

    @property
    def family(self) -> str:
        return self.id.partition(".")[0]


@dataclass(frozen=True)
class Case:
    manifest: Manifest
    accepted: bool
    message: str


def manifests() -> Iterator[Manifest]:
    for path in sorted((FOLDER / "manifests").glob("*.jsonl")):
        for line in lines(path):
            yield Manifest(**line)


def recorded(version: str) -> list[Case]:
    """All manifests, with the verdicts of a Kubernetes version such as 1.36."""
    verdicts = {line["id"]: line for line in lines(verdicts_file(version)) if "id" in line}
    return [Case(one, verdicts[one.id]["code"] == 201, verdicts[one.id].get("message", "")) for one in manifests()]


def recorded_versions() -> list[str]:
    """The versions with verdicts, oldest first."""
    names = (path.stem for path in (FOLDER / "verdicts").glob("*.jsonl"))
    return sorted(names, key=lambda name: int(name.partition(".")[2]))


def verdicts_file(version: str) -> Path:
    return FOLDER / "verdicts" / f"{version}.jsonl"


def lines(path: Path) -> Iterator[dict[str, Any]]:
    # Not `splitlines`: a manifest may contain other line ends, which JSON does not escape.
    yield from (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line)
