"""What is wrong, and what was left alone."""

from __future__ import annotations

from typing import Literal

from gitops_ci.dataclass import dataclass

__all__ = ["Finding", "Severity", "Skip"]

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule. `rule` is `family/name`; `error` in `yaml/`, `schema/`, `api/` means an API server refuses it.

    `field` is the path of the value in its object, as the API server writes it: `spec.ports[0].name`. It is "" where
    no single field is to blame.
    """

    rule: str
    severity: Severity
    message: str
    path: str
    line: int = 0
    column: int = 0
    resource: str = ""
    hint: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Skip:
    """Something found and left alone. `reason` says why, `hint` what to do about it; `line` 0 is the whole file.

    `failed` marks what should have been edited and could not be read: the run goes on, its exit code tells. `image` is
    the name of the wanted image that is meant there, '' where that is not known. What is `expected` loses nothing: it
    is not a manifest of its own, or somebody chose to leave it out.
    """

    path: str
    line: int
    reason: str
    hint: str = ""
    failed: bool = False
    image: str = ""
    expected: bool = False
