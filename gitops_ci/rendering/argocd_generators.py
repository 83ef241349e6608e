"""Parameters of ApplicationSet generators, from the repository and a list of clusters.

Source: argo-cd.readthedocs.io/en/stable/operator-manual/applicationset (Generators-*); argo-cd 3.6
(applicationset/generators, applicationset/utils).
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.display import shorten
from gitops_ci.rendering.argocd_globs import path_match, pathspec
from gitops_ci.rendering.deployment import Cluster, Repository
from gitops_ci.rendering.documents import dig, items, load_any, text_of
from gitops_ci.rendering.helm_command import merged
from gitops_ci.yamltext import YamlError

__all__ = ["LateText", "ParameterSet", "Refused", "Undecided", "parameter_sets", "replaced"]

_NAMES = ("list", "git", "clusters", "matrix", "merge")
# What Go templates of generators have: `.name`, `toJson .name`, `.name | toJson`, `index .name 1`.
_SIMPLE = re.compile(r"\{\{-?\s*\.(?P<name>[\w.]+?)\s*-?\}\}")
_AS_JSON = re.compile(r"\{\{-?\s*(?:\.(?P<piped>[\w.]+)\s*\|\s*toJson|toJson\s+\.(?P<given>[\w.]+))\s*-?\}\}")
_INDEX = re.compile(r"\{\{-?\s*index\s+\.(?P<name>[\w.]+)\s+\"?(?P<key>[\w./-]+)\"?\s*-?\}\}")
_DNS = re.compile(r"[^-a-z0-9.]")
_IN_CLUSTER = Cluster("in-cluster", "https://kubernetes.default.svc")
_MOST_SETS = 10_000


class Undecided(Exception):
    """Parameters that only the cluster, or another service, knows."""


class Refused(Exception):
    """What Argo CD refuses in a generator: it makes no Application then."""


class LateText(str):
    """A Go template with functions, of a generator's `values`: known when helm evaluates it with the set it is in."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """What one Application is made with. `template` is what its generator changes in the template."""

    values: Mapping[str, Any]
    template: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Context:
    repository: Repository
    is_go: bool
    files: set[str]


def parameter_sets(spec: Any, repository: Repository, files: set[str]) -> list[ParameterSet]:
    """The parameters of every generator, in order; files that were read are added to `files`.

    Raises:
        Undecided: with the reason.
    """
    context = _Context(repository, dig(spec, "goTemplate") is True, files)
    made: list[ParameterSet] = []
    for generator in items(spec, "generators"):
        template = _template_of(generator)
        made += [ParameterSet(one, template) for one in _generated(generator, {}, context)]
        if len(made) > _MOST_SETS:
            raise Undecided(f"it makes more than {_MOST_SETS} Applications")
    return made


def _template_of(generator: Any) -> Mapping[str, Any]:
    for name in _NAMES:
        if isinstance(found := dig(generator, name, "template"), dict):
            return found
    return {}


def _generated(generator: Any, known: Mapping[str, Any], context: _Context) -> list[dict[str, Any]]:
    """The sets of one generator, whose own texts are filled in with `known` parameters of the one before."""
    name = next((one for one in _NAMES if isinstance(generator, dict) and one in generator), "")
    if not name:
        other = ", ".join(key for key in generator if key != "selector") if isinstance(generator, dict) else "?"
        raise Undecided(f"its generator '{other}' asks another service")
    value = _filled(generator[name], known, context) if known else generator[name]
    made = list(_GENERATORS[name](value or {}, known, context))
    values = dig(value, "values")
    if isinstance(values, dict) and name in {"git", "clusters"}:
        made = [_with_values(one, values, context) for one in made]
    selector = dig(generator, "selector")
    if isinstance(selector, dict):
        made = [one for one in made if _is_selected(selector, _decided(one))]
    return made


