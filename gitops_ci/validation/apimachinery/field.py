"""What a rule sees: a place in a document whose types are already sound, and how it says what is wrong there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from gitops_ci.display import shorten
from gitops_ci.validation.gates import Gate
from gitops_ci.validation.violation import UNCHECKED, Path, Violation

__all__ = ["Field", "Rule"]


class Field:
    """A value and the path to it. Reading never fails: what is absent or null is empty, as it is to Go."""

    __slots__ = ("minor", "out", "path", "value")

    def __init__(self, value: Any, path: Path, out: list[Violation], minor: int) -> None:
        self.value = value
        self.path = path
        self.out = out
        self.minor = minor
        """The minor version of Kubernetes, 36 for 1.36: some rules came or went with one."""

    def on(self, gate: Gate) -> bool:
        """Whether the server of this version behaves as a gate says."""
        return gate.is_on(self.minor)

    def get(self, key: str) -> Any:
        return self.value.get(key) if type(self.value) is dict else None

    def has(self, key: str) -> bool:
        """Whether the field is set: what Go calls a pointer that is not nil."""
        return type(self.value) is dict and self.value.get(key) is not None

    def text(self, key: str) -> str:
        found = self.value.get(key) if type(self.value) is dict else None
        return found if type(found) is str else ""

    def number(self, key: str) -> int:
        found = self.get(key)
        return int(found) if type(found) in {int, float} else 0

    def flag(self, key: str) -> bool:
        return self.get(key) is True

    def at(self, *keys: str) -> Field:
        """The place below; its value is None when it is not there."""
        value, path = self.value, self.path
        for key in keys:
            value = value.get(key) if type(value) is dict else None
            path = (path, key)
        return Field(value, path, self.out, self.minor)

    def without(self, *keys: str) -> Field:
        """The same place, with fields that are not to be seen left out."""
        if not any(self.has(key) for key in keys):
            return self
        return Field(
            {key: item for key, item in self.value.items() if key not in keys}, self.path, self.out, self.minor
        )

    def item(self, index: int) -> Field:
        return Field(self.value[index], (self.path, index), self.out, self.minor)

    def each(self, key: str) -> Iterator[Field]:
        """The items of a list."""
        found = self.value.get(key) if type(self.value) is dict else None
        if type(found) is list:
            path = (self.path, key)
            for index, value in enumerate(found):
                yield Field(value, (path, index), self.out, self.minor)

    def pairs(self, key: str) -> Iterator[tuple[str, Field]]:
        """The entries of a map."""
        found = self.get(key)
        if type(found) is dict:
            path = (self.path, key)
            for name, value in found.items():
                yield name, Field(value, (path, name), self.out, self.minor)

    def strings(self, key: str) -> list[str]:
        """The items of a list of strings; null among them is ''."""
        found = self.get(key)
        return [value if type(value) is str else "" for value in found] if type(found) is list else []

    def mapping(self, key: str) -> dict[str, Any]:
        found = self.get(key)
        return found if type(found) is dict else {}

    def count(self, key: str) -> int:
        """The length of a list or map, 0 when absent."""
        found = self.get(key)
        return len(found) if type(found) in {list, dict} else 0

    def bad(self, rule: str, message: str, hint: str = "") -> None:
        """This value breaks a rule."""
        self.out.append(Violation(f"api/{rule}", self.path, message, hint))

    def bad_key(self, rule: str, message: str, hint: str = "") -> None:
        """This entry's key breaks a rule."""
        self.out.append(Violation(f"api/{rule}", self.path, message, hint, at="key"))

    def unchecked(self, message: str, hint: str) -> None:
        """Whether this value keeps a rule cannot be told here."""
        self.out.append(Violation(UNCHECKED, self.path, message, hint))

    def missing(self, rule: str, key: str, message: str = "") -> None:
        """A field that must be there is not, or is empty."""
        where = (self.path, key) if self.has(key) else self.path
        said = message or f"'{key}' is required"
        blamed: Literal["key", "value"] = "value" if self.has(key) else "key"
        self.out.append(Violation(f"api/{rule}", where, said, at=blamed, lacks=(self.path, key)))

    def one_of(self, rule: str, key: str, allowed: Sequence[str], *, pointer: bool = False) -> None:
        """The field holds one of the allowed words; empty is unset, unless Go has a pointer there."""
        value = self.get(key)
        if value is None or value in allowed or (value == "" and not pointer):
            return
        near = next((word for word in allowed if str(value).lower() == word.lower()), None)
        hint = f"Did you mean '{near}'?" if near else ""
        self.at(key).bad(rule, f"'{value}' is not supported; one of {', '.join(allowed)}", hint)

    def at_least(self, rule: str, key: str, least: int) -> None:
        if self.has(key) and self.number(key) < least:
            self.at(key).bad(rule, f"{self.get(key)} is too small: must be at least {least}")

    def within(self, rule: str, key: str, least: int, most: int) -> None:
        if self.has(key) and not least <= self.number(key) <= most:
            self.at(key).bad(rule, f"{self.get(key)} must be between {least} and {most}")

    def fits(self, rule: str, key: str, why_not: Callable[[str], str | None], *, pointer: bool = False) -> None:
        """A string field passes a format of formats.py; empty is unset, unless Go has a pointer there."""
        value = self.text(key)
        if (value or (pointer and self.has(key))) and (why := why_not(value)):
            self.at(key).bad(rule, f"'{shown(value)}' {why}")


def shown(value: str) -> str:
    """A value short enough for a message."""
    return shorten(value, 80)


Rule = Callable[[Field], None]
