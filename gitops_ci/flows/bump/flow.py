"""Bump images in the config repository: find, edit, validate, publish.

Every try starts from the branch as it is now: a push that lost a race is followed by a fresh read and the same edit
applied again, never by a rebase.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import field, replace

from gitops_ci.configrepo import ConfigRepo, GitCredentials
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError, GitError, GitopsCiError, ProgramError, UsageError
from gitops_ci.flows.bump.branches import heads
from gitops_ci.flows.bump.closing import close_if_obsolete
from gitops_ci.flows.bump.commit import push_base
from gitops_ci.flows.bump.gate import Base, check_edits
from gitops_ci.flows.bump.gate_settings import GateSettings
from gitops_ci.flows.bump.head_repository import head_repository
from gitops_ci.flows.bump.in_environments import in_environments
from gitops_ci.flows.bump.publication import PublishContext, PublishSettings
from gitops_ci.flows.bump.pull_request import check_publishable, propose
from gitops_ci.flows.bump.retry import Deadline
from gitops_ci.flows.bump.reverts import reverted
from gitops_ci.flows.bump.search import Found, Search, environments_meant, find, locate, reserved
from gitops_ci.flows.bump.stops import Companion, EndedBlocks, Obedience, pending
from gitops_ci.flows.bump.unfound import untouched
from gitops_ci.flows.bump.window import Soaking, in_window, never_soaks
from gitops_ci.flows.environments import Environment, Mode
from gitops_ci.flows.image.age import AgeComparison, BuildMetadata
from gitops_ci.flows.image.twins import TagTwins
from gitops_ci.flows.image.verify import Verification
from gitops_ci.flows.journal import Journal
from gitops_ci.forges.base import Forge
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log, Outcome, Plan, VerifiedImage
from gitops_ci.process import time_limit
from gitops_ci.registry.connection import Access
from gitops_ci.repourl import RepoUrl

__all__ = ["BumpRequest", "PublishSettings", "bump", "bump_into", "heads_of", "settled"]

# Text and name of the config repository's own configuration file -> how a change of its manifests is checked.
ReadChecks = Callable[[str, str], GateSettings]
# The same, and how to read another file of the commit -> whose signatures images need.
ReadVerification = Callable[[str, str, Callable[[str], bytes | None]], Verification]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class BumpRequest:
    """Everything a bump needs to know. `mode` None means "as the environment says".

    `access` is for registries, asked only where tags do not tell which image is older; `origins` are images that may
    not be there yet. `verification` says whose signatures images need, and so does the config repository's own file. An
    image of `stored_as` is looked for under that name. `pushes`: the images come with this run. `repo` is
    the repository where a run of several bumps has opened it, `fork` where its pull requests come from.
    """

    url: RepoUrl
    search: Search
    publication: PublishSettings
    credentials: GitCredentials | None = None
    forge: Callable[[], Forge] | None = None
    mode: Mode | None = None
    read_checks: ReadChecks = lambda text, source: GateSettings()  # noqa: ARG005
    access: Access = field(default_factory=Access)
    origins: Mapping[ImageRef, BuildMetadata] = field(default_factory=dict)
    companion: Companion = field(default_factory=EndedBlocks)
    fail_on_held: bool = False
    ignore_window: bool = False
    soaking: Soaking = never_soaks
    seconds: float = 300.0
    verification: Verification = field(default_factory=Verification)
    read_verification: ReadVerification = lambda text, source, read: Verification()  # noqa: ARG005
    stored_as: Mapping[ImageRef, ImageRef] = field(default_factory=dict)
    pushes: bool = False
    repo: ConfigRepo | None = None
    fork: RepoUrl | None = None


def bump(request: BumpRequest, log: Log) -> Outcome:
    """Run a bump and say what came of it; errors are part of the outcome."""
    journal = Journal("bump")
    try:
        changed = bump_into(journal, request, log)
    except GitopsCiError as error:
        return journal.failed(error)
    except (OSError, MemoryError) as error:
        return journal.failed(ProgramError.of_machine(error))
    return journal.outcome(changed=changed)


def bump_into(journal: Journal, request: BumpRequest, log: Log, *, rehearsal: bool = False) -> bool:
    """As `bump`, into a journal that may hold earlier steps; returns whether anything was (or would be) published.

    A `rehearsal` publishes nothing, and fails where the run itself would by what is there by now.

    Raises:
        GitopsCiError: of any kind; the journal holds what was done before.
    """
    deadline = Deadline(request.seconds)
    ages = AgeComparison(request.access, log, request.origins)
    twins = TagTwins(request.access, log)
    with time_limit(deadline.left), _repository(request, deadline, log) as repo:
        base, usual, environment = locate(repo, request.search)
        mode = request.mode or environment.mode or "pull-request"
        journal.dry_run, journal.fail_on_held = mode == "dry-run", request.fail_on_held
        if not rehearsal:
            journal.verified += request.verification.check(request.search.images, request.access, log)
        said = _publication(request, environment, mode, journal, log)
        to = PublishContext(
            repo, base, usual, said, request.search, environment, ages, twins, request.forge, journal, log,
            request.companion.head,
        )  # fmt: skip
        if mode == "pull-request":
            to = replace(to, heads_in=heads_of(request, repo, base, log, deadline.left))
        # A dry run refuses what the run itself would refuse.
        real = (environment.mode or "pull-request") if mode == "dry-run" else mode
        if said.branch and real == "pull-request":
            _refuse_reserved(heads(to)[0], reserved(repo, request.search))
        is_rollback = request.companion.is_rollback
        soaking = never_soaks if is_rollback else request.soaking
        obey = Obedience(() if is_rollback else pending(to), log)
        for number in deadline.tries():
            found = find(
                repo, base, request.search, environment, ages, twins, log,
                tip=repo.refs_at_start.tips.get(base, "") if number == 1 else "",
                **({} if is_rollback else {"narrow": obey}),
            )  # fmt: skip
            snapshot, this = found.snapshot, replace(request, search=found.search)
            to = replace(to, layout=request.search.read_environments(*found.own))
            changes = in_environments(found.plan.changes, to.layout, base, request.search.environment)
            plan = replace(found.plan, changes=changes)
            if not rehearsal:
                said = _with_signers(said, journal, _verified_here(this, found, log))
            to, journal.holds = replace(to, search=found.search, publication=obey.recorded_in(said)), obey.held
            if not found.search.images:
                return False
            journal.plan = plan
            _refuse_older(plan)
            images = () if request.search.allow_empty else this.search.images
            journal.untouched = untouched(plan, images, this.search.policy)
            # Why an image was refused stands in a line of its own.
            refused = {skip.image for skip in plan.refused} if plan.changes else set[str]()
            silent = [image for image in journal.untouched if image.name not in refused]
            for image in silent if plan.changes or plan.unchanged else ():
                log.warn(f"{image}: no place that names it could be changed")
            if number == 1:
                _tell_meant(() if rehearsal else environments_meant(request.search, base, found.own), log)
                _tell(plan, ages, () if rehearsal else twins.without(), log)
            if not plan.changes:
                _say_why(plan, this, base, log)
                closes = mode == "pull-request" and not rehearsal and bool(plan.unchanged)
                return closes and close_if_obsolete(to, snapshot)
            if not (is_rollback or said.reopen) and obey.learn(
                reverted(to, [change.image for change in plan.changes], snapshot.commit)
            ):
                continue  # without what a person reverted
            brought = request.search.images if request.pushes else ()
            judged = Base(snapshot, request.url, base, found.selection, request.access, brought)
            to = replace(to, rendering=request.read_checks(*found.own))
            with _forgiven(log) if is_rollback else nullcontext():
                check_edits(journal, plan, to.rendering, judged, log)
            journal.plan = plan = replace(plan, files=(*plan.files, *request.companion.files(snapshot, plan, to)))
            if rehearsal and mode == "pull-request":
                check_publishable(to, plan)
            allowed = in_window(to, snapshot, plan, mode, soaking, is_passed=is_rollback or request.ignore_window)
            if allowed is None:
                return False
            to = allowed
            if rehearsal or mode == "dry-run":
                return True
            landed = (push_base if mode == "push" else propose)(to, snapshot, plan)
            if landed is not None:
                request.companion.published(plan, to)
                return landed
            log.detail("the push did not land: reading the branch again")
    raise _not_landed(request, repo)


def heads_of(
    request: BumpRequest,
    repo: ConfigRepo,
    base: str,
    log: Log,
    left: Callable[[], float],
    *,
    every_base: bool = False,
) -> ConfigRepo:
    """Where the branches of this request's pull requests to `base` are, or those to every branch."""
    return head_repository(
        repo, base, request.forge, request.fork, request.credentials, log, left, every_base=every_base
    )


