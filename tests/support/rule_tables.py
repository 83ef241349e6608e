"""The tables of tests/unit/validation/rules: sound manifests, and changes of them with the verdict of an API server."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from gitops_ci.model import Finding
from gitops_ci.validation import Checks, check, gates
from gitops_ci.validation.kubernetes_versions import DEFAULT_VERSION
from tests.support import CHECKOUT

__all__ = ["Change", "all_changes", "changed", "changes", "findings", "sound", "version_changes"]

FOLDER = CHECKOUT / "tests" / "unit" / "validation" / "rules"
VERSION = DEFAULT_VERSION
"""The release whose verdicts the tables changed*.txt state."""


@dataclass(frozen=True)
class Change:
    """One change of the sound manifest of a kind, and what the API server of a version does with the result."""

    line: str
    version: str
    refused: bool
    kind: str
    change: str
    gate: str = ""
    """The name in gates.py of what differs between two versions."""

    @property
    def manifest(self) -> dict[str, Any]:
        return changed(sound()[self.kind], self.change)


@cache
def sound() -> dict[str, Any]:
    files = sorted(FOLDER.glob("sound*.yaml"))
    return {one["kind"]: one for file in files for one in yaml.safe_load_all(file.read_text())}


def changed(manifest: dict[str, Any], change: str) -> dict[str, Any]:
    """The manifest with `path value` of each part of a change; a part without a value removes what is there."""
    result = copy.deepcopy(manifest)
    for part in change.split(";;"):
        path, _, value = part.strip().partition(" ")
        place: Any = result
        *above, last = path.split(".")
        for name in above:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
        if isinstance(place, list):
            place[len(place) if last == "+" else int(last) :] = [yaml.safe_load(value)]
        elif value:
            place[last] = yaml.safe_load(value)
        else:
            del place[last]
    return result


def changes() -> list[Change]:
    """The cases of changed*.txt."""
    found = []
    for line in _lines("changed*.txt"):
        verdict, kind, change = line.split(maxsplit=2)
        found.append(Change(line, VERSION, verdict == "refused", kind, change))
    return found


def version_changes() -> list[Change]:
    """The cases of versions.txt: two for each line, the last version without a gate and the first one with it."""
    return list(_version_changes())


def all_changes() -> list[tuple[str, str]]:
    """(kind, change) of every line of every table."""
    return list(dict.fromkeys((case.kind, case.change) for case in (*changes(), *version_changes())))


def _version_changes() -> Iterator[Change]:
    for line in _lines("versions.txt"):
        gate, before, after, kind, change = line.split(maxsplit=4)
        since: int = getattr(gates, gate).since
        yield Change(line, f"1.{since - 1}", before == "refused", kind, change, gate)
        yield Change(line, f"1.{since}", after == "refused", kind, change, gate)


def findings(manifest: dict[str, Any], version: str = VERSION) -> tuple[Finding, ...]:
    checks = Checks(kubernetes_versions=(version,), rules=("yaml/*", "schema/*", "api/*"))
    report = check([("a.yaml", yaml.safe_dump(manifest))], checks)
    assert report.skipped == ()
    return report.findings


def _lines(pattern: str) -> list[str]:
    lines = [line for file in sorted(FOLDER.glob(pattern)) for line in file.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
