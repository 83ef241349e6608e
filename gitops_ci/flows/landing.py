"""Getting a planned change onto a branch as one commit: made and pushed by git, or made and signed by the code host."""

from __future__ import annotations

from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import ForgeError, UsageError
from gitops_ci.flows.publish import Publishing, contents, facts
from gitops_ci.forges.base import CommitsByApi
from gitops_ci.model import Commit, Plan
from gitops_ci.reporting import proposal as texts

__all__ = ["land", "push_base"]


def push_base(to: Publishing, snapshot: Snapshot, plan: Plan) -> bool | None:
    """Commit straight to the base branch. None: somebody else was faster, and the caller starts over."""
    return land(to, snapshot, plan, to.base, tip=snapshot.commit) is not None or None


def land(to: Publishing, snapshot: Snapshot, plan: Plan, branch: str, *, tip: str | None) -> str | None:
    """Make `branch`, which is at `tip` (None: not there yet), one commit on top of `snapshot`; that commit's id.

    None: somebody else was faster.
    """
    by = _by_api if to.publication.commit_with == "api" else _by_git
    commit = by(to, snapshot, plan, branch, tip)
    if commit is not None:
        to.journal.commit = Commit(commit, branch)
        to.log.step(f"pushed {commit[:12]} to {branch} of {to.repo.url}")
    return commit


def _by_git(to: Publishing, snapshot: Snapshot, plan: Plan, branch: str, tip: str | None) -> str | None:
    said = to.publication
    commit = to.repo.commit(
        snapshot,
        contents(plan),
        _message(to, plan),
        author=said.author,
        committer=said.committer,
        signing=said.signing,
    )
    return commit.commit if to.repo.push(commit, branch, expected=tip) == "landed" else None


def _by_api(to: Publishing, snapshot: Snapshot, plan: Plan, branch: str, tip: str | None) -> str | None:
    """A host commits on top of a branch only, and names the head that it expects there.

    A branch that is not at `snapshot` gets its commit from another one beside it, in one move: a pull request whose
    branch is at its base for only a moment would be closed.
    """
    host = _committing(to, snapshot, plan)
    beside = branch if tip == snapshot.commit else f"{branch}.next"
    if beside != branch:
        there = to.repo.refs(beside).tips.get(beside)
        if to.repo.push(snapshot, beside, expected=there) == "raced":
            return None
    message = snapshot.mark(_message(to, plan), contents(plan))
    try:
        made = host.commit(branch=beside, parent=snapshot.commit, message=message, files=plan.files)
    except ForgeError as error:
        if error.status == 409:
            return None
        raise
    if beside == branch:
        return made
    commit = to.repo.fetch(beside)
    landed = commit.commit == made and to.repo.push(commit, branch, expected=tip, instead_of=beside) == "landed"
    return made if landed else None


def _committing(to: Publishing, snapshot: Snapshot, plan: Plan) -> CommitsByApi:
    host = to.connect() if to.connect else None
    if not isinstance(host, CommitsByApi):
        raise UsageError(
            f"The code host of {to.repo.url} makes no commits by its API", hint="Use --commit-with git, and --sign."
        )
    for path in contents(plan):
        entry = snapshot.entry(path)
        if entry and entry.mode != "100644":
            raise UsageError(
                f"{path} is executable, and would not be any more after a commit by API",
                hint="Use --commit-with git, and --sign.",
            )
    return host


def _message(to: Publishing, plan: Plan) -> str:
    return texts.commit_message(to.publication.title or "", facts(plan, to))
