"""`compare --what rendered`: the objects that two environments render to, and what differs beyond their names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import field, replace

from gitops_ci.bounded import Limits
from gitops_ci.comparing import Settings, Side, keys_of_definitions
from gitops_ci.comparing import compare as compare_sides
from gitops_ci.configrepo import ConfigRepo
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import NothingMatched, UsageError
from gitops_ci.flows.bump.commit_files import CommitFiles
from gitops_ci.flows.bump.search import own_file
from gitops_ci.flows.diff.definitions import definitions_of, scope_of
from gitops_ci.flows.diff.folding import masks
from gitops_ci.flows.diff.half import Half, Trouble
from gitops_ci.flows.diff.manifests import described, plain_manifests, plain_sides, side_of
from gitops_ci.flows.history.counterparts import renaming, translated
from gitops_ci.flows.history.reached import render_reached
from gitops_ci.flows.history.scopes import Layout, Scope, scopes
from gitops_ci.flows.history.source import Source, opened, reported
from gitops_ci.model import Log, Outcome
from gitops_ci.model.rendered import ObjectChange, PathChange, RenderedDiff, UnitChange, UnitState
from gitops_ci.rendering.deployment import USUAL_BRANCHES, Repository
from gitops_ci.rendering.discovery import Deployment
from gitops_ci.rendering.programs import ProgramSettings
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["RenderedRequest", "RenderingSettings", "compare_rendered"]


@dataclass(frozen=True, slots=True)
class RenderingSettings:
    """As the config repository's own file has them. `masks` name further values that are secret."""

    limits: Limits = field(default_factory=Limits)
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    kubernetes_version: str = ""
    masks: tuple[str, ...] = ()


# Text and name of a config repository's own file -> how what it deploys is rendered.
ReadSettings = Callable[[str, str], RenderingSettings]


@dataclass(frozen=True, slots=True)
class RenderedRequest:
    """Two environments by name. `fail_on` may hold `drift`."""

    source: Source
    one: str
    other: str
    read_settings: ReadSettings = lambda text, source: RenderingSettings()  # noqa: ARG005
    fail_on: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Side:
    """One environment of one commit."""

    scope: Scope
    half: Half
    paths: frozenset[str]
    settings: RenderingSettings


def compare_rendered(request: RenderedRequest, log: Log) -> Outcome:
    """Compare what two environments render to; errors are part of the outcome."""
    return reported("compare", lambda: _compare(request, log))


def _compare(request: RenderedRequest, log: Log) -> Outcome:
    if request.one == request.other:
        raise UsageError(f"{request.one} is compared with itself", hint="Name two environments.")
    with ExitStack() as stack:
        reader = _Reader(request, stack, log)
        one, other = (reader.side(name) for name in (request.one, request.other))
        # What has files of both, in one commit, is the same for both.
        is_shared = one.half.tree is other.half.tree
        render_reached(one.half, one.paths, other.paths if is_shared else (), log)
        render_reached(other.half, other.paths, one.paths if is_shared else (), log)
        rendered = _difference(one, other)
    differs = any(not found.is_noise for found in rendered.objects)
    return Outcome(
        command="compare",
        status="unchanged",
        exit_code=1 if differs and "drift" in request.fail_on else 0,
        rendered=rendered,
        summary=rendered.summary,
    )