def _decided(one: Mapping[str, Any]) -> dict[str, Any]:
    """A set whose values decide whether it counts."""
    flat = _flat(one)
    for text in flat.values():
        if isinstance(text, LateText):
            raise Undecided(f"its generator selects by a template: {text.strip()}")
    return flat


def _filled(value: Any, known: Mapping[str, Any], context: _Context) -> Any:
    if isinstance(value, dict):
        return {key: _filled(one, known, context) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, known, context) for one in value]
    if isinstance(value, str) and "{{" in value:
        made = _go_filled(value, known) if context.is_go else replaced(value, known)
        if "{{" in made and context.is_go:
            raise Undecided(f"its generator is a template: {value.strip()}")
        return made
    return value


def _go_filled(text: str, known: Mapping[str, Any]) -> str:
    """A Go template of a generator with what can be filled in without evaluating it."""
    flat = _flat(known)

    def as_json(match: re.Match[str]) -> str:
        found = dig(known, *(match["piped"] or match["given"]).split("."))
        return match[0] if found is None else json.dumps(found)

    def element(match: re.Match[str]) -> str:
        name = f"{match['name']}.{match['key']}"
        return text_of(flat[name]) if name in flat else match[0]

    return _named(_INDEX.sub(element, _AS_JSON.sub(as_json, text)), flat)


def _named(text: str, values: Mapping[str, Any]) -> str:
    """`{{ .name }}` with what it stands for; an unknown name stays."""

    def one(match: re.Match[str]) -> str:
        name = match["name"]
        return text_of(values[name]) if name in values else match[0]

    return _SIMPLE.sub(one, text)


def replaced(text: str, values: Mapping[str, Any]) -> str:
    """Without Go templates: `{{name}}` with the text that it stands for. What is no name of a text stays.

    Raises:
        Refused: braces are opened and not closed.
    """
    if not any("}}" in line.partition("{{")[2] for line in text.split("\n")):
        return text
    made: list[str] = []
    at = 0
    while (start := text.find("{{", at)) >= 0:
        end = text.find("}}", start + 2)
        if end < 0:
            raise Refused(f"a template has {{{{ without }}}}: {shorten(text[start:].strip(), 60)}")
        found = values.get(text[start + 2 : end].strip())
        made += [text[at:start], found if isinstance(found, str) else text[start : end + 2]]
        at = end + 2
    return "".join(made) + text[at:]


def _with_values(one: dict[str, Any], values: Mapping[str, Any], context: _Context) -> dict[str, Any]:
    if context.is_go:
        known = _flat(one)
        return one | {"values": {key: _go_text(text_of(value), known) for key, value in values.items()}}
    return one | {f"values.{key}": replaced(text_of(value), one) for key, value in values.items()}


def _go_text(text: str, known: Mapping[str, Any]) -> str:
    """A text whose actions are all names of known values, filled in; else the template."""
    actions = (part.partition("}}") for part in text.split("{{")[1:])
    simple = [_SIMPLE.fullmatch(f"{{{{{inside}}}}}") for inside, end, _ in actions if end]
    return _named(text, known) if all(one and one["name"] in known for one in simple) else LateText(text)


def _list(value: Any, known: Mapping[str, Any], context: _Context) -> Iterator[dict[str, Any]]:
    del known
    for element in items(value, "elements"):
        if isinstance(element, dict):
            yield dict(element) if context.is_go else _as_texts(element)
    if text := text_of(dig(value, "elementsYaml")):
        if "{{" in text:
            raise Undecided("its elements are a template")
        try:
            found = load_any(text)
        except YamlError as error:
            raise Refused(f"its elementsYaml is not YAML: {error.reason}") from None
        for element in found if isinstance(found, list) else []:
            if not isinstance(element, dict):
                raise Refused("its elementsYaml has an element that is not a mapping")
            yield dict(element)


