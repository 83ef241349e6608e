"""One side of an edit, judged: the units that hold an edited file by what they render to, other files as they lie."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.gate_settings import GateSettings
from gitops_ci.flows.bump.patches import parts_among
from gitops_ci.flows.bump.surroundings import Around
from gitops_ci.flows.validate.left_out import is_walked
from gitops_ci.flows.validate.verdict import failing, told_once
from gitops_ci.known_files import CHART, FLEET, KUSTOMIZATIONS
from gitops_ci.model import Finding, Log, Skip
from gitops_ci.validation import Report, check

if TYPE_CHECKING:
    from gitops_ci.flows.bump.survey import Survey
    from gitops_ci.flows.bump.units import Shared

__all__ = ["Judgment", "Side", "judge"]

_DESCRIBING = frozenset({*KUSTOMIZATIONS, CHART, *FLEET})


@dataclass(frozen=True, slots=True)
class Side:
    """The edited files as they are on one side, in the commit that they are edited on.

    Where `survey` is None, no unit holds an edited file. `without` are ids of units that nobody asks about, `other`
    what the other side has read.
    """

    files: Mapping[str, str]
    snapshot: Snapshot
    around: Around
    settings: GateSettings
    survey: Survey | None
    without: frozenset[str] = frozenset()
    other: Shared | None = None


@dataclass(frozen=True, slots=True)
class Judgment:
    """`rendered` are ids of units, `failed` those that a program refused although nothing speaks against them.

    `missing` are programs that are not installed. A failure is the path of the description and the reason. `apart` are
    units in whose output no further one stands, with their files. `skipped` are units that cannot be rendered here.
    `shared` is what was read for this side.
    """

    report: Report
    rendered: frozenset[str] = frozenset()
    failed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    apart: Mapping[str, frozenset[str]] = field(default_factory=dict)
    skipped: tuple[Skip, ...] = ()
    shared: Shared | None = None

    def beside(self, paths: Collection[str]) -> frozenset[str]:
        """The units that have nothing to do with some files, nor make others that may."""
        return frozenset(name for name, own in self.apart.items() if own.isdisjoint(paths) and name not in self.failed)


def judge(side: Side, log: Log) -> Judgment:
    """Render and check one side.

    Raises:
        ProgramError: its units need more than a run may hold.
    """
    made = _as_they_lie(side) if side.survey is None else _rendered(side, side.survey, log)
    made = replace(made, skipped=(*made.skipped, *side.around.take_skips()))
    if not side.settings.exclude:
        return made
    kept = tuple(one for one in made.report.findings if not side.settings.is_excluded(one.path))
    return replace(made, report=replace(made.report, findings=kept))


def _rendered(side: Side, found: Survey, log: Log) -> Judgment:
    from gitops_ci.flows.bump.units import render_side
    from gitops_ci.rendering.substitute import substitute

    settings = side.settings
    there = render_side(found, side.files, settings, log, without=side.without, other=side.other)
    result = there.result
    has_variables = result.has_variables or found.has_variables or bool(settings.substitute)
    texts = {path: text for path, text in _texts(side).items() if path not in result.covered | result.parts.keys()}
    if has_variables:
        texts = {path: substitute(text, settings.substitute) for path, text in texts.items()}
    everything = [*texts.values(), *(one.text for one in result.rendered)]
    around = side.around.surroundings(everything, has_variables=has_variables)
    report = check(
        texts.items(), settings.checks, around, result.rendered,
        told_once(_described(side, there.shared.tree.exists), result.findings),
    )  # fmt: skip
    without_program = {path for paths in result.missing.values() for path in paths}
    skipped = tuple(skip for skip in result.skipped if skip.path not in without_program)
    return Judgment(report, there.rendered, there.failed, tuple(result.missing), there.apart, skipped, there.shared)


def _texts(side: Side) -> dict[str, str]:
    """The edited files that `validate` would read in the root of the repository."""
    return {path: text for path, text in side.files.items() if is_walked(path) and not side.settings.is_excluded(path)}


def _described(side: Side, exists: Callable[[str], bool]) -> list[Finding]:
    """Findings of the edited files that say how manifests are made."""
    described = [(path, text) for path, text in _texts(side).items() if path.rpartition("/")[2] in _DESCRIBING]
    if not described:
        return []
    from gitops_ci.validation.lint.descriptions import description_findings

    return list(description_findings(described, exists))


def _as_they_lie(side: Side) -> Judgment:
    from gitops_ci.rendering.substitute import substitute

    settings = side.settings
    texts = _texts(side)
    if settings.substitute:
        texts = {path: substitute(text, settings.substitute) for path, text in texts.items()}
    around = side.around.surroundings(texts.values(), has_variables=bool(settings.substitute))
    report = check(texts.items(), settings.checks, around)
    # What looks broken may be no manifest of its own: a kustomization says so. Only then it is worth looking.
    broken = {one.path for one in failing(report.findings, settings.fail_on)}
    parts = parts_among(broken, side.snapshot)
    if not parts:
        return Judgment(report)
    return Judgment(check([(path, text) for path, text in texts.items() if path not in parts], settings.checks, around))
