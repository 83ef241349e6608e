"""Argo CD: Application and ApplicationSet, single and multi source, and `.argocd-source-*.yaml`.

Source: argo-cd.readthedocs.io/en/stable/user-guide: `helm.parameters` (names are dotted paths into the values),
`helm.values`, `helm.valuesObject`; `kustomize.images` are strings `[name=]image[:tag|@digest]`; Argo CD's image
updater and `argocd app set` write overrides to `.argocd-source.yaml` and `.argocd-source-<application>.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from gitops_ci.formats.parts import one_string, parts
from gitops_ci.formats.places import Place, below, object_of
from gitops_ci.formats.scan import scan, site
from gitops_ci.formats.source import Entry, Source
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import Alias, Mapping, Scalar, Sequence

ID = "argocd"

_KINDS = frozenset({"Application", "ApplicationSet"})


def find(source: Source) -> Iterator[ImageSite]:
    name = PurePosixPath(source.path).name
    is_override = name == ".argocd-source.yaml" or (name.startswith(".argocd-source-") and name.endswith(".yaml"))
    for root in source.yaml.documents:
        what = object_of(root)
        if not (is_override or (what and what.group == "argoproj.io" and what.kind in _KINDS)):
            continue
        # An override is laid over the Application of its name; they never hold values but parameters.
        resource = "" if what else f"Application/{name.removeprefix('.argocd-source-').removesuffix('.yaml')}"
        for place in below(root, resource=resource):
            if isinstance(place.node, Sequence) and place.key == "parameters":
                yield from _parameters(source, place.node, place)
            elif isinstance(place.node, Sequence) and place.key == "images":
                yield from _overrides(source, place.node, place)
        yield from scan(source, root, format_id=ID, resource=resource)


def _parameters(source: Source, node: Sequence, place: Place) -> Iterator[ImageSite]:
    """`- {name: image.tag, value: v1}`: dotted paths into the values, so those of one path belong together."""
    by_path: dict[str, dict[str, Entry]] = {}
    for item in node.items:
        if isinstance(item, Mapping) and (value := source.entries(item).get("value")):
            path, _, last = item.text("name").rpartition(".")
            by_path.setdefault(path, {})[last] = value
    for path, entries in by_path.items():
        keys = tuple(path.split(".")) if path else ()
        here = replace(place, layers=place.resource, keys=keys)
        for found in parts(source, entries, parent=keys[-1] if keys else ""):
            yield site(source, found, here, format_id=ID)


def _overrides(source: Source, node: Sequence, place: Place) -> Iterator[ImageSite]:
    for item in node.items:
        target = item.target if isinstance(item, Alias) else item
        if isinstance(target, Scalar):
            for found in one_string(source, Entry(target, target, item if isinstance(item, Alias) else None)):
                yield site(source, found, place, format_id=ID)
