"""Getting a planned change onto a branch as one commit: made and pushed by git, or made and signed by the code host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitops_ci.configrepo import ForcePushRefused, Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ForgeError, UsageError
from gitops_ci.flows.bump.publication import PublishContext, contents, facts
from gitops_ci.flows.bump.standing import Standing, joined
from gitops_ci.forges.base import CommitsByApi
from gitops_ci.model import Commit, Plan
from gitops_ci.reporting import proposal as texts

__all__ = ["CommitResult", "commit_and_push", "push_base"]

# Of GitHub, GitLab, Gitea, Forgejo, Bitbucket and Azure Pipelines ("Skipping workflow runs" and its like).
_SKIP = "[skip ci]"


@dataclass(frozen=True, slots=True)
class CommitResult:
    """A commit that is on its branch, and what the remote said to the push."""

    commit: str
    said: str = ""


def push_base(to: PublishContext, snapshot: Snapshot, plan: Plan) -> bool | None:
    """Commit straight to the base branch. None: somebody else was faster, and the caller starts over."""
    return commit_and_push(to, snapshot, plan, to.base, tip=snapshot.commit) is not None or None


def commit_and_push(
    to: PublishContext,
    snapshot: Snapshot,
    plan: Plan,
    branch: str,
    *,
    tip: str | None,
    options: Sequence[str] = (),
    there: Standing | None = None,
) -> CommitResult | None:
    """Make `branch`, which is at `tip` (None: not there yet), one commit on top of `snapshot`.

    Where the remote does not let it be replaced, the commit goes on top of what is `there`. `options` go to the server
    with a push (git-push(1), `--push-option`). None: somebody else was faster.
    """
    if to.publication.commit_with == "api":
        landed = _by_api(to, snapshot, plan, branch, tip, there)
    else:
        try:
            landed = _by_git(to, snapshot, plan, branch, tip, options)
        except ForcePushRefused:
            if there is None or there.current is None:
                raise
            landed = _on_top(to, there.current, there.ours, snapshot, plan, branch)
    if landed is not None:
        to.journal.commit = Commit(landed.commit, branch)
        to.log.step(f"pushed {landed.commit[:12]} to {branch} of {to.head_repo.url}")
    return landed


def _by_git(
    to: PublishContext, snapshot: Snapshot, plan: Plan, branch: str, tip: str | None, options: Sequence[str]
) -> CommitResult | None:
    said = to.publication
    commit = to.head_repo.commit(
        snapshot,
        contents(plan),
        _message(to, plan),
        author=said.author,
        committer=said.committer,
        signing=said.signing,
        branch=branch,
    )
    pushed = to.head_repo.push(commit, branch, expected=tip, options=options)
    return CommitResult(commit.commit, pushed.said) if pushed else None


def _on_top(
    to: PublishContext, current: Snapshot, ours: Snapshot | None, snapshot: Snapshot, plan: Plan, branch: str
) -> CommitResult | None:
    """A commit on top of what a branch has, for hosts that take no force push: its difference to the base is the plan.

    Where the base changed these files since, it is merged into the branch first, as a person would do it.
    """
    said, base = to.publication, to.repo.fetch(to.base)
    if base.commit != snapshot.commit:
        return None

    def made(
        of: Snapshot, changes: Mapping[str, bytes | None], message: str, base: str = "", *on: Snapshot
    ) -> Snapshot:
        people = said.author, said.committer
        return to.head_repo.commit(
            of,
            changes,
            message,
            author=people[0],
            committer=people[1],
            signing=said.signing,
            on=on,
            base=base,
            branch=branch,
        )

    after = contents(plan)
    before = ours.made_from() if ours is not None and ours.commit == current.commit else None
    touched = {*after, *(current.changed_paths(before) if before else ())}
    if before is not None and all(before.read(path) == base.read(path) for path in touched):
        back = {path: data for path in touched - {*after} if (data := base.read(path)) is not None}
        commit = made(current, {**back, **after}, _message(to, plan), before.commit)
    else:
        proposed = contents(joined(ours, base, Plan(), to).plan) if ours else {}
        merge = made(base, proposed, f"Merge {to.base} into {branch}\n\nBase: {to.base}", "", current, base)
        commit = made(base, after, _message(to, plan), base.commit, merge)
    to.log.detail(f"{to.head_repo.url} refuses force pushes to {branch}: adding a commit instead")
    pushed = to.head_repo.push(commit, branch, expected=current.commit)
    return CommitResult(commit.commit, pushed.said) if pushed else None


def _by_api(
    to: PublishContext, snapshot: Snapshot, plan: Plan, branch: str, tip: str | None, there: Standing | None
) -> CommitResult | None:
    """A host commits on top of a branch only, and names the head that it expects there.

    A branch that is not at `snapshot` gets its commit from another one beside it, in one move: a pull request whose
    branch is at its base for only a moment would be closed. Where the remote does not let it be replaced, the base is
    merged over what is `there`, and the commit goes on top.
    """
    host = _committing(to, snapshot, plan)
    beside = branch if tip == snapshot.commit else f"{branch}.next"
    if beside != branch:
        left = to.head_repo.refs(beside).tips.get(beside)
        if to.head_repo.push(snapshot, beside, expected=left) is None:
            return None
    message = snapshot.mark(_message(to, plan), contents(plan))
    made = _committed(host, beside, snapshot.commit, message, plan)
    if made is None:
        return None
    if beside == branch:
        return CommitResult(made)
    try:
        return _moved(to, branch, beside, made, tip)
    except ForcePushRefused:
        if there is None or there.current is None:
            raise
    to.log.detail(f"{to.head_repo.url} refuses force pushes to {branch}: adding a commit instead")
    onto = host.merge(
        onto=there.current.commit,
        other=snapshot.commit,
        tree=snapshot.tree,
        message=f"Merge {to.base} into {branch}\n\nBase: {to.base}",
    )
    to.head_repo.delete(beside, expected=made)
    message = snapshot.mark(_message(to, plan), contents(plan), base=snapshot.commit)
    made = _committed(host, beside, onto, message, plan)
    return None if made is None else _moved(to, branch, beside, made, tip)


def _committed(host: CommitsByApi, branch: str, parent: str, message: str, plan: Plan) -> str | None:
    """The new commit's id; None where somebody else moved the branch on."""
    try:
        return host.commit(branch=branch, parent=parent, message=message, files=plan.files)
    except ForgeError as error:
        if error.status == 409:
            return None
        raise


