"""`dataclass` of the standard library, whose `__init__` is compiled when the first object is made.

The standard library compiles six methods of every class while its module is imported. A bump imports 182 classes, makes
objects of half of them, and would spend a third of its start on methods that it never calls
(`benchmarks/instructions.py`). Everything else is as in the standard library, and a test compares each class with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False) -> Any:
        """As `dataclasses.dataclass`."""

        def made(cls: type) -> type:
            return _with_methods(cls, frozen, slots)

        return made if cls is None else made(cls)


def _with_methods(cls: type, frozen: bool, slots: bool) -> type:
    cls.__doc__ = cls.__doc__ or cls.__name__  # else the standard library works out the signature to write it there
    own = set(vars(cls))
    cls = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    fields = dataclasses.fields(cls)
    compared = _values(field for field in fields if field.compare)

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        compiled = _compiled_init(fields, hasattr(cls, "__post_init__"), frozen)
        setattr(cls, "__init__", compiled)  # noqa: B010 - mypy forbids the assignment
        compiled(self, *arguments, **named)

    def repr_(self: Any) -> str:
        shown = (f"{field.name}={getattr(self, field.name)!r}" for field in fields if field.repr)
        return f"{self.__class__.__qualname__}({', '.join(shown)})"

    def equals(self: Any, other: object) -> Any:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(compared(self))

    methods: dict[str, Callable[..., Any] | None]
    methods = {"__init__": init, "__repr__": repr_, "__eq__": equals, "__hash__": hashed if frozen else None}
    if frozen:
        methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
    if frozen and slots:
        methods |= {"__getstate__": _state, "__setstate__": _set_state}
    for name, method in methods.items():
        if name not in own:
            setattr(cls, name, method)
    return cls


def _compiled_init(fields: tuple[dataclasses.Field[Any], ...], checks: bool, frozen: bool) -> Callable[..., None]:
    """A function that takes the fields in their order and sets each, as fast as if it were written by hand."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_missing": dataclasses.MISSING}
    parameters, lines = ["self"], []
    for field in fields:
        name = parameter = value = absent = field.name
        if field.default is not dataclasses.MISSING:
            absent = f"_default_{name}"
            known[absent] = field.default
            parameter = f"{name}={absent}"
        elif field.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = field.default_factory
            absent = f"_make_{name}()"
            parameter, value = f"{name}=_missing", f"{absent} if {name} is _missing else {name}"
        elif not field.init:
            continue  # `__post_init__` sets it
        if field.init:
            parameters.append(parameter)
        else:
            value = absent
        lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    lines += ["self.__post_init__()"] * checks
    exec(  # noqa: S102 - the text holds nothing but names of fields
        f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"]), known
    )
    init: Callable[..., None] = known["__init__"]
    return init


def _values(fields: Iterable[dataclasses.Field[Any]]) -> Callable[[Any], Any]:
    names = tuple(field.name for field in fields)
    return attrgetter(*names) if names else lambda _: ()


def _refuse_to_set(_self: Any, name: str, _value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
