"""Argo CD Applications: each source rendered as Argo CD's repository server does it, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gitops_ci.rendering.argocd_directory import directory_closure, directory_text
from gitops_ci.rendering.argocd_environment import build_environment
from gitops_ci.rendering.argocd_helm import chart_closure, installation, values_here
from gitops_ci.rendering.argocd_kustomize import EditError, edited
from gitops_ci.rendering.argocd_source import Source, kind_of, overridden, sources_of
from gitops_ci.rendering.base import BuildError
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Recipe, Repository, join_documents
from gitops_ci.rendering.documents import Document, dig, text_of
from gitops_ci.rendering.kustomization_edits import kustomize_recipe
from gitops_ci.rendering.kustomization_files import collect, described_in
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["closure", "describe", "recipe"]

GROUP = "argoproj.io"


def describe(files: Sequence[str], documents: Sequence[Document], repository: Repository) -> Iterable[DeploymentUnit]:
    """Each Application."""
    del files
    for one in documents:
        if one.kind == "Application" and one.group == GROUP:
            name = f"{one.namespace}/{one.name}" if one.namespace else one.name
            to = dig(one.value, "spec", "destination")
            cluster = text_of(dig(to, "name")) or text_of(dig(to, "server"))
            sources = ", ".join(source.path for source in sources_of(one.value.get("spec"), repository))
            yield DeploymentUnit(
                f"application:{name}",
                "application",
                one.path,
                one.line,
                sources,
                f"{cluster}/{text_of(dig(to, 'namespace'))}".strip("/"),
                one.value,
            )


def _sources(unit: DeploymentUnit, repository: Repository) -> list[Source]:
    name = text_of(dig(unit.value, "metadata", "name"))
    found = [
        replace(one, environment=build_environment(unit.value, one.value))
        for one in sources_of(unit.value.get("spec"), repository)
    ]
    return [one if one.elsewhere else overridden(one, name, repository.tree) for one in found]


def closure(unit: DeploymentUnit, repository: Repository) -> Closure:
    """The files of all sources. A source that is elsewhere is left out and told; with no other, nothing is left."""
    made = Closure()
    sources = _sources(unit, repository)
    here = [one for one in sources if not one.elsewhere]
    made.lend(path for one in sources if one.elsewhere for path in values_here(one, repository.tree))
    if not here:
        first = sources[0] if sources else Source({}, elsewhere="it has no source")
        made.skip, made.remedy, made.pinned = first.elsewhere, first.remedy, first.pinned
        return made
    made.omitted += [f"without a source: {one.elsewhere}" for one in sources if one.elsewhere]
    for one in here:
        made.absorb(_source_closure(one, unit, repository))
    return made


def _source_closure(source: Source, unit: DeploymentUnit, repository: Repository) -> Closure:
    tree = repository.tree
    if not tree.is_folder(source.path):
        message = f"there is no folder '{source.path}' in this repository"
        return Closure(error=message, problems=[BuildError("missing-path", unit.path, unit.line, 1, message)])
    kind = kind_of(source, tree)
    if kind == "helm":
        return chart_closure(source, repository)
    if kind == "directory":
        return directory_closure(source, tree)
    if kind == "plugin":
        return _plugin_closure(source.path, tree)
    if described_in(source.path, tree) is None:
        return Closure(error=f"there is no kustomization in '{source.path}'")
    try:
        return collect(source.path, tree, edited(source, tree))
    except YamlError as error:
        return Closure(error=f"the kustomization in {source.path} cannot be read: line {error.line}: {error.reason}")
    except EditError as error:
        return Closure(error=str(error))


def _plugin_closure(folder: str, tree: SourceTree) -> Closure:
    """What a plugin reads is judged as it lies, unless it is a template or no YAML: that is the plugin's."""
    made = Closure(skip="a plugin of Argo CD renders it", remedy="Run the plugin, and check its output.")
    made.parts |= {
        path for path in tree.below(folder) if path.endswith((".yaml", ".yml")) and _is_made_by_it(path, tree)
    }
    return made


def _is_made_by_it(path: str, tree: SourceTree) -> bool:
    try:
        tree.documents(path)
    except YamlError:
        return True
    return "{{" in (tree.text(path) or "")


def recipe(unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
    """The recipes of all sources as one."""
    whole = Recipe(frozenset(closure.files), dict(closure.copies), dict(closure.links))
    for number, source in enumerate(_sources(unit, repository)):
        if not source.elsewhere:
            one = _source_recipe(source, f"{number}-", unit, repository, closure)
            whole = replace(
                whole,
                copies={**whole.copies, **one.copies},
                written={**whole.written, **one.written},
                steps=(*whole.steps, *one.steps),
                text=join_documents([text for text in (whole.text, one.text) if text]),
            )
    return whole


def _source_recipe(source: Source, label: str, unit: DeploymentUnit, repository: Repository, whole: Closure) -> Recipe:
    kind = kind_of(source, repository.tree)
    part = _source_closure(source, unit, repository)
    if part.steps and not whole.steps:
        part = part.without_charts()
    if part.skip and not whole.skip:
        part = part.without_remote() or part
    if kind == "helm":
        made = installation(source, unit.value, label, repository)
        return Recipe(copies=made.copies, written=made.written, steps=(made.step(),))
    if kind == "directory":
        return Recipe(text=join_documents(directory_text(part, repository.tree)))
    path = described_in(source.path, repository.tree) or ""
    value = part.rewritten.get(path) or edited(source, repository.tree)
    return kustomize_recipe(source.path, part, repository.tree, value)
