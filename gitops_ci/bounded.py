"""Run a program on files of strangers: it ends within limits of time, memory and output, and its children with it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from gitops_ci import process
from gitops_ci.dataclass import dataclass
from gitops_ci.display import quoted_end
from gitops_ci.errors import ProgramError

if TYPE_CHECKING:
    import subprocess

__all__ = ["Limits", "run_bounded"]

_LOOK_SECONDS = 0.05  # a program that takes 1 GB/s is 50 MB above its limit when it is seen
_QUOTED_LINES = 8
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may take: seconds, bytes of resident memory with its children, bytes that it prints."""

    seconds: float = 60.0
    memory: int = 2 * 1024**3
    output: int = 64 * 1024**2


def run_bounded(
    argv: Sequence[str], *, cwd: str, environment: Mapping[str, str] | None, limits: Limits, install: str = ""
) -> str:
    """What a program prints to stdout; without an `environment` it inherits ours.

    Raises:
        ProgramError: the program is missing, reached a limit, or failed.
    """
    import subprocess

    name = os.path.basename(argv[0])
    try:
        started = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise ProgramError(f"{name} is not installed", hint=install or f"Put {name} on PATH.") from None
    except PermissionError as error:
        raise ProgramError(f"{name} cannot be run: {error.strerror}", hint=install) from None
    try:
        stdout, stderr, reached = _follow(started, limits)
    finally:
        _end_group(started)
    if reached:
        hint = "Correct what it renders, or raise the limit under rendering in .gitops-ci.yaml."
        raise ProgramError(f"{name} was ended: it {reached}", hint=hint)
    if started.returncode:
        last = quoted_end(stderr.decode("utf-8", "replace"), _QUOTED_LINES)
        raise ProgramError(
            f"{name} failed with exit code {started.returncode}: {last}", hint="Correct the input, and render it again."
        )
    return stdout.decode("utf-8", "replace")


def _follow(started: subprocess.Popen[bytes], limits: Limits) -> tuple[bytes, bytes, str]:
    """What a program prints until it ends, or until it reaches a limit, which is the third text then."""
    import selectors
    import subprocess

    end = time.monotonic() + process.time_left(limits.seconds)
    assert started.stdout is not None
    assert started.stderr is not None
    printed = {started.stdout.fileno(): bytearray(), started.stderr.fileno(): bytearray()}
    reached, looks_at = "", 0.0
    with selectors.DefaultSelector() as selector:
        for descriptor in printed:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map() and not reached:
            for key, _ in selector.select(_LOOK_SECONDS):
                data = os.read(key.fd, 1 << 16)
                printed[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
            reached = _limit_reached(sum(map(len, printed.values())), end, limits)
            if not reached and time.monotonic() >= looks_at:
                looks_at = time.monotonic() + _LOOK_SECONDS
                reached = _memory_reached(started.pid, limits)
    if not reached:
        try:
            started.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            reached = f"did not finish within {limits.seconds:.0f} s"
    stdout, stderr = (bytes(one) for one in printed.values())
    return stdout, stderr, reached


def _limit_reached(printed: int, end: float, limits: Limits) -> str:
    if printed > limits.output:
        return f"printed more than {limits.output // 1024**2} MiB"
    if process.is_stopping():
        return "had to stop with this program"
    if time.monotonic() > end:
        return f"did not finish within {limits.seconds:.0f} s"
    return ""


def _memory_reached(pid: int, limits: Limits) -> str:
    if _resident(pid) > limits.memory:
        return f"used more than {limits.memory // 1024**2} MiB of memory"
    return ""


def _resident(pid: int) -> int:
    """Bytes of resident memory of a process and its children, 0 where the system has no /proc."""
    total = 0
    with suppress(OSError, ValueError, IndexError):
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            total = int(file.read().split()[1]) * _PAGE
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        total += sum(_resident(int(child)) for child in children)
    return total


def _end_group(started: subprocess.Popen[bytes]) -> None:
    """End a program and whatever it started: it leads a group of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(started.pid, signal.SIGKILL)
    for stream in (started.stdout, started.stderr):
        if stream is not None:
            stream.close()
    started.wait()