def _repository(request: BumpRequest, deadline: Deadline, log: Log) -> AbstractContextManager[ConfigRepo]:
    if request.repo is not None:
        return request.repo.within(deadline.left)
    return ConfigRepo(request.url, request.credentials, log, left=deadline.left)


def _publication(
    request: BumpRequest, environment: Environment, mode: Mode, journal: Journal, log: Log
) -> PublishSettings:
    """What is said of the change: with the environment's words, and with who signed the images."""
    said = replace(settled(request.publication, environment), signers=_signers(journal))
    if said.skip_ci and mode == "pull-request":
        log.warn("--skip-ci has no effect on a pull request: its checks would not run either")
        said = replace(said, skip_ci=False)
    return said


def _with_signers(said: PublishSettings, journal: Journal, signed: Sequence[VerifiedImage]) -> PublishSettings:
    """The settings, and the journal, with further signatures."""
    journal.verified = tuple(dict.fromkeys((*journal.verified, *signed)))
    return replace(said, signers=_signers(journal))


def _signers(journal: Journal) -> tuple[str, ...]:
    return tuple(dict.fromkeys(image.statement for image in journal.verified))


def _verified_here(request: BumpRequest, there: Found, log: Log) -> tuple[VerifiedImage, ...]:
    """The signatures that the config repository's own file wants.

    Raises:
        FindingsError: an image is not signed as its rules say.
        RegistryError: an image, or its signatures, cannot be read.
    """
    rules = request.read_verification(*there.own, there.snapshot.read)
    found: list[VerifiedImage] = []
    for image in request.search.images:
        stored = request.stored_as.get(image, image)
        found += rules.check((stored,), request.access, log, known_as=image)
    return tuple(found)


