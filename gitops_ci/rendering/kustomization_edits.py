"""A kustomization as values: generated for a folder, changed as an operator changes it, and written as JSON.

Nothing is written into the repository: JSON is YAML, and the file goes where the unit is built.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from typing import Any

from gitops_ci.rendering.base import path_argument
from gitops_ci.rendering.deployment import Closure, Recipe, Step
from gitops_ci.rendering.documents import text_of
from gitops_ci.rendering.kustomization_files import NAMES, described_in, kustomization_value
from gitops_ci.rendering.kustomization_patches import with_targets
from gitops_ci.rendering.tree import SourceTree

__all__ = ["as_read_by_go", "generated", "kustomize_recipe", "metadata_transformers", "written"]

_FIELDS = {
    name.lower(): name
    for name in (
        "apiVersion", "kind", "metadata", "openapi", "namePrefix", "nameSuffix", "namespace", "commonLabels", "labels",
        "commonAnnotations", "patchesStrategicMerge", "patchesJson6902", "patches", "images", "imageTags",
        "replacements", "replicas", "vars", "sortOptions", "resources", "components", "crds", "bases",
        "configMapGenerator", "secretGenerator", "helmGlobals", "helmCharts", "helmChartInflationGenerator",
        "generatorOptions", "configurations", "generators", "transformers", "validators", "buildMetadata",
    )
}  # fmt: skip
# Fields of a kustomization that are not texts (api/types); what is below `valuesInline` is the chart's own.
_NO_TEXTS = frozenset(
    {
        "count", "includeSelectors", "includeTemplates", "disableNameSuffixHash", "immutable", "create", "index",
        "includeCRDs", "skipHooks", "skipTests", "debug", "allowNameChange", "allowKindChange", "valuesInline",
        "namespaceStrategy", "branch", "group",
    }
)  # fmt: skip
# What source-controller leaves out of every artifact (fluxcd/pkg sourceignore: ExcludeVCS, ExcludeCI, ExcludeExtra).
_LEFT_OUT_FOLDERS = frozenset({".git", ".github", ".circleci"})
_LEFT_OUT = frozenset(
    {
        ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml", "cloudbuild.yaml", "codeship-services.yml",
        "codeship-steps.yml", ".goreleaser.yml", ".goreleaser.yaml", ".sops.yaml", ".flux.yaml",
    }
)  # fmt: skip


def as_read_by_go(value: Mapping[str, Any]) -> dict[str, Any]:
    """A kustomization as Flux reads and writes it: unknown fields are dropped, numbers in text fields are texts."""
    known = {_FIELDS[key.lower()]: one for key, one in value.items() if key.lower() in _FIELDS}
    return {key: _texts(key, one) for key, one in known.items() if one is not None}


def _texts(field: str, value: Any) -> Any:
    if field in _NO_TEXTS:
        return value
    if isinstance(value, dict):
        return {str(key): _texts(str(key), one) for key, one in value.items()}
    if isinstance(value, list):
        return [_texts(field, one) for one in value]
    return text_of(value) if isinstance(value, (bool, int, float)) else value


def generated(folder: str, tree: SourceTree) -> dict[str, Any]:
    """The kustomization that Flux makes for a folder without one: every file below, a folder with its own as a whole.

    Source: github.com/fluxcd/pkg/kustomize 1.41 (kustomize_generator.go, scanManifests).
    """
    prefix = "" if folder == "." else f"{folder}/"
    found: dict[str, None] = {}
    wholes: dict[str, str] = {"": ""}

    def whole_of(inner: str) -> str:
        """The outermost folder with a kustomization that contains a folder, or is it."""
        if inner not in wholes:
            has_own = any(f"{prefix}{inner}/{name}" in tree for name in NAMES)
            wholes[inner] = whole_of(inner.rpartition("/")[0]) or (inner if has_own else "")
        return wholes[inner]

    # Names are walked folder by folder, so a/z.yaml comes before a-b.yaml.
    for name in sorted(tree.below(folder), key=lambda path: path.split("/")):
        short = name[len(prefix) :]
        if whole := whole_of(short.rpartition("/")[0]):
            found[f"./{whole}"] = None
        elif short.endswith((".yaml", ".yml")) and not _is_left_out(short) and tree.is_file(name):
            found[f"./{short}"] = None
    said: dict[str, Any] = {"resources": list(found)} if found else {"namespace": "_placeholder"}
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **said}


def _is_left_out(path: str) -> bool:
    *folders, name = path.split("/")
    return name in _LEFT_OUT or not _LEFT_OUT_FOLDERS.isdisjoint(folders)


def metadata_transformers(labels: Mapping[str, Any], annotations: Mapping[str, Any]) -> list[str]:
    """Transformers that set metadata of each object, and of nothing inside it."""
    made = []
    for kind, field, values in (
        ("LabelTransformer", "labels", labels),
        ("AnnotationsTransformer", "annotations", annotations),
    ):
        if values:
            config = {
                "apiVersion": "builtin",
                "kind": kind,
                "metadata": {"name": f"common-{field}"},
                field: {key: text_of(value) for key, value in values.items()},
                "fieldSpecs": [{"path": f"metadata/{field}", "create": True}],
            }
            made.append(json.dumps(config))
    return made


def written(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1)


def kustomize_recipe(
    folder: str,
    closure: Closure,
    tree: SourceTree,
    value: Mapping[str, Any] | None = None,
    *,
    unrestricted: bool = True,
) -> Recipe:
    """Build a folder; `value` replaces its kustomization. `unrestricted` files lie anywhere in the repository."""
    path = described_in(folder, tree) or posixpath.join("" if folder == "." else folder, NAMES[0])
    changed: dict[str, Mapping[str, Any]] = {**closure.rewritten}
    if value is not None:
        changed[path] = value
    if closure.omitted:
        changed |= _with_targets(closure, changed, tree)
    texts = {name: written(one) for name, one in changed.items()} | closure.written
    options = ("--load-restrictor", "LoadRestrictionsNone") if unrestricted else ()
    step = Step("kustomize", (*options, "--", path_argument(folder)))
    return Recipe(frozenset(closure.files), dict(closure.copies), dict(closure.links), texts, (*closure.steps, step))


def _with_targets(
    closure: Closure, changed: Mapping[str, Mapping[str, Any]], tree: SourceTree
) -> dict[str, Mapping[str, Any]]:
    """The kustomizations of a closure whose patches may be for what was left out."""
    made: dict[str, Mapping[str, Any]] = {}
    for path in sorted({*changed, *(one for one in closure.files if posixpath.basename(one) in NAMES)}):
        said = changed[path] if path in changed else kustomization_value(path, tree)
        tolerant = with_targets(said, posixpath.dirname(path) or ".", tree)
        if tolerant != said:
            made[path] = tolerant
    return made
