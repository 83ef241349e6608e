"""Everything that can go wrong, one class and one exit code a kind.

GitopsCiError            3  a bug in gitops-ci when raised as itself
├── UsageError           2  an option, a reference or the configuration is wrong
├── FindingsError        1  a manifest is invalid, a rule is broken
├── RegistryError        4  the registry or the engine refused or could not be reached
├── GitError             5  git refused, or the config repository could not be reached
├── ForgeError           6  the code host's API refused or could not be reached
├── ProgramError         7  a program gitops-ci needs is missing or failed
├── NothingMatched       8  the image is named nowhere, or there is nothing to validate
└── Interrupted        130  stopped by a signal

A message says what happened and where; the hint says what to do next. Neither ever carries a secret: whatever
quotes foreign output goes through `secret.mask` before it is printed.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "FindingsError",
    "ForgeError",
    "GitError",
    "GitopsCiError",
    "Interrupted",
    "NothingMatched",
    "ProgramError",
    "RegistryError",
    "UsageError",
]


class GitopsCiError(Exception):
    """What happened, and in `hint` what to do about it.

    `exit_code` is the process's exit code and `kind` the JSON document's `error.kind`.
    """

    exit_code: ClassVar[int] = 3
    kind: ClassVar[str] = "bug"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GitopsCiError):
    """An option, an image reference or the configuration is wrong; nothing was started."""

    exit_code = 2
    kind = "usage"


class FindingsError(GitopsCiError):
    """A manifest is invalid or a rule is broken; the findings travel beside the error."""

    exit_code = 1
    kind = "findings"


class RegistryError(GitopsCiError):
    """A container registry, an image source or the Docker Engine refused or could not be reached."""

    exit_code = 4
    kind = "registry"


class GitError(GitopsCiError):
    """Git refused, or the config repository could not be read or written."""

    exit_code = 5
    kind = "git"


class ForgeError(GitopsCiError):
    """The code host's API refused or could not be reached.

    `status` is its HTTP status, 0 without an answer; `words` are what the host said itself.
    """

    exit_code = 6
    kind = "forge"

    def __init__(self, message: str, *, hint: str = "", status: int = 0, words: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.words = words


class ProgramError(GitopsCiError):
    """A program that gitops-ci runs (git, kubectl, helm) is missing or failed."""

    exit_code = 7
    kind = "program"

    @classmethod
    def of_machine(cls, error: OSError | MemoryError) -> ProgramError:
        """What the machine refused, which is not a bug: no space, no memory, no more open files."""
        if isinstance(error, MemoryError):
            return cls("This machine has not enough memory", hint="Give the job more memory, or fewer files.")
        where = f": {error.filename}" if isinstance(error.filename, str) else ""
        return cls(
            f"This machine refused what the run needs: {error.strerror or type(error).__name__}{where}",
            hint="Look at the space in the temporary folder (TMPDIR), and at the limits of the job (ulimit -a).",
        )


class NothingMatched(GitopsCiError):
    """The image is named nowhere in the config repository, or no manifest was found to validate."""

    exit_code = 8
    kind = "nothing-matched"


class Interrupted(GitopsCiError):
    """Stopped by a signal."""

    exit_code = 130
    kind = "interrupted"
