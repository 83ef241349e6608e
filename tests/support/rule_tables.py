"""The cases in tests/cases/validation: a valid manifest for each kind, and the findings of changes to it.

    tests/cases/validation/<API group>/<Kind>/valid.yaml   cases.txt
    tests/cases/validation/gates.txt

A case in cases.txt is a block of lines. The lines at the margin change the valid manifest: a path and a YAML value, or
a path alone to remove what is there. The indented lines state the result: `accepted`, or the rule and the field of each
finding.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gitops_ci.model import Finding
from gitops_ci.validation import Checks, check, gates
from gitops_ci.validation.kubernetes_versions import DEFAULT_VERSION
from tests.support import CHECKOUT

__all__ = ["Case", "GateCase", "all_changes", "cases", "changed", "findings", "gate_cases", "sound"]

FOLDER = CHECKOUT / "tests" / "cases" / "validation"
VERSION = DEFAULT_VERSION
"""The release whose verdicts the files cases.txt state."""
ACCEPTED = "accepted"
# Those in C are ten times as fast.
_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SAFE_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class Case:
    """One change of the valid manifest of a kind: `place` is path:line, `expected` the `rule field` of each finding."""

    place: str
    kind: str
    change: str
    expected: tuple[str, ...]

    @property
    def manifest(self) -> dict[str, Any]:
        return changed(sound()[self.kind], self.change)


@dataclass(frozen=True)
class GateCase:
    """One change of the valid manifest of a kind, and whether the API server of a version refuses the result."""

    line: str
    version: str
    refused: bool
    kind: str
    change: str
    gate: str
    """The name in gates.py of what differs between two versions."""

    @property
    def manifest(self) -> dict[str, Any]:
        return changed(sound()[self.kind], self.change)


class _Loader(_SAFE_LOADER):  # type: ignore[misc,valid-type]
    """YAML with values that are too long to be written out."""


def _numbered(value: Any, number: int) -> Any:
    """The value, with its number for each `{n}` in it."""
    if isinstance(value, dict):
        return {_numbered(key, number): _numbered(item, number) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbered(item, number) for item in value]
    return value.replace("{n}", str(number)) if isinstance(value, str) else value


def _text(loader: _Loader, node: yaml.SequenceNode) -> str:
    times, text = loader.construct_sequence(node)
    return str(text) * int(times)


def _list(loader: _Loader, node: yaml.SequenceNode) -> list[Any]:
    times, item = loader.construct_sequence(node, deep=True)
    if item == "{n}":
        return [*range(times)]
    return [_numbered(item, number) for number in range(times)]


def _map(loader: _Loader, node: yaml.SequenceNode) -> dict[str, Any]:
    times, key, value = loader.construct_sequence(node, deep=True)
    return {_numbered(key, number): _numbered(value, number) for number in range(times)}


for _tag, _construct in (("!text", _text), ("!list", _list), ("!map", _map)):
    _Loader.add_constructor(_tag, _construct)


@cache
def sound() -> dict[str, Any]:
    """The valid manifest of each kind."""
    return {
        file.parent.name: yaml.load(file.read_text(), _SAFE_LOADER) for file in sorted(FOLDER.glob("*/*/valid.yaml"))
    }


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
            place[len(place) if last == "+" else int(last) :] = [yaml.load(value, _Loader)]
        elif value:
            place[last] = yaml.load(value, _Loader)
        else:
            del place[last]
    return result


@cache
def cases() -> tuple[Case, ...]:
    """The cases of every cases.txt."""
    return tuple(case for file in sorted(FOLDER.glob("*/*/cases.txt")) for case in _cases(file))


def _cases(file: Path) -> Iterator[Case]:
    lines = [*enumerate(file.read_text().splitlines(), 1), (0, "")]
    changes: list[str] = []
    expected: list[str] = []
    first = 0
    for number, line in lines:
        if line.startswith("#"):
            continue
        if line.startswith("  "):
            expected.append(line.strip())
        elif line:
            first = number if not changes else first
            changes.append(line)
        elif changes or expected:
            place = f"{file.relative_to(CHECKOUT)}:{first}"
            assert changes, f"{place}: a result without a change"
            assert expected, f"{place}: a change without a result"
            assert expected == [ACCEPTED] or ACCEPTED not in expected, f"{place}: accepted, and findings"
            result = () if expected == [ACCEPTED] else tuple(expected)
            yield Case(place, file.parent.name, " ;; ".join(changes), result)
            changes, expected = [], []


@cache
def gate_cases() -> tuple[GateCase, ...]:
    """The cases of gates.txt: two for each line, the last version without a gate and the first one with it."""
    return tuple(_gate_cases())


def _gate_cases() -> Iterator[GateCase]:
    for line in (FOLDER / "gates.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            gate, before, after, kind, change = line.split(maxsplit=4)
            since: int = getattr(gates, gate).since
            yield GateCase(line, f"1.{since - 1}", before == "refused", kind, change, gate)
            yield GateCase(line, f"1.{since}", after == "refused", kind, change, gate)


def all_changes() -> list[tuple[str, str]]:
    """(kind, change) of every case."""
    return list(dict.fromkeys((case.kind, case.change) for case in (*cases(), *gate_cases())))


def findings(manifest: dict[str, Any], version: str = VERSION) -> tuple[Finding, ...]:
    checks = Checks(kubernetes_versions=(version,), rules=("yaml/*", "schema/*", "api/*"))
    report = check([("a.yaml", yaml.dump(manifest, Dumper=_SAFE_DUMPER))], checks)
    assert report.skipped == ()
    return report.findings
