"""Lists that the API server merges by a key or as a set: server-side apply refuses an entry that is there twice.

A plain creation takes them. Argo CD with ServerSideApply and Flux, which always applies so, do not: "duplicate entries
for key". Source: structured-merge-diff, typed/validate.go; `x-kubernetes-list-type` of the OpenAPI definitions (before
them `x-kubernetes-patch-merge-key`: kube-openapi, pkg/schemaconv). Lists in which the server's own validation refuses
duplicates are not here. `managedFields`: apimachinery, pkg/util/managedfields/internal/structuredmerge.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import Keys, at, dig
from gitops_ci.validation.lint.images import POD_SPECS, WITH_PODS
from gitops_ci.validation.manifests.documents import Document

__all__ = ["refused_lists"]

RULE = "repo/server-side-apply"

# A list -> the fields that are its key, with their defaults; of a set of words none.
_Lists = Mapping[str, Mapping[str, str]]
_OF_OBJECTS: _Lists = {"finalizers": {}, "ownerReferences": {"uid": ""}}
_OF_PODS: _Lists = {"imagePullSecrets": {"name": ""}, "hostAliases": {"ip": ""}}
_OF_CONTAINERS: _Lists = {"env": {"name": ""}, "ports": {"containerPort": "", "protocol": "TCP"}}
_CONTAINERS = ("containers", "initContainers")
# Group and kind -> where the lists are, `*` for each entry, and the lists.
_OF_KINDS: Mapping[tuple[str, str], tuple[tuple[Keys, _Lists], ...]] = {
    ("", "ServiceAccount"): (((), {"secrets": {"name": ""}}),),
    ("discovery.k8s.io", "EndpointSlice"): ((("endpoints", "*"), {"addresses": {}}),),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): (
        (
            ("spec", "rules", "*", "resourceRules", "*"),
            {"apiGroups": {}, "namespaces": {}, "resources": {}, "verbs": {}},
        ),
        (("spec", "rules", "*", "nonResourceRules", "*"), {"nonResourceURLs": {}, "verbs": {}}),
    ),
    ("storage.k8s.io", "CSIDriver"): ((("spec",), {"volumeLifecycleModes": {}}),),
}
_EXPRESSIONS = "x-kubernetes-validations"


def refused_lists(document: Document) -> Iterator[Finding]:
    """What server-side apply refuses in an object that a plain creation takes."""
    metadata = dig(document.value, "metadata")
    if isinstance(metadata, dict):
        yield from _duplicates(document, metadata, ("metadata",), _OF_OBJECTS)
        if metadata.get("managedFields"):
            message = "managedFields is set, which server-side apply refuses"
            hint = "Remove it: the server keeps it, and exports contain it."
            yield at(document, ("metadata", "managedFields"), RULE, message, hint=hint, severity="warning", key=True)
    if document.kind in WITH_PODS:
        yield from _of_pods(document)
    for place, lists in _OF_KINDS.get((document.group, document.kind), ()):
        for keys, value in _below(document.value, place):
            yield from _duplicates(document, value, keys, lists)
    if document.kind == "CustomResourceDefinition" and _EXPRESSIONS in document.piece.text:
        yield from _of_schemas(document, document.value, ())


def _of_pods(document: Document) -> Iterator[Finding]:
    for place in POD_SPECS:
        spec = dig(document.value, *place)
        if not isinstance(spec, dict):
            continue
        yield from _duplicates(document, spec, place, _OF_PODS)
        for group in _CONTAINERS:
            for keys, container in _below(spec, (group, "*")):
                yield from _duplicates(document, container, (*place, *keys), _OF_CONTAINERS)


def _of_schemas(document: Document, value: Any, keys: Keys) -> Iterator[Finding]:
    """The expressions of a definition's schemas, which have their text as key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield from _duplicates(document, value, keys, {_EXPRESSIONS: {"rule": ""}})
    for key, one in pairs:
        yield from _of_schemas(document, one, (*keys, key))


def _below(value: Any, place: Keys) -> Iterator[tuple[Keys, Mapping[str, Any]]]:
    """Each mapping at a place, with its keys."""
    if not place:
        if isinstance(value, dict):
            yield (), value
        return
    if place[0] == "*":
        items = enumerate(value if isinstance(value, list) else ())
        for index, item in items:
            yield from (((index, *keys), found) for keys, found in _below(item, place[1:]))
    elif isinstance(value, dict):
        yield from (((place[0], *keys), found) for keys, found in _below(value.get(place[0]), place[1:]))


def _duplicates(document: Document, value: Mapping[str, Any], place: Keys, lists: _Lists) -> Iterator[Finding]:
    for name, fields in lists.items():
        seen: set[tuple[str, ...]] = set()
        items = value.get(name)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            key = _key(item, fields)
            if key in seen:
                message = f"{name} has {'/'.join(key) or 'an empty name'} twice, which server-side apply refuses"
                hint = "Remove one of them."
                hint += " Otherwise the last one is used." if name == "env" else ""
                yield at(document, (*place, name, index), RULE, message, hint=hint, severity="warning")
            if key is not None:
                seen.add(key)


def _key(item: Any, fields: Mapping[str, str]) -> tuple[str, ...] | None:
    """What tells an entry from others; None for what is none."""
    if not fields:
        return (item,) if isinstance(item, str) else None
    return tuple(str(item.get(field, default)) for field, default in fields.items()) if isinstance(item, dict) else None
