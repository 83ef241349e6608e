"""What a run makes when it first needs it: members of a family by name, and patterns.

This is the only loader of the program: each family has one table, and `tests/test_architecture.py` imports every row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, AnyStr, Generic, TypeVar, cast

if TYPE_CHECKING:
    import re

__all__ = ["LazyModules", "LazyPattern", "import_member", "lazy_pattern"]

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


def lazy_pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, when the pattern is first used: compiling takes a quarter of a millisecond.

    For the patterns of modules that most runs import. A validation of one file imports 75 patterns and uses 20.
    """
    return cast("re.Pattern[AnyStr]", LazyPattern(text, flags))


class LazyPattern:
    """What `lazy_pattern` gives: like a compiled pattern, except that functions of `re` do not take it."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        import re

        # Python looks here only for what the object does not have: each method is copied once.
        found = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)
        return found
