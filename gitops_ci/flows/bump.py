"""Bump images in the config repository: find, edit, validate, publish.

Every try starts from the branch as it is now: a push that lost a race is followed by a fresh read and the same edit
applied again, never by a rebase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from gitops_ci import plan as planning
from gitops_ci.configrepo import ConfigRepo, GitCredentials, Identity, Snapshot
from gitops_ci.errors import FindingsError, GitError, GitopsCiError, NothingMatched
from gitops_ci.flows.environment import Environment, Mode, by_convention, matcher, named
from gitops_ci.flows.journal import Journal
from gitops_ci.flows.publish import Publisher, Target
from gitops_ci.flows.retry import Deadline
from gitops_ci.forges.base import Forge
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log, Outcome, Plan, Skip
from gitops_ci.plan import Policy
from gitops_ci.repourl import RepoUrl
from gitops_ci.schemas import Checks, check

__all__ = ["BumpRequest", "Publication", "bump", "bump_into"]

CONFIG_FILE = ".gitops-ci.yaml"


@dataclass(frozen=True, slots=True)
class Publication:
    """How a change is published and what it says about itself."""

    author: Identity
    committer: Identity
    title: str | None = None
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False
    merge: Literal["when-green"] | None = None
    source_repository: str = ""
    source_commit: str = ""
    pipeline_url: str = ""


@dataclass(frozen=True, slots=True)
class BumpRequest:
    """Everything a bump needs to know. `base`, `mode` and `environment` None mean "as the repository says"."""

    images: tuple[ImageRef, ...]
    url: RepoUrl
    publication: Publication
    credentials: GitCredentials | None = None
    forge: Callable[[], Forge] | None = None
    base: str | None = None
    mode: Mode | None = None
    environment: str | None = None
    environments: Mapping[str, Environment] = field(default_factory=dict)
    read_environments: Callable[[str, str], Mapping[str, Environment]] = lambda text, source: {}  # noqa: ARG005
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    checks: Checks = field(default_factory=Checks)
    allow_empty: bool = False
    seconds: float = 300.0


def bump(request: BumpRequest, log: Log) -> Outcome:
    """Run a bump and say what came of it; errors are part of the outcome."""
    journal = Journal("bump")
    try:
        changed = bump_into(journal, request, log)
    except GitopsCiError as error:
        return journal.failed(error)
    return journal.outcome(changed=changed)


def bump_into(journal: Journal, request: BumpRequest, log: Log) -> bool:
    """As `bump`, into a journal that may hold earlier steps; returns whether anything was (or would be) published.

    Raises:
        GitopsCiError: of any kind; the journal holds what was done before.
    """
    deadline = Deadline(request.seconds)
    with ConfigRepo(request.url, request.credentials, log) as repo:
        base, environment = _locate(repo, request)
        mode = request.mode or environment.mode or "pull-request"
        journal.dry_run = mode == "dry-run"
        target = Target(
            base, _settled(request.publication, environment), request.environment, request.images, request.policy
        )
        publisher = Publisher(repo, target, journal, request.forge, log)
        for _ in deadline.tries():
            snapshot = repo.fetch(base)
            plan = _planned(snapshot, request, environment, log)
            _record(journal, plan, request)
            if not plan.changes:
                log.step(f"{_names(request.images)}: already so in {base}")
                return False
            _validated(journal, plan, request)
            if mode == "dry-run":
                return True
            landed = (publisher.push_base if mode == "push" else publisher.pull_request)(snapshot, plan)
            if landed is not None:
                return landed
            log.detail("somebody else pushed first: reading the branch again")
    raise GitError(
        f"The push to {request.url} did not land within {request.seconds:.0f} s",
        hint="Other writers were faster each time: raise --deadline, or use --mode pull-request.",
    )


def _locate(repo: ConfigRepo, request: BumpRequest) -> tuple[str, Environment]:
    """The base branch, and the environment as the application's or the config repository's own file defines it."""
    asked = [request.base] if request.base else []
    refs = repo.refs(*asked)
    base = request.base or refs.default
    if base is None or (request.base and request.base not in refs.tips):
        raise GitError(
            f"There is no branch {request.base} in {request.url}" if request.base else f"{request.url} is empty",
            hint=f"Its default branch is {refs.default}." if refs.default else "Push a first commit to it.",
        )
    if request.environment is None:
        return base, Environment("")
    own = repo.fetch(base).read(CONFIG_FILE)
    layout = request.read_environments(own.decode("utf-8", "replace"), f"{request.url}: {CONFIG_FILE}") if own else {}
    environment = named(request.environment, request.environments, layout) or Environment(request.environment)
    return request.base or environment.base or base, environment


def _settled(publication: Publication, environment: Environment) -> Publication:
    return replace(
        publication,
        title=publication.title or environment.title,
        labels=publication.labels or environment.labels,
        reviewers=publication.reviewers or environment.reviewers,
        merge=publication.merge or environment.merge,
    )


def _planned(snapshot: Snapshot, request: BumpRequest, environment: Environment, log: Log) -> Plan:
    """Find the image in the files that are meant and plan the edits.

    Raises:
        NothingMatched: an image is named in none of them.
    """
    named_in = snapshot.search(planning.needles(request.images, request.policy), lambda _: True)
    wanted = _selection(named_in, snapshot, request, environment, log)
    paths = [path for path in named_in if wanted(path)]
    log.detail(f"{len(paths)} files may name {_names(request.images)}")
    files, unreadable = _decoded(snapshot, paths)
    plan = planning.make(files, request.images, request.policy)
    plan = replace(plan, skipped=(*plan.skipped, *unreadable))
    missing = [image for image in request.images if not _is_named(image, plan, request.policy)]
    if missing and not request.allow_empty:
        raise _nowhere(missing[0], snapshot, [path for path in named_in if not wanted(path)], request)
    return plan


def _selection(
    named_in: Sequence[str], snapshot: Snapshot, request: BumpRequest, environment: Environment, log: Log
) -> Callable[[str], bool]:
    globs = request.paths or environment.paths
    chosen = matcher(globs, request.exclude)
    if globs or not environment.name:
        return chosen
    bears = by_convention(environment.name)
    if any(map(bears, named_in)) or any(map(bears, snapshot.paths())):
        return lambda path: chosen(path) and bears(path)
    log.warn(f"environment {environment.name} is defined nowhere and no path bears its name: every file is meant")
    return chosen


def _decoded(snapshot: Snapshot, paths: Sequence[str]) -> tuple[list[tuple[str, str]], list[Skip]]:
    files, skipped = [], []
    for path in paths:
        data = snapshot.read(path)
        if data is None:
            continue
        try:
            files.append((path, data.decode("utf-8")))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            skipped.append(Skip(path, line, "not UTF-8 text", "Store the file as UTF-8.", failed=True))
    return files, skipped


def _is_named(image: ImageRef, plan: Plan, policy: Policy) -> bool:
    """Whether a site of this image was found; a site that was skipped counts, it is reported by itself."""
    sites = [change.image for change in plan.changes] + [site.image for site in plan.unchanged]
    same = (site.repository == image.repository if policy.match_name else site.same_image(image) for site in sites)
    return any(same) or bool(plan.skipped)


def _nowhere(image: ImageRef, snapshot: Snapshot, elsewhere: Sequence[str], request: BumpRequest) -> NothingMatched:
    where = f"the paths of environment {request.environment}" if request.environment else f"{request.url}"
    if elsewhere:
        files, _ = _decoded(snapshot, elsewhere[:50])
        found = planning.make(files, (image,), replace(request.policy, allow_downgrade=True))
        outside = sorted({change.path for change in found.changes} | {site.path for site in found.unchanged})
        if outside:
            hint = f"It is named in {', '.join(outside[:5])}: widen --path or the environment's paths."
            return NothingMatched(f"{image.familiar} is named nowhere in {where}", hint=hint)
    yaml = [path for path in snapshot.paths() if path.endswith((".yaml", ".yml"))][:2000]
    near = planning.nearest(_decoded(snapshot, yaml)[0], image)
    hint = f"Nearest names there: {', '.join(near)}." if near else "No image is named there at all."
    return NothingMatched(f"{image.familiar} is named nowhere in {where}", hint=hint)


def _record(journal: Journal, plan: Plan, request: BumpRequest) -> None:
    journal.plan = plan
    if plan.refused and not plan.changes and not plan.unchanged:
        first = plan.refused[0]
        raise FindingsError(
            f"{first.path}:{first.line}: {first.reason}",
            hint=f"{_names(request.images)} is older than what is there. {first.hint}",
        )


def _validated(journal: Journal, plan: Plan, request: BumpRequest) -> None:
    """Check the edited files as they would be.

    Raises:
        FindingsError: one of them is invalid; nothing has been pushed.
    """
    report = check([(change.path, change.after) for change in plan.files], request.checks)
    journal.findings, journal.counts = report.findings, dict(report.summary)
    # Files that are no manifests are nothing to tell; a resource that could not be checked is.
    journal.skipped = tuple(skip for skip in report.skipped if skip.hint)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    if errors:
        raise FindingsError(
            f"{len(errors)} error{'s' if len(errors) > 1 else ''} in the edited manifests: nothing was pushed",
            hint=f"{errors[0].path}:{errors[0].line}: {errors[0].message}",
        )


def _names(images: Sequence[ImageRef]) -> str:
    return str(images[0]) if len(images) == 1 else f"{len(images)} images"
