"""A kustomization as Argo CD changes it by `kustomize edit`.

Source: argo-cd util/kustomize/kustomize.go (3.6); kustomize 5.8 commands/edit (add/addmetadata.go, add/addcomponent.go,
set/setimage.go).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from gitops_ci.display import shorten
from gitops_ci.quantities import whole_number
from gitops_ci.rendering.argocd_environment import filled_in
from gitops_ci.rendering.argocd_globs import is_glob, path_match
from gitops_ci.rendering.argocd_source import Source
from gitops_ci.rendering.documents import dig, items, text_of
from gitops_ci.rendering.kustomization_files import described_in, folded, kustomization_value
from gitops_ci.rendering.tree import SourceTree

__all__ = ["EditError", "edited"]

_KEPT = "*"
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
    if images := [filled_in(text_of(one), source.environment) for one in items(options, "images")]:
        _set_images(value, images)
    for replica in items(options, "replicas"):
        _set_replicas(value, text_of(dig(replica, "name")), dig(replica, "count"))
    _add_metadata(value, options, source.environment)
    if patches := items(options, "patches"):
        _put(value, "patches", [*_listed(value, "patches"), *patches])
    if components := _components(options, source.path, tree):
        _put(value, "components", list(dict.fromkeys([*map(text_of, _listed(value, "components")), *components])))
    return value


def _components(options: Mapping[str, Any], folder: str, tree: SourceTree) -> list[str]:
    """Components, a glob as what it matches; Argo CD takes a glob for a name where missing ones are left out."""
    found = [text_of(one) for one in items(options, "components")]
    base = "" if folder == "." else folder
    if options.get("ignoreMissingComponents") is True:
        return [one for one in found if tree.resolve(posixpath.join(base, one))]
    return [name for one in found for name in (_matching(one, base, tree) if is_glob(one) else (one,))]


def _matching(glob: str, base: str, tree: SourceTree) -> list[str]:
    wanted = posixpath.normpath(posixpath.join(base, glob))
    found = sorted(one for one in (*tree.folders, *tree.names) if path_match(wanted, one))
    return [posixpath.relpath(one, base or ".") for one in found] or [glob]


def _put(value: dict[str, Any], name: str, new: Any) -> None:
    """Set a field, in whatever case it is written."""
    for key in [key for key in value if key.lower() == name.lower()]:
        del value[key]
    value[name] = new


def _listed(value: Mapping[str, Any], name: str) -> list[Any]:
    found = folded(value).get(name.lower())
    return list(found) if isinstance(found, list) else []


def _set_images(value: dict[str, Any], texts: list[str]) -> None:
    """Each replaces what the kustomization has for the name; a star keeps a part of it (kustomize edit set image)."""
    given = {one["name"]: one for one in map(_image, texts)}
    known = {text_of(one.get("name")): dict(one) for one in _listed(value, "images") if isinstance(one, dict)}
    for name, one in given.items():
        kept = {key: text_of(known.get(name, {}).get(key)) for key, part in one.items() if part == _KEPT}
        known[name] = {key: part for key, part in {**one, **kept}.items() if part}
    _put(value, "images", [known[name] for name in sorted(known)])


def _image(text: str) -> dict[str, str]:
    """`NAME=NEWNAME:TAG@DIGEST`; without `=` it has a tag or a digest."""
    name, separator, new = text.partition("=")
    found = _IMAGE.fullmatch(new if separator else text)
    if found is None or (not separator and found["name"] == text):
        raise EditError(f"the image '{text}' has neither a tag nor a digest, nor another name: kustomize refuses it")
    tag, digest = found["tag"] or "", found["digest"] or ""
    if not separator:
        return {"name": found["name"], "newTag": tag, "digest": digest}
    return {"name": name, "newName": found["name"], "newTag": tag, "digest": digest}


def _set_replicas(value: dict[str, Any], name: str, count: Any) -> None:
    text = text_of(count)
    number = whole_number(text[1:] if text.startswith(("+", "-")) else text)
    if number is None:
        raise EditError(f"kustomize.replicas: the count of '{name}' is '{shorten(text, 40)}', which is no whole number")
    others = [one for one in _listed(value, "replicas") if dig(one, "name") != name]
    _put(value, "replicas", [*others, {"name": name, "count": -number if text.startswith("-") else number}])


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
