"""A diff that another job computed and wrote as JSON, read as what it is: a stranger's text.

Size and number are bounded, every field has its type, and nothing in it names a pull request: that comes from the
event. What is shown of it is escaped like everything else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast, get_args

from gitops_ci.comparing.risks import gathered
from gitops_ci.errors import UsageError
from gitops_ci.model.rendered import (
    ImageChange,
    ObjectChange,
    ObjectGroup,
    ObjectState,
    PathChange,
    RenderedDiff,
    Risk,
    UnitChange,
    UnitState,
    View,
)

__all__ = ["read_diff"]

_MOST_BYTES = 64 * 1024**2
_MOST = 50_000  # entries of a list
_T = TypeVar("_T")
_HINT = "It is the file of: gitops-ci diff --report json=FILE"


def read_diff(path: str, view: View) -> RenderedDiff:
    """The diff in the JSON report of a run of `diff`.

    Raises:
        UsageError: it cannot be read, is too large, or holds something else.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{path} has more than {_MOST_BYTES // 1024**2} MiB", hint=_HINT)
    try:
        return _diff(json.loads(data)["rendered"], view)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is not a JSON report of diff ({type(error).__name__})", hint=_HINT) from error


def _diff(value: Any, view: View) -> RenderedDiff:
    objects = tuple(_each(value["objects"], _object))
    known = {one.id for one in objects}
    groups = tuple(one for one in _each(value["groups"], _group) if one.objects and known.issuperset(one.objects))
    summary = {_text(key): _number(one) for key, one in _mapping(value["summary"]).items()}
    return RenderedDiff(
        base=_text(value["base"]),
        head=_text(value["head"]),
        units=tuple(_each(value["units"], _unit)),
        objects=objects,
        groups=groups,
        risks=gathered(objects),
        images=tuple(_each(value["images"], _image)),
        notes=tuple(_each(value["notes"], _text)),
        summary=summary,
        view=view,
    )


def _each(value: Any, read: Callable[[Any], _T]) -> list[_T]:
    if not isinstance(value, list) or len(value) > _MOST:
        raise TypeError("a list is missing or too long")
    return [read(one) for one in value]


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("a mapping is missing")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a number is missing")
    return value


def _texts(value: Any, *keys: str) -> dict[str, Any]:
    return {key: _text(_mapping(value)[key]) for key in keys}


def _state(value: Any, known: Any) -> str:
    if value not in get_args(known):
        raise ValueError("a state is unknown")
    return cast("str", value)


def _unit(value: Any) -> UnitChange:
    state = cast("UnitState", _state(value["state"], UnitState))
    return UnitChange(state=state, **_texts(value, "id", "kind", "source", "destination", "reason", "remedy"))


def _object(value: Any) -> ObjectChange:
    state = cast("ObjectState", _state(value["state"], ObjectState))
    return ObjectChange(
        state=state,
        paths=tuple(_each(value["paths"], _path)),
        risks=tuple(_each(value["risks"], _risk)),
        **_texts(value, "id", "unit", "group", "version", "kind", "namespace", "name", "was"),
    )


def _path(value: Any) -> PathChange:
    base, head = (None if value[key] is None else _text(value[key]) for key in ("base_pointer", "head_pointer"))
    is_masked = value["masked"] is True
    old, new = (None, None) if is_masked else (value["old"], value["new"])
    return PathChange(
        base_pointer=base,
        head_pointer=head,
        old=old,
        new=new,
        masked=is_masked,
        **_texts(value, "path", "noise", "risk"),
    )


def _risk(value: Any) -> Risk:
    return Risk(
        _text(value["risk"]), _text(value["why"]), None if value["pointer"] is None else _text(value["pointer"])
    )


def _group(value: Any) -> ObjectGroup:
    return ObjectGroup(tuple(_each(value["objects"], _text)), _text(value["text"]))


def _image(value: Any) -> ImageChange:
    return ImageChange(objects=tuple(_each(value["objects"], _text)), **_texts(value, "image", "old", "new"))
