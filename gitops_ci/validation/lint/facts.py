"""What an object offers to others and needs of them, as small values that can cross a process.

Only what is written in full counts: a name with a variable in it is nobody's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation.kinds import KINDS
from gitops_ci.validation.lint.base import Keys, dig
from gitops_ci.validation.manifests.documents import Document

__all__ = ["Facts", "Labels", "Need", "Selector", "facts_of"]

Labels = frozenset[tuple[str, str]]

_NAME = lazy_pattern(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_POD_TEMPLATES = {kind: row.pod_template for (_, kind), row in KINDS.items() if row.pod_template is not None}
# Kinds that make a Secret or ConfigMap: kind -> (what it makes, where its name is; the own name where that is empty).
_MAKERS: Mapping[str, tuple[str, Keys]] = {
    "ExternalSecret": ("Secret", ("spec", "target", "name")),
    "SealedSecret": ("Secret", ("spec", "template", "metadata", "name")),
    "Certificate": ("Secret", ("spec", "secretName")),
    "VaultStaticSecret": ("Secret", ("spec", "destination", "name")),
    "VaultDynamicSecret": ("Secret", ("spec", "destination", "name")),
    "OnePasswordItem": ("Secret", ()),
    "Bundle": ("ConfigMap", ()),
}


@dataclass(frozen=True, slots=True)
class Need:
    """An object that must exist: `key` is an entry or port that it must have, `keys` where the need is written."""

    kind: str
    name: str
    key: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class Selector:
    """Labels that something must have: `of` is "Pod" or "Service"."""

    of: str
    labels: Labels
    keys: Keys


@dataclass(frozen=True, slots=True)
class Facts:
    """`entries` are the keys of a ConfigMap or Secret, or the ports of a Service; None where nobody can know them.

    `pod_labels` are the labels of the pods that it makes, `makes` is what a controller makes of it, (kind, name).
    """

    unit: str
    group: str
    kind: str
    namespace: str
    name: str
    place: tuple[str, str]
    is_assumed: bool = False
    is_partial: bool = False
    entries: frozenset[str] | None = None
    labels: Labels = frozenset()
    pod_labels: Labels | None = None
    makes: tuple[str, str] | None = None
    needs: tuple[Need, ...] = ()
    selector: Selector | None = None


def facts_of(document: Document) -> Facts:
    """The facts of an object of a rendered unit."""
    value, kind = document.value, document.kind
    template = _POD_TEMPLATES.get(kind)
    has_template = template is not None and (document.group, kind) in KINDS
    return Facts(
        document.unit,
        document.group,
        kind,
        document.namespace,
        document.full_name,
        (document.unit, document.index),
        document.is_assumed,
        document.is_partial,
        _entries(document),
        _labels(dig(value, "metadata", "labels")),
        _labels(dig(value, *(template or ()), "metadata", "labels")) if has_template else None,
        _made(document),
        tuple(_needs(document, template if has_template else None)),
        _selector(document),
    )


def _entries(document: Document) -> frozenset[str] | None:
    value = document.value
    if document.group:
        return None
    if document.kind in {"ConfigMap", "Secret"}:
        parts = [value.get(part) for part in ("data", "stringData", "binaryData")]
        keys = frozenset(str(key) for part in parts if isinstance(part, dict) for key in part)
        return None if _is_filled_in_the_cluster(document, keys) else keys
    if document.kind == "Service":
        if dig(value, "spec", "type") == "ExternalName":
            return None
        ports = [port for port in _items(dig(value, "spec", "ports")) if isinstance(port, dict)]
        return frozenset(str(port[key]) for port in ports for key in ("port", "name") if port.get(key))
    return None


def _is_filled_in_the_cluster(document: Document, keys: frozenset[str]) -> bool:
    """Whether a controller or a person adds keys to what is in Git."""
    if document.kind == "Secret":
        return not keys or document.value.get("type") == "kubernetes.io/service-account-token"
    labels = dict(_labels(dig(document.value, "metadata", "labels")))
    annotations = dict(_labels(dig(document.value, "metadata", "annotations")))
    return (
        labels.get("config.openshift.io/inject-trusted-cabundle") == "true"
        or annotations.get("service.beta.openshift.io/inject-cabundle") == "true"
    )


def _labels(found: Any) -> Labels:
    if not isinstance(found, dict):
        return frozenset()
    return frozenset((str(key), value) for key, value in found.items() if isinstance(value, str))


def _made(document: Document) -> tuple[str, str] | None:
    if document.kind not in _MAKERS or not document.group:
        return None
    kind, keys = _MAKERS[document.kind]
    name = dig(document.value, *map(str, keys)) if keys else ""
    return kind, name if isinstance(name, str) and name else document.name


def _needs(document: Document, template: Keys | None) -> Iterator[Need]:
    value = document.value
    if template is not None:
        place: Keys = (*template, "spec")
        spec = dig(value, *map(str, place))
        if isinstance(spec, dict):
            yield from _pod_needs(spec, place)
    if document.kind == "HorizontalPodAutoscaler":
        target = dig(value, "spec", "scaleTargetRef")
        if isinstance(target, dict):
            yield from _need(str(target.get("kind")), target.get("name"), ("spec", "scaleTargetRef", "name"))
    if document.kind == "Ingress":
        yield from _ingress_needs(value)
    if document.kind in {"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"}:
        yield from _route_needs(value)
    if document.kind in {"PersistentVolumeClaim", "PersistentVolume"}:
        yield from _need("StorageClass", dig(value, "spec", "storageClassName"), ("spec", "storageClassName"))


def _pod_needs(spec: Mapping[str, Any], place: Keys) -> Iterator[Need]:
    yield from _need("ServiceAccount", spec.get("serviceAccountName"), (*place, "serviceAccountName"))
    yield from _need("PriorityClass", spec.get("priorityClassName"), (*place, "priorityClassName"))
    for index, volume in enumerate(_items(spec.get("volumes"))):
        if isinstance(volume, dict):
            yield from _volume_needs(volume, (*place, "volumes", index))
    for group in ("initContainers", "containers"):
        for index, container in enumerate(_items(spec.get(group))):
            if isinstance(container, dict):
                yield from _container_needs(container, (*place, group, index))


def _volume_needs(volume: Mapping[str, Any], place: Keys) -> Iterator[Need]:
    yield from _need(
        "PersistentVolumeClaim", dig(volume, "persistentVolumeClaim", "claimName"), (*place, "persistentVolumeClaim")
    )
    sources = [(volume, place)]
    for index, source in enumerate(_items(dig(volume, "projected", "sources"))):
        if isinstance(source, dict):
            sources.append((source, (*place, "projected", "sources", index)))
    for source, where in sources:
        for field, kind, key in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            found = source.get(field)
            if not isinstance(found, dict) or found.get("optional") is True:
                continue
            named = key if key in found else "name"
            wanted = [item.get("key") for item in _items(found.get("items")) if isinstance(item, dict)]
            for entry in wanted or [""]:
                yield from _need(kind, found.get(named), (*where, field, named), entry)


def _container_needs(container: Mapping[str, Any], place: Keys) -> Iterator[Need]:
    for index, variable in enumerate(_items(container.get("env"))):
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            found = dig(variable, "valueFrom", field)
            if isinstance(found, dict) and found.get("optional") is not True:
                where = (*place, "env", index, "valueFrom", field, "key")
                yield from _need(kind, found.get("name"), where, found.get("key"))
    for index, source in enumerate(_items(container.get("envFrom"))):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            found = dig(source, field)
            if isinstance(found, dict) and found.get("optional") is not True:
                yield from _need(kind, found.get("name"), (*place, "envFrom", index, field, "name"))


def _ingress_needs(value: Mapping[str, Any]) -> Iterator[Need]:
    yield from _need("IngressClass", dig(value, "spec", "ingressClassName"), ("spec", "ingressClassName"))
    backends: list[tuple[Any, Keys]] = [
        (dig(value, "spec", "defaultBackend", "service"), ("spec", "defaultBackend", "service"))
    ]
    for index, rule in enumerate(_items(dig(value, "spec", "rules"))):
        for number, path in enumerate(_items(dig(rule, "http", "paths"))):
            where = ("spec", "rules", index, "http", "paths", number, "backend", "service")
            backends.append((dig(path, "backend", "service"), where))
    for service, place in backends:
        if isinstance(service, dict):
            port = dig(service, "port", "name") or dig(service, "port", "number")
            yield from _need("Service", service.get("name"), (*place, "name"), port)


def _route_needs(value: Mapping[str, Any]) -> Iterator[Need]:
    for index, rule in enumerate(_items(dig(value, "spec", "rules"))):
        for number, backend in enumerate(_items(dig(rule, "backendRefs"))):
            if not isinstance(backend, dict) or backend.get("namespace"):
                continue
            if backend.get("kind", "Service") == "Service" and not backend.get("group"):
                where = ("spec", "rules", index, "backendRefs", number, "name")
                yield from _need("Service", backend.get("name"), where, backend.get("port"))


def _selector(document: Document) -> Selector | None:
    value = document.value
    if (document.group, document.kind) == ("", "Service"):
        found, keys, of = dig(value, "spec", "selector"), ("spec", "selector"), "Pod"
    elif document.kind == "PodDisruptionBudget":
        found, keys, of = _plain(dig(value, "spec", "selector")), ("spec", "selector"), "Pod"
    elif document.kind == "ServiceMonitor":
        found, keys, of = _plain(dig(value, "spec", "selector")), ("spec", "selector"), "Service"
        if dig(value, "spec", "namespaceSelector"):
            return None
    else:
        return None
    labels = _labels(found)
    return Selector(of, labels, keys) if labels and len(labels) == len(found) else None


def _plain(selector: Any) -> Any:
    """The labels of a selector that has nothing else."""
    return selector.get("matchLabels") if isinstance(selector, dict) and not selector.get("matchExpressions") else None


def _need(kind: str, name: Any, keys: Keys, key: Any = "") -> Iterator[Need]:
    if isinstance(name, str) and _NAME.fullmatch(name):
        yield Need(kind, name, str(key) if isinstance(key, str | int) else "", keys)


def _items(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []
