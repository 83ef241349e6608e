"""End what a git started that is itself ended.

Git leaves its helpers for HTTP and SSH to their connections. They would run on for as long as a silent server keeps
those open, with the token in their variables.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from gitops_ci.errors import GitopsCiError
from gitops_ci.process import run
from gitops_ci.quantities import whole_number

__all__ = ["end_helpers"]


def end_helpers(git: int) -> None:
    """Ask every process that a git started to end, before git itself is."""
    for helper in _started_by(git):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(helper, signal.SIGTERM)


def _started_by(ancestor: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    parents = _parents()
    found, waiting = list[int](), [ancestor]
    while waiting:
        parent = waiting.pop()
        children = [process for process, its in parents.items() if its == parent]
        found += children
        waiting += children
    return found


def _parents() -> dict[int, int]:
    """The parent of each process of this machine."""
    try:
        return {
            pid: parent for name in os.listdir("/proc") if (pid := whole_number(name)) and (parent := _parent(name))
        }
    except FileNotFoundError:  # no Linux
        with suppress(GitopsCiError):
            listed = run(["ps", "-A", "-o", "pid=,ppid="], seconds=5).stdout.split()
            return dict(zip(map(int, listed[::2]), map(int, listed[1::2]), strict=True))
    return {}


def _parent(process: str) -> int:
    """The parent of a process, by proc_pid_stat(5); 0 for one that has ended."""
    with suppress(OSError), open(f"/proc/{process}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])
    return 0
