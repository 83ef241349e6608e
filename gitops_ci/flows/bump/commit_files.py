"""The files of a commit, some of them edited, as deployment units read them: no checkout is made."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from gitops_ci.configrepo import Snapshot, check_path
from gitops_ci.errors import ProgramError, UsageError
from gitops_ci.flows.globs import Paths

__all__ = ["CommitFiles"]

_MOST_BYTES = 512 * 1024**2
_MOST_AHEAD = 32 * 1024**2


class CommitFiles:
    """One side of a change: a commit, with `edits` in the place of what it has. See `rendering.tree.Files`.

    Units are rendered in several threads, and the commit is read by one program: one thread at a time.
    Several sides of one commit that are read at the same time share a `lock`.
    """

    def __init__(self, snapshot: Snapshot, edits: Mapping[str, str], lock: threading.Lock | None = None) -> None:
        self._snapshot = snapshot
        self._edits = {path: text.encode() for path, text in edits.items()}
        self._lock = lock or threading.Lock()
        self._read = 0
        self._ahead: dict[str, bytes] = {}

    def read_ahead(self, paths: Iterable[str]) -> None:
        """Read files together that are asked for one after the other later."""
        size = 0
        with self._lock:
            for path, data in self._snapshot.read_all(path for path in paths if self._is_read(path)):
                self._ahead[path] = data
                size += len(data)
                if size > _MOST_AHEAD:
                    return

    def _is_read(self, path: str) -> bool:
        try:
            check_path(path)
        except UsageError:
            return False
        return path not in self._edits

    def names(self) -> Iterable[str]:
        return [*self._snapshot.paths(Paths()), *self.links()]

    def links(self) -> Mapping[str, str]:
        return self._snapshot.links()

    def data(self, path: str) -> bytes | None:
        """The bytes of a regular file.

        Raises:
            ProgramError: all that was read is more than a run may hold.
        """
        if path in self._edits:
            return self._edits[path]
        with self._lock:
            try:
                data = self._ahead.pop(path) if path in self._ahead else self._snapshot.read(path)
            except UsageError:
                return None  # a name that is never read
            self._read += len(data or b"")
        if self._read > _MOST_BYTES:
            raise ProgramError(
                f"{path} cannot be copied for rendering: with it more than {_MOST_BYTES // 1024**2} MiB are needed",
                hint="Give the paths of the environment, or --path.",
            )
        return data
