"""`rollback`: a change forward to an older version, through the same gates and the same pull request as a bump."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gitops_ci.configrepo import ConfigRepo, Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError, GitopsCiError, NothingMatched, ProgramError, RegistryError, UsageError
from gitops_ci.flows.bump import BumpRequest, bump_into
from gitops_ci.flows.bump.branches import kind_branch
from gitops_ci.flows.bump.holds import hold_of, in_force, is_blocked, path_of
from gitops_ci.flows.environments import Environment, require_one
from gitops_ci.flows.globs import Paths
from gitops_ci.flows.history.reader import EnvironmentPast, Past
from gitops_ci.flows.history.scopes import Layout, Scope, scopes
from gitops_ci.flows.history.sites import familiar
from gitops_ci.flows.history.source import Source, deep_enough, opened
from gitops_ci.flows.history.timeline import Stacked
from gitops_ci.flows.image.existence import ImageLookup
from gitops_ci.flows.journal import Journal
from gitops_ci.flows.rollback.companion import Blocks
from gitops_ci.flows.rollback.target import Target, choose, commit_named, images_of_commit, refuse_future
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Hold, Log, Outcome
from gitops_ci.moments import age
from gitops_ci.text import nearest

__all__ = ["RollbackRequest", "rollback"]

_TITLE = "{environment}: {image} back to {tag}"
_SHOWN = 5
# Argo CD Image Updater: argocd-image-updater.readthedocs.io, "Annotations" and the ImageUpdater resource.
_UPDATERS = ("argocd-image-updater.argoproj.io/image-list", "kind: ImageUpdater")
_FLUX = "$imagepolicy"


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """The images (those of `bump.search`, without versions) and where they go back to.

    `block` keeps the version taken back from being proposed, `hold` every version, until `until` (seconds since 1970).
    `every` means all images of the environment; `by` is who asks.
    """

    bump: BumpRequest
    to: str = ""
    reason: str = ""
    hold: bool = False
    until: int | None = None
    block: bool = True
    every: bool = False
    by: str = ""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """An image with its target, and the hold that is in force on the branch."""

    image: ImageRef
    target: Target
    hold: Hold | None

    @property
    def wanted(self) -> ImageRef:
        return self.image.with_version(tag=self.target.version.tag, digest=self.target.version.digest)


def rollback(request: RollbackRequest, log: Log) -> Outcome:
    """Run a rollback and report what came of it; errors are part of the outcome."""
    journal = Journal("rollback")
    try:
        changed = _rollback_into(journal, request, log)
    except GitopsCiError as error:
        return journal.failed(error)
    except (OSError, MemoryError) as error:
        return journal.failed(ProgramError.of_machine(error))
    return journal.outcome(changed=changed)


def _rollback_into(journal: Journal, request: RollbackRequest, log: Log) -> bool:
    search = request.bump.search
    refuse_future(request.to, time.time())
    source = Source(
        request.bump.url,
        request.bump.credentials,
        search.base,
        search.environments,
        search.read_environments,
        request.bump.seconds,
        rules=search.rules,
        read_rules=search.read_rules,
    )
    with opened(source, log) as (repo, layout):
        chosen = _chosen(request, repo, layout, log)
        if chosen:
            _warn_of_automation(repo.fetch(layout.default, sparse=True), chosen, log)
    if not chosen:
        return False
    _check_registry(request, chosen, log)
    bump = _bump(request, chosen)
    changed = bump_into(journal, bump, log)
    assert isinstance(bump.companion, Blocks)
    written = (hold for hold in bump.companion.holds.values() if hold.hold or hold.blocked)
    journal.written = tuple(written) if changed else ()
    return changed


def _chosen(request: RollbackRequest, repo: ConfigRepo, layout: Layout, log: Log) -> list[_Chosen]:
    scope = _scope(request, layout)
    past = deep_enough(repo, (scope,), time.time(), lambda past: _answers(request, past), log)
    here = past.environments[scope.name]
    entries = past.entries[scope.branch]
    tip = repo.fetch(scope.branch, sparse=True)
    found, failed = list[_Chosen](), None
    for image in _images(request, here, past):
        hold = hold_of(tip, scope.environment.name, image)
        left = in_force(hold, time.time()) if hold else None
        if not request.to and _is_done(image, here, left):
            log.step(f"{image.familiar} was taken back already: name a version with --to to go back further")
            continue
        try:
            target = choose(here.timeline, image.name, request.to, entries)
            _refuse_blocked(request, image, target, left)
        except (FindingsError, UsageError) as error:
            if not request.every:
                raise
            failed = error
            log.warn(f"{error.message}: it stays as it is")
            continue
        _tell(image, target, here, log)
        found.append(_Chosen(image, target, left))
    if failed and not found:
        raise failed
    _warn_of_others(found, here, layout, log)
    return found


def _refuse_blocked(request: RollbackRequest, image: ImageRef, target: Target, hold: Hold | None) -> None:
    """Raises FindingsError where the version of the target was taken back itself."""
    wanted = image.with_version(tag=target.version.tag, digest=target.version.digest)
    if hold and is_blocked(hold, wanted) and not request.bump.search.ignore_hold:
        where, why = request.bump.search.environment or "the repository", f": {hold.reason}" if hold.reason else ""
        raise FindingsError(
            f"{image.familiar} {target.version.name} was taken back in {where} itself{why}",
            hint="Name another version with --to, or give --ignore-hold.",
        )


def _warn_of_others(chosen: Iterable[_Chosen], here: EnvironmentPast, layout: Layout, log: Log) -> None:
    """A file of several environments is changed for all of them."""
    names = {one.image.name for one in chosen}
    others = [one for one in scopes(layout) if one.name != here.scope.name] if layout.environments else []
    for path, uses in sorted(here.places.items()):
        also = [one.name for one in others if one.branch == here.scope.branch and one.matches(path)]
        if also and any(use.name in names for use in uses):
            log.warn(f"{path} belongs to {', '.join(also)}, too: the rollback changes it there as well")


def _scope(request: RollbackRequest, layout: Layout) -> Scope:
    name = request.bump.search.environment
    require_one(name, layout.environments)
    return scopes(layout, (name,))[0] if name else Scope(Environment(""), layout.default, Paths(), layout.rules)


def _images(request: RollbackRequest, here: EnvironmentPast, past: Past) -> tuple[ImageRef, ...]:
    """The selected images: those named, those of the commit, or all.

    Raises:
        NothingMatched: the environment does not have an image.
        UsageError: nothing says which.
    """
    timeline, named = here.timeline, request.bump.search.images
    if not named:
        commit = commit_named(request.to, past.entries[here.scope.branch])
        names: Iterable[str] = ()
        if request.every:
            names = map(familiar, timeline.names)
        elif commit:
            names = images_of_commit(timeline, commit)
        found = tuple(ImageRef.parse(name) for name in names)
        if not found:
            raise UsageError(
                "No image is given",
                hint="gitops-ci rollback ghcr.io/acme/shop, or --all with --to DATE, or --to COMMIT for its images.",
            )
        return found
    for image in named:
        if not timeline.counts(image.name):
            near = nearest(image.familiar, map(familiar, timeline.names))
            meant = f"Did you mean {near}?" if near else f"It has {', '.join(map(familiar, timeline.names)) or 'none'}."
            raise NothingMatched(f"{image.familiar} is not in {here.scope.name}", hint=meant)
    return named


def _answers(request: RollbackRequest, past: Past) -> bool:
    here = next(iter(past.environments.values()))
    try:
        for image in _images(request, here, past):
            choose(here.timeline, image.name, request.to, past.entries[here.scope.branch])
    except (FindingsError, UsageError, NothingMatched):
        return False
    return True


def _is_done(image: ImageRef, here: EnvironmentPast, hold: Hold | None) -> bool:
    """Whether the newest change of the image was this rollback: done twice, it would go back further."""
    last = next((d for d in reversed(here.timeline.deployments) if d.image == familiar(image.name)), None)
    if last is None or last.kind != "rollback" or hold is None or last.old is None:
        return False
    return any(last.old in {tag, digest} for tag, digest in hold.blocked)


def _tell(image: ImageRef, target: Target, here: EnvironmentPast, log: Log) -> None:
    """What is there, since when, and what was there before."""
    times = [*(one.time for one in target.stack), int(time.time())]
    shown = []
    for number, one in list(enumerate(target.stack))[::-1][:_SHOWN]:
        stayed = f" for {age(times[number + 1] - one.time)}" if one.time else ""
        shown.append(f"{one.name}{stayed}")
    places = sum(use.name == image.name for uses in here.places.values() for use in uses)
    log.step(
        f"{image.familiar} in {here.scope.name}: {', before that '.join(shown)} "
        f"({places} place{'s' if places != 1 else ''})"
    )


def _check_registry(request: RollbackRequest, chosen: Sequence[_Chosen], log: Log) -> None:
    """Whether the images are still there.

    Raises:
        RegistryError: one is gone; the newest earlier one that exists is named.
    """
    lookup = ImageLookup(request.bump.access)
    gone = lookup([str(one.wanted) for one in chosen])
    for skip in lookup.skipped:
        log.warn(f"{skip.path}: {skip.reason}")
    for one in chosen:
        if str(one.wanted) not in gone:
            continue
        names = [version.name for version in one.target.stack]
        at = names.index(one.target.version.name) if one.target.version.name in names else 0
        earlier = [one.image.with_version(tag=v.tag, digest=v.digest) for v in reversed(one.target.stack[:at])]
        missing = lookup([str(image) for image in earlier]) if earlier else {}
        exists = next((image for image in earlier if str(image) not in missing), None)
        raise RegistryError(
            f"{one.wanted} is no longer in its registry",
            hint=f"{exists} is: --to {exists.tag or f'@{exists.digest}'}"
            if exists
            else "No earlier version is, either.",
        )


def _bump(request: RollbackRequest, chosen: Sequence[_Chosen]) -> BumpRequest:
    search, said = request.bump.search, request.bump.publication
    images = tuple(one.wanted for one in chosen)
    head = kind_branch("rollback", search.environment, images)
    where = f" in {search.environment}" if search.environment else ""
    told = "; ".join(_told(one, where) for one in chosen)
    told += f": {request.reason}" if request.reason else ""
    trailers = [("Rollback-Of", commit) for commit in dict.fromkeys(_brought(chosen))]
    trailers += [("Rollback-From", str(one.image.with_version(tag=v.tag, digest=None if v.tag else v.digest)))
                 for one in chosen for v in one.target.taken_back]  # fmt: skip
    trailers += [("Reason", request.reason)] if request.reason else []
    title = said.title or (_TITLE if search.environment else _TITLE.removeprefix("{environment}: "))
    return replace(
        request.bump,
        search=replace(search, images=images, policy=replace(search.policy, allow_downgrade=True, any_flavour=True)),
        publication=replace(said, title=title, trailers=(*trailers, *said.trailers), notes=(f"{told}.", *said.notes)),
        companion=Blocks(head, _holds(request, chosen), told),
    )


def _told(one: _Chosen, where: str) -> str:
    back = ", ".join(version.name for version in one.target.taken_back)
    deed = f"was taken back{where} from {back}" if back else f"goes back{where}"
    return f"{one.image.familiar} {deed} to {one.target.version.name}"


def _brought(chosen: Sequence[_Chosen]) -> list[str]:
    return [version.commit for one in chosen for version in one.target.taken_back if version.commit]


def _holds(request: RollbackRequest, chosen: Sequence[_Chosen]) -> dict[str, Hold]:
    environment = request.bump.search.environment or ""
    found = {}
    for one in chosen:
        if not (request.block or request.hold):
            continue
        before = one.hold if one.hold and not one.hold.problem else None
        stays = before if before and before.hold else None
        blocked = [*(before.blocked if before else ()), *(_version(v) for v in one.target.taken_back)]
        wanted = _version(one.target.version)
        found[one.image.name] = Hold(
            environment=environment,
            image=one.image.familiar,
            hold=request.hold or stays is not None,
            blocked=tuple(version for version in dict.fromkeys(blocked) if version[0] != wanted[0] or not wanted[0]),
            until=stays.until if stays and not request.hold else request.until,
            reason=request.reason or (stays.reason if stays else ""),
            by=request.by,
            since=int(time.time()),
            path=path_of(environment, one.image),
        )
    return found


def _version(version: Stacked) -> tuple[str | None, str | None]:
    return version.tag, version.digest


def _warn_of_automation(tip: Snapshot, chosen: Sequence[_Chosen], log: Log) -> None:
    """Name what in the cluster would write the newer version again."""
    for one in chosen:
        named = set(tip.search((one.image.basename,), Paths()))
        if flux := sorted(named & set(tip.search((_FLUX,), Paths()))):
            log.warn(
                f"Flux image automation may write {one.image.familiar} in {flux[0]} and undo the rollback: "
                "suspend its ImageUpdateAutomation (flux suspend image update NAME)"
            )
        if argo := sorted(named & set(tip.search(_UPDATERS, Paths()))):
            log.warn(
                f"Argo CD Image Updater may update {one.image.familiar} ({argo[0]}) and undo the rollback: "
                "take the image out of its list, or let it ignore the version"
            )
