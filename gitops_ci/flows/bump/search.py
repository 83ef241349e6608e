"""Finding the image in the config repository: which branch, which files, which edits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace

from gitops_ci import known_files
from gitops_ci import plan as planning
from gitops_ci.configrepo import ConfigRepo, Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitError, UsageError
from gitops_ci.flows.bump import reading, unfound
from gitops_ci.flows.bump.archives import stale_archives
from gitops_ci.flows.bump.built_from import built_from
from gitops_ci.flows.bump.reading import Beside, Texts
from gitops_ci.flows.bump.survey import MOST
from gitops_ci.flows.environments import Environment, by_convention, named
from gitops_ci.flows.globs import Paths
from gitops_ci.flows.image.age import AgeComparison
from gitops_ci.flows.image.twins import TagTwins
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log, Plan
from gitops_ci.plan import BumpPolicy, Pointer, PointerRule
from gitops_ci.text import did_you_mean

__all__ = [
    "Found",
    "Search",
    "environments_meant",
    "find",
    "locate",
    "own_file",
    "reserved",
]

Narrow = Callable[[Snapshot, "Search"], "Search"]
ReadEnvironments = Callable[[str, str], Mapping[str, Environment]]
ReadRules = Callable[[str, str], tuple[PointerRule, ...]]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. `base` and `environment` None mean "as the repository says"."""

    images: tuple[ImageRef, ...]
    base: str | None = None
    environment: str | None = None
    environments: Mapping[str, Environment] = field(default_factory=dict)
    read_environments: ReadEnvironments = lambda text, source: {}  # noqa: ARG005
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    policy: BumpPolicy = field(default_factory=BumpPolicy)
    pointers: tuple[Pointer, ...] = ()
    rules: tuple[PointerRule, ...] = ()
    read_rules: ReadRules = lambda text, source: ()  # noqa: ARG005
    allow_empty: bool = False
    ignore_hold: bool = False

    @property
    def names(self) -> str:
        return str(self.images[0]) if len(self.images) == 1 else f"{len(self.images)} images"

    def pointed(self, paths: Sequence[str], images: Sequence[ImageRef] = ()) -> tuple[Pointer, ...]:
        """What rules of the settings point at in these files, for some images, or for those that are looked for."""
        names = {image.name: image for image in images or self.images}
        places = (
            place.pointer
            for rule in self.rules
            for image in names.values()
            for place in rule.pointers(paths, image, match_name=self.policy.match_name)
        )
        return tuple(dict.fromkeys(places))


@dataclass(frozen=True, slots=True)
class Found:
    """The branch as it is now, what is to be done there, and the search with the repository's own rules.

    The search is left with the images that may be proposed. `selection` is what the run is about, `own` the
    repository's own configuration file (`own_file`).
    """

    snapshot: Snapshot
    plan: Plan
    search: Search
    selection: Paths
    own: tuple[str, str]


def locate(repo: ConfigRepo, search: Search) -> tuple[str, str, Environment]:
    """The base branch, the one that it would be if the search named none, and the environment.

    That is as the application's or the config repository's own file defines it.

    Raises:
        GitError: the branch is not there.
        UsageError: environments are defined, and this one is not among them.
    """
    refs = repo.refs_at_start
    base = search.base or refs.default
    if base is None or (search.base and search.base not in refs.tips):
        raise _no_branch(repo, search.base, refs.default)
    if search.environment is None:
        return base, refs.default or base, Environment("")
    tip = repo.fetch(base, sparse=True, tip=refs.tips.get(base, ""))
    layout = search.read_environments(*own_file(tip, repo))
    environment = named(search.environment, search.environments, layout) or Environment(search.environment)
    usual = environment.base or refs.default or base
    return search.base or usual, usual, environment


def reserved(repo: ConfigRepo, search: Search) -> frozenset[str]:
    """The branches that no pull request may come from: those that something is deployed from."""
    refs = repo.refs_at_start
    default = refs.default or search.base
    tip = repo.fetch(default, sparse=True, tip=refs.tips.get(default, "")) if default else None
    layout = search.read_environments(*own_file(tip, repo)) if tip else {}
    known = (*search.environments.values(), *layout.values())
    return frozenset(filter(None, (default, search.base, *(environment.base for environment in known))))


def _no_branch(repo: ConfigRepo, wanted: str | None, default: str | None) -> GitError:
    """There is nothing to change: the branch is not there, HEAD names none, or the repository is empty."""
    there = repo.branches()
    if not there:
        return GitError(f"{repo.url} is empty", hint="Push a first commit to it.")
    listed = ", ".join(there[:5]) + (f" and {len(there) - 5} more" if len(there) > 5 else "")
    if wanted is None:
        return GitError(f"The HEAD of {repo.url} names no branch", hint=f"Name one with --base: {listed}.")
    hint = f"Its default branch is {default}." if default else f"Its branches: {listed}."
    return GitError(f"There is no branch {wanted} in {repo.url}", hint=hint)


