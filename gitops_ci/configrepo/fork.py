"""A fork of the config repository: its branches are the heads of pull requests, for those who may not push there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitops_ci.configrepo.git import GitCredentials
from gitops_ci.configrepo.repository import ConfigRepo, Pushed
from gitops_ci.configrepo.snapshot import Snapshot
from gitops_ci.errors import GitError
from gitops_ci.model import Log
from gitops_ci.repourl import RepoUrl

__all__ = ["Fork"]


class Fork(ConfigRepo):
    """A fork of `whole`, on the same host. It shares the objects that were fetched, and is pushed to by itself.

    Nobody brings a fork up to date, so it may lack what its parent got since. A push sends that, too, and so it has to
    be here: a history that was cut off is no use to a server that lacks the rest.
    """

    def __init__(
        self,
        url: RepoUrl,
        credentials: GitCredentials | None,
        log: Log,
        *,
        left: Callable[[], float],
        whole: ConfigRepo,
        base: str,
    ) -> None:
        super().__init__(url, credentials, log, left=left, beside=whole)
        self._whole = whole
        self._base = base
        self._lacks_more = False  # the fork took no push of a history that was cut off

    def push(
        self,
        snapshot: Snapshot,
        branch: str,
        *,
        expected: str | None,
        instead_of: str | None = None,
        options: Sequence[str] = (),
    ) -> Pushed | None:
        """As in the repository itself; None also where more of the history is needed."""
        if not snapshot.is_ours:
            snapshot = self._prepared(snapshot)
        pushed = super().push(snapshot, branch, expected=expected, instead_of=instead_of, options=options)
        # Of a history that it cannot connect a server says many things.
        self._lacks_more = self._lacks_more or (pushed is None and bool(self.trouble))
        return pushed

    def _prepared(self, parent: Snapshot) -> Snapshot:
        """The same commit, with all of its history that the fork lacks."""
        tips = self.refs_at_start.tips
        if parent.commit in tips.values() and not self._lacks_more:
            return parent
        since = None
        if self._base in tips and not self._lacks_more:
            since = self.fetch(self._base, sparse=True, tip=tips[self._base]).committed_at - 1
        whole = self._whole.fetch_since(self._base, since)
        if whole.commit == parent.commit:
            return whole
        try:
            return Snapshot(whole.git, whole.objects, parent.commit)
        except KeyError:
            raise GitError(
                f"{self._base} of {self._whole.url} was replaced during the run", hint="Run the command again."
            ) from None
