"""The value that an option would have, and where it comes from."""

from __future__ import annotations

from gitops_ci.dataclass import dataclass

__all__ = ["Setting"]


@dataclass(frozen=True, slots=True)
class Setting:
    """An option's name without dashes, its value, and its source: `.gitops-ci.yaml:3`, a variable, `command line`."""

    option: str
    value: str | bool | float | tuple[str, ...] | None
    source: str
