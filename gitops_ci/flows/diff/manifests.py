"""What a unit of one side is for the comparison: its objects, where they go, and what the operator deletes."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from gitops_ci.comparing import Side
from gitops_ci.flows.diff.half import Half
from gitops_ci.rendering.deployment import DeploymentUnit
from gitops_ci.rendering.discovery import Found
from gitops_ci.rendering.documents import dig, load, text_of
from gitops_ci.rendering.parts import roles_of
from gitops_ci.yamltext import YamlError

__all__ = [
    "described",
    "differing_documents",
    "folder_of",
    "is_test",
    "plain_manifests",
    "plain_sides",
    "side_of",
]

_DOCUMENT = re.compile(r"^---(?:[ \t].*)?$\n?", re.MULTILINE)


def differing_documents(old: str | None, new: str | None) -> tuple[list[str], list[str]]:
    """The documents of both texts that the other has not: what is equal to the character is not even read."""
    before, after = (Counter(_documents(text or "")) for text in (old, new))
    return list((before - after).elements()), list((after - before).elements())


def _documents(text: str) -> list[str]:
    return [piece for piece in _DOCUMENT.split(text) if piece.strip()]


def side_of(
    unit: DeploymentUnit,
    documents: Iterable[str],
    twice: tuple[Iterable[str], Iterable[str]] = ((), ()),
    *,
    is_removed: bool,
) -> Side:
    """A unit's objects. `twice` are the documents that differ between two renderings.

    Raises:
        YamlError: what it renders to is not YAML.
    """
    cluster, namespace = _destination(unit)
    return Side(
        unit.id,
        _values(documents),
        cluster,
        namespace,
        _prunes(unit, is_removed=is_removed),
        _replaces(unit),
        *map(_values, twice),
    )


def _values(documents: Iterable[str]) -> list[Mapping[str, Any]]:
    return [one.value for document in documents for one in load("", document)]


def _destination(unit: DeploymentUnit) -> tuple[str, str]:
    """The cluster, and the namespace of objects that name none."""
    value = unit.value
    if unit.kind == "application":
        to = dig(value, "spec", "destination")
        return text_of(dig(to, "name")) or text_of(dig(to, "server")), text_of(dig(to, "namespace"))
    if unit.kind in {"helmrelease", "flux-kustomization"}:
        cluster = text_of(dig(value, "spec", "kubeConfig", "secretRef", "name"))
        own = text_of(dig(value, "spec", "targetNamespace"))
        if unit.kind == "helmrelease":
            own = own or text_of(dig(value, "metadata", "namespace"))
        return cluster, own
    if unit.kind == "fleet":
        return "", text_of(value.get("namespace")) or text_of(value.get("defaultNamespace"))
    return "", ""


def _prunes(unit: DeploymentUnit, *, is_removed: bool) -> bool | None:
    """Whether the operator deletes what is gone; of a unit that is gone itself, whether its objects go with it."""
    spec = unit.value.get("spec")
    if unit.kind == "application":
        finalizers = dig(unit.value, "metadata", "finalizers")
        if is_removed:
            return isinstance(finalizers, list) and any("resources-finalizer" in str(one) for one in finalizers)
        return dig(spec, "syncPolicy", "automated", "prune") is True
    if unit.kind == "flux-kustomization":
        return dig(spec, "prune") is True
    return True if unit.kind in {"helmrelease", "fleet"} else None


def _replaces(unit: DeploymentUnit) -> bool:
    """Whether the operator deletes and creates what the API server refuses to change.

    Helm does not: `force` sends a replacement, which the server refuses as well (helm.sh/helm pkg/kube/client.go).
    """
    spec = unit.value.get("spec")
    if unit.kind == "application":
        options = dig(spec, "syncPolicy", "syncOptions")
        return isinstance(options, list) and {"Force=true", "Replace=true"} <= set(map(str, options))
    return unit.kind == "flux-kustomization" and dig(spec, "force") is True


def is_test(value: Mapping[str, Any]) -> bool:
    """Whether an object is a test of a chart, which runs only when somebody asks (helm.sh/docs/topics/chart_tests)."""
    hook = text_of(dig(value, "metadata", "annotations", "helm.sh/hook"))
    return any(one.strip() in {"test", "test-success", "test-failure"} for one in hook.split(","))


def described(found: Found) -> list[Mapping[str, Any]]:
    """The object that describes a unit, where no output of another unit holds it."""
    is_object = found.unit.kind in {"application", "applicationset", "flux-kustomization", "helmrelease"}
    return [found.unit.value] if is_object and not found.within and found.unit.value else []


class Plain(NamedTuple):
    """The manifests that no unit takes, by file, and the files that cannot be read."""

    values: Mapping[str, list[Mapping[str, Any]]]
    unread: Mapping[str, YamlError]


def plain_manifests(half: Half, paths: Iterable[str]) -> Plain:
    """What of these files is deployed as it is."""
    wanted = [path for path in paths if path in half.tree and _may_be_manifest(path)]
    found, unread = dict[str, list[Mapping[str, Any]]](), dict[str, YamlError]()
    units = {one.unit.path for one in half.units.values()}
    for path, role in sorted(roles_of(wanted, half.deployment).items()):
        if role.role != "plain" or path in units:
            continue
        try:
            documents = half.tree.documents(path)
        except YamlError as error:
            unread[path] = error
            continue
        objects = (one for one in documents if one.kind and one.value.get("apiVersion") and one.value.get("metadata"))
        values: list[Mapping[str, Any]] = [one.value for one in objects]
        if values:
            found[path] = values
    return Plain(found, unread)


def plain_sides(plain: Plain, but: Collection[str] = ()) -> list[Side]:
    """The manifests by folder, without those of some files."""
    folders: dict[str, list[Mapping[str, Any]]] = {}
    for path, values in plain.values.items():
        if path not in but:
            folders.setdefault(folder_of(path), []).extend(values)
    return [Side(name, values) for name, values in folders.items()]


def folder_of(path: str) -> str:
    """The name of the unit that stands for a file without one."""
    return f"folder:{posixpath.dirname(path) or '.'}"


def _may_be_manifest(path: str) -> bool:
    is_hidden = any(part.startswith(".") for part in path.split("/"))
    return not is_hidden and path.endswith((".yaml", ".yml", ".json"))
