"""Lists that the API server merges by a key: server-side apply refuses a key that is there twice.

A plain creation takes them. Argo CD with ServerSideApply and Flux, which always applies so, do not: "duplicate entries
for key". Source: structured-merge-diff, typed/validate.go; `x-kubernetes-list-map-keys` of the OpenAPI definitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import Keys, at, dig
from gitops_ci.validation.lint.images import POD_SPECS
from gitops_ci.validation.manifests.documents import Document

__all__ = ["duplicate_entries"]

# Below a pod's spec: the list, and the fields that are its key with their defaults.
_OF_PODS: Mapping[str, Mapping[str, str]] = {"imagePullSecrets": {"name": ""}}
_OF_CONTAINERS: Mapping[str, Mapping[str, str]] = {
    "env": {"name": ""},
    "ports": {"containerPort": "", "protocol": "TCP"},
}
_CONTAINERS = ("containers", "initContainers")


def duplicate_entries(document: Document) -> Iterator[Finding]:
    """An entry of a merged list whose key another entry has."""
    for place in POD_SPECS:
        spec = dig(document.value, *place)
        if not isinstance(spec, dict):
            continue
        yield from _duplicates(document, spec, place, _OF_PODS)
        for group in _CONTAINERS:
            for index, container in enumerate(spec.get(group) or ()):
                if isinstance(container, dict):
                    yield from _duplicates(document, container, (*place, group, index), _OF_CONTAINERS)


def _duplicates(
    document: Document, value: Mapping[str, Any], place: Keys, lists: Mapping[str, Mapping[str, str]]
) -> Iterator[Finding]:
    for name, fields in lists.items():
        seen: set[tuple[str, ...]] = set()
        items = value.get(name)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if not isinstance(item, dict):
                continue
            key = tuple(str(item.get(field, default)) for field, default in fields.items())
            if key in seen:
                message = f"{name} has {'/'.join(key)} twice, which server-side apply refuses"
                yield at(
                    document,
                    (*place, name, index),
                    "repo/server-side-apply",
                    message,
                    hint="Remove one of them. The last one counts otherwise.",
                    severity="warning",
                )
            seen.add(key)
