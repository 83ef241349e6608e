"""GitPython, with children that get an environment of our own making.

GitPython hands the environment of this process on to every child. It can add to it, but take nothing away. So a child
is started here; GitPython composes the commands and reads the objects. The environment of this process stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from gitops_ci.errors import ProgramError
from gitops_ci.process import find

if TYPE_CHECKING:
    from git import Git

__all__ = ["INSTALL", "git_in"]

INSTALL = "Install git 2.31 or newer and put it on PATH."
# Left to git: how the CI reaches ssh hosts and private certificate authorities. Every other GIT_* variable (GIT_DIR of
# a hook that runs us, GIT_CONFIG_PARAMETERS, GIT_TRACE with its header dumps) is none of this repository's business.
_KEPT = frozenset(
    {"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_EXEC_PATH"}
)
_WITHOUT_GIT = {"GIT_PYTHON_GIT_EXECUTABLE": os.devnull, "GIT_PYTHON_REFRESH": "quiet"}


def git_in(path: str, environment: Mapping[str, str]) -> Git:
    """GitPython for a folder, with the git that `find` finds: by its name alone it could be one of the checkout.

    Each child gets the variables of this process without git's own, and `environment`.

    Raises:
        ProgramError: git is not installed.
    """
    program = os.environ.get("GIT_PYTHON_GIT_EXECUTABLE") or find("git")
    if program is None:
        raise ProgramError("git is not installed", hint=INSTALL)
    git = _git_class(program)(path)
    git.update_environment(**environment)
    return git


@cache
def _git_class(program: str) -> type[Git]:
    try:
        with _variables_of_the_import():
            from git import Git
            from git.exc import GitCommandNotFound
    except ImportError as error:
        # GitPython wraps what the system refused while it was imported.
        if not isinstance(error.__cause__, OSError):
            raise
        raise _not_started(program, error.__cause__) from error

    class CleanGit(Git):
        """Git whose children see no git variable that this process inherited."""

        GIT_PYTHON_GIT_EXECUTABLE = program

        def execute(  # type: ignore[override]
            self,
            command: list[str],
            istream: int | None = None,
            env: Mapping[str, str] | None = None,
            **_: Any,
        ) -> Git.AutoInterrupt:
            """Start a command; who asked reads its output and waits for it."""
            from subprocess import DEVNULL, PIPE, Popen

            try:
                child = Popen(
                    command,
                    cwd=self.working_dir,
                    env={**_inherited(), **self.environment(), **(env or {})},
                    stdin=DEVNULL if istream is None else istream,
                    stdout=PIPE,
                    stderr=PIPE,
                )
            except FileNotFoundError as error:
                raise GitCommandNotFound(command, error) from error
            except OSError as error:
                raise _not_started(program, error) from error
            return self.AutoInterrupt(child, command)

    return CleanGit


def _not_started(program: str, error: OSError) -> ProgramError:
    return ProgramError(
        f"{program} cannot be started: {error.strerror}",
        hint="Check that 'git --version' works, and that the job may open enough files (ulimit -n).",
    )


@contextmanager
def _variables_of_the_import() -> Iterator[None]:
    """GitPython asks git for its version twice while it is imported, unless there is no git and nothing is to be said.

    What is no program is no git. The one that does not start is found by the first command.
    """
    hidden = {name: os.environ.pop(name) for name in _of_git()}
    os.environ |= _WITHOUT_GIT
    try:
        yield
    finally:
        for name in _WITHOUT_GIT:
            del os.environ[name]
        os.environ.update(hidden)


def _inherited() -> dict[str, str]:
    """The variables of this process without git's own, and with git speaking English."""
    hidden = _of_git()
    return {name: value for name, value in os.environ.items() if name not in hidden} | {"LANGUAGE": "C", "LC_ALL": "C"}


def _of_git() -> frozenset[str]:
    return frozenset(name for name in os.environ if name.startswith("GIT_") and name not in _KEPT)
