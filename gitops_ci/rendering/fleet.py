"""Fleet bundles: a folder with fleet.yaml, once as it is and once for each target customization.

Source: github.com/rancher/fleet 0.16 (internal/bundlereader, internal/helmdeployer/{render,kustomize,rawyaml},
internal/cmd/controller/options/calculate.go); fleet.rancher.io/ref-fleet-yaml. Values files win over `values`.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gitops_ci.rendering.base import join
from gitops_ci.rendering.chart_files import CHART, collect_chart
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Recipe, Repository, Step
from gitops_ci.rendering.documents import Document, dig, items, load, text_of
from gitops_ci.rendering.fleet_overlays import TEMPLATES, overlay_closure, overlay_recipe
from gitops_ci.rendering.helm_command import OWN_FOLDER, Installation, merged
from gitops_ci.rendering.kustomization_edits import kustomize_recipe
from gitops_ci.rendering.kustomization_files import collect, kustomization_value
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["closure", "describe", "recipe"]

_NAMES = frozenset({"fleet.yaml", "fleet.yml"})
# What a target says of it is not taken over (options.Merge).
_NOT_MERGED = frozenset({"skipSchemaValidation"})
_MANIFESTS = "fleet-manifests.yaml"


def describe(files: Sequence[str], documents: Sequence[Document], repository: Repository) -> Iterable[DeploymentUnit]:
    """Each bundle of a fleet.yaml, and of an options file that a GitRepo names."""
    for path in files:
        if posixpath.basename(path) in _NAMES:
            yield from _bundle(posixpath.dirname(path) or ".", path, "", repository.tree)
    for one in documents:
        if one.kind == "GitRepo" and one.group == "fleet.cattle.io":
            for bundle in items(one.value.get("spec"), "bundles"):
                folder = posixpath.normpath(text_of(dig(bundle, "base")).lstrip("/")) or "."
                path = join(folder, text_of(dig(bundle, "options")))
                if dig(bundle, "options") and repository.tree.is_file(path):
                    yield from _bundle(folder, path, text_of(dig(bundle, "options")), repository.tree)


def _bundle(folder: str, path: str, options: str, tree: SourceTree) -> Iterable[DeploymentUnit]:
    try:
        found = tree.documents(path)
    except YamlError:
        return  # the check of the file reports it
    value = found[0].value if found else {}
    name = f"fleet:{folder}" + (f"#{options}" if options else "")
    customizations = [one for one in items(value, "targetCustomizations") if isinstance(one, dict)]
    whole = _merged_options(value, {})
    yield DeploymentUnit(name, "fleet", path, 1, folder, _namespace(whole), whole, is_assumed=bool(customizations))
    for number, one in enumerate(customizations):
        if one.get("doNotDeploy") is True:
            continue
        own = _merged_options(value, one)
        yield DeploymentUnit(
            f"{name}#{text_of(one.get('name')) or number}", "fleet", path, 1, folder, _namespace(own), own
        )


def _namespace(value: Mapping[str, Any]) -> str:
    return text_of(value.get("namespace")) or text_of(value.get("defaultNamespace"))


def _merged_options(base: Mapping[str, Any], custom: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a bundle with those of one target over them (options.Merge)."""
    made: dict[str, Any] = {
        name: text_of(custom.get(name)) or text_of(base.get(name)) for name in ("namespace", "defaultNamespace")
    }
    base_helm = base.get("helm")
    helm = [one for source in (base, custom) if isinstance(one := source.get("helm"), dict)]
    if isinstance(one := custom.get("helm"), dict):
        helm[-1] = {key: value for key, value in one.items() if key not in _NOT_MERGED}
    made["helm"] = merged([{key: value for key, value in one.items() if value not in (None, "")} for one in helm])
    # Each level's files are read into its values before the levels are merged; those of a bundle that names no chart
    # are not read at all (readResources).
    is_of_chart = bool(dig(base, "helm", "chart") or dig(base, "helm", "repo"))
    made["values"] = [
        (
            one.get("values"),
            [text_of(path) for path in items(one, "valuesFiles")] if one is not base_helm or is_of_chart else [],
        )
        for one in helm
    ]
    made["kustomize"] = text_of(dig(custom, "kustomize", "dir")) or text_of(dig(base, "kustomize", "dir")) or "."
    made["overlays"] = [text_of(name) for one in (base, custom) for name in items(dig(one, "yaml"), "overlays")]
    return made


def closure(unit: DeploymentUnit, repository: Repository) -> Closure:
    """The files of the bundle's folder that its style takes; Fleet sees no others."""
    tree = repository.tree
    made = Closure()
    if not tree.is_folder(unit.source):
        made.error = f"there is no folder '{unit.source}' in this repository"
        return made
    made.files.add(unit.path)
    chart = _chart_folder(unit, tree)
    _chart_closure(chart, unit, tree, made)
    if kustomization := _kustomization(unit, tree):
        made.is_indivisible = bool(made.remote)
        made.absorb(_kustomize_closure(unit, kustomization, tree))
    elif chart is None and not made.remote:
        made.absorb(overlay_closure(unit.source, unit.value["overlays"], unit.path, tree))
    # Files of values are read where they are; only what is in the folder gets into the bundle.
    allowed = {*made.copies.values(), *map(tree.resolve, _values_files(unit))}
    outside = next((path for path in sorted(made.files) if not _is_in(unit.source, path) and path not in allowed), "")
    if outside and not made.refused:
        made.error = made.error or f"Fleet reads only files of the bundle's folder, and {outside} is not in it"
    if made.remote and not made.skip:
        made.skip = f"it needs {', '.join(made.remote)}"
        made.remedy = "Copy it into the repository to have it checked."
    return made


