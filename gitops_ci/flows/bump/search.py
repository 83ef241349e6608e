"""Finding the image in the config repository: which branch, which files, which edits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_ci import known_files
from gitops_ci import plan as planning
from gitops_ci.configrepo import ConfigRepo, Snapshot
from gitops_ci.errors import GitError, NothingMatched, UsageError
from gitops_ci.flows.bump import encodings
from gitops_ci.flows.bump.archives import stale_archives
from gitops_ci.flows.bump.built_from import built_from
from gitops_ci.flows.bump.survey import MOST
from gitops_ci.flows.environments import Environment, by_convention, named
from gitops_ci.flows.globs import Paths
from gitops_ci.flows.image.age import AgeComparison
from gitops_ci.flows.image.twins import TagTwins
from gitops_ci.formats import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log, Plan, Skip
from gitops_ci.plan import BumpPolicy, Pointer, PointerRule
from gitops_ci.text import did_you_mean

__all__ = [
    "Found",
    "Search",
    "environments_meant",
    "find",
    "is_chart_file",
    "locate",
    "own_file",
    "reserved",
    "untouched",
]

# The error that lists similar names reads this many files at most.
_ENOUGH = 2000

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
) -> Found:
    """Read the branch as it is now and plan the edits for the images that `narrow` leaves.


    Raises:
        NothingMatched: an image is named in none of the files that are meant.
    """
    selection = Paths(search.paths or environment.paths, search.exclude)
    snapshot = repo.fetch(base, sparse=selection.is_narrow)
    own = own_file(snapshot, repo)
    search = narrow(snapshot, search)
    if not search.images:
        return Found(snapshot, Plan(), search, selection, own)
    if not selection.globs and environment.name and not environment.base:
        selection = _conventional(snapshot, selection, environment.name, log)
    search = replace(search, rules=(*search.rules, *search.read_rules(*own)))
    # The name of an image may stand outside of the selection: in the base of an overlay, in a chart.
    snapshot = snapshot.whole(MOST) or snapshot
    beside = _Beside(selection, built_from(snapshot, selection)) if snapshot.is_sparse else Paths()
    paths = snapshot.paths(beside)
    pointers = (*search.pointers, *search.pointed([path for path in paths if selection.matches(path)]))
    read = _read(snapshot, beside, paths, pointers, search, log)
    plan = _within(selection, _planned(read, pointers, search, selection, ages, twins))
    plan = replace(plan, skipped=(*plan.skipped, *_written(_missing(plan, search), snapshot, selection, search.policy)))
    more = (*_possible(plan, snapshot, selection, search), *stale_archives(plan, snapshot))
    plan = replace(plan, skipped=(*plan.skipped, *more))
    missing = _missing(plan, search)
    if missing and not search.allow_empty:
        raise _nowhere(missing[0], snapshot, selection, search, str(repo.url))
    return Found(snapshot, plan, search, selection, own)


def is_chart_file(path: str) -> bool:
    """Whether a file is a chart's own, which may give names to what is laid over it."""
    return path.rpartition("/")[2] in {"values.yaml", "values.yml", "Chart.yaml"}


@dataclass(frozen=True, slots=True)
class _Beside:
    """A selection, what it is built from, and the charts' own files: they say what a file laid over them leaves out."""

    selection: Paths
    built_from: Paths | None

    def matches(self, path: str) -> bool:
        return (
            self.selection.matches(path)
            or is_chart_file(path)
            or bool(self.built_from and self.built_from.matches(path))
        )

    def may_hold(self, folder: str) -> bool:
        return self.selection.may_hold(folder) or bool(self.built_from and self.built_from.may_hold(folder))

    def wants_all(self, folder: str) -> bool:
        return self.selection.wants_all(folder)


@dataclass(frozen=True, slots=True)
class _Read:
    texts: list[ManifestText]
    unreadable: list[Skip]


def _planned(
    read: _Read, pointers: Sequence[Pointer], search: Search, selection: Paths, ages: AgeComparison, twins: TagTwins
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


def _read(
    snapshot: Snapshot,
    selection: Paths | _Beside,
    paths: Sequence[str],
    pointers: Sequence[Pointer],
    search: Search,
    log: Log,
) -> _Read:
    """The files that may name an image, and those without which they cannot be understood."""
    needles = planning.needles(search.images, search.policy)
    words = (*needles, *encodings.MARKS)
    lines = planning.RelationLines(snapshot.lines((*words, *planning.RELATIONS), selection))
    naming = lines.having(words)
    named_in = [path for path in paths if path in naming]
    log.detail(f"{len(named_in)} files may name {search.names}")
    pointed_at = [pointer.path for pointer in pointers]
    for obstacle in filter(None, (snapshot.obstacle(pointer.path) for pointer in search.pointers)):
        raise UsageError(f"{obstacle} and is left alone", hint="Point --at at the file itself.")
    found, unreadable = _decoded(snapshot, dict.fromkeys((*named_in, *pointed_at)), needles)
    texts = planning.parse(found, search.images, search.policy)
    related = planning.related(paths, search.images, search.policy, lines)
    seen, asked, new = {*named_in, *pointed_at}, set[str](), texts
    while new:
        related.add(new)
        more, names = related.next()
        if names - asked:
            more.update(snapshot.search(sorted(names - asked), selection))
            asked |= names
        new = planning.parse(_decoded(snapshot, sorted(more - seen), ())[0], search.images, search.policy)
        texts, seen = [*texts, *new], seen | more
    log.detail(f"{len(seen)} files were read")
    return _Read(texts, unreadable)


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
            hint=f"{did_you_mean(name, others)} Known environments: {', '.join(others)}.".lstrip()
            + " Add it to .gitops-ci.yaml, or give --path.",
        )
    log.warn(f"No definition, folder or file matches environment {name}: every file is selected")
    return selection


