"""The real program in processes of its own: many at once, stopped, killed."""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import gitops_ci

__all__ = ["Done", "Forked", "finish", "fork", "start"]

Done = tuple[int, str]


def start(folder: Path, *arguments: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start `gitops-ci` in `folder`, as the first process of a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "gitops_ci", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


class Forked:
    """A running command, with what tests use of a `subprocess.Popen`."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self.returncode: int | None = None
        descriptor, self._output = tempfile.mkstemp(prefix="gitops-ci-run-")
        os.close(descriptor)
        task = (str(folder), list(arguments), dict(environment), self._output)
        self._process = _context().Process(target=_run, args=task, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait for its end: what it wrote to both streams."""
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired("gitops-ci", timeout)
        self.returncode = code
        self._process.close()
        output = Path(self._output)
        text = output.read_text()
        output.unlink()
        return text, ""


def fork(folder: Path, *arguments: str, environment: Mapping[str, str]) -> Forked:
    """The same for tests that start many: a process of its own that finds the program's modules imported.

    A run of `start` takes most of its time to import them, twice, because the program starts itself again without
    secrets in its environment. `start` is for tests of how a process begins and ends.
    """
    return Forked(folder, arguments, {**os.environ, **environment})


def finish(process: subprocess.Popen[str] | Forked, seconds: float = 120) -> Done:
    """Wait for its end: exit code and output."""
    output, _ = process.communicate(timeout=seconds)
    assert process.returncode is not None
    return process.returncode, output


def _context() -> multiprocessing.context.ForkServerContext:
    """Forks of one process per worker, which has imported the program and has run nothing."""
    context = multiprocessing.get_context("forkserver")
    ours = [found.name for found in pkgutil.walk_packages(gitops_ci.__path__, "gitops_ci.")]
    context.set_forkserver_preload([*(name for name in ours if not name.endswith("__main__")), "git", "requests"])
    return context


def _run(folder: str, arguments: list[str], environment: dict[str, str], output: str) -> NoReturn:
    """What a forked process does: the second half of `gitops_ci.__main__.main`."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # read from the environment again
    with open(output, "w") as file, open(os.devnull) as nothing:
        for descriptor, target in ((nothing.fileno(), 0), (file.fileno(), 1), (file.fileno(), 2)):
            os.dup2(descriptor, target)
    from gitops_ci.cli import run_command_line

    sys.exit(run_command_line(arguments))
