"""Files that name no image and yet hold its version, or say who does: which ones to read beside those that name it.

A version may stand in values laid over others, in a chart's Chart.yaml, or behind the marker of a policy; which files
of values go together is said by the objects that install a chart, and a kustomization may build others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from gitops_ci import known_files
from gitops_ci.formats import ManifestText, flux_policies, kustomize
from gitops_ci.plan import chart_installations
from gitops_ci.plan.layers import lies_over
from gitops_ci.plan.targets import Targets

__all__ = ["companions", "layered", "mentions", "referred"]

_VALUES = ("values.yaml", "values.yml")
_INSTALLERS = frozenset({*known_files.FLEET, *known_files.KUSTOMIZATIONS})
_LEVELS = 3  # `kustomization.yaml` beside `charts/shop/values.yaml`


def companions(named_in: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    """Files among `paths` that belong to one of `named_in` by their place and name.

    These are values laid over a file of values, the Chart.yaml beside it, and what may install the chart from there or
    from above.
    """
    named = set(named_in)
    folders: dict[str, list[str]] = {}
    above: set[str] = set()
    for path in named:
        folders.setdefault(path.rpartition("/")[0], []).append(path)
        if _holds_values(path):
            above.update(map(str, list(PurePosixPath(path).parents)[:_LEVELS]))
    return tuple(path for path in paths if path not in named and _goes_with(path, folders, above))


def _goes_with(path: str, folders: Mapping[str, Sequence[str]], above: Collection[str]) -> bool:
    folder, _, name = path.rpartition("/")
    if name in _INSTALLERS:
        return (folder or ".") in above
    bases = folders.get(folder, ())
    if name == known_files.CHART:
        return any(PurePosixPath(base).name in _VALUES for base in bases)
    return any(lies_over(path, base) for base in bases)


def _holds_values(path: str) -> bool:
    return path.endswith((".yaml", ".yml")) and "values" in PurePosixPath(path).name


def mentions(texts: Iterable[ManifestText], wanted: Targets) -> tuple[str, ...]:
    """What else to search the repository for, given the files that may name a wanted image.

    These are the addresses of their charts and values in objects that install them, and the markers of policies that
    stand for the image.
    """
    found: dict[str, None] = {}
    for source in texts:
        path, text = source.path, source.text
        if not (_holds_values(path) or flux_policies.GROUP in text) or not wanted.first_line_with_name(text):
            continue
        parts = path.split("/")
        if _holds_values(path) and len(parts) > 1:
            found["/".join(parts[-2:])] = None
            if parts[-1] in _VALUES:
                found["/".join(parts[-3:-1]) if len(parts) > 2 else f"path: {parts[0]}"] = None
        for policy in flux_policies.named(source):
            found |= dict.fromkeys(f':{policy.name}:{part}"' for part in ("tag", "digest"))
    return tuple(found)


def referred(texts: Iterable[ManifestText], paths: Collection[str]) -> tuple[str, ...]:
    """Files among `paths` that texts refer to: kustomizations of further levels, values of the same installation."""
    texts = list(texts)
    known = {text.path for text in texts}
    sources = [text for text in texts if _REFERS.search(text.text)]
    wanted = kustomize.Reach(sources).unknown()
    for source in sources:
        for use in chart_installations.find_installations(source):
            if not known.isdisjoint(use.files):
                wanted.update(use.files)
    return tuple(path for path in sorted(wanted & set(paths)) if path not in known)


_REFERS = re.compile(
    r"^[^\w\n]*(?:resources|bases|components|valueFiles|valuesFiles?|additionalValuesFiles)[^\w\n]*:", re.MULTILINE
)


def layered(sources: Iterable[ManifestText]) -> dict[str, set[str]]:
    """For each layer of values the layers that an installation puts below it."""
    found: dict[str, set[str]] = {}
    for source in sources:
        for use in chart_installations.find_installations(source):
            below: list[str] = []
            for layer in (*(f"values:{PurePosixPath(file).with_suffix('')}" for file in use.files), use.layer):
                found.setdefault(layer, set()).update(below)
                below.append(layer)
    return found
