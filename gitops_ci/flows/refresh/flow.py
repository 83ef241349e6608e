"""Every open proposal of this tool, brought up to date with its base or closed, for the config repository's pipeline.

A proposal is rebuilt from what its own commit says, as if its pipeline had run again. What a person works on is left
alone. Branches move by compare and swap, so a bump at the same time loses nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from gitops_ci.configrepo import ConfigRepo, Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ForgeError, GitopsCiError, ProgramError, UsageError
from gitops_ci.flows.bump import BumpRequest
from gitops_ci.flows.bump.closing import retire
from gitops_ci.flows.bump.flow import heads_of, settled
from gitops_ci.flows.bump.gate import Base, check_edits
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.bump.pull_request import is_behind, propose, proposes
from gitops_ci.flows.bump.retry import Deadline
from gitops_ci.flows.bump.search import own_file
from gitops_ci.flows.bump.standing import Standing, joined, stand
from gitops_ci.flows.bump.window import in_window
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.globs import Paths
from gitops_ci.flows.image.age import AgeComparison
from gitops_ci.flows.image.twins import TagTwins
from gitops_ci.flows.journal import Journal
from gitops_ci.flows.refresh.found import Found, candidates, read
from gitops_ci.model import Log, Outcome, Plan, Refreshed
from gitops_ci.plan.standing import Joined
from gitops_ci.process import time_limit

__all__ = ["RefreshRequest", "refresh"]


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """`bump` says where and how; what is proposed comes from the proposals. `behind`: an old base alone is a reason."""

    bump: BumpRequest
    behind: bool = False


def refresh(request: RefreshRequest, log: Log) -> Outcome:
    """Refresh every open proposal and say what came of each; errors are part of the outcome."""
    journal = Journal("refresh", dry_run=request.bump.mode == "dry-run")
    try:
        failed = _refresh_into(journal, request, log)
    except GitopsCiError as error:
        return journal.failed(error)
    except (OSError, MemoryError) as error:
        return journal.failed(ProgramError.of_machine(error))
    journal.plan, journal.commit, journal.pull_request = Plan(), None, None
    journal.counts, journal.skipped = {}, ()
    if failed is not None:
        return journal.failed(failed)
    return journal.outcome(changed=any(one.state in {"rebuilt", "closed"} for one in journal.proposals))


def _refresh_into(journal: Journal, request: RefreshRequest, log: Log) -> GitopsCiError | None:
    """Fill the journal; the first error of a proposal, which keeps none of the others from its turn."""
    bump, failed = request.bump, None
    deadline = Deadline(bump.seconds)
    with time_limit(deadline.left), ConfigRepo(bump.url, bump.credentials, log, left=deadline.left) as repo:
        default = repo.refs().default or ""
        heads = heads_of(bump, repo, default, log, deadline.left, every_base=True)
        bases, places = repo.tips(), dict[str, ConfigRepo]()
        for head in candidates(bases if heads is repo else heads.tips(), bump.publication.branch):
            found = read(heads, head, bases)
            if found is None:
                log.detail(f"{head} is not a proposal of gitops-ci")
                continue
            if bump.search.environment and found.environment != bump.search.environment:
                continue
            findings = journal.findings
            try:
                _Turn(request, journal, log, repo, default, deadline, places).take(found)
                journal.findings = findings
            except ForgeError:
                raise
            except GitopsCiError as error:
                failed, journal.findings = failed or error, (*findings, *journal.findings)
                _note(journal, log, found, found.base or default, "failed", error.message)
    return failed


def _note(journal: Journal, log: Log, found: Found, base: str, state: str, reason: str) -> None:
    images, pull = tuple(map(str, found.images)), journal.pull_request
    journal.proposals = (
        *journal.proposals,
        Refreshed(found.head, base, found.environment, images, state, reason, pull),  # type: ignore[arg-type]
    )
    told = f"pull request #{pull.number}" if pull and pull.number is not None else found.head
    (log.warn if state == "failed" else log.step)(f"{told}: {state}{f', {reason}' if reason else ''}")


@dataclass(frozen=True, slots=True)
class _Turn:
    """One proposal's turn."""

    request: RefreshRequest
    journal: Journal
    log: Log
    repo: ConfigRepo
    default: str
    deadline: Deadline
    places: dict[str, ConfigRepo]  # by base, where the branches of its pull requests are

    def take(self, found: Found) -> None:
        """Bring it up to date or close it, and note what was done."""
        for _ in self.deadline.tries():
            self.journal.pull_request = self.journal.commit = None
            base, environment = self._place(found)
            to = self._context(found, base, environment)
            tip = to.head_repo.refs(found.head).tips.get(found.head)
            if tip is None:
                return  # merged or deleted in the meantime
            there = stand(to, found.head, tip, to.forge.find_latest(head=found.head, base=base))
            if there.latest is not None and there.latest.status != "open":
                return  # no open proposal
            self.journal.pull_request = there.latest
            done = self._turn(found, there, to)
            if done is not None:
                state, reason = done
                _note(self.journal, self.log, found, base, state, reason)
                return
            self.log.detail(f"{found.head} was changed by another run: reading it again")
        raise UsageError(f"{found.head} was changed by others at each attempt", hint="Raise --deadline, or run again.")

    def _turn(self, found: Found, there: Standing, to: PublishContext) -> tuple[str, str] | None:
        """(What was done, why); None when somebody else was faster."""
        if there.ours is None:
            return "left", "somebody else committed to it"
        if there.latest is None and to.forge.BODY_LIMIT:
            return "left", "it has no pull request: the next run of its pipeline opens one"
        snapshot = self.repo.fetch(to.base, sparse=True)
        if self._is_orphan(found, there, to):
            reason = f"the environment {found.environment} is not defined any more"
            return self._close(there, to, reason)
        whole = joined(there.ours, snapshot, Plan(), to)
        if not whole.kept:
            gone = whole.lost or any(snapshot.entry(path) is None for path in _paths(there))
            return self._close(
                there, to, f"{to.base} has nothing left to change" if gone else f"{to.base} has all its changes"
            )
        if (why := self._reason(there, whole, snapshot)) is None:
            return "unchanged", ""
        bump, own = self.request.bump, own_file(snapshot, self.repo)
        to = replace(to, rendering=bump.read_checks(*own), layout=bump.search.read_environments(*own))
        judged = Base(snapshot, self.repo.url, to.base, Paths(), bump.access)
        check_edits(self.journal, whole.plan, to.rendering, judged, self.log)
        if self.journal.dry_run:
            return "rebuilt", why
        try:
            is_done = propose(self._in_window(_told(to, found, whole), found, whole, snapshot), snapshot, whole.plan)
        except GitopsCiError:
            if to.head_repo.refs(found.head).tips.get(found.head) == there.tip:
                raise
            is_done = None  # what another run made of it since is not this one's to judge
        return None if is_done is None else ("rebuilt", why)

    def _in_window(self, to: PublishContext, found: Found, whole: Joined, base: Snapshot) -> PublishContext:
        """The context without what the windows of the environment forbid; a rollback passes them."""
        bump = self.request.bump
        is_passed = bump.ignore_window or bool(found.trailer("Rollback-Of"))
        return in_window(to, base, whole.plan, "pull-request", bump.soaking, is_passed=is_passed) or to

    def _reason(self, there: Standing, whole: Joined, base: Snapshot) -> str | None:
        """Why a proposal is rebuilt; None where it is as it should be."""
        assert there.current is not None
        if not proposes(there.current, whole.plan):
            return "its files changed on the base"
        return "it is behind the base" if self.request.behind and is_behind(there.current, base) else None

    def _close(self, there: Standing, to: PublishContext, reason: str) -> tuple[str, str] | None:
        done = "closed" if self.journal.dry_run else retire(there, to, reason)
        if done == "kept":
            return "left", f"{reason}: close it by hand"
        return ("closed", reason) if done == "closed" else None

    def _is_orphan(self, found: Found, there: Standing, to: PublishContext) -> bool:
        """Whether the config repository defined the environment when this was proposed, and does not by now.

        Environments of an application's own settings are not known here.
        """
        before = there.ours.made_from() if there.ours else None
        if not found.environment or before is None:
            return False
        read = self.request.bump.search.read_environments
        if found.environment not in read(*own_file(before, self.repo)):
            return False
        now = read(*own_file(self.repo.fetch(self.default or to.base, sparse=True), self.repo))
        return found.environment not in {*now, *self.request.bump.search.environments}

    def _place(self, found: Found) -> tuple[str, Environment]:
        """The base branch of a proposal, and its environment as it is defined now."""
        search = self.request.bump.search
        layouts: Collection[Mapping[str, Environment]] = (search.environments,)
        if found.environment and self.default:
            layouts = (
                *layouts,
                search.read_environments(*own_file(self.repo.fetch(self.default, sparse=True), self.repo)),
            )
        named = (layout[found.environment] for layout in layouts if found.environment in layout)
        environment = next(named, Environment(found.environment))
        base = found.base or search.base or environment.base or self.default
        if not base:
            raise UsageError(f"The HEAD of {self.repo.url} names no branch", hint="Name one with --base.")
        return base, environment

    def _heads_in(self, base: str) -> ConfigRepo:
        if base not in self.places:
            self.places[base] = heads_of(self.request.bump, self.repo, base, self.log, self.deadline.left)
        return self.places[base]

    def _context(self, found: Found, base: str, environment: Environment) -> PublishContext:
        bump = self.request.bump
        search = replace(bump.search, images=found.images, environment=found.environment or None, base=base)
        said = replace(settled(bump.publication, environment), group=found.group)
        ages = AgeComparison(bump.access, self.log, bump.origins)
        return PublishContext(
            *(self.repo, base, base, said, search, environment, ages, TagTwins(bump.access, self.log)),
            *(bump.forge, self.journal, self.log),
            head=found.head,
            to_tip=self.request.behind,
            heads_in=self._heads_in(base),
        )


def _paths(there: Standing) -> list[str]:
    before = there.ours.made_from() if there.ours else None
    return there.ours.changed_paths(before) if there.ours and before else []


def _told(to: PublishContext, found: Found, whole: Joined) -> PublishContext:
    """The context with what the proposal's own commit says of itself, as far as it is still about the same images."""
    said = to.publication
    names = {change.image.name for change in whole.kept}
    is_same = names == {image.name for image in found.images}
    subject, _, rest = found.text.partition("\n\n")
    is_plain = not {"{", "}"} & set(found.text)
    return replace(
        to,
        publication=replace(
            said,
            title=said.title or (subject if is_same and is_plain else None),
            commit_message=said.commit_message or (found.text if is_same and is_plain and rest else ""),
            notes=(*said.notes, *(found.notes if is_same else ())),
            sign_off=said.sign_off or bool(found.trailer("Signed-off-by")),
            source_repository=found.trailer("Source-Repository"),
            source_commit=found.trailer("Source-Commit"),
            source_commit_url="",
            compare_url="",
            pipeline_url=found.trailer("Pipeline-URL"),
        ),
    )
