"""The deployment units that hold edited files, found in a commit and rendered as `validate` renders them."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.commit_files import CommitFiles
from gitops_ci.flows.bump.gate_settings import GateSettings
from gitops_ci.flows.bump.survey import NAMED, VALUES_FROM, Survey
from gitops_ci.flows.globs import Paths
from gitops_ci.flows.validate.left_out import is_walked
from gitops_ci.flows.validate.rendering import Choice, RenderResult, read_units, render_units
from gitops_ci.flows.validate.units import Checkout, Units, chart_values, listed_units
from gitops_ci.model import Log
from gitops_ci.rendering.deployment import DeploymentUnit, Repository
from gitops_ci.rendering.discovery import Deployment, Found
from gitops_ci.rendering.documents import dig, items, text_of
from gitops_ci.rendering.programs import ProgramSettings, outputs_without
from gitops_ci.rendering.tree import SourceTree

__all__ = ["RenderedSide", "Shared", "first_units", "render_side"]


@dataclass(frozen=True, slots=True)
class Shared:
    """What was read and printed for one side of an edit: the other side takes what the edit does not reach."""

    tree: SourceTree
    outputs: dict[Hashable, str]


@dataclass(frozen=True, slots=True)
class RenderedSide:
    """What the units that hold edited files render to. `rendered` are their ids.

    `failed` are ids of those that a program refused, with the path of the description and the reason. `apart` are those
    in whose output no further unit stands, with their files.
    """

    result: RenderResult
    shared: Shared
    rendered: frozenset[str] = frozenset()
    failed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    apart: Mapping[str, frozenset[str]] = field(default_factory=dict)


def render_side(
    there: Survey,
    edits: Mapping[str, str],
    settings: GateSettings,
    log: Log,
    *,
    without: Collection[str] = frozenset(),
    other: Shared | None = None,
) -> RenderedSide:
    """Find the units of one side, and render those that hold an edited file; `without` are ids that nobody asks about.

    Raises:
        ProgramError: they need more than a run may hold.
    """
    files = CommitFiles(there.snapshot, edits)
    if other is None:
        files.read_ahead(there.describing | there.operators)
    tree = SourceTree(files, other.tree if other else None, there.edited)
    outputs = outputs_without(other.outputs, there.edited) if other else {}
    shared = Shared(tree, outputs)
    checkout = Checkout("", ())
    repository = Repository(
        tree,
        values=chart_values(settings.values, checkout, tree),
        variables=settings.substitute,
        kubernetes_version=settings.checks.kubernetes_versions[-1],
        **there.repository,
    )
    deployment = Deployment(repository, is_left_out=lambda path: not is_walked(path) or settings.is_excluded(path))
    first = first_units(deployment, there)
    units = Units(deployment, checkout, first, listed_units(deployment, checkout, first))
    leading = there.edited | there.leading
    holding = [name for name, one in deployment.units.items() if _holds(one, leading, repository)]
    held = [name for name in holding if name not in without]
    wanted = units.with_holders(held)
    choice = _choice(deployment, there, leading)
    if not settings.renders:
        return RenderedSide(read_units(units, [one for one in units.listed if one.id in holding]), shared)
    programs = ProgramSettings(settings.limits, outputs=outputs)
    result = render_units(units, set(there.edited), wanted, programs, settings.substitute, log, choice=choice)
    makers = {one.within for one in deployment.units.values()}
    apart = {name: _files_of(deployment.units[name]) for name in holding if name not in makers}
    failed = _failed(deployment, wanted, result)
    told = {one.unit.path for one in deployment.units.values() if choice.judges(one)}
    result.skipped = [skip for skip in result.skipped if skip.path in told]
    return RenderedSide(result, shared, frozenset(deployment.rendered), failed, apart)


def first_units(deployment: Deployment, there: Survey) -> list[Found]:
    """The first units of one side, of those that may lead to an edited file."""
    return deployment.start(sorted(there.describing), objects_in=_with_objects(there, deployment.repository.tree))


def _choice(deployment: Deployment, there: Survey, leading: frozenset[str]) -> Choice:
    """Units are followed that may lead to an edited file, and judged where they are made of one."""

    def is_about(found: Found, paths: frozenset[str]) -> bool:
        # What is written nowhere in Git has the path of what it stands in.
        is_made = bool(found.within) and found.unit.path == deployment.units[found.within].unit.path
        if not is_made and found.unit.path in paths:
            return True
        if _needs(found, paths, deployment.repository):
            return True
        return bool(found.within) and any(word in str(found.unit.value) for word in there.words)

    return Choice(lambda found: is_about(found, leading), lambda found: is_about(found, there.edited))


def _failed(deployment: Deployment, wanted: Collection[str], result: RenderResult) -> dict[str, tuple[str, str]]:
    """The units that a program refused, and nothing else speaks against."""
    reasons = {skip.path: skip.reason for skip in result.skipped}
    missing = {path for paths in result.missing.values() for path in paths}
    failed = {}
    for name, one in deployment.units.items():
        closure = one.closure
        is_hopeless = closure.refused or closure.error or closure.skip or one.unit.path in missing
        is_tried = name in deployment.attempted and (name in wanted or one.within)
        if is_tried and not is_hopeless and name not in deployment.rendered and one.unit.path in reasons:
            failed[name] = one.unit.path, reasons[one.unit.path]
    return failed


def _with_objects(there: Survey, tree: SourceTree) -> set[str]:
    """The files with objects of an operator, and those with what such an object takes its values from."""
    operators = set(there.operators)
    texts = (tree.text(path) or "" for path in operators)
    if any(field in text for text in texts for field in VALUES_FROM):
        operators.update(there.snapshot.search(NAMED, Paths()))
    return operators


def _holds(found: Found, paths: Collection[str], repository: Repository) -> bool:
    """Whether a unit is described in one of some files, or needs one."""
    return found.unit.path in paths or _needs(found, paths, repository)


def _files_of(found: Found) -> frozenset[str]:
    return frozenset({found.unit.path, *found.closure.files, *found.closure.parts})


def _needs(found: Found, paths: Collection[str], repository: Repository) -> bool:
    """Whether a unit is made of one of some files, or takes values from an object in one."""
    own = found.closure.files | found.closure.parts
    return not own.isdisjoint(paths) or any(path in paths for path in _value_files(found.unit, repository))


def _value_files(unit: DeploymentUnit, repository: Repository) -> Iterator[str]:
    spec = unit.value.get("spec")
    namespace = text_of(dig(unit.value, "metadata", "namespace"))
    for one in (*items(spec, "valuesFrom"), *items(dig(spec, "postBuild"), "substituteFrom")):
        found = repository.named(text_of(dig(one, "kind")), text_of(dig(one, "name")), namespace, unit)
        if found is not None:
            yield found.path
