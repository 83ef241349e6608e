"""To which version a rollback goes: the one before, the one that is named, or the one of a commit or a date. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitops_ci.configrepo import LogEntry
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError, UsageError
from gitops_ci.flows.history.sites import familiar
from gitops_ci.flows.history.timeline import Stacked, Timeline
from gitops_ci.imageref import DIGEST, TAG
from gitops_ci.model import Deployment
from gitops_ci.moments import moment, rfc3339

__all__ = ["Target", "choose", "commit_named", "images_of_commit", "refuse_future"]

_BACK = re.compile(r"-(?P<number>\d{1,4})")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Target:
    """The version to write. `taken_back` came first after it: the present ones, and those in between."""

    version: Stacked
    taken_back: tuple[Stacked, ...]
    stack: tuple[Stacked, ...]


def choose(timeline: Timeline, name: str, to: str, entries: Sequence[LogEntry]) -> Target:
    """The target of one image; `to` is '' or `previous`, `-N`, a tag, `@DIGEST`, a commit or a date.

    Raises:
        FindingsError: there is no version before.
        UsageError: the environment never had what is asked for.
    """
    version = _wanted(timeline, name, to, entries)
    present = list(dict.fromkeys(tag or digest or "" for tag, digest in timeline.counts(name)))
    stack = timeline.stack(name)
    names = [one.name for one in stack]
    above = stack[names.index(version.name) + 1 :] if version.name in names else ()
    gone = {one.name: one for one in above}
    for label in present:
        if known := timeline.known(name, label):
            gone.setdefault(label, known)
    ever = timeline.versions(name)
    later = frozenset(ever[ever.index(version.name) + 1 :])
    return Target(version, tuple(one for one in gone.values() if one.name in later), stack)


def _wanted(timeline: Timeline, name: str, to: str, entries: Sequence[LogEntry]) -> Stacked:
    back = 1 if to in {"", "previous"} else int(found["number"]) if (found := _BACK.fullmatch(to)) else 0
    if back or to == "-0":
        return _steps_back(timeline, name, back)
    if to.startswith(("@", "sha256:", "sha512:")):
        digest = to.removeprefix("@")
        if not DIGEST.fullmatch(digest):
            raise UsageError(f"--to {to} is not a digest", hint="Write @sha256: and 64 hexadecimal digits.")
        if (known := timeline.by_digest(name, digest)) is None:
            raise _never(timeline, name, to)
        return known
    if TAG.fullmatch(to) and (known := timeline.known(name, to)):
        return known
    if _DATE.fullmatch(to):
        return _in_effect(timeline, name, to, [e.commit for e in entries if e.time <= moment(to, ends=True)])
    if (commit := commit_named(to, entries)) is not None:
        commits = [entry.commit for entry in entries]
        return _in_effect(timeline, name, to, commits[: commits.index(commit) + 1])
    raise _never(timeline, name, to)


def refuse_future(to: str, now: float) -> None:
    """Raises UsageError for a date that has not come: what is there now would be called a rollback."""
    if _DATE.fullmatch(to) and moment(to) > now:
        raise UsageError(f"--to {to} is in the future", hint="Name a time until now.")


def commit_named(to: str, entries: Sequence[LogEntry]) -> str | None:
    """The commit of the branch whose id begins so; None where there is none."""
    if not _COMMIT.fullmatch(to):
        return None
    return next((entry.commit for entry in reversed(entries) if entry.commit.startswith(to)), None)


def images_of_commit(timeline: Timeline, commit: str) -> tuple[str, ...]:
    """The images that a commit deployed."""
    return tuple(dict.fromkeys(d.image for d in timeline.deployments if d.commit == commit and d.new))


def _steps_back(timeline: Timeline, name: str, back: int) -> Stacked:
    stack = timeline.stack(name)
    if not 1 <= back < len(stack):
        before = ", ".join(one.name for one in reversed(stack[:-1]))
        raise FindingsError(
            f"{familiar(name)} in {timeline.environment} has no such earlier version. Versions before it: {before}"
            if before
            else f"{familiar(name)} in {timeline.environment} has no earlier version: it has had only one",
            hint="Name a version that the environment had with --to, or write another one with "
            "`gitops-ci bump --allow-downgrade`.",
        )
    return stack[-1 - back]


def _in_effect(timeline: Timeline, name: str, to: str, commits: Sequence[str]) -> Stacked:
    """The version after the last of these commits."""
    known = set(commits)
    last: Deployment | None = None
    for deployment in timeline.deployments:
        if deployment.image == familiar(name) and deployment.commit in known:
            last = deployment
    version = timeline.known(name, last.new) if last and last.new else None
    if version is None:
        raise UsageError(
            f"{familiar(name)} was not in {timeline.environment} at {to}, as far as the history shows",
            hint=_listed(timeline, name),
        )
    return version


def _never(timeline: Timeline, name: str, to: str) -> UsageError:
    return UsageError(
        f"{familiar(name)} in {timeline.environment} never had {to}",
        hint=f"{_listed(timeline, name)} A version from outside of the history: "
        "`gitops-ci bump IMAGE:TAG --allow-downgrade`.",
    )


def _listed(timeline: Timeline, name: str) -> str:
    """The newest versions that were there, each with its day."""
    shown = []
    for version in reversed(timeline.versions(name)[-_SHOWN:]):
        known = timeline.known(name, version)
        shown.append(f"{version}{f' ({rfc3339(known.time)[:10]})' if known and known.time else ''}")
    return f"It had {', '.join(shown)}."
