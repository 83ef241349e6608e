"""Files that say how manifests are made, kustomization.yaml, fleet.yaml and Chart.yaml, by their documented fields."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from gitops_ci.known_files import CHART
from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import Keys, at, dig
from gitops_ci.validation.lint.field_tables import Shape, find_misfits
from gitops_ci.validation.lint.gitops_kinds import misfit_finding
from gitops_ci.validation.manifests.documents import Document, split
from gitops_ci.validation.manifests.go_yaml import GoYamlError
from gitops_ci.yamltext import YamlError

__all__ = ["NAMES", "description_findings"]

_KUSTOMIZE = "kustomize.config.k8s.io"
_STEMS = frozenset({"kustomization", "fleet"})
NAMES = frozenset({"Kustomization", CHART, *(f"{stem}.{end}" for stem in _STEMS for end in ("yaml", "yml"))})


def description_findings(files: Iterable[tuple[str, str]], exists: Callable[[str], bool]) -> Iterator[Finding]:
    """Findings of the (path, text) among files that are descriptions; `exists` tells whether a path does."""
    bundles: list[Document] = []
    for path, text in files:
        name = posixpath.basename(path)
        if name not in NAMES or "{{" in text:
            continue  # a template's output is what counts
        for index, piece in enumerate(split(text)):
            try:
                value = piece.load().value
            except YamlError as error:
                yield Finding("gitops/field", "error", error.reason, path, error.line + piece.line, error.column)
                continue
            except GoYamlError as error:
                yield Finding("gitops/field", "error", error.reason, path, *piece.position(error.offset))
                continue
            if isinstance(value, dict) and (shape := _shape(name, value)) is not None:
                document = Document(path, str(index), piece, value)
                for misfit in find_misfits(value, shape):
                    # Of the three only kustomize refuses a field that it does not know.
                    yield misfit_finding(document, misfit, strict=name.lower().startswith("kustomization"))
                if name.startswith("fleet."):
                    yield from _missing_files(document, exists)
                    bundles.append(document)
    if any("dependsOn" in bundle.value for bundle in bundles):
        from gitops_ci.validation.lint.dependencies import bundle_findings

        yield from bundle_findings(bundles)


def _shape(name: str, value: Mapping[str, Any]) -> Shape | None:
    from gitops_ci.validation.lint.fields import files, fleet

    if name == CHART:
        return files.CHART
    if name.startswith("fleet."):
        return fleet.FLEET_YAML
    # A Flux Kustomization may lie in a file of this name, too.
    return files.KUSTOMIZATION if str(value.get("apiVersion") or _KUSTOMIZE).startswith(_KUSTOMIZE) else None


def _missing_files(document: Document, exists: Callable[[str], bool]) -> Iterator[Finding]:
    """What a fleet.yaml names beside itself, for all clusters or for some, and what is not there."""
    custom = document.value.get("targetCustomizations")
    parts: list[tuple[Keys, Any]] = [((), document.value)]
    parts += [(("targetCustomizations", index), one) for index, one in enumerate(_list(custom))]
    folder = posixpath.dirname(document.path)
    for place, part in parts:
        for keys, value in _named_files(part):
            overlay = keys[0] == "yaml"
            path = posixpath.join(folder, "overlays", value) if overlay else posixpath.join(folder, value)
            if "$" in value or "{{" in value or "://" in value or exists(path):
                continue
            said = f"there is no '{'overlays/' if overlay else ''}{value}' beside this file"
            # An overlay that is not there changes nothing, the others stop the bundle (fleet, internal/helmdeployer).
            severity: Literal["error", "warning"] = "warning" if overlay else "error"
            yield at(document, (*place, *keys), "gitops/missing-path", said, severity=severity)


def _named_files(part: Any) -> Iterator[tuple[Keys, str]]:
    chart = dig(part, "helm", "chart")
    named: list[tuple[Keys, Any]] = [(("kustomize", "dir"), dig(part, "kustomize", "dir"))]
    if isinstance(chart, str) and chart.startswith(("./", "../")) and not dig(part, "helm", "repo"):
        named.append((("helm", "chart"), chart))  # anything else may be an address
    for keys in (("helm", "valuesFiles"), ("yaml", "overlays")):
        named += [((*keys, index), value) for index, value in enumerate(_list(dig(part, *keys)))]
    yield from ((keys, value) for keys, value in named if isinstance(value, str))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