class _Reader:
    """Reads the environments; what lies in one commit is read once."""

    def __init__(self, request: RenderedRequest, stack: ExitStack, log: Log) -> None:
        self._request = request
        self._stack = stack
        self._log = log
        self._opened: dict[str, tuple[ConfigRepo, Layout]] = {}
        self._trees: dict[tuple[str, str], tuple[SourceTree, RenderingSettings]] = {}

    def side(self, name: str) -> _Side:
        """Raises NothingMatched: the environment has no files."""
        own = self._request.source.environments.get(name)
        home = (own.config_repo if own else None) or ""
        if home not in self._opened:
            source = self._request.source.elsewhere(home) if home else self._request.source
            self._opened[home] = self._stack.enter_context(opened(source, self._log))
        repo, layout = self._opened[home]
        scope = scopes(layout, (name,))[0]
        if (home, scope.branch) not in self._trees:
            snapshot = repo.fetch(scope.branch)
            settings = self._request.read_settings(*own_file(snapshot, repo))
            self._trees[home, scope.branch] = SourceTree(CommitFiles(snapshot, {})), settings
        tree, settings = self._trees[home, scope.branch]
        paths = frozenset(filter(scope.matches, tree.names))
        if not paths:
            raise NothingMatched(f"{name} has no files", hint="Its paths: in .gitops-ci.yaml decide which they are.")
        # The address of a folder on this machine says nothing about what the repository is called elsewhere.
        urls = () if repo.url.scheme == "file" else (repo.url.text,)
        repository = Repository(
            tree,
            urls=urls,
            branches=USUAL_BRANCHES | {scope.branch},
            kubernetes_version=settings.kubernetes_version,
            values=settings.values,
        )
        return _Side(scope, Half(Deployment(repository), ProgramSettings(settings.limits)), paths, settings)


def _difference(one: _Side, other: _Side) -> RenderedDiff:
    rename = renaming(one.scope.name, other.scope.name, one.scope.paths.globs, other.scope.paths.globs)
    before, after = _sides(one), [replace(side, cluster="") for side in _sides(other)]
    troubles = {rename(name): trouble for name, trouble in one.half.troubles.items()} | other.half.troubles
    before = [side for side in translated(before, after, rename) if side.unit not in troubles]
    after = [side for side in after if side.unit not in troubles]
    definitions = definitions_of(other.half.tree)
    settings = Settings(
        scope=scope_of(definitions),
        keys=keys_of_definitions(definitions),
        masks=masks((*one.settings.masks, *other.settings.masks)),
    )
    found = compare_sides(before, after, settings)
    # Nothing is changed, so there are no risks.
    objects = tuple(replace(one, risks=(), paths=tuple(_without_risk(one.paths))) for one in found.objects)
    units = tuple(_units(other, troubles, {side.unit for side in before}, {side.unit for side in after}, objects))
    differing = sum(unit.state in {"added", "removed", "changed"} for unit in units)
    summary = {name: number for name, number in found.summary.items() if name not in {"risks", "restarts"}}
    return RenderedDiff(
        base=one.scope.name,
        head=other.scope.name,
        units=units,
        objects=objects,
        groups=found.groups,
        images=found.images,
        summary={"units": differing, "all_units": len(units), **summary},
        is_change=False,
    )


def _without_risk(paths: Iterable[PathChange]) -> Iterator[PathChange]:
    return (replace(path, risk="") for path in paths)


def _sides(of: _Side) -> list[Side]:
    """The objects of an environment by unit, and the manifests of its files that no unit takes."""
    half, made = of.half, list[Side]()
    for name, output in sorted(half.outputs.items()):
        found = half.units[name]
        if values := described(found):
            made.append(Side(name, values))
        if name in half.deployment.superseded:
            continue
        try:
            made.append(side_of(found.unit, [output.text], is_removed=False))
        except YamlError as error:
            half.troubles[name] = Trouble(f"what it renders to is not YAML: line {error.line}: {error.reason}")
    return [*made, *plain_sides(plain_manifests(half, sorted(of.paths)))]


def _units(
    other: _Side,
    troubles: Mapping[str, Trouble],
    before: Collection[str],
    after: Collection[str],
    objects: Iterable[ObjectChange],
) -> Iterator[UnitChange]:
    differing = {found.unit for found in objects}
    for name in sorted({*troubles, *before, *after}):
        kind, _, source = name.partition(":")
        known = other.half.units.get(name)
        if known is not None:
            source = known.unit.source
        trouble = troubles.get(name)
        if trouble is not None:
            state: UnitState = "failed" if trouble.is_error else "skipped"
            yield UnitChange(name, kind, source, "", state, trouble.reason, trouble.remedy)
        elif name in before and name in after:
            yield UnitChange(name, kind, source, "", "changed" if name in differing else "unchanged")
        else:
            yield UnitChange(name, kind, source, "", "removed" if name in before else "added")
