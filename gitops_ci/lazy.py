"""The members of a family by name, each imported when it is asked for: a run that needs one does not pay for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar

__all__ = ["LazyModules"]

Member = TypeVar("Member")


class LazyModules(Mapping[str, Member], Generic[Member]):
    """`modules` of the room `package` by the name users know them by; a member is the module, or its `attribute`."""

    def __init__(self, package: str, modules: Mapping[str, str], attribute: str = "") -> None:
        self._package = package
        self._modules = modules
        self._attribute = attribute

    def __getitem__(self, name: str) -> Member:
        module: Any = import_module(f"gitops_ci.{self._package}.{self._modules[name]}")
        member: Member = getattr(module, self._attribute) if self._attribute else module
        return member

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)