def _chart_folder(unit: DeploymentUnit, tree: SourceTree) -> str | None:
    """The folder of a bundle's chart, None when it has none, or one that is elsewhere."""
    named = text_of(unit.value["helm"].get("chart"))
    if "://" in named or text_of(unit.value["helm"].get("repo")):
        return None
    folder = join(unit.source, named)
    return folder if tree.is_file(join(folder, CHART)) else None


def _chart_closure(chart: str | None, unit: DeploymentUnit, tree: SourceTree, made: Closure) -> None:
    helm = unit.value["helm"]
    if chart is not None:
        collect_chart(chart, tree, made)
        made.parts |= made.files
    for path in _values_files(unit):
        if tree.leads_out(path):
            made.refuse(f"{unit.path}: '{path}' leads out of the repository")
        elif tree.is_file(path):
            made.files.add(tree.resolve(path) or path)
            made.parts.add(tree.resolve(path) or path)
        else:
            made.error = made.error or f"there is no values file '{path}'"
    named = text_of(helm.get("chart")) or text_of(helm.get("repo"))
    if chart is None and named:
        made.lend(sorted(made.parts))
        origin = text_of(helm.get("repo"))
        made.remote[f"chart {named} {text_of(helm.get('version'))}".strip() + (f" of {origin}" if origin else "")] = (
            None
        )


def _values_files(unit: DeploymentUnit) -> list[str]:
    return [join(unit.source, one) for _, paths in unit.value["values"] for one in paths]


def is_fully_known(unit: DeploymentUnit) -> bool:
    """Whether its values are all in the repository: they may be of the cluster, or templates over its labels."""
    helm = unit.value["helm"]
    texts = json.dumps([one for one, _ in unit.value["values"]])
    return not (helm.get("valuesFrom") or helm.get("templateValues") or "${" in texts or "global.fleet." in texts)


def _kustomize_folder(unit: DeploymentUnit) -> str:
    return join(unit.source, unit.value["kustomize"])


def _kustomization(unit: DeploymentUnit, tree: SourceTree) -> str | None:
    """The path of the bundle's kustomization: Fleet knows one name for it."""
    path = join(_kustomize_folder(unit), "kustomization.yaml")
    return path if tree.is_file(path) else None


def _kustomize_closure(unit: DeploymentUnit, path: str, tree: SourceTree) -> Closure:
    try:
        value = dict(kustomization_value(path, tree))
    except YamlError as error:
        return Closure(error=f"{path}:{error.line}: the kustomization cannot be read: {error.reason}")
    listed = value.get("resources")
    if isinstance(listed, list):  # what the chart makes is written there by the build
        value["resources"] = [one for one in listed if one != _MANIFESTS]
    return collect(_kustomize_folder(unit), tree, value)


def _is_in(folder: str, path: str) -> bool:
    return folder == "." or path.startswith(f"{folder}/")


def recipe(unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
    """A chart, then the kustomization over it; or one of them; or plain files with overlays."""
    tree = repository.tree
    folder = _kustomize_folder(unit)
    path = _kustomization(unit, tree)
    chart = _chart_folder(unit, tree)
    into = join(folder, _MANIFESTS)
    copies, steps = dict(closure.copies), list[Step]()
    written: dict[str, str] = {}
    if chart is not None:
        made = _installation(unit, chart, repository)
        copies |= made.copies
        written |= made.written
        steps.append(made.step(into if path else ""))
    if path is None:
        if chart is None:
            return _with_templates(
                overlay_recipe(unit.source, closure, unit.value["overlays"], tree), unit, closure, repository
            )
    else:
        value = closure.rewritten.get(path) or dict(kustomization_value(path, tree))
        if chart is not None:
            others = [one for one in value.get("resources") or () if one != _MANIFESTS]
            value = value | {"resources": [_MANIFESTS, *others]}
        built = kustomize_recipe(folder, closure, tree, value, unrestricted=False)
        written |= built.written
        steps += built.steps
    return Recipe(frozenset(closure.files), copies, dict(closure.links), written, tuple(steps))


def _with_templates(plain: Recipe, unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
    """Plain manifests, and what the folder `templates` makes, which Fleet takes for a chart's."""
    start = join(unit.source, TEMPLATES) + "/"
    templates = [path for path in closure.files if path.startswith(start)]
    if not templates:
        return plain
    chart = f"{OWN_FOLDER}/chart"
    made = _installation(unit, chart, repository)
    copies = {f"{chart}/{TEMPLATES}{path[len(start) :]}": path for path in templates}
    written = {f"{chart}/{CHART}": json.dumps({"apiVersion": "v2", "name": "bundle", "version": "0.0.0"})}
    return replace(
        plain,
        copies={**plain.copies, **copies, **made.copies},
        written={**plain.written, **written, **made.written},
        steps=(*plain.steps, made.step()),
    )


def _installation(unit: DeploymentUnit, chart: str, repository: Repository) -> Installation:
    helm = unit.value["helm"]
    name = text_of(helm.get("releaseName")) or posixpath.basename(unit.source) or "bundle"
    made = Installation(chart, name, _namespace(unit.value), kubernetes_version=repository.kubernetes_version)
    made.skip_schema = helm.get("skipSchemaValidation") is True
    levels = []
    for inline, paths in unit.value["values"]:
        found = [inline] if isinstance(inline, dict) else []
        for path in paths:
            try:
                loaded = load(path, repository.tree.text(join(unit.source, path)) or "")
            except YamlError:
                continue
            found += [one.value for one in loaded[:1]]
        levels.append(merged(found))
    made.add_values(merged(levels))
    return made
