"""One side of an edit, judged: the units that hold an edited file by what they render to, other files as they lie."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitops_ci.configrepo import Snapshot
from gitops_ci.flows.bump.definitions import definitions_for
from gitops_ci.flows.bump.patches import parts_among
from gitops_ci.flows.globs import Paths
from gitops_ci.known_files import CHART, FLEET, KUSTOMIZATIONS
from gitops_ci.model import Finding, Log
from gitops_ci.validation import Checks, Report, Surroundings, check

if TYPE_CHECKING:
    from gitops_ci.flows.bump.survey import Survey

__all__ = ["Judgement", "Side", "judge"]

_DESCRIBING = frozenset({*KUSTOMIZATIONS, CHART, *FLEET})


@dataclass(frozen=True, slots=True)
class Side:
    """The edited files as they are on one side, in the commit that they are edited on.

    `selection` are the files that a snapshot that is read piece by piece has here; where `survey` is None, no unit
    holds an edited file. `without` are ids of units that nobody asks about.
    """

    files: Mapping[str, str]
    snapshot: Snapshot
    selection: Paths
    checks: Checks
    survey: Survey | None
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judgement:
    """`rendered` are ids of units, `failed` those that a program refused although nothing speaks against them.

    `missing` are programs that are not installed. A failure is the path of the description and the reason. `apart` are
    units in whose output no further one stands, with their files.
    """

    report: Report
    rendered: frozenset[str] = frozenset()
    failed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    apart: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def beside(self, paths: Collection[str]) -> frozenset[str]:
        """The units that have nothing to do with some files, nor make others that may."""
        return frozenset(name for name, own in self.apart.items() if own.isdisjoint(paths) and name not in self.failed)


def judge(side: Side, log: Log) -> Judgement:
    """Render and check one side.

    Raises:
        ProgramError: its units need more than a run may hold.
    """
    if side.survey is None:
        return Judgement(_as_they_lie(side))
    from gitops_ci.flows.bump.units import render_side
    from gitops_ci.rendering.substitute import substitute

    there = render_side(side.survey, side.files, log, without=side.without)
    result = there.result
    has_variables = result.has_variables or side.survey.has_variables
    texts = {path: text for path, text in side.files.items() if path not in result.covered | result.parts.keys()}
    if has_variables:
        texts = {path: substitute(text, {}) for path, text in texts.items()}
    definitions = definitions_for([*texts.values(), *(one.text for one in result.rendered)], side.snapshot, Paths())
    around = Surroundings(definitions=definitions, has_variables=has_variables, is_whole=False)
    found = [*_described(side.files, there.exists), *result.findings]
    report = check(texts.items(), side.checks, around, result.rendered, found)
    return Judgement(report, there.rendered, there.failed, tuple(result.missing), there.apart)


def _described(files: Mapping[str, str], exists: Callable[[str], bool]) -> list[Finding]:
    """Findings of the edited files that say how manifests are made."""
    described = [(path, text) for path, text in files.items() if path.rpartition("/")[2] in _DESCRIBING]
    if not described:
        return []
    from gitops_ci.validation.lint.descriptions import description_findings

    return list(description_findings(described, exists))


def _as_they_lie(side: Side) -> Report:
    texts = dict(side.files)
    around = Surroundings(definitions_for(texts.values(), side.snapshot, side.selection), is_whole=False)
    report = check(texts.items(), side.checks, around)
    # What looks broken may be no manifest of its own: a kustomization says so. Only then it is worth looking.
    broken = {finding.path for finding in report.findings if finding.severity == "error"}
    parts = parts_among(broken, side.snapshot)
    if not parts:
        return report
    return check([(path, text) for path, text in texts.items() if path not in parts], side.checks, around)
