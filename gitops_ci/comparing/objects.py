"""Rendered objects and their identity: destination, group, kind, namespace and name, never the version.

`autoscaling/v2beta2` to `v2` is a change of `apiVersion`, not another object. kustomize ends the names of generated
ConfigMaps and Secrets in a hash, which is not part of the identity (kustomize api/hasher, encode: ten characters of
`bcdfghkmt2456789`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, NamedTuple

from gitops_ci.dataclass import dataclass

__all__ = ["HASH", "Key", "ManifestObject", "read_objects", "without_hash"]

HASH = re.compile(r"-[bcdfghkmt2456789]{10}$")
_GENERATED = frozenset({"ConfigMap", "Secret"})

# Whether the kind of a group is cluster-scoped; None where nobody can tell.
Scope = Callable[[str, str], bool | None]


class Key(NamedTuple):
    """What makes an object the same one on both sides. `number` counts those that have everything else in common."""

    cluster: str
    group: str
    kind: str
    namespace: str
    name: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class ManifestObject:
    """An object of a unit's output. `name` is as it is written, `key.name` without a hash.

    `prunes` says whether whoever applies it deletes it once it is gone; None where nobody can tell. `replaces`: what
    cannot be changed is deleted and created. `unstable` are values that are other ones in each rendering: by pointer
    what a second rendering has there.
    """

    key: Key
    unit: str
    version: str
    name: str
    value: Mapping[str, Any]
    prunes: bool | None = None
    replaces: bool = False
    unstable: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def kind(self) -> str:
        return self.key.kind

    @property
    def shown_name(self) -> str:
        """The name for persons: the hash of a Secret's name tells something about its values."""
        return self.key.name if self.kind == "Secret" else self.name


def without_hash(name: str) -> str:
    return HASH.sub("", name)


def read_objects(
    values: Iterable[Mapping[str, Any]],
    unit: str,
    scope: Scope,
    *,
    cluster: str = "",
    namespace: str = "",
    prunes: bool | None = None,
    replaces: bool = False,
) -> list[ManifestObject]:
    """The objects of a unit. `namespace` is what the operator gives to those without one."""
    made: list[ManifestObject] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for value in values:
        if not (isinstance(value.get("kind"), str) and isinstance(value.get("apiVersion"), str)):
            continue
        group, _, version = value["apiVersion"].rpartition("/")
        kind = value["kind"]
        found = value.get("metadata")
        metadata: Mapping[str, Any] = found if isinstance(found, dict) else {}
        name = _text(metadata.get("name"))
        prefix = "" if name else _text(metadata.get("generateName"))
        identity = without_hash(name) if kind in _GENERATED else name or f"{prefix}*"
        own = _text(metadata.get("namespace"))
        within = "" if scope(group, kind) else own or namespace
        parts = (cluster, group, kind, within, identity)
        key = Key(*parts, seen[parts])
        seen[parts] += 1
        made.append(ManifestObject(key, unit, version, name or f"{prefix}*", value, prunes, replaces))
    return made


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
