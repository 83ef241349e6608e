"""Run a program: no shell, a time limit, its errors with what it said. The one door besides git's own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitops_ci.display import quoted_end
from gitops_ci.errors import ProgramError
from gitops_ci.secret import mask_foreign
from gitops_ci.variables import inherited

__all__ = ["Completed", "find", "operand", "reduced_environment", "run"]

_QUOTED_LINES = 8
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
) -> Completed:
    """Run a program to its end and return what it printed.

    `inside` is a program, with its arguments, that starts this one. `environment` replaces the inherited one;
    `install` says how to get the program when it is missing. What comes from a repository goes through `operand`, or
    stands behind an option and '=': it never is an argument as it is.

    Raises:
        ProgramError: the program is missing, took longer than `seconds`, or exited with a code not in `allowed`.
    """
    import subprocess

    name = os.path.basename(argv[0])
    try:
        done = subprocess.run(
            [*inside, _path(argv[0]), *argv[1:]],
            cwd=cwd,
            input=stdin,
            env=inherited() if environment is None else environment,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise ProgramError(f"{name} is not installed", hint=install or f"Put {name} on PATH.") from None
    except PermissionError as error:
        raise ProgramError(f"{name} cannot be run: {error.strerror}", hint=install) from None
    except subprocess.TimeoutExpired:
        raise ProgramError(
            f"{name} did not finish within {seconds:.0f} s", hint=f"Run {name} by hand: what does it wait for?"
        ) from None
    stderr = done.stderr.decode("utf-8", "replace")
    if done.returncode not in allowed:
        said = quoted_end(stderr, _QUOTED_LINES)
        raise ProgramError(
            f"{name} failed with exit code {done.returncode}: {said}", hint=f"{name} says what is wrong."
        )
    return Completed(done.stdout, mask_foreign(stderr), done.returncode)


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