def _as_texts(element: Mapping[str, Any]) -> dict[str, Any]:
    """Without Go templates every parameter is a text, and `values` has one level."""
    made: dict[str, Any] = {}
    for key, value in element.items():
        is_map = key == "values" and isinstance(value, dict)
        for name, one in ((f"values.{inner}", one) for inner, one in value.items()) if is_map else ((key, value),):
            if not isinstance(one, str):
                raise Refused(f"without goTemplate its list takes texts only, and '{name}' is none: quote it")
            made[name] = one
    return made


def _git(value: Any, known: Mapping[str, Any], context: _Context) -> Iterator[dict[str, Any]]:
    del known
    repository = context.repository
    url, revision = text_of(dig(value, "repoURL")), text_of(dig(value, "revision"))
    if not repository.is_own(url):
        raise Undecided(f"its Git generator reads {url}")
    if not repository.is_compared(revision):
        raise Undecided(f"its Git generator reads the revision {revision}")
    prefix = text_of(dig(value, "pathParamPrefix"))
    if listed := items(value, "directories"):
        for folder in _chosen(listed, _directories(repository), path_match):
            yield _path_parameters(folder, "", prefix, context)
        return
    names = [name for name in repository.tree.names if not name.startswith(".git/")]
    for path in _chosen(items(value, "files"), names, pathspec):
        context.files.add(path)
        for one in _file_objects(path, context):
            yield one | _path_parameters(posixpath.dirname(path) or ".", posixpath.basename(path), prefix, context)


def _directories(repository: Repository) -> list[str]:
    return sorted(one for one in repository.tree.folders if not any(part.startswith(".") for part in one.split("/")))


def _chosen(listed: list[Any], names: list[str], match: Callable[[str, str], bool]) -> list[str]:
    wanted = [text_of(dig(one, "path")) for one in listed if dig(one, "exclude") is not True]
    unwanted = [text_of(dig(one, "path")) for one in listed if dig(one, "exclude") is True]
    return [
        name
        for name in names
        if any(match(glob, name) for glob in wanted) and not any(match(glob, name) for glob in unwanted)
    ]


def _file_objects(path: str, context: _Context) -> Iterator[dict[str, Any]]:
    """The object of a file, or each of the list in it."""
    try:
        value = load_any(context.repository.tree.text(path) or "")
    except YamlError as error:
        raise Undecided(f"{path}:{error.line} cannot be read: {error.reason}") from None
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield dict(one) if context.is_go else {key: text_of(item) for key, item in _flat(one).items()}


def _path_parameters(folder: str, file: str, prefix: str, context: _Context) -> dict[str, Any]:
    segments = folder.split("/")
    if context.is_go:
        path: dict[str, Any] = {
            "path": folder,
            "basename": segments[-1],
            "basenameNormalized": _normalized(segments[-1]),
            "segments": segments,
        }
        if file:
            path |= {"filename": file, "filenameNormalized": _normalized(file)}
        return {prefix: {"path": path}} if prefix else {"path": path}
    name = f"{prefix}.path" if prefix else "path"
    made = {name: folder, f"{name}.basename": segments[-1], f"{name}.basenameNormalized": _normalized(segments[-1])}
    if file:
        made |= {f"{name}.filename": file, f"{name}.filenameNormalized": _normalized(file)}
    return made | {f"{name}[{number}]": segment for number, segment in enumerate(segments) if segment}


def _normalized(name: str) -> str:
    return _DNS.sub("-", name.lower())[:253].strip("-.")


def _clusters(value: Any, known: Mapping[str, Any], context: _Context) -> Iterator[dict[str, Any]]:
    del known
    if context.repository.clusters is None:
        raise Undecided("its cluster generator needs the list of clusters: give it with --clusters")
    found = [_cluster_parameters(one, context) for one in _selected_clusters(value, context.repository.clusters)]
    yield from [{"clusters": found}] if dig(value, "flatList") is True else found


