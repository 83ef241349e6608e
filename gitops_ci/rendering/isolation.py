"""Renderers run apart from everything else: in user, process, mount and network namespaces of their own (Linux).

What a renderer reads may be a stranger's, and renderers have run foreign programs before. In a user namespace a program
may not look into any process outside, not even root's; in the others it sees no other process and no network. The
kernel or the container may not allow that (namespaces(7), user_namespaces(7)): then a renderer runs without, and this
process can at least not be looked into by programs of the same user, root excepted (PR_SET_DUMPABLE of prctl(2)).
"""

from __future__ import annotations

import os
import sys
from functools import cache

from gitops_ci import process
from gitops_ci.errors import ProgramError

__all__ = ["isolated"]

# The caller stays who they are, so the same files can be read; with the first process all others end (util-linux 2.38).
_NAMESPACES = ("--user", "--map-current-user", "--pid", "--kill-child", "--mount-proc")
_PR_SET_DUMPABLE = 4


def isolated(root: str, *, network: bool) -> tuple[str, ...]:
    """What to put before a renderer's command; nothing where this machine does not allow namespaces."""
    if not sys.platform.startswith("linux"):
        return ()
    _close_memory()
    unshare = process.find("unshare")
    if unshare is None or _lies_in(unshare, root) or not _is_open_to_all(os.path.realpath(root)):
        return ()
    command = (unshare, *_NAMESPACES, *(() if network else ("--net",)), "--")
    return command if _works(command) else ()


@cache
def _works(command: tuple[str, ...]) -> bool:
    try:
        process.run([*command, process.find("true") or sys.executable, "--version"], environment={}, seconds=20)
    except ProgramError:
        return False
    return True


@cache
def _close_memory() -> None:
    """Let no other program of this user read this process's memory and files; core dumps go with that."""
    import ctypes

    try:
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (OSError, AttributeError):
        return


def _lies_in(program: str, root: str) -> bool:
    return os.path.realpath(program).startswith(os.path.join(os.path.realpath(root), ""))


def _is_open_to_all(root: str) -> bool:
    """Whether everybody may read here, or this is not root, who in a namespace may not read others' private files."""
    if os.geteuid():
        return True
    while True:
        info = os.stat(root)
        if info.st_uid and info.st_mode & 0o005 != 0o005:
            return False
        parent = os.path.dirname(root)
        if parent == root:
            return True
        root = parent
