"""Values that a chart of this repository never reads: most often misspelled, and helm does not mind them.

Helm itself checks values against `values.schema.json`. Here only the first key of each value is looked at, and only
where the templates name all that they read: nothing is claimed where one takes `.Values` as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from gitops_ci.flows.validate.units import Units
from gitops_ci.model import Finding
from gitops_ci.rendering.base import join
from gitops_ci.rendering.chart_files import CHART
from gitops_ci.rendering.deployment import DeploymentUnit
from gitops_ci.rendering.documents import dig, items, load
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.text import did_you_mean
from gitops_ci.validation.changes import Place, finding_in
from gitops_ci.yamltext import YamlError

__all__ = ["VALUES", "unread_values"]

VALUES = "gitops/values"
_KINDS = frozenset({"helmrelease", "application"})
_READ = re.compile(r"\.Values\.([A-Za-z_][A-Za-z0-9_]*)")
_INDEXED = re.compile(r"\.Values\)?\s+[\"']([^\"']+)[\"']")
# The whole of the values handed on: whoever takes them may read anything.
_WHOLE = re.compile(r"\.Values(?![.\w])(?!\)?\s+[\"'])|\bfromYaml\b|\btpl\b[^}]*\$?\.Values\s")
_ALWAYS = frozenset({"global", "tags"})


class _Value(NamedTuple):
    key: str
    pointer: str


def unread_values(
    units: Units, wanted: frozenset[str] | None, chosen: set[str], texts: Mapping[str, str]
) -> list[Finding]:
    """The findings about the units of a run: those in chosen files."""
    found: list[Finding] = []
    charts: dict[str, frozenset[str] | None] = {}
    tree = units.deployment.repository.tree
    for name, one in sorted(units.deployment.units.items()):
        unit, path = one.unit, units.checkout.shown(one.unit.path)
        is_wanted = wanted is None or name in wanted
        if unit.kind not in _KINDS or not unit.source or not is_wanted or path not in chosen:
            continue
        if unit.source not in charts:
            charts[unit.source] = _keys_of(unit.source, tree)
        if (known := charts[unit.source]) is not None and (written := _as_written(unit, tree)):
            found += _findings(replace(unit, value=written), known, [(path, texts.get(path, ""))])
    # Several units may apply what stands in one file.
    return list(dict.fromkeys(found))


def _as_written(unit: DeploymentUnit, tree: SourceTree) -> Mapping[str, Any] | None:
    """The object as its file has it: the output of another unit may contain a patched one."""
    kind, name = unit.value.get("kind"), dig(unit.value, "metadata", "name")
    try:
        documents = tree.documents(unit.path)
    except YamlError:
        return None
    return next((one.value for one in documents if (one.kind, one.name) == (kind, name)), None)


def _findings(unit: DeploymentUnit, known: frozenset[str], files: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    for value in _values_of(unit.value):
        if value.key in known or "$" in value.key or "{{" in value.key:
            continue
        hint = did_you_mean(value.key, known) or "Remove it, or read it in a template."
        message = f"the chart {unit.source} never reads the value '{value.key}'"
        place = Place(unit.value, value.pointer)
        if finding := finding_in(VALUES, message, hint, place, (), files, severity="note"):
            yield finding


def _values_of(value: Mapping[str, Any]) -> Iterator[_Value]:
    spec = value.get("spec")
    yield from _keys(dig(spec, "values"), "/spec/values")
    places = [("/spec/source/helm", dig(spec, "source", "helm"))]
    places += [(f"/spec/sources/{number}/helm", dig(one, "helm")) for number, one in enumerate(items(spec, "sources"))]
    for pointer, helm in places:
        yield from _keys(dig(helm, "valuesObject"), f"{pointer}/valuesObject")
        yield from (_Value(key, f"{pointer}/values") for key in _keys_in_text(dig(helm, "values")))
        for number, one in enumerate(items(helm, "parameters")):
            name = dig(one, "name")
            if isinstance(name, str) and name:
                yield _Value(re.split(r"[.\[]", name, maxsplit=1)[0], f"{pointer}/parameters/{number}/name")


def _keys_in_text(text: Any) -> list[str]:
    """The first keys of values that an Application writes as a text; a template is none."""
    if not isinstance(text, str) or "{{" in text:
        return []
    try:
        return [str(key) for one in load("values", text) for key in one.value]
    except YamlError:
        return []


def _keys(values: Any, pointer: str) -> Iterator[_Value]:
    for key in values if isinstance(values, dict) else ():
        if isinstance(key, str):
            yield _Value(key, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")


def _keys_of(folder: str, tree: SourceTree) -> frozenset[str] | None:
    """The first keys that a chart reads or has a default for; None where nobody can know."""
    try:
        described = load(CHART, tree.text(join(folder, CHART)) or "")
        values = load("values.yaml", tree.text(join(folder, "values.yaml")) or "")
    except YamlError:
        return None
    if not described or described[0].value.get("type") == "library":
        return None
    known = set(_ALWAYS) | {str(key) for one in values for key in one.value}
    for one in items(described[0].value, "dependencies"):
        # What a dependency reads below its own name is its own; a condition is a path of values.
        known |= {str(dig(one, key)) for key in ("name", "alias") if dig(one, key)}
        known |= {part.strip().partition(".")[0] for part in str(dig(one, "condition") or "").split(",")}
        if items(one, "import-values"):
            return None
    for path in tree.names:
        if path.startswith(f"{join(folder, 'templates')}/"):
            text = tree.text(path) or ""
            if _WHOLE.search(text):
                return None
            known |= {*_READ.findall(text), *_INDEXED.findall(text)}
    return frozenset(known)