def _decoded(
    snapshot: Snapshot, paths: Iterable[str], needles: Sequence[str]
) -> tuple[list[tuple[str, str]], list[Skip]]:
    files, skipped, good = [], [], []
    for path in paths:
        if "\\" in path or any("\udc80" <= c <= "\udcff" for c in path):
            shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            reason = "its name has a backslash or is not UTF-8"
            skipped.append(Skip(shown, 0, reason, "Rename the file.", failed=True))
        else:
            good.append(path)
    for path, data in snapshot.read_all(good):
        text = encodings.decoded(path, data, needles)
        if isinstance(text, str):
            files.append((path, text))
        elif text:
            skipped.append(text)
    return files, skipped


def _missing(plan: Plan, search: Search) -> list[ImageRef]:
    """The images that the plan names nowhere, not even where it leaves a place alone."""
    # Of a file that nobody can read it is not known which image it names.
    left = {skip.image for skip in plan.skipped}
    return [image for image in untouched(plan, search) if not left & {"", image.name}]


def _written(images: Sequence[ImageRef], snapshot: Snapshot, selection: Paths, policy: BumpPolicy) -> Sequence[Skip]:
    """The lines of any text that have the name of an image which no format finds."""
    if not images or policy.formats:
        return ()
    needles = planning.needles(images, policy)
    return planning.written(_decoded(snapshot, snapshot.search(needles, selection), needles)[0], images, policy)


def _possible(plan: Plan, snapshot: Snapshot, selection: Paths, search: Search) -> Sequence[Skip]:
    """Places of other environments that still hold a tag which the plan replaces, and that nothing explains."""
    tags = planning.old_tags(plan)
    if not tags or search.policy.formats:
        return ()
    near = planning.near(plan, snapshot.paths(selection))[:_ENOUGH]
    files = [(path, text) for path, text in _decoded(snapshot, near, ())[0] if any(tag in text for tag in tags)]
    # What these are laid over explains them.
    files += [(file.path, file.before) for file in plan.files]
    return planning.possible(plan, planning.parse(files, search.images, search.policy))


def untouched(plan: Plan, search: Search) -> tuple[ImageRef, ...]:
    """The images of which no place is changed or has the version already."""
    return tuple(image for image in search.images if not _has_a_place(image, plan, search.policy))


def _has_a_place(image: ImageRef, plan: Plan, policy: BumpPolicy) -> bool:
    if any(change.image == image for change in plan.changes):
        return True
    # Another flavour of the image that is up to date is no place of this one.
    same = {None, image.tag, f"v{image.tag}", f"V{image.tag}"}
    here = (site.image for site in plan.unchanged if not image.tag or site.image.tag in same)
    return any(site.repository == image.repository if policy.match_name else site.same_image(image) for site in here)


def _nowhere(image: ImageRef, snapshot: Snapshot, selection: Paths, search: Search, url: str) -> NothingMatched:
    """The error that says where the image is named instead, or which names are similar."""
    where = f"the paths of environment {search.environment}" if search.environment else url
    message = f"{image.familiar} is not referenced in {where}"
    if selection != Paths():
        elsewhere = snapshot.search(planning.needles((image,), search.policy), Paths())[:50]
        outside = _naming(image, _decoded(snapshot, elsewhere, (image.basename,))[0], search.policy)
        if outside:
            listed = ", ".join(outside[:5])
            return NothingMatched(message, hint=f"It is named in {listed}: widen --path or the environment's paths.")
    yaml = [path for path in snapshot.paths(Paths()) if path.endswith((".yaml", ".yml"))][:_ENOUGH]
    near = planning.nearest(_decoded(snapshot, yaml, ())[0], image)
    hint = f"Nearest names there: {', '.join(near)}." if near else "No image is named there at all."
    return NothingMatched(message, hint=hint)


def _naming(image: ImageRef, files: Sequence[tuple[str, str]], policy: BumpPolicy) -> list[str]:
    plan = planning.make(files, (image,), replace(policy, allow_downgrade=True, any_flavour=True))
    return sorted({change.path for change in plan.changes} | {site.path for site in plan.unchanged})
