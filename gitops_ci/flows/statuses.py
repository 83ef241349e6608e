"""What is reported of a deployed commit: by the operator, or by a test that ran after it.

An operator may report on a later commit than the one that brought a version: it has seen both by then. So the statuses
of all commits from that one on count, and of each context the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Literal

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.forges.base import CommitStatus, Forge, ReadsStatuses

__all__ = ["Reported", "StatusReader", "judged"]

# A host answers one commit at a time: of a long history the newest count, and the first one.
_MOST = 20
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Reported:
    """Whether what is wanted was reported, and what came instead."""

    state: Literal["open", "waiting", "closed"]
    reason: str = ""


@dataclass(slots=True)
class StatusReader:
    """Asks a code host, for each commit once."""

    connect: Callable[[], Forge]
    _known: dict[str, tuple[CommitStatus, ...]] = field(default_factory=dict)
    _host: ReadsStatuses | None = None

    def newest(self, commits: Sequence[str]) -> Iterator[CommitStatus]:
        """The statuses of commits, those of the newest commit first; `commits` are oldest first.

        Raises:
            UsageError: the host keeps none.
            ForgeError: it refuses, or does not answer.
        """
        chosen = [*commits[:1], *commits[1:][-_MOST + 1 :]]
        for commit in reversed(chosen):
            if commit not in self._known:
                self._known[commit] = tuple(self._reading().statuses(commit))
            yield from self._known[commit]

    def _reading(self) -> ReadsStatuses:
        if self._host is None:
            host = self.connect()
            if not isinstance(host, ReadsStatuses):
                raise UsageError(
                    "Commit statuses need a code host, and this is plain Git",
                    hint="Give --forge and --api-url of the code host, or leave the status out.",
                )
            self._host = host
        return self._host


def judged(statuses: Iterator[CommitStatus], globs: Sequence[str], by: Sequence[str] = ()) -> Reported:
    """Whether every glob fits a context, and all that fit are successful. `by` are the only accounts that count.

    Case does not matter: Flux has the kind of its object in the context, and nobody remembers how it is written there.
    """
    newest: dict[str, CommitStatus] = {}
    for one in statuses:
        if not by or one.by in by:
            newest.setdefault(one.context, one)
    pending = list[str]()
    for glob in globs:
        found = [one for context, one in newest.items() if fnmatchcase(context.lower(), glob.lower())]
        if failed := next((one for one in found if one.state == "failure"), None):
            return Reported("closed", f"{failed.context} is a failure{f', says {failed.by}' if failed.by else ''}")
        if not found:
            seen = ", ".join(sorted(newest)[:_SHOWN]) or "none"
            pending.append(f"nothing that fits {glob} was reported; reported so far: {seen}")
        pending += [f"{one.context} is pending" for one in found if one.state == "pending"]
    return Reported("waiting", "; ".join(pending)) if pending else Reported("open")
