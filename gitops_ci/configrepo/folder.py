"""A temporary folder that goes when its run goes: what a killed run could not remove, the next one removes.

Each folder is locked (flock(2)) for as long as its run lives; a folder that nobody holds was left behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress

__all__ = ["TemporaryFolder"]

_PREFIX = "gitops-ci-repository-"


class TemporaryFolder:
    """A new folder at `path`, until `remove`."""

    def __init__(self) -> None:
        for left in _left_behind():
            shutil.rmtree(left, ignore_errors=True)
        self.path = tempfile.mkdtemp(prefix=_PREFIX)
        self._lock = _locked(self.path)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)


def _left_behind() -> list[str]:
    """Folders of this user whose run is gone; an empty one may have been made this very moment."""
    found = []
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if not entry.name.startswith(_PREFIX) or not entry.is_dir(follow_symlinks=False):
                continue
            ours = os.name == "posix" and entry.stat(follow_symlinks=False).st_uid == os.getuid()
            if ours and os.listdir(entry.path) and (lock := _locked(entry.path)) is not None:
                os.close(lock)
                found.append(entry.path)
    return found


def _locked(path: str) -> int | None:
    """A descriptor that holds the folder's lock; None when another run has it, or where there are no such locks."""
    if os.name != "posix":
        return None
    import fcntl

    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
