"""The templatePatch of an ApplicationSet: a strategic merge patch of each Application.

Source: argo-cd 3.6 (applicationset/controllers/template/patch.go); k8s.io/apimachinery 0.37 (pkg/util/strategicpatch).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ci.rendering.documents import dig

__all__ = ["PatchError", "patched"]

# What is inside has no fields that Argo CD knows: nothing there can be merged with what is there already.
_FREE_FORM = "valuesObject"
_MERGED_LISTS = frozenset({"finalizers", "ownerReferences"})


class PatchError(ValueError):
    """A patch that Argo CD refuses, so that it makes no Application."""


def patched(application: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """An Application with the patch over it; its project stays.

    Raises:
        PatchError: the patch reaches into values that are there.
    """
    made = _over(application, patch, is_free=False)
    project = dig(application, "spec", "project")
    spec = made.get("spec")
    if isinstance(spec, dict):
        made["spec"] = {key: one for key, one in spec.items() if key != "project"}
        if project is not None:
            made["spec"]["project"] = project
    return made


def _over(below: Mapping[str, Any], above: Mapping[str, Any], *, is_free: bool) -> dict[str, Any]:
    fields = {key: one for key, one in above.items() if not str(key).startswith("$")}
    directive, retained = above.get("$patch"), above.get("$retainKeys")
    if directive in {"replace", "delete"}:
        return _without_nulls(fields) if directive == "replace" else {}
    made = {key: one for key, one in below.items() if not isinstance(retained, list) or key in retained}
    for key, value in fields.items():
        known = made.get(key)
        if value is None:
            made.pop(key, None)
        elif isinstance(value, (dict, list)) and type(known) is type(value):
            if is_free:
                raise PatchError(f"its templatePatch changes '{key}' of {_FREE_FORM}, which Argo CD cannot merge")
            made[key] = _merged(key, known, value)
        else:
            made[key] = _without_nulls(value)
    return made


def _merged(key: str, known: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return _over(known, value, is_free=key == _FREE_FORM)
    return [*value, *(one for one in known if one not in value)] if key in _MERGED_LISTS else _without_nulls(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value
