"""Objects that wait for each other: `dependsOn` in a circle.

Neither Flux nor Fleet looks for circles: each object waits until the one that it depends on is ready
(kustomize-controller and helm-controller, checkDependencies; fleet internal/cmd/agent/deployer).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gitops_ci.model import Finding
from gitops_ci.text import did_you_mean
from gitops_ci.validation.lint.base import Keys, at, dig
from gitops_ci.validation.lint.repository_paths import is_filled_in
from gitops_ci.validation.manifests.documents import Document

__all__ = ["bundle_findings", "circles"]

_KINDS = ("Kustomization", "HelmRelease")
_NO_NAME = re.compile(r"[^a-z0-9]+")


class _Wait(NamedTuple):
    """`by` waits for `on`; both are numbers of documents. `keys` are where it is written."""

    by: int
    on: int
    keys: Keys


def circles(documents: Sequence[Document], elsewhere: Sequence[Document]) -> Iterator[tuple[Finding, Document]]:
    """The circles of Flux Kustomizations and HelmReleases, each once, at one of the objects in it."""
    every = [one for one in (*documents, *elsewhere) if one.kind in _KINDS and one.group.endswith(".toolkit.fluxcd.io")]
    found: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(every):
        found.setdefault((one.kind, one.name), []).append(number)
    waits = [wait for number in range(len(every)) for wait in _waits_of(number, every, found)]
    own = {id(one) for one in documents}
    for circle in _circles(waits):
        first = next((wait for wait in circle if id(every[wait.by]) in own), None)
        if first is not None:
            document = every[first.by]
            yield _finding(document, first, circle, [one.name for one in every]), document


def _waits_of(
    number: int, every: Sequence[Document], found: Mapping[tuple[str, str], Sequence[int]]
) -> Iterator[_Wait]:
    one = every[number]
    for index, entry in enumerate(_items(dig(one.value, "spec", "dependsOn"))):
        name, namespace = dig(entry, "name"), dig(entry, "namespace") or one.namespace
        there = [
            other
            for other in found.get((one.kind, str(name)), ())
            if not namespace or every[other].namespace in {"", namespace}
        ]
        near = [other for other in there if (every[other].unit, every[other].path) == (one.unit, one.path)]
        near = near or [other for other in there if every[other].unit == one.unit]
        # Of several with one name, in folders of several clusters, nobody knows which is meant.
        if len(near or there) == 1:
            yield _Wait(number, (near or there)[0], ("spec", "dependsOn", index, "name"))


def _circles(waits: Iterable[_Wait]) -> Iterator[list[_Wait]]:
    """Each circle once, beginning with its lowest number."""
    after: dict[int, list[_Wait]] = {}
    for wait in waits:
        after.setdefault(wait.by, []).append(wait)
    told: set[frozenset[int]] = set()
    for start in sorted(after):
        circle = _way_back(start, after)
        members = frozenset(wait.by for wait in circle)
        if circle and start == min(members) and members not in told:
            told.add(members)
            yield circle


def _way_back(start: int, after: Mapping[int, Sequence[_Wait]]) -> list[_Wait]:
    """The shortest way from a document to itself, [] if there is none."""
    ways: list[list[_Wait]] = [[wait] for wait in after.get(start, ())]
    seen: set[int] = set()
    for way in ways:
        at_end = way[-1].on
        if at_end == start:
            return way
        if at_end not in seen:
            seen.add(at_end)
            ways += [[*way, wait] for wait in after.get(at_end, ())]
    return []


def _finding(document: Document, first: _Wait, circle: Sequence[_Wait], names: Sequence[str]) -> Finding:
    start = next(index for index, wait in enumerate(circle) if wait is first)
    order = [*circle[start:], *circle[:start]]
    way = " -> ".join([*(names[wait.by] for wait in order), names[first.by]])
    message = f"these wait for each other, and none is ever applied: {way}"
    return at(document, first.keys, "gitops/cycle", message, hint="Remove one of the dependencies.")


def bundle_findings(documents: Sequence[Document]) -> Iterator[Finding]:
    """Circles and unknown names among the bundles of `fleet.yaml` files."""
    waits = []
    for number, one in enumerate(documents):
        for index, entry in enumerate(_items(one.value.get("dependsOn"))):
            keys: Keys = ("dependsOn", index)
            there = [other for other, bundle in enumerate(documents) if _is_meant(entry, bundle)]
            if len(there) == 1:
                waits.append(_Wait(number, there[0], keys))
            elif not there:
                yield from _unknown(one, (*keys, "name"), dig(entry, "name"), documents)
    names = [_shown(one) for one in documents]
    for circle in _circles(waits):
        yield _finding(documents[circle[0].by], circle[0], circle, names)


def _is_meant(entry: Any, bundle: Document) -> bool:
    """Whether an entry of `dependsOn` names a bundle, or selects its labels."""
    name, labels = dig(entry, "name"), dig(entry, "selector", "matchLabels")
    if isinstance(name, str) and name:
        # Without a name of its own a bundle has those of its GitRepo and its folder.
        path = _slug(posixpath.dirname(bundle.path))
        own = dig(bundle.value, "name")
        return name == own if own else bool(path) and (name == path or name.endswith(f"-{path}"))
    has = dig(bundle.value, "labels")
    return isinstance(labels, dict) and bool(labels) and isinstance(has, dict) and labels.items() <= has.items()


def _unknown(document: Document, keys: Keys, name: Any, documents: Sequence[Document]) -> Iterator[Finding]:
    """A name that is nearly one of a bundle here: others may be made elsewhere."""
    known = {own for one in documents if isinstance(own := one.value.get("name"), str)}
    if isinstance(name, str) and not is_filled_in(name) and (hint := did_you_mean(name, known)):
        said = f"there is no bundle '{name}' here"
        yield at(document, keys, "gitops/missing-source", said, hint=hint, severity="warning")


def _shown(bundle: Document) -> str:
    name = bundle.value.get("name")
    return name if isinstance(name, str) and name else posixpath.dirname(bundle.path) or bundle.path


def _slug(path: str) -> str:
    return _NO_NAME.sub("-", path.lower()).strip("-")


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
