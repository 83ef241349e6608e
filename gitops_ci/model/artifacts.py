"""What was pushed, committed, or handed to another job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Commit", "Job", "PushedTag"]


@dataclass(frozen=True, slots=True)
class PushedTag:
    """One reference of an image in the registry: pushed now, there already, or planned by a dry run.

    `why` says why it gets this tag, where that was the question.
    """

    reference: str
    tag: str | None
    digest: str | None
    state: Literal["pushed", "present", "planned"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit on a branch of the config repository."""

    sha: str
    branch: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a CI system is to run: `command` with `arguments`, and `options` by their long names."""

    name: str
    command: str
    options: Mapping[str, str]
    arguments: tuple[str, ...] = ()