def _moved(to: PublishContext, branch: str, beside: str, made: str, tip: str | None) -> CommitResult | None:
    """Move `branch` from `tip` to what was made on the one beside it, which goes."""
    commit = to.head_repo.fetch(beside)
    if commit.commit != made or to.head_repo.push(commit, branch, expected=tip, instead_of=beside) is None:
        return None
    return CommitResult(made)


def _committing(to: PublishContext, snapshot: Snapshot, plan: Plan) -> CommitsByApi:
    host = to.connect() if to.connect else None
    if not isinstance(host, CommitsByApi):
        raise UsageError(
            f"The code host of {to.repo.url} cannot make commits by its API", hint="Use --commit-with git, and --sign."
        )
    for path in contents(plan):
        entry = snapshot.entry(path)
        if entry and entry.mode != "100644":
            raise UsageError(
                f"{path} is executable, and a commit by the API would lose that",
                hint="Use --commit-with git, and --sign.",
            )
    return host


def _message(to: PublishContext, plan: Plan) -> str:
    said = to.publication
    who = said.committer.clean
    sign_off = f"{who.name} <{who.email}>" if said.sign_off else ""
    message = texts.commit_message(said.title or "", facts(plan, to), text=said.commit_message, sign_off=sign_off)
    if not said.skip_ci:
        return message
    subject, line_end, rest = message.partition("\n")
    return f"{subject} {_SKIP}{line_end}{rest}"
