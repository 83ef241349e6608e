"""Argo CD's own kinds, beyond their schema. Source: argo-cd docs, operator-manual/application.yaml and user-guide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, takewhile
from typing import Any

from gitops_ci.model import Finding
from gitops_ci.validation.lint.base import Keys, at, dig
from gitops_ci.validation.lint.repository_paths import is_here, is_usual, missing_path
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.report import Surroundings

__all__ = ["GROUP", "argocd", "paths"]

GROUP = "argoproj.io"
_RULE = "gitops/argocd"
_GLOB = re.compile(r"[*?\[{\\]")
_TEMPLATED = re.compile(r"\{\{|\$\{")


def argocd(document: Document) -> Iterator[Finding]:
    spec = dig(document.value, "spec")
    if document.group != GROUP or not isinstance(spec, dict):
        return
    if document.kind == "Application":
        yield from _application(document, spec, ("spec",))
    elif document.kind == "ApplicationSet":
        yield from _application_set(document, spec)
    elif document.kind == "AppProject":
        for index, destination in enumerate(_items(spec.get("destinations"))):
            if not destination.get("server") and not destination.get("name"):
                said = "without a server or a name it matches no cluster"
                yield at(document, ("spec", "destinations", index), _RULE, said, severity="warning")


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _application(document: Document, spec: dict[str, Any], place: Keys) -> Iterator[Finding]:
    """What the controller refuses of an application (argo-cd, util/argo: GetDestinationServer, ValidatePermissions)."""
    destination = spec.get("destination")
    if isinstance(destination, dict):
        server, name = destination.get("server"), destination.get("name")
        if server and name and not (_templated(server) or _templated(name)):
            said = "server and name exclude each other: the controller refuses the application"
            yield at(document, (*place, "destination"), _RULE, said, key=True)
        elif not server and not name:
            yield at(document, (*place, "destination"), _RULE, "needs a server or a name", key=True)
    if spec.get("sourceHydrator"):
        return  # nothing else is looked at then
    if not spec.get("source") and not spec.get("sources"):
        yield at(document, place, _RULE, "needs 'source' or 'sources'", key=True)
    for where, one in _sources(spec):
        yield from _source(document, one, (*place, *where))


def _sources(spec: dict[str, Any]) -> Iterator[tuple[Keys, dict[str, Any]]]:
    if isinstance(source := spec.get("source"), dict):
        yield ("source",), source
    if isinstance(sources := spec.get("sources"), list):
        for index, one in enumerate(sources):
            if isinstance(one, dict):
                yield ("sources", index), one


def _source(document: Document, source: dict[str, Any], place: Keys) -> Iterator[Finding]:
    several = "sources" in place
    if source.get("repoURL") == "":
        yield at(document, (*place, "repoURL"), _RULE, "must not be empty")
    if source.get("path") and source.get("chart"):
        said = "the path of a chart is not looked at"
        yield at(document, (*place, "path"), _RULE, said, severity="warning", key=True)
    elif not source.get("path") and not source.get("chart") and not (several and source.get("ref")):
        wanted = "'path', 'chart' or 'ref'" if several else "'path' or 'chart'"
        yield at(document, place, _RULE, f"needs {wanted}", key=True)
    if source.get("chart") and not source.get("targetRevision"):
        said = "'targetRevision' is required for a chart"
        yield at(document, place, _RULE, said, hint="Name the chart's version.", key=True)


def _application_set(document: Document, spec: dict[str, Any]) -> Iterator[Finding]:
    listed = spec.get("generators")
    if listed == []:
        said = "without a generator no application is made"
        yield at(document, ("spec", "generators"), _RULE, said, severity="warning", key=True)
    overridden = bool(spec.get("templatePatch"))
    for place, generator in _generators(listed, ("spec", "generators")):
        yield from _generator(document, generator, place)
        overridden |= any(dig(one, "template") is not None for one in generator.values())
    template = dig(spec, "template", "spec")
    if isinstance(template, dict) and not overridden:
        yield from _application(document, template, ("spec", "template", "spec"))


def _generators(listed: Any, place: Keys) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """Generators with their place, those inside of others, too."""
    for index, generator in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(generator, dict):
            yield (*place, index), generator
            for outer in ("matrix", "merge"):
                yield from _generators(dig(generator, outer, "generators"), (*place, index, outer, "generators"))


def _generator(document: Document, generator: dict[str, Any], place: Keys) -> Iterator[Finding]:
    """What the controller refuses of a generator (argo-cd, applicationset: generators, CheckInvalidGenerators)."""
    kinds = sorted(kind for kind in generator.keys() - {"selector"} if generator[kind] is not None)
    if len(kinds) != 1:
        said = f"needs exactly one generator, has {', '.join(kinds) or 'none'}"
        inner = len(place) > len(("spec", "generators", 0))
        yield at(document, place, _RULE, said, severity="warning" if kinds and not inner else "error", key=True)
    for outer, most in (("matrix", 2), ("merge", None)):
        inside = dig(generator, outer, "generators")
        if isinstance(inside, list) and (len(inside) < 2 or (most and len(inside) > most)):
            said = f"needs {'' if most else 'at least '}two generators, has {len(inside)}"
            yield at(document, (*place, outer, "generators"), _RULE, said, key=True)
    if dig(generator, "merge", "mergeKeys") == []:
        yield at(document, (*place, "merge", "mergeKeys"), _RULE, "at least one key is required", key=True)


def _templated(text: Any) -> bool:
    return isinstance(text, str) and _TEMPLATED.search(text) is not None


def paths(documents: Sequence[Document], around: Surroundings) -> Iterator[tuple[Finding, Document]]:
    """Paths of applications, of their values and of generators that live in this repository exist in it."""
    for document in documents if around.exists is not None else ():
        spec = dig(document.value, "spec")
        if document.group != GROUP or not isinstance(spec, dict):
            continue
        found: Iterator[Finding] = iter(())
        if document.kind == "Application":
            found = _application_paths(document, spec, ("spec",), around)
        elif document.kind == "ApplicationSet":
            found = chain(
                _application_paths(document, dig(spec, "template", "spec"), ("spec", "template", "spec"), around),
                _generator_paths(document, spec.get("generators"), around),
            )
        for finding in found:
            yield finding, document


def _application_paths(document: Document, spec: Any, place: Keys, around: Surroundings) -> Iterator[Finding]:
    sources = list(_sources(spec)) if isinstance(spec, dict) else []
    refs = {f"${source.get('ref')}": source for _, source in sources if source.get("ref")}
    for where, source in sources:
        missing: list[Finding] = []
        if is_here(source.get("repoURL"), around) and not source.get("chart"):
            sure = is_usual(source.get("targetRevision"))
            missing = list(missing_path(document, (*place, *where, "path"), source.get("path"), around, sure=sure))
        yield from missing or _value_paths(document, source, refs, (*place, *where), around)


def _value_paths(
    document: Document, source: dict[str, Any], refs: Mapping[str, dict[str, Any]], place: Keys, around: Surroundings
) -> Iterator[Finding]:
    """Values files: below the source's path, from the root when they begin with `/`, or in a source with a `ref`."""
    helm = source.get("helm")
    listed = None if dig(helm, "ignoreMissingValueFiles") else dig(helm, "valueFiles")
    for index, name in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(name, str) or "://" in name or _GLOB.search(name):
            continue
        first, _, path = name.partition("/")
        target = refs.get(first, source)
        if target is source and first:
            path = f"{source.get('path') or '.'}/{name}"
        if (target is source and source.get("chart")) or not is_here(target.get("repoURL"), around):
            continue
        keys, sure = (*place, "helm", "valueFiles", index), is_usual(target.get("targetRevision"))
        yield from missing_path(document, keys, path, around, what="file", sure=sure)


def _generator_paths(document: Document, listed: Any, around: Surroundings) -> Iterator[Finding]:
    """Paths of git generators, as far as they are not globs: where nothing is, no application is made."""
    for place, generator in _generators(listed, ("spec", "generators")):
        git = generator.get("git")
        if not isinstance(git, dict) or not is_here(git.get("repoURL"), around):
            continue
        for key, what in (("directories", "folder"), ("files", "file")):
            items = git.get(key)
            for index, item in enumerate(items if isinstance(items, list) else ()):
                path = dig(item, "path")
                if not isinstance(path, str) or item.get("exclude"):
                    continue
                plain = list(takewhile(lambda part: not _GLOB.search(part), path.split("/")))
                whole = len(plain) == path.count("/") + 1
                keys = (*place, "git", key, index, "path")
                named = what if whole else "folder"
                yield from missing_path(document, keys, "/".join(plain), around, what=named, sure=False)
