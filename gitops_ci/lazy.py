"""Members of a family by name, each imported when a run first needs it: a run of one does not pay for all.

This is the only loader of the program: each family has one table, and `tests/test_architecture.py` imports every row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar

__all__ = ["LazyModules", "import_member"]

Member = TypeVar("Member")


def import_member(room: str, name: str) -> Any:
    """The member `module` or `module:attribute` of a room, a package below gitops_ci."""
    module, _, attribute = name.partition(":")
    loaded = import_module(f"gitops_ci.{room}.{module}")
    return getattr(loaded, attribute) if attribute else loaded


class LazyModules(Mapping[str, Member], Generic[Member]):
    """The members of a room by the name users know them by; `members` gives each one's name for `import_member`."""

    def __init__(self, room: str, members: Mapping[str, str]) -> None:
        self._room = room
        self._members = members

    def __getitem__(self, name: str) -> Member:
        member: Member = import_member(self._room, self._members[name])
        return member

    def __contains__(self, name: object) -> bool:
        return name in self._members  # Mapping's own test would load the member

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)
