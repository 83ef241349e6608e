"""Flux HelmReleases whose chart is in Git, rendered with their values under their name.

Source: fluxcd.io/flux/components/helm/helmreleases; helm-controller (internal/release, internal/postrender),
github.com/fluxcd/pkg/chartutil (values.go); source-controller (internal/helm/chart, valuesFiles).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from gitops_ci.rendering.base import BuildError, join, path_argument
from gitops_ci.rendering.chart_files import CHART, collect_chart
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Recipe, Repository, Step
from gitops_ci.rendering.documents import Document, dig, items, load, text_of
from gitops_ci.rendering.flux_sources import Location, locate
from gitops_ci.rendering.helm_command import OWN_FOLDER, Installation, merged
from gitops_ci.rendering.helm_values import BadValue, set_value, set_value_from_text
from gitops_ci.rendering.kustomization_edits import metadata_transformers, written
from gitops_ci.yamltext import YamlError

__all__ = ["closure", "describe", "recipe"]

_GROUP = "helm.toolkit.fluxcd.io"
_LONGEST_NAME = 53
_HASH = 12


def describe(files: Sequence[str], documents: Sequence[Document], repository: Repository) -> Iterable[DeploymentUnit]:
    """Each HelmRelease."""
    del files, repository
    for one in documents:
        has_chart = dig(one.value, "spec", "chart") or dig(one.value, "spec", "chartRef")
        if one.kind == "HelmRelease" and one.group == _GROUP and has_chart:
            name = f"{one.namespace}/{one.name}" if one.namespace else one.name
            cluster = text_of(dig(one.value, "spec", "kubeConfig", "secretRef", "name"))
            chart = text_of(dig(one.value, "spec", "chart", "spec", "chart"))
            destination = f"{cluster}/{_namespace(one.value)}".strip("/")
            yield DeploymentUnit(
                f"helmrelease:{name}", "helmrelease", one.path, one.line, chart, destination, one.value
            )


def _namespace(value: Mapping[str, Any]) -> str:
    return text_of(dig(value, "spec", "targetNamespace")) or text_of(dig(value, "metadata", "namespace"))


def _chart(unit: DeploymentUnit, repository: Repository) -> tuple[Any, DeploymentUnit]:
    """What says which chart it is, None where nothing in Git does, and the object that says so."""
    spec = dig(unit.value, "spec", "chart", "spec")
    reference = dig(unit.value, "spec", "chartRef")
    if spec is not None or dig(reference, "kind") != "HelmChart":
        return spec, unit
    namespace = text_of(dig(reference, "namespace")) or text_of(dig(unit.value, "metadata", "namespace"))
    found = repository.named("HelmChart", text_of(dig(reference, "name")), namespace, unit)
    return (dig(found.value, "spec"), replace(unit, value=found.value)) if found else (None, unit)


def _chart_name(unit: DeploymentUnit, repository: Repository) -> str:
    return text_of(dig(_chart(unit, repository)[0], "chart"))


def _location(unit: DeploymentUnit, repository: Repository) -> Location:
    spec, owner = _chart(unit, repository)
    if spec is None:
        reference = dig(unit.value, "spec", "chartRef")
        name = f"the {text_of(dig(reference, 'kind'))} '{text_of(dig(reference, 'name'))}'"
        return Location(".", "", f"its chart is {name}", "Render it with that chart, and check the output.")
    kind = text_of(dig(spec, "sourceRef", "kind"))
    if kind not in {"GitRepository", "ExternalArtifact"}:
        chart = f"chart {text_of(dig(spec, 'chart'))} {text_of(dig(spec, 'version'))}".strip()
        name = text_of(dig(spec, "sourceRef", "name"))
        return Location(".", "", f"it needs {chart} of the {kind} '{name}'", "Copy the chart into the repository.")
    return locate(text_of(dig(spec, "chart")), dig(spec, "sourceRef"), owner, repository)


def closure(unit: DeploymentUnit, repository: Repository) -> Closure:
    """The chart with its dependencies, and the files of values that the release names."""
    made = Closure()
    place = _location(unit, repository)
    tree = place.tree(repository)
    chart = _chart_name(unit, repository)
    if place.elsewhere or "${" in chart:
        made.skip = place.elsewhere or f"its chart '{chart}' is filled in where it is deployed"
        made.remedy, made.pinned = place.remedy, place.pinned
        return made
    if not tree.is_file(join(place.path, CHART)):
        if place.source:
            made.skip = f"its chart is in {place.source}, which is not in this repository"
            made.remedy = "Render it with that chart, and check the output."
            return made
        message = f"there is no chart in '{chart}'"
        made.problems.append(BuildError("missing-path", unit.path, unit.line, 1, message))
        made.error = message
        return made
    folder = tree.resolve(place.path) or place.path
    collect_chart(folder, tree, made)
    made.parts |= made.files
    for path in _values_files(unit, repository):
        target = _location_of(path, unit, repository)
        if tree.is_file(target):
            made.files.add(tree.resolve(target) or target)
            made.parts.add(tree.resolve(target) or target)
        elif dig(_chart(unit, repository)[0], "ignoreMissingValuesFiles") is not True:
            made.error = made.error or f"there is no values file '{path}'"
    try:
        values_of(unit, repository)
    except BadValue as error:
        made.error = made.error or f"spec.valuesFrom: {error}"
    if made.remote and not made.skip:
        made.skip = f"it needs {', '.join(made.remote)}"
        made.remedy = "Use --allow-remote to fetch it, or copy it into charts/."
    return made


def _values_files(unit: DeploymentUnit, repository: Repository) -> list[str]:
    return [text_of(one) for one in items(_chart(unit, repository)[0], "valuesFiles")]


def _location_of(path: str, unit: DeploymentUnit, repository: Repository) -> str:
    spec, owner = _chart(unit, repository)
    return locate(path, dig(spec, "sourceRef"), owner, repository).path


def recipe(unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
    """Template the chart, then let each post-renderer build what came before."""
    spec = unit.value.get("spec")
    place = _location(unit, repository)
    tree = place.tree(repository)
    folder = tree.resolve(place.path) or "."
    made = Installation(folder, _release_name(unit.value), _namespace(unit.value))
    made.kubernetes_version = repository.kubernetes_version
    made.include_crds = text_of(dig(spec, "install", "crds")) != "Skip" and dig(spec, "install", "skipCRDs") is not True
    made.skip_tests = dig(spec, "test", "enable") is not True
    made.skip_schema = dig(spec, "install", "disableSchemaValidation") is True
    made.add_values(values_of(unit, repository))
    texts = dict(made.written)
    if names := [
        one for path in _values_files(unit, repository) if tree.is_file(one := _location_of(path, unit, repository))
    ]:
        # The files stand in for the chart's own values.
        texts[join(folder, "values.yaml")] = json.dumps(
            merged([_values_in(name, tree.text(name) or "") for name in names])
        )
    renderers = [one for one in (*_post_renderers(spec), _common_metadata(spec)) if one]
    steps = [made.step(_input(0) if renderers else "")]
    for number, renderer in enumerate(renderers):
        at = f"{OWN_FOLDER}/post-{number}"
        texts[f"{at}/kustomization.yaml"] = written(
            {"resources": ["input.yaml"], "sortOptions": {"order": "fifo"}} | renderer
        )
        into = _input(number + 1) if number + 1 < len(renderers) else ""
        steps.append(Step("kustomize", ("--", path_argument(at)), into))
    return Recipe(frozenset(closure.files), dict(closure.copies), dict(closure.links), texts, tuple(steps))


def _input(number: int) -> str:
    return f"{OWN_FOLDER}/post-{number}/input.yaml"


def _release_name(value: Mapping[str, Any]) -> str:
    """The name that helm-controller gives, shortened with a hash if need be (internal/release/name.go)."""
    spec = value.get("spec")
    if given := text_of(dig(spec, "releaseName")):
        return given
    name, namespace = text_of(dig(value, "metadata", "name")), text_of(dig(spec, "targetNamespace"))
    whole = f"{namespace}-{name}" if namespace else name
    if len(whole) <= _LONGEST_NAME:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_HASH]
    return f"{whole[: _LONGEST_NAME - _HASH - 1]}-{digest}"


def values_of(unit: DeploymentUnit, repository: Repository) -> dict[str, Any]:
    """Values from objects in order, then those in the release; what is in a Secret, or in no file, is not known.

    Raises:
        BadValue: a value cannot be set where it should be.
    """
    spec = unit.value.get("spec")
    given = dig(spec, "values")
    # Go shares what is below the first level of inline values with the result: what a path sets there stays.
    inline = deepcopy(given) if isinstance(given, dict) else {}
    made: dict[str, Any] = {}
    for reference in items(spec, "valuesFrom"):
        found = _text_in(reference, unit, repository)
        if found is None:
            continue
        path, text = found
        if target := text_of(dig(reference, "targetPath")):
            made = merged([made, inline])
            _set(made, target, text, is_literal=dig(reference, "literal") is True)
        else:
            made = merged([made, _values_in(path, text)])
    return merged([made, inline])


def _text_in(reference: object, unit: DeploymentUnit, repository: Repository) -> tuple[str, str] | None:
    """The file and the text that a source of values has in Git; None for one that is not here to be read."""
    kind, name = text_of(dig(reference, "kind")), text_of(dig(reference, "name"))
    found = repository.named(kind, name, text_of(dig(unit.value, "metadata", "namespace")), unit)
    if found is None or kind != "ConfigMap" or isinstance(found.value.get("sops"), dict):
        return None
    text = dig(found.value, "data", text_of(dig(reference, "valuesKey")) or "values.yaml")
    return None if text is None else (found.path, text_of(text))


def is_fully_known(unit: DeploymentUnit, repository: Repository) -> bool:
    """Whether every source of values is here to be read: only then is a refusal of the chart an error."""
    return all(_text_in(one, unit, repository) for one in items(dig(unit.value, "spec"), "valuesFrom"))


def _values_in(path: str, text: str) -> dict[str, Any]:
    try:
        found = load(path, text)
    except YamlError:
        return {}
    return found[0].value if found else {}


def _set(values: dict[str, Any], target: str, text: str, *, is_literal: bool) -> None:
    """Set a text at a path: in quotes it is a text, else what it looks like.

    Raises:
        BadValue: it cannot be set there.
    """
    is_quoted = text[:1] in {"'", '"'} and text[:1] == text[-1:]
    if is_literal:
        set_value(values, target, text)
    else:
        set_value_from_text(values, target, text.strip("'\"") if is_quoted else text, is_typed=not is_quoted)


def _post_renderers(spec: Any) -> list[dict[str, Any]]:
    found = []
    for one in items(spec, "postRenderers"):
        said = dig(one, "kustomize")
        made = {
            "patches": [_without_path(patch) for patch in items(said, "patches")],
            "images": items(said, "images"),
            "patchesStrategicMerge": [json.dumps(patch) for patch in items(said, "patchesStrategicMerge")],
            "patchesJson6902": [
                _without_path(patch) | {"patch": json.dumps(dig(patch, "patch"))}
                for patch in items(said, "patchesJson6902")
            ],
        }
        found.append({name: value for name, value in made.items() if value})
    return found


def _without_path(patch: Any) -> dict[str, Any]:
    """A post-renderer reads no file."""
    return {key: value for key, value in patch.items() if key != "path"} if isinstance(patch, dict) else {}


def _common_metadata(spec: Any) -> dict[str, Any]:
    labels, annotations = dig(spec, "commonMetadata", "labels"), dig(spec, "commonMetadata", "annotations")
    made = metadata_transformers(
        labels if isinstance(labels, dict) else {}, annotations if isinstance(annotations, dict) else {}
    )
    return {"transformers": made} if made else {}
