"""A kustomization as Argo CD changes it by `kustomize edit`.

Source: argo-cd util/kustomize/kustomize.go (3.6); kustomize commands/edit/add/addmetadata.go (5.8).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from gitops_ci.quantities import whole_number
from gitops_ci.rendering.argocd_environment import filled_in
from gitops_ci.rendering.argocd_source import Source
from gitops_ci.rendering.documents import dig, items, text_of
from gitops_ci.rendering.kustomization_files import described_in, folded, kustomization_value
from gitops_ci.rendering.tree import SourceTree

__all__ = ["EditError", "edited"]

_IMAGE = re.compile(r"(?P<name>[^@]*?)(?::(?P<tag>[^/:@]*))?(?:@(?P<digest>.+))?")


class EditError(ValueError):
    """An edit that kustomize refuses, so that Argo CD renders nothing."""


def edited(source: Source, tree: SourceTree) -> dict[str, Any]:
    """The kustomization of a source with the options of the Application in it.

    Raises:
        EditError: kustomize refuses an edit.
        YamlError: it cannot be read.
    """
    path = described_in(source.path, tree)
    value = dict(kustomization_value(path, tree)) if path else {}
    options = source.value.get("kustomize")
    if not isinstance(options, dict):
        return value
    for name in ("namePrefix", "nameSuffix", "namespace"):
        if text := text_of(options.get(name)):
            _put(value, name, text)
    for image in items(options, "images"):
        _set_image(value, filled_in(text_of(image), source.environment))
    for replica in items(options, "replicas"):
        _set_replicas(value, text_of(dig(replica, "name")), dig(replica, "count"))
    _add_metadata(value, options, source.environment)
    if patches := items(options, "patches"):
        _put(value, "patches", [*_listed(value, "patches"), *patches])
    if components := _components(options, source.path, tree):
        _put(value, "components", list(dict.fromkeys([*map(text_of, _listed(value, "components")), *components])))
    return value


def _components(options: Mapping[str, Any], folder: str, tree: SourceTree) -> list[str]:
    found = [text_of(one) for one in items(options, "components")]
    base = "" if folder == "." else folder
    ignores_missing = options.get("ignoreMissingComponents") is True
    return [one for one in found if not ignores_missing or tree.resolve(posixpath.join(base, one))]


def _put(value: dict[str, Any], name: str, new: Any) -> None:
    """Set a field, in whatever case it is written."""
    for key in [key for key in value if key.lower() == name.lower()]:
        del value[key]
    value[name] = new


def _listed(value: Mapping[str, Any], name: str) -> list[Any]:
    found = folded(value).get(name.lower())
    return list(found) if isinstance(found, list) else []


def _set_image(value: dict[str, Any], text: str) -> None:
    """`NAME=NEWNAME:TAG@DIGEST`, each part but the first left out at will (kustomize edit set image)."""
    name, separator, new = text.partition("=")
    found = _IMAGE.fullmatch(new if separator else text)
    if found is None:
        return
    if not separator:
        name = found["name"]
    images = [dict(one) for one in _listed(value, "images") if isinstance(one, dict)]
    known = next((one for one in images if one.get("name") == name), None)
    if known is None:
        known = {"name": name}
        images.append(known)
    if separator and found["name"] != "*":
        known["newName"] = found["name"]
    if found["tag"] or found["digest"]:
        for key, part in (("newTag", found["tag"]), ("digest", found["digest"])):
            known.pop(key, None)
            if part and part != "*":
                known[key] = part
    _put(value, "images", images)


def _set_replicas(value: dict[str, Any], name: str, count: Any) -> None:
    number = whole_number(text_of(count))
    others = [one for one in _listed(value, "replicas") if dig(one, "name") != name]
    _put(value, "replicas", [*others, {"name": name, "count": count if number is None else number}])


def _add_metadata(value: dict[str, Any], options: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    labels, annotations = options.get("commonLabels"), options.get("commonAnnotations")
    if isinstance(labels, dict) and labels:
        texts = {key: filled_in(text_of(one), environment) for key, one in labels.items()}
        _add_labels(value, texts, options)
    if isinstance(annotations, dict) and annotations:
        texts = {key: text_of(one) for key, one in annotations.items()}
        if options.get("commonAnnotationsEnvsubst") is True:
            texts = {key: filled_in(text, environment) for key, text in texts.items()}
        known = _mapped(value, "commonAnnotations")
        _put(value, "commonAnnotations", _added(known, texts, options, "commonAnnotations"))


def _add_labels(value: dict[str, Any], texts: dict[str, str], options: Mapping[str, Any]) -> None:
    in_templates = options.get("labelIncludeTemplates") is True
    if options.get("labelWithoutSelector") is not True:
        if in_templates:
            raise EditError("labelIncludeTemplates needs labelWithoutSelector: kustomize refuses it alone")
        _put(value, "commonLabels", _added(_mapped(value, "commonLabels"), texts, options, "commonLabels"))
        return
    entries = [dict(one) if isinstance(one, dict) else one for one in _listed(value, "labels")]
    like = next((one for one in entries if isinstance(one, dict) and _is_for_no_selector(one, in_templates)), None)
    if like is None:
        like = {"includeTemplates": True} if in_templates else {}
        entries.append(like)
    _put(like, "pairs", _added(_mapped(like, "pairs"), texts, options, "commonLabels"))
    _put(value, "labels", entries)


def _is_for_no_selector(entry: Mapping[str, Any], in_templates: bool) -> bool:
    found = folded(entry)
    return found.get("includeselectors") is not True and (found.get("includetemplates") is True) == in_templates


def _added(known: dict[str, Any], texts: dict[str, str], options: Mapping[str, Any], field: str) -> dict[str, Any]:
    force = f"force{field[0].upper()}{field[1:]}"
    twice = sorted(known.keys() & texts.keys())
    if twice and options.get(force) is not True:
        raise EditError(f"{field} has '{twice[0]}', which the kustomization has already: kustomize needs {force}")
    return known | texts


def _mapped(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = folded(value).get(name.lower())
    return dict(found) if isinstance(found, dict) else {}