def _selected_clusters(value: Any, clusters: Sequence[Cluster]) -> list[Cluster]:
    """Those that a selector takes; without one also the cluster that Argo CD runs in."""
    selector = dig(value, "selector")
    if dig(selector, "matchLabels") or dig(selector, "matchExpressions"):
        return [one for one in clusters if _is_selected(selector, one.labels)]
    is_listed = any(one.server == _IN_CLUSTER.server for one in clusters)
    return [*clusters, *([] if is_listed else [_IN_CLUSTER])]


def _cluster_parameters(cluster: Cluster, context: _Context) -> dict[str, Any]:
    made = {"name": cluster.name, "nameNormalized": _normalized(cluster.name), "server": cluster.server, "project": ""}
    if context.is_go:
        return made | {"metadata": {"labels": dict(cluster.labels), "annotations": dict(cluster.annotations)}}
    labels = {f"metadata.labels.{key}": value for key, value in cluster.labels.items()}
    return made | labels | {f"metadata.annotations.{key}": value for key, value in cluster.annotations.items()}


def _matrix(value: Any, known: Mapping[str, Any], context: _Context) -> Iterator[dict[str, Any]]:
    """Each set of the first generator with each of the second, whose texts may use the first's, and which it wins over.

    Without Go templates the two may not differ in a parameter.
    """
    generators = items(value, "generators")
    if len(generators) != 2:
        raise Refused("its matrix generator has not two generators")
    for first in _generated(generators[0], known, context):
        for second in _generated(generators[1], {**known, **first}, context):
            other = next((key for key in first if key in second and first[key] != second[key]), None)
            if other is not None and not context.is_go:
                raise Refused(f"both generators of its matrix set '{other}', to different values")
            yield merged([second, first])


def _merge(value: Any, known: Mapping[str, Any], context: _Context) -> Iterator[dict[str, Any]]:
    """The sets of the first generator, changed by those of the others that have the same keys."""
    keys = [text_of(one) for one in items(value, "mergeKeys")]
    sets = [_generated(one, known, context) for one in items(value, "generators")]
    if len(sets) < 2 or not keys:
        raise Refused("its merge generator needs mergeKeys and two generators")
    base, *others = [_by_keys(one, keys) for one in sets]
    for name, one in base.items():
        yield merged([one, *(other[name] for other in others if name in other)])


def _by_keys(sets: list[dict[str, Any]], keys: list[str]) -> dict[str, dict[str, Any]]:
    """Sets by the values of their keys, which are parameters at the top and no names of fields in one."""
    made: dict[str, dict[str, Any]] = {}
    for one in sets:
        _decided(one)
        name = json.dumps([one.get(key) for key in keys], sort_keys=True)
        if name in made:
            raise Refused(f"a generator of its merge makes two sets with the same {', '.join(keys)}")
        made[name] = one
    return made


_GENERATORS = {"list": _list, "git": _git, "clusters": _clusters, "matrix": _matrix, "merge": _merge}


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, one in value.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(one, dict):
            made |= _flat(one, name)
        elif isinstance(one, list):
            made |= _flat({str(number): item for number, item in enumerate(one)}, name)
        else:
            made[name] = one
    return made


def _is_selected(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """A label selector. Source: k8s.io/apimachinery pkg/apis/meta/v1, LabelSelectorAsSelector."""
    wanted = selector.get("matchLabels")
    if isinstance(wanted, dict) and any(text_of(labels.get(key)) != text_of(one) for key, one in wanted.items()):
        return False
    return all(_holds(one, labels) for one in items(selector, "matchExpressions"))


def _holds(expression: Any, labels: Mapping[str, Any]) -> bool:
    key, operator = text_of(dig(expression, "key")), text_of(dig(expression, "operator"))
    values = [text_of(one) for one in items(expression, "values")]
    if operator == "In":
        return key in labels and text_of(labels[key]) in values
    if operator == "NotIn":
        return key not in labels or text_of(labels[key]) not in values
    return (key in labels) == (operator == "Exists")
