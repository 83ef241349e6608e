"""The environments of a promotion as they are: their pasts, their files, and the repositories that they lie in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from gitops_ci.configrepo import ConfigRepo
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.bump import BumpRequest
from gitops_ci.flows.bump.holds import holds_of
from gitops_ci.flows.bump.search import own_file
from gitops_ci.flows.environments import Environment, in_order
from gitops_ci.flows.freeze import FREEZE_FILE, Freeze, freezes_of
from gitops_ci.flows.history.reader import EnvironmentPast
from gitops_ci.flows.history.scopes import Layout, scopes
from gitops_ci.flows.history.source import Source, deep_enough, layout_of, limited, repository
from gitops_ci.model import Clock, Hold, Log

__all__ = ["Known", "Place", "Way", "known", "source_of", "ways"]

ReadSets = Callable[[str, str], tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class Way:
    """One target with the environments that it is promoted from. `usual` are those that the settings name."""

    environment: Environment
    sources: tuple[str, ...]
    usual: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One environment: its past, the commits of its branch (oldest first), and what stops changes there.

    `bump` is how its repository is reached, and has it open.
    """

    past: EnvironmentPast
    commits: Sequence[str]
    holds: tuple[Hold, ...]
    freezes: tuple[Freeze, ...]
    bump: BumpRequest


@dataclass(frozen=True, slots=True)
class Known:
    """What was read: the targets, every environment by name, and the sets that the repository's own file names."""

    ways: tuple[Way, ...]
    places: Mapping[str, Place]
    sets: tuple[tuple[str, ...], ...]


def ways(layout: Layout, to: str, given: tuple[str, ...]) -> tuple[Way, ...]:
    """The targets in the order of promotion.

    Raises:
        UsageError: an environment does not exist, nothing says what is promoted from where, or promotions go in a
            circle.
    """
    ordered = in_order(layout.environments)
    if to == "auto":
        found = tuple(Way(one, one.promote_from, one.promote_from) for one in ordered if one.promote == "auto")
        if not found:
            raise UsageError(
                "No environment has promote: auto",
                hint="Write promote: auto and promote-from: into an environment of .gitops-ci.yaml.",
            )
        return found
    target = scopes(layout, (to,))[0].environment
    sources = given or target.promote_from
    if not sources:
        raise UsageError(
            f"No environment is set from which {to} gets its images",
            hint="Give --from, or write promote-from: into its entry in .gitops-ci.yaml.",
        )
    if to in sources:
        raise UsageError(f"{to} would be promoted from itself", hint="Name another environment with --from.")
    return (Way(target, sources, target.promote_from),)


def source_of(bump: BumpRequest, clock: Clock) -> Source:
    """How the history of a repository is read."""
    search = bump.search
    return Source(
        bump.url, bump.credentials, search.base, search.environments, search.read_environments, bump.seconds, clock,
        rules=search.rules, read_rules=search.read_rules,
    )  # fmt: skip


def known(
    bump: BumpRequest,
    to: str,
    given: tuple[str, ...],
    elsewhere: Callable[[str], BumpRequest],
    read_sets: ReadSets,
    log: Log,
    clock: Clock,
    stack: ExitStack,
) -> Known:
    """Read every environment that the promotion is about, those with a repository of their own there.

    The repositories stay open until `stack` is closed: what is fetched once serves every change of the run.

    Raises:
        UsageError: as `ways`.
        GitError: a repository cannot be read.
    """
    source = source_of(bump, clock)
    repo = stack.enter_context(repository(source, log))
    with limited(source, repo):
        layout = layout_of(source, repo)
        found = ways(layout, to, given)
        soak = max(way.environment.soak.seconds for way in found)
        names = dict.fromkeys(name for way in found for name in (*way.sources, way.environment.name))
        homes: dict[str | None, list[str]] = {}
        for name in names:
            # Only this folder's own settings name another repository: the config repository names no host.
            own = bump.search.environments.get(name)
            homes.setdefault(own.config_repo if own else None, []).append(name)
        places = _places(repo, layout, bump, homes.pop(None, ()), soak, clock, log)
        sets = read_sets(*own_file(layout.tip, repo))
    for home, here in homes.items():
        there = elsewhere(str(home))
        source = source_of(there, clock)
        other = stack.enter_context(repository(source, log))
        with limited(source, other):
            places |= _places(other, layout_of(source, other), there, here, soak, clock, log)
    return Known(found, places, sets)


def _places(
    repo: ConfigRepo, layout: Layout, bump: BumpRequest, here: Iterable[str], soak: int, clock: Clock, log: Log
) -> dict[str, Place]:
    """The environments of one repository. Its history is read as far back as a version may have to soak."""
    if not (names := tuple(here)):
        return {}
    chosen, now, found = scopes(layout, names), clock(), dict[str, Place]()
    past = deep_enough(repo, chosen, now, lambda past: past.reaches <= now - 2 * soak, log)
    for scope in chosen:
        tip = layout.tip if scope.branch == layout.default else repo.fetch(scope.branch, sparse=True)
        files = dict.fromkeys((layout.tip.read(FREEZE_FILE), tip.read(FREEZE_FILE)))
        found[scope.name] = Place(
            past.environments[scope.name],
            [entry.commit for entry in past.entries[scope.branch]],
            tuple(holds_of(tip, [scope.environment.name])),
            tuple(freeze for data in files for freeze in freezes_of(data)),
            replace(bump, repo=repo),
        )
    return found
