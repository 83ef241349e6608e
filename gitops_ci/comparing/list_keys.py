"""What tells the entries of a list apart: the key of the API's schema, so that an entry in another place is the same.

Sources: x-kubernetes-list-map-keys and x-kubernetes-patch-merge-key of the OpenAPI description of Kubernetes 1.33; for
custom resources x-kubernetes-list-map-keys of their definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_ci.comparing.masking import Hidden

__all__ = ["ListKeys", "entry_keys", "keys_of_definitions"]

# Path of the list below the object, names only -> its keys. For custom resources.
ListKeys = Mapping[tuple[str, ...], tuple[str, ...]]

# The name of a list -> keys that its entries may have, the first that fits. The names have one meaning in all kinds.
_BUILT_IN: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "hostAliases": (("ip",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "conditions": (("type",),),
    "readinessGates": (("conditionType",),),
    "ownerReferences": (("uid",),),
    "tolerations": (),
}
_DEFAULTS: Mapping[str, str] = {"protocol": "TCP"}
_GUESSED = ("name", "key", "id")


def entry_keys(
    old: Sequence[Any], new: Sequence[Any], path: tuple[str, ...], custom: ListKeys
) -> tuple[list[str], list[str]] | None:
    """A name for each entry of both lists, as in `[name=shop]`; None where nothing tells all entries apart."""
    if not all(isinstance(one, dict) for one in (*old, *new)) or not (old or new):
        return None
    for keys in _candidates(path, custom):
        names = _names(old, keys), _names(new, keys)
        if names[0] is not None and names[1] is not None:
            return names[0], names[1]
    return None


def _candidates(path: tuple[str, ...], custom: ListKeys) -> Iterator[tuple[str, ...]]:
    if path in custom:
        yield custom[path]
    if path:
        yield from _BUILT_IN.get(path[-1], ())
        if path[-1] == "volumeClaimTemplates":
            yield ("metadata.name",)
    yield from ((key,) for key in _GUESSED)


def _names(entries: Sequence[Mapping[str, Any]], keys: tuple[str, ...]) -> list[str] | None:
    names = []
    for one in entries:
        values = [_value(one, key) for key in keys]
        if any(value is None or isinstance(value, (dict, list, Hidden)) for value in values):
            return None
        names.append(",".join(f"{key}={value}" for key, value in zip(keys, values, strict=True)))
    return names if len(set(names)) == len(names) else None


def _value(entry: Mapping[str, Any], key: str) -> Any:
    if key == "metadata.name":
        metadata = entry.get("metadata")
        return metadata.get("name") if isinstance(metadata, dict) else None
    return entry.get(key, _DEFAULTS.get(key))


def keys_of_definitions(definitions: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], ListKeys]:
    """The keys that CustomResourceDefinitions give to their lists, by group and kind."""
    found: dict[tuple[str, str], ListKeys] = {}
    for one in definitions:
        spec = one.get("spec")
        names = spec.get("names") if isinstance(spec, dict) else None
        if not isinstance(spec, dict) or not isinstance(names, dict):
            continue
        keys: dict[tuple[str, ...], tuple[str, ...]] = {}
        versions = spec.get("versions")
        for version in versions if isinstance(versions, list) else []:
            schema = version.get("schema") if isinstance(version, dict) else None
            if isinstance(schema, dict):
                _collect(schema.get("openAPIV3Schema"), (), keys)
        found[str(spec.get("group", "")), str(names.get("kind", ""))] = keys
    return found


def _collect(schema: Any, path: tuple[str, ...], keys: dict[tuple[str, ...], tuple[str, ...]]) -> None:
    if not isinstance(schema, dict):
        return
    if schema.get("x-kubernetes-list-type") == "map" and isinstance(
        names := schema.get("x-kubernetes-list-map-keys"), list
    ):
        keys.setdefault(path, tuple(map(str, names)))
    properties = schema.get("properties")
    for name, one in properties.items() if isinstance(properties, dict) else ():
        _collect(one, (*path, name), keys)
    _collect(schema.get("items"), path, keys)
