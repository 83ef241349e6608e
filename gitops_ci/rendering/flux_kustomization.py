"""Flux Kustomizations: a folder, built and changed as kustomize-controller does it.

Source: github.com/fluxcd/pkg/kustomize 1.41 (kustomize_generator.go: GenerateManifest, Build; kustomize_varsub.go);
fluxcd.io/flux/components/kustomize/kustomizations.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering import kustomization_files
from gitops_ci.rendering.base import BuildError
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Output, Recipe, Repository
from gitops_ci.rendering.documents import Document, dig, items, text_of
from gitops_ci.rendering.flux_sources import Location, locate
from gitops_ci.rendering.flux_variables import Variables, substituted, variables_of
from gitops_ci.rendering.kustomization_edits import (
    as_read_by_go,
    generated,
    kustomize_recipe,
    metadata_transformers,
)
from gitops_ci.rendering.kustomization_files import described_in, kustomization_value
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["closure", "describe", "recipe"]

GROUP = "kustomize.toolkit.fluxcd.io"


def describe(files: Sequence[str], documents: Sequence[Document], repository: Repository) -> Iterable[DeploymentUnit]:
    """Each Kustomization of Flux's group."""
    del files, repository
    for one in documents:
        if one.kind == "Kustomization" and one.group == GROUP:
            name = f"{one.namespace}/{one.name}" if one.namespace else one.name
            cluster = text_of(dig(one.value, "spec", "kubeConfig", "secretRef", "name"))
            destination = f"{cluster}/{text_of(dig(one.value, 'spec', 'targetNamespace'))}".strip("/")
            yield DeploymentUnit(
                f"flux-kustomization:{name}",
                "flux-kustomization",
                one.path,
                one.line,
                text_of(dig(one.value, "spec", "path")) or ".",
                destination,
                one.value,
            )


def _location(unit: DeploymentUnit, repository: Repository) -> Location:
    return locate(unit.source, dig(unit.value, "spec", "sourceRef"), unit, repository)


def closure(unit: DeploymentUnit, repository: Repository) -> Closure:
    """What the build reads: the folder's files, or those of its kustomization, and components."""
    made = Closure()
    place = _location(unit, repository)
    if place.elsewhere or "${" in unit.source:
        made.skip = place.elsewhere or f"its path '{unit.source}' is filled in where it is deployed"
        made.remedy, made.pinned = place.remedy, place.pinned
        return made
    tree = place.tree(repository)
    folder = tree.resolve(place.path)
    if folder is None or not tree.is_folder(folder):
        if place.source:
            made.skip = f"its folder is in {place.source}, which is not in this repository"
            return made
        message = f"there is no folder '{unit.source}' in this repository"
        if repository.tree.is_folder(place.path):
            message = f"'{unit.source}' is not in its source: spec.ignore, .sourceignore or a default leaves it out"
        made.problems.append(BuildError("missing-path", unit.path, unit.line, 1, message))
        made.error = message
        return made
    try:
        value = _kustomization(unit, folder, tree)
    except YamlError as error:
        made.error = f"the kustomization in {folder} cannot be read: line {error.line}: {error.reason}"
        return made
    if bad := next((one for one in value.get("components", ()) if one.startswith("/")), ""):
        made.refuse(f"{unit.path}:{unit.line}: the component '{bad}' leads out of the repository")
        return made
    # What folders bring is remembered for a tree: that of the source is asked only where it matters.
    whole = kustomization_files.collect(folder, repository.tree, value)
    uses_hidden = not tree.hidden.isdisjoint(whole.files)
    made.absorb(kustomization_files.collect(folder, tree, value) if uses_hidden else whole)
    made.links |= tree.links_on(place.path)
    if made.inflating and not made.error:
        made.error = f"Flux does not inflate the Helm charts of {next(iter(made.inflating))}: use a HelmRelease"
    return made