def own_file(snapshot: Snapshot, repo: ConfigRepo) -> tuple[str, str]:
    """The config repository's own configuration, "" where it has none, and what errors call it."""
    return (snapshot.read(known_files.CONFIG) or b"").decode("utf-8", "replace"), f"{repo.url}: {known_files.CONFIG}"


def environments_meant(search: Search, base: str, own: tuple[str, str]) -> tuple[str, ...]:
    """The environments on a branch that a run without a name and without paths changes, where some are defined."""
    if search.environment is not None or search.paths:
        return ()
    layout = {**search.read_environments(*own), **search.environments}
    return tuple(sorted(name for name, one in layout.items() if one.base in {None, base}))


def find(
    repo: ConfigRepo,
    base: str,
    search: Search,
    environment: Environment,
    ages: AgeComparison,
    twins: TagTwins,
    log: Log,
    *,
    narrow: Narrow = lambda _, search: search,
    tip: str = "",
) -> Found:
    """Read the branch as it is now, or is known to be at `tip`, and plan the edits for the images that `narrow` leaves.

    Raises:
        NothingMatched: an image is named in none of the files that are meant.
    """
    selection = Paths(search.paths or environment.paths, search.exclude)
    snapshot = repo.fetch(base, sparse=selection.is_narrow, tip=tip)
    own = own_file(snapshot, repo)
    search = narrow(snapshot, search)
    if not search.images:
        return Found(snapshot, Plan(), search, selection, own)
    if not selection.globs and environment.name and not environment.base:
        selection = _conventional(snapshot, selection, environment.name, log)
    search = replace(search, rules=(*search.rules, *search.read_rules(*own)))
    # The name of an image may stand outside of the selection: in the base of an overlay, in a chart.
    snapshot = snapshot.whole(MOST) or snapshot
    beside = Beside(selection, built_from(snapshot, selection)) if snapshot.is_sparse else Paths()
    paths = snapshot.paths(beside)
    pointers = (*search.pointers, *search.pointed([path for path in paths if selection.matches(path)]))
    for obstacle in filter(None, (snapshot.obstacle(pointer.path) for pointer in search.pointers)):
        raise UsageError(f"{obstacle} and is left alone", hint="Point --at at the file itself.")
    read = reading.read(snapshot, beside, paths, pointers, search.images, search.policy, log)
    plan = _within(selection, _planned(read, pointers, search, selection, ages, twins))
    images, policy = search.images, search.policy
    lines = unfound.written(unfound.missing(plan, images, policy), snapshot, selection, policy)
    plan = replace(plan, skipped=(*plan.skipped, *lines))
    more = (*unfound.possible(plan, snapshot, selection, images, policy), *stale_archives(plan, snapshot))
    plan = replace(plan, skipped=(*plan.skipped, *more))
    missing = unfound.missing(plan, images, policy)
    if missing and not search.allow_empty:
        where = f"the paths of environment {search.environment}" if search.environment else str(repo.url)
        raise unfound.nowhere(missing[0], snapshot, selection, policy, where)
    return Found(snapshot, plan, search, selection, own)


def _planned(
    read: Texts, pointers: Sequence[Pointer], search: Search, selection: Paths, ages: AgeComparison, twins: TagTwins
) -> Plan:
    def made() -> Plan:
        return planning.make_from(
            read.texts,
            search.images,
            search.policy,
            pointers=pointers,
            is_older=ages,
            has_twin=twins,
            is_selected=selection.matches,
        )

    plan = made()
    learned = (ages.learn(), twins.learn())
    plan = made() if any(learned) else plan
    return replace(plan, skipped=(*plan.skipped, *read.unreadable))


def _within(selection: Paths, plan: Plan) -> Plan:
    """The plan without what it says about files that were only read to understand others."""
    return Plan(
        tuple(change for change in plan.changes if selection.matches(change.path)),
        tuple(site for site in plan.unchanged if selection.matches(site.path)),
        tuple(skip for skip in plan.skipped if selection.matches(skip.path)),
        tuple(file for file in plan.files if selection.matches(file.path)),
        tuple(skip for skip in plan.refused if selection.matches(skip.path)),
        tuple(site for site in plan.meant if selection.matches(site.path)),
    )


def _conventional(snapshot: Snapshot, selection: Paths, name: str, log: Log) -> Paths:
    named_so = replace(selection, bears=by_convention(name))
    if snapshot.paths(named_so):
        return named_so
    others = sorted(
        {part for path in snapshot.paths(selection) for part in path.split("/")[:-1]} & planning.ENVIRONMENTS
    )
    if others:
        # A name that is mistyped here would otherwise deploy to all of them.
        raise UsageError(
            f"No folder or file matches environment '{name}'",
            hint="A run changes one environment: run it once for each."
            if "," in name
            else f"{did_you_mean(name, others)} Known environments: {', '.join(others)}.".lstrip()
            + " Add it to .gitops-ci.yaml, or give --path.",
        )
    log.warn(f"No definition, folder or file matches environment {name}: every file is selected")
    return selection
