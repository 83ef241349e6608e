"""Git in the checkout around us: its answers do not depend on the user's settings, or on who started this program.

A hook has GIT_DIR and GIT_INDEX_FILE, and a shell may have any other GIT_* variable: they would make git read another
repository than the one here. The user's configuration stays: it says whose folders git may read (`safe.directory`).
"""

from __future__ import annotations

import os

from gitops_ci import process
from gitops_ci.variables import inherited

__all__ = ["checkout_git", "may_be_around"]

_SETTINGS = ("core.fsmonitor=false", "core.quotePath=false", "core.pager=cat", "log.showSignature=false")
_KEPT = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH"})


def checkout_git(
    *arguments: str,
    seconds: float = 120.0,
    allowed: frozenset[int] = frozenset({0}),
    stdin: bytes | None = None,
) -> process.Completed:
    """Run `git <arguments>` in the working folder.

    Raises:
        ProgramError: git is missing, took longer than `seconds`, or exited with a code not in `allowed`.
    """
    environment = {name: value for name, value in inherited().items() if not name.startswith("GIT_") or name in _KEPT}
    settings = (word for setting in _SETTINGS for word in ("-c", setting))
    return process.run(
        ["git", "--no-pager", "--literal-pathspecs", *settings, *arguments],
        environment=environment,
        stdin=stdin,
        seconds=seconds,
        allowed=allowed,
    )


def may_be_around() -> bool:
    """False where git would find no repository: neither a `.git` nor a bare repository in this folder or above it."""
    try:
        folder = os.getcwd()
    except OSError:
        return True  # git says what is wrong with a folder that is gone
    while True:
        if any(os.path.lexists(os.path.join(folder, name)) for name in (".git", "HEAD")):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