def _not_landed(request: BumpRequest, repo: ConfigRepo) -> GitError:
    others = "Other writers were faster each time: raise --deadline, or use --mode pull-request."
    return GitError(
        f"The push to {request.url} did not succeed within {request.seconds:.0f} s"
        + (f": {repo.trouble}" if repo.trouble else ""),
        hint="Run the command again later: it repeats nothing that is done." if repo.trouble else others,
    )


def _refuse_reserved(head: str, names: Collection[str]) -> None:
    """What lies on the branch of a pull request is replaced by every newer image."""
    if head in names:
        raise UsageError(
            f"--branch gives {head}, and something is deployed from that branch",
            hint="--branch names the pull request's own branch: --branch 'deploy/{environment}/{image}'. The branch to "
            "change is --base.",
        )


@contextmanager
def _forgiven(log: Log) -> Iterator[None]:
    """What ran before is written again in spite of what the check finds today."""
    try:
        yield
    except FindingsError as error:
        log.warn(f"{error.message.partition(':')[0]}, and is written anyway: it ran before. {error.hint}")


def _say_why(plan: Plan, request: BumpRequest, base: str, log: Log) -> None:
    """Why there is nothing to change.

    Raises:
        FindingsError: places name the image, and none could be changed.
    """
    names, failed = request.search.names, [skip for skip in plan.skipped if skip.failed]
    stuck = failed or (() if request.search.allow_empty else plan.skipped)
    if plan.unchanged:
        log.step(f"{names} is already up to date in {base}")
    elif stuck:
        first = stuck[0]
        raise FindingsError(
            f"{names}: nothing could be changed. {first.path}:{first.line}: {first.reason}", hint=first.hint
        )
    elif plan.skipped:
        log.warn(f"{names}: {len(plan.skipped)} places name it and were not changed")
    else:
        log.step(f"{names} is not referenced in {base}: nothing to do")


def settled(publication: PublishSettings, environment: Environment) -> PublishSettings:
    """The settings with what the environment says.

    Raises:
        UsageError: a draft is to be merged.
    """
    if publication.draft and (publication.merge or environment.merge):
        raise UsageError("A draft is never merged", hint="Leave out --draft or --merge.")
    return replace(
        publication,
        title=publication.title or environment.title,
        labels=publication.labels or environment.labels,
        reviewers=publication.reviewers or environment.reviewers,
        merge=publication.merge or environment.merge,
    )


def _refuse_older(plan: Plan) -> None:
    if plan.refused and not plan.changes and not plan.unchanged:
        first = plan.refused[0]
        raise FindingsError(
            f"{first.path}:{first.line}: {first.reason}",
            hint=first.hint,
        )


def _tell_meant(environments: Sequence[str], log: Log) -> None:
    if environments:
        log.warn(f"No environment is named: all are changed ({', '.join(environments)}). Name one with --environment.")


def _tell(plan: Plan, ages: AgeComparison, without: Iterable[tuple[ImageRef, str]], log: Log) -> None:
    """What the first look at the branch shows; further tries would repeat it."""
    _tell_older(plan, log)
    _tell_undecided(plan, ages, log)
    _tell_spelling(plan, without, log)


def _tell_older(plan: Plan, log: Log) -> None:
    """Report places that keep a newer image while others change: no other message shows them."""
    for skip in plan.refused[:_SHOWN] if plan.changes else ():
        log.warn(f"{skip.path}:{skip.line}: {skip.reason}")
    if plan.changes and len(plan.refused) > _SHOWN:
        log.warn(f"{len(plan.refused) - _SHOWN} more places have a newer image")


def _tell_spelling(plan: Plan, without: Iterable[tuple[ImageRef, str]], log: Log) -> None:
    """Tags that lose the `v` that the repository writes: the registry has no such tag of the new image."""
    changed = {change.image: change.previous.tag for change in plan.changes if change.previous}
    for image, tag in without:
        if (before := changed.get(image)) and before[0] == tag[0]:
            log.warn(
                f"{image.familiar}: {before} becomes {image.tag} without the {tag[0]}, because the registry does not "
                f"show {tag} as the same image. Push that tag, too, to keep the spelling."
            )


def _tell_undecided(plan: Plan, ages: AgeComparison, log: Log) -> None:
    """Changes that may go back: neither the tags nor a registry show which image is newer."""
    changed = {(change.previous.tag, change.image.tag) for change in plan.changes if change.previous}
    for wanted, present in ages.undecided():
        if (present.tag, wanted.tag) in changed:
            log.warn(
                f"Cannot tell which is newer, {wanted} or {present.tag}, which it replaces. "
                "Use tags with a number or a date in them, or give access to the registry."
            )