def recipe(unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
    """Build the changed kustomization without load restrictions, then fill in variables."""
    place = _location(unit, repository)
    tree = place.tree(repository)
    folder = tree.resolve(place.path) or "."
    variables = variables_of(unit, repository)
    value = _kustomization(unit, folder, tree)
    path = described_in(folder, tree) or ""
    if path in closure.rewritten:
        value = as_read_by_go(closure.rewritten[path])
    value["transformers"] = [*value.get("transformers", ()), *_common_metadata(unit, variables)]
    # Flux keeps the order in which objects are read; what kustomize's program does by itself is another one.
    value.setdefault("sortOptions", {"order": "fifo"})
    made = kustomize_recipe(folder, closure, tree, value)
    return replace(made, finish=_Finish(variables))


@dataclass(frozen=True, slots=True)
class _Finish:
    variables: Variables

    def __call__(self, text: str) -> Output:
        return substituted(text, self.variables) if self.variables.is_used else Output(text)


def _kustomization(unit: DeploymentUnit, folder: str, tree: SourceTree) -> dict[str, Any]:
    """The folder's kustomization with what the Kustomization adds.

    Raises:
        YamlError: the folder's own one cannot be read.
    """
    path = described_in(folder, tree)
    value = as_read_by_go(kustomization_value(path, tree) if path else generated(folder, tree))
    value.setdefault("apiVersion", "kustomize.config.k8s.io/v1beta1")
    value.setdefault("kind", "Kustomization")
    if path and not value.get("resources"):
        value["buildMetadata"] = ["originAnnotations"]
    spec = unit.value.get("spec")
    if not isinstance(spec, dict):
        return value
    for field_name, name in (("targetNamespace", "namespace"), ("namePrefix",) * 2, ("nameSuffix",) * 2):
        if isinstance(text := spec.get(field_name), str):
            value[name] = text
    _append(value, "patches", [_patch(one) for one in items(spec, "patches") if isinstance(one, dict)])
    _append(value, "components", _components(spec, folder, tree))
    _append(value, "patchesStrategicMerge", [json.dumps(one) for one in items(spec, "patchesStrategicMerge")])
    _append(
        value, "patchesJson6902", [_json_patch(one) for one in items(spec, "patchesJson6902") if isinstance(one, dict)]
    )
    _add_images(value, items(spec, "images"))
    if metadata := [text_of(one) for one in items(spec, "buildMetadata")]:
        value["buildMetadata"] = metadata
    return value


def _append(value: dict[str, Any], name: str, more: list[Any]) -> None:
    if more:
        value[name] = [*(value.get(name) or ()), *more]


def _patch(patch: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"patch": text_of(patch.get("patch"))}
    return made | _target(patch)


def _json_patch(patch: Mapping[str, Any]) -> dict[str, Any]:
    return {"patch": json.dumps(patch.get("patch"))} | _target(patch)


def _target(patch: Mapping[str, Any]) -> dict[str, Any]:
    target = patch.get("target")
    if not isinstance(target, dict):
        return {}
    known = ("group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector")
    return {"target": {key: text_of(target[key]) for key in known if key in target}}


def _components(spec: Mapping[str, Any], folder: str, tree: SourceTree) -> list[str]:
    ignores_missing = spec.get("ignoreMissingComponents") is True
    found = [text_of(one) for one in items(spec, "components")]
    base = "" if folder == "." else folder
    return [one for one in found if not ignores_missing or tree.resolve(posixpath.join(base, one))]


def _add_images(value: dict[str, Any], images: list[Any]) -> None:
    """An image that both name: what the Kustomization says wins, field by field; a tag and a digest are one field."""
    own = [dict(one) for one in value.get("images") or () if isinstance(one, dict)]
    for image in images:
        if not isinstance(image, dict):
            continue
        new = {key: text_of(image.get(key)) for key in ("name", "newName", "newTag", "digest")}
        known = next((one for one in own if one.get("name") == new["name"]), None)
        if known is None:
            own.append({key: text for key, text in new.items() if text})
            continue
        if new["newName"]:
            known["newName"] = new["newName"]
        if new["newTag"] or new["digest"]:
            known |= {"newTag": new["newTag"], "digest": new["digest"]}
    if own:
        value["images"] = own


def _common_metadata(unit: DeploymentUnit, variables: Variables) -> list[str]:
    """It is set after variables are filled in, so none is filled in inside it: dollars are doubled."""
    common = dig(unit.value, "spec", "commonMetadata")

    def texts(name: str) -> dict[str, str]:
        found = dig(common, name)
        plain = {key: text_of(one) for key, one in found.items()} if isinstance(found, dict) else {}
        return {key: one.replace("$", "$$") for key, one in plain.items()} if variables.is_used else plain

    return metadata_transformers(texts("labels"), texts("annotations"))
