"""Run a program without a shell, with a time limit; its errors contain its output. git has a door of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from gitops_ci.dataclass import dataclass
from gitops_ci.display import quoted_end
from gitops_ci.errors import Interrupted, ProgramError
from gitops_ci.secret import mask_foreign
from gitops_ci.variables import inherited

if TYPE_CHECKING:
    from subprocess import Popen

__all__ = [
    "Completed",
    "connected",
    "find",
    "is_stopping",
    "operand",
    "reduced_environment",
    "run",
    "stop",
    "time_left",
    "time_limit",
]

_QUOTED_LINES = 8
_LOOK = 0.2  # seconds between two looks whether this program is to stop
_ANY_PROGRAM_NEEDS = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "USERPROFILE")


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program printed; `code` is 0 unless the caller allowed others."""

    stdout: bytes
    stderr: str
    code: int


def find(program: str) -> str | None:
    """The path of a program, or None.

    A relative entry of PATH would name a program of whatever folder the command runs in: it is not looked at.
    """
    from shutil import which

    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return which(program, path=os.pathsep.join(entry for entry in entries if os.path.isabs(entry)))


def operand(path: str) -> str:
    """A path as an argument that no program reads as an option, an address, or the name of something remote."""
    return path if os.path.isabs(path) else os.path.join(os.curdir, path)


def reduced_environment() -> dict[str, str]:
    """What a program needs to run at all, for one that works on files of strangers: no token of a CI job is in it."""
    return {name: os.environ[name] for name in _ANY_PROGRAM_NEEDS if name in os.environ}


def run(
    argv: Sequence[str],
    *,
    inside: Sequence[str] = (),
    cwd: str | None = None,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 120.0,
    allowed: frozenset[int] = frozenset({0}),
    install: str = "",
    own_group: bool = False,
) -> Completed:
    """Run a program to its end and return what it printed.

    `inside` is a program, with its arguments, that starts this one. `environment` replaces the inherited one;
    `install` says how to get the program when it is missing. With `own_group` all that the program started ends with it
    at the limit, which else waits for whoever holds its output. What comes from a repository goes through `operand`, or
    stands behind an option and '=': it never is an argument as it is.

    Raises:
        ProgramError: the program is missing, took longer than `seconds` or the time limit, or exited with a code not in
            `allowed`.
        Interrupted: this program is to stop.
    """
    import subprocess

    name = os.path.basename(argv[0])
    try:
        child = subprocess.Popen(
            [*inside, _path(argv[0]), *argv[1:]],
            cwd=cwd,
            stdin=subprocess.PIPE if stdin is not None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=inherited() if environment is None else environment,
            start_new_session=own_group,
        )
    except FileNotFoundError:
        raise ProgramError(f"{name} is not installed", hint=install or f"Put {name} on PATH.") from None
    except PermissionError as error:
        raise ProgramError(f"{name} cannot be run: {error.strerror}", hint=install) from None
    allowed_seconds = time_left(seconds)
    try:
        stdout, errors = _communicate(child, stdin, allowed_seconds, own_group=own_group)
    except subprocess.TimeoutExpired:
        raise ProgramError(
            f"{name} did not finish within {allowed_seconds:.0f} s",
            hint=f"Run {name} by hand to see what it waits for.",
        ) from None
    stderr = errors.decode("utf-8", "replace")
    if child.returncode not in allowed:
        said = quoted_end(stderr, _QUOTED_LINES)
        raise ProgramError(
            f"{name} failed with exit code {child.returncode}: {said}", hint=f"{name} printed the reason."
        )
    return Completed(stdout, mask_foreign(stderr), child.returncode)


@contextmanager
def time_limit(left: Callable[[], float]) -> Iterator[None]:
    """No program that is started meanwhile, in whatever thread, runs longer than `left` seconds."""
    _limits.append(left)
    try:
        yield
    finally:
        _limits.pop()


def time_left(seconds: float) -> float:
    """How long a program may run that may run `seconds` by itself; a moment even when the time is over."""
    return min(seconds, *(max(0.1, left()) for left in _limits)) if _limits else seconds


def is_stopping() -> bool:
    """Whether this program is to stop: none is started, and those that run are ended."""
    return bool(_stopped)


def stop() -> None:
    """End every program that is running, and start none any more; for the handler of a signal."""
    _stopped.append(True)


_limits: list[Callable[[], float]] = []
_stopped: list[bool] = []


def _communicate(child: Popen[bytes], stdin: bytes | None, seconds: float, *, own_group: bool) -> tuple[bytes, bytes]:
    """What a child prints, up to its end.

    Raises:
        TimeoutExpired: it took longer.
        Interrupted: this program is to stop. A thread does not see the signal, so it looks from time to time.
    """
    from subprocess import TimeoutExpired

    end = time.monotonic() + seconds
    # Interrupted, `communicate` would not send the rest of what is to be read.
    step = _LOOK if stdin is None else seconds
    try:
        while not _stopped:
            try:
                return child.communicate(stdin, max(0.0, min(step, end - time.monotonic())))
            except TimeoutExpired:
                if time.monotonic() >= end:
                    raise
    except BaseException:
        _end(child, own_group=own_group)
        raise
    _end(child, own_group=own_group)
    raise Interrupted("Interrupted")


def _end(child: Popen[bytes], *, own_group: bool) -> None:
    """Kill a child, and close its pipes: a program that it started may hold their other ends for ever."""
    import signal

    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL) if own_group else child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


@contextmanager
def connected(argv: Sequence[str], *, stdio: int, errors: int) -> Iterator[None]:
    """Run a program with one descriptor as its input and output, until it ends or the block does.

    Raises:
        ProgramError: the program is missing.
    """
    import subprocess

    try:
        started = subprocess.Popen(
            [_path(argv[0]), *argv[1:]], stdin=stdio, stdout=stdio, stderr=errors, env=inherited()
        )
    except FileNotFoundError:
        name = os.path.basename(argv[0])
        raise ProgramError(f"{name} is not installed", hint=f"Put {name} on PATH.") from None
    try:
        yield
    finally:
        started.terminate()
        started.wait()


def _path(program: str) -> str:
    """Where a program is.

    Raises:
        FileNotFoundError: it is nowhere.
    """
    if os.path.isabs(program):
        return program
    if (found := find(program)) is None:
        raise FileNotFoundError(program)
    return found
