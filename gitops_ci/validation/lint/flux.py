"""Flux's own kinds, beyond their schema. Source: fluxcd.io/flux/components, the API reference of each controller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import Keys, at, dig
from gitops_ci.validation.lint.dependencies import circles
from gitops_ci.validation.lint.repository_paths import Names, is_here, is_usual, missing_name, missing_path
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.report import Surroundings

__all__ = ["flux", "references"]

_GROUPS = ".toolkit.fluxcd.io"
_FROM = ("spec", "sourceRef")
_CHART = ("spec", "chart", "spec")
# kind -> references in it, and the kind they are to if that is not said there
_REFERENCES: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "Kustomization": ((_FROM, ""),),
    "HelmChart": ((_FROM, ""),),
    "ImageUpdateAutomation": ((_FROM, ""),),
    "HelmRelease": (((*_CHART, "sourceRef"), ""), (("spec", "chartRef"), "")),
    "ImagePolicy": ((("spec", "imageRepositoryRef"), "ImageRepository"),),
}
# kind -> (where a path stands, the source it is in, its key); beside that of a chart those of its values may stand
_PATHS: Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]] = {
    "Kustomization": ((("spec",), _FROM, "path"),),
    "HelmChart": ((("spec",), _FROM, "chart"),),
    "HelmRelease": ((_CHART, (*_CHART, "sourceRef"), "chart"),),
    "ImageUpdateAutomation": ((("spec", "update"), _FROM, "path"),),
}
_POLICIES = ("semver", "alphabetical", "numerical")


def flux(document: Document) -> Iterator[Finding]:
    """What no definition says: an ImagePolicy takes the first policy it has (image-reflector-controller, policy)."""
    policy = dig(document.value, "spec", "policy")
    if document.kind != "ImagePolicy" or not isinstance(policy, dict):
        return
    chosen = [key for key in _POLICIES if policy.get(key) is not None]
    if not chosen:
        said = f"needs one of {', '.join(_POLICIES[:-1])} and {_POLICIES[-1]}"
        yield at(document, ("spec", "policy"), "gitops/flux", said, key=True)
    elif len(chosen) > 1:
        said = f"{chosen[0]} is used, {' and '.join(chosen[1:])} not"
        yield at(document, ("spec", "policy", chosen[1]), "gitops/flux", said, severity="warning", key=True)


def references(
    documents: Sequence[Document], elsewhere: Sequence[Document], around: Surroundings
) -> Iterator[tuple[Finding, Document]]:
    """What objects refer to is here, and paths of this repository exist in it."""
    names: dict[str, set[str]] = {}
    repositories: dict[str, list[Document]] = {}
    for one in (*documents, *elsewhere):
        if one.group.endswith(_GROUPS):
            names.setdefault(one.kind, set()).add(one.name)
            if one.kind == "GitRepository":
                repositories.setdefault(one.name, []).append(one)
    for document in documents:
        if document.group.endswith(_GROUPS):
            for finding in (*_names(document, names, around), *_paths(document, repositories, around)):
                yield finding, document
    yield from circles(documents, elsewhere)


def _names(document: Document, names: Names, around: Surroundings) -> Iterator[Finding]:
    for keys, kind in _REFERENCES.get(document.kind, ()):
        reference = dig(document.value, *keys)
        if isinstance(reference, dict):
            target = str(kind or reference.get("kind") or "GitRepository")
            yield from missing_name(document, (*keys, "name"), target, reference.get("name"), names, around)
    needed = dig(document.value, "spec", "dependsOn")
    for index, one in enumerate(needed if isinstance(needed, list) else ()):
        place = ("spec", "dependsOn", index, "name")
        yield from missing_name(document, place, document.kind, dig(one, "name"), names, around)


def _paths(
    document: Document, repositories: Mapping[str, Sequence[Document]], around: Surroundings
) -> Iterator[Finding]:
    for place, source, key in _PATHS.get(document.kind, ()):
        reference = dig(document.value, *source)
        if dig(reference, "kind") not in (None, "GitRepository"):
            continue
        for repository in repositories.get(str(dig(reference, "name")), ()):
            spec = repository.value.get("spec")
            if not is_here(dig(spec, "url"), around) or dig(spec, "include"):
                continue
            ref = dig(spec, "ref")
            sure = ref is None or (is_usual(dig(ref, "branch")) and set(ref) <= {"branch"})
            path = dig(document.value, *place, key)
            yield from missing_path(document, (*place, key), path, around, sure=sure)
            yield from _values(document, place, around, sure=sure)
            break


def _values(document: Document, place: tuple[str, ...], around: Surroundings, *, sure: bool) -> Iterator[Finding]:
    """Values files of a chart: they lie below the root of its source."""
    chart = dig(document.value, *place)
    listed = None if dig(chart, "ignoreMissingValuesFiles") else dig(chart, "valuesFiles")
    for index, path in enumerate(listed if isinstance(listed, list) else ()):
        keys: Keys = (*place, "valuesFiles", index)
        yield from missing_path(document, keys, path, around, what="file", sure=sure)
