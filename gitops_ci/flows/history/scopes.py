"""Which environments a run is about, and which files of which branch each of them means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from gitops_ci import plan as planning
from gitops_ci.configrepo import ConfigRepo, Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitError, UsageError
from gitops_ci.flows.bump.search import ReadRules, own_file
from gitops_ci.flows.environments import Environment, by_convention, in_order, named
from gitops_ci.flows.globs import Paths
from gitops_ci.plan import PointerRule

__all__ = ["Layout", "Scope", "read_layout", "scopes", "whole"]


@dataclass(frozen=True)
class Scope:
    """One environment: its name in reports, its branch, and its files there.

    `rules` lead to places of images that only the settings can know.
    """

    environment: Environment
    branch: str
    paths: Paths
    rules: tuple[PointerRule, ...] = ()

    @property
    def name(self) -> str:
        return self.environment.name or "all"

    @cached_property
    def matches(self) -> Callable[[str], bool]:
        return _remembered(self.paths.matches)


@dataclass(frozen=True, slots=True)
class Layout:
    """What the config repository and this folder say of environments, and the branch that counts without any word."""

    default: str
    tip: Snapshot
    environments: Mapping[str, Environment]
    rules: tuple[PointerRule, ...] = ()


def read_layout(
    repo: ConfigRepo,
    base: str | None,
    beside: Mapping[str, Environment],
    read: Callable[[str, str], Mapping[str, Environment]],
    rules: tuple[PointerRule, ...] = (),
    read_rules: ReadRules = lambda text, source: (),  # noqa: ARG005
) -> Layout:
    """The environments: those of this folder's configuration before those of the config repository's own.

    Raises:
        GitError: there is no such branch.
    """
    refs = repo.refs(*([base] if base else []))
    default = base or refs.default
    if default is None or (base and base not in refs.tips):
        hint = f"Its branches: {', '.join(repo.branches()[:5]) or 'none'}."
        raise GitError(f"There is no branch {base or 'that HEAD names'} in {repo.url}", hint=hint)
    tip = repo.fetch(default, sparse=True)
    own = own_file(tip, repo)
    return Layout(default, tip, {**read(*own), **beside}, (*rules, *read_rules(*own)))


def scopes(layout: Layout, wanted: Sequence[str] = ()) -> tuple[Scope, ...]:
    """The wanted environments, all in the order of promotion without any.

    Where none is defined, those count that folders are named after, and without such folders the whole repository.

    Raises:
        UsageError: an environment does not exist, or promotions go round in a circle.
    """
    defined = in_order(layout.environments)
    if wanted:
        chosen: Iterable[Environment] = [_wanted(name, layout) for name in wanted]
    else:
        chosen = defined or [Environment(name) for name in _by_folders(layout.tip)] or [Environment("")]
    return tuple(_scope(environment, layout) for environment in chosen)


def whole(layout: Layout) -> Scope:
    """The repository as one environment."""
    return _scope(Environment(""), layout)


def _wanted(name: str, layout: Layout) -> Environment:
    found = named(name, layout.environments)
    if found is not None:
        return found
    bears = by_convention(name)
    if not any(bears(path) for path in layout.tip.paths(Paths())):
        there = _by_folders(layout.tip)
        raise UsageError(
            f'No folder or file matches environment "{name}"',
            hint=f"Known environments: {', '.join(there)}." if there else "Define it under environments:.",
        )
    return Environment(name)


def _scope(environment: Environment, layout: Layout) -> Scope:
    if environment.paths or environment.base or not environment.name:
        return Scope(environment, environment.base or layout.default, Paths(environment.paths), layout.rules)
    return Scope(environment, layout.default, Paths(bears=by_convention(environment.name)), layout.rules)


# The order in which environments of the usual names come.
_USUAL = (
    *("dev", "development", "sandbox", "test", "integration", "qa", "stage", "staging", "uat", "acceptance"),
    *("preprod", "canary", "prod", "production", "live"),
)


def _by_folders(tip: Snapshot) -> list[str]:
    folders = {part for path in tip.paths(Paths()) for part in path.split("/")[:-1]}
    return sorted(folders & planning.ENVIRONMENTS, key=_USUAL.index)


def _remembered(test: Callable[[str], bool]) -> Callable[[str], bool]:
    known: dict[str, bool] = {}

    def remembered(path: str) -> bool:
        if path not in known:
            known[path] = test(path)
        return known[path]

    return remembered
