"""Which files a kustomization loads, and whether each lies inside the repository: what a program is then given.

Source: sigs.k8s.io/kustomize/api 0.21 (types/kustomization.go, internal/target/kusttarget.go, internal/loader,
internal/builtins). Names of fields are read without regard to case, as encoding/json does; merge keys are followed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ci.rendering.base import BuildError, join
from gitops_ci.rendering.deployment import Closure
from gitops_ci.rendering.documents import dig, items, load, text_of
from gitops_ci.rendering.kustomization_charts import ChartLeftOut, inflation
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["NAMES", "collect", "described_in", "folded", "kustomization_value"]

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_DEEPEST = 50
_RESOURCES = ("resources", "bases", "components", "crds")
_PLUGINS = ("generators", "transformers", "validators")
# What can be left out where it would have to be fetched: the rest is rendered without it.
_OFFLINE = frozenset({*_RESOURCES, "configmapgenerator", "secretgenerator"})
# What kustomize takes for an address before it looks for a file (internal/git/repospec.go, loader/fileloader.go).
_REMOTE = re.compile(
    r"\s*(?:https?:|[a-z][a-z0-9+.-]*://|git::|gh:|(?:[\w.-]+@)[\w.-]+[:/]|(?:www\.)?(?:github|gitlab|bitbucket)\.[a-z]+[/:])"
    r"|.*[?&](?:ref|version|timeout|submodules)=",
    re.IGNORECASE | re.DOTALL,
)
# The query of a base's address: what stands in it is an argument of `git fetch`.
_OPTION_FOR_GIT = re.compile(r"[?&](?:ref|version)=(?:-|%2d)", re.IGNORECASE)
# Fields of the builtin plugins that name files (builtins/*.go); helm's are handled by themselves.
_PLUGIN_FILES = frozenset(
    {"path", "paths", "files", "envs", "env", "valuesfile", "additionalvaluesfiles", "charthome", "confighome"}
)
_OLDER_CHARTS = "helmchartinflationgenerator"
_HELM = frozenset({"helmcharts", _OLDER_CHARTS, "helmglobals"})


def described_in(folder: str, tree: SourceTree) -> str | None:
    """The path of a folder's kustomization, None when it has none."""
    return next((path for name in NAMES if tree.is_file(path := join(folder, name))), None)


def kustomization_value(path: str, tree: SourceTree) -> dict[str, Any]:
    """What a kustomization says, with its keys as they are written.

    Raises:
        YamlError: it cannot be read.
    """
    found = tree.documents(path)
    return found[0].value if found else {}


def folded(value: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with the names of its fields in lower case."""
    return {key.lower(): one for key, one in value.items()}


def collect(folder: str, tree: SourceTree, value: dict[str, Any] | None = None) -> Closure:
    """The closure of a kustomization; `value` is used instead of what its file says."""
    if value is None and (known := _of_the_other_side(folder, tree)):
        return known
    closure = Closure()
    _Collector(tree, closure).kustomization(folder, value, [])
    if closure.remote and not closure.skip:
        first, *others = closure.remote
        closure.skip = f"it needs {first}" + (f" and {len(others)} more" if others else "")
        closure.remedy = "Use --allow-remote to fetch it, or copy it into the repository."
    if value is None and closure == (plain := _plain(closure)):
        tree.plain_closures[folder] = plain
    return closure


def _plain(closure: Closure) -> Closure:
    """A closure of files alone: whether it is the same on the other side of a change follows from its folders."""
    return Closure(set(closure.files), set(closure.parts), set(closure.folders))


def _of_the_other_side(folder: str, tree: SourceTree) -> Closure | None:
    """The closure that the other side of a change has, if no file in one of its folders differs."""
    twin = tree.twin_of((folder,))
    known = twin.plain_closures.get(folder) if twin else None
    if known is None or tree.twin_of({posixpath.dirname(path) or "." for path in known.files} | known.folders) is None:
        return None
    return _plain(known)


class _Collector:
    def __init__(self, tree: SourceTree, closure: Closure) -> None:
        self.tree = tree
        self.closure = closure
        self.done: set[str] = set()

    def kustomization(self, folder: str, value: dict[str, Any] | None, above: list[str]) -> None:
        """Read one kustomization and all that it includes; `above` are the folders that lead to it."""
        path = described_in(folder, self.tree)
        if path is None and value is None:
            self.closure.error = f"there is no kustomization in {folder}"
            return
        if path is not None:
            self.take(path)
        try:
            said = value if value is not None else kustomization_value(path or "", self.tree)
        except YamlError as error:
            self.closure.error = f"{path}:{error.line}: the kustomization cannot be read: {error.reason}"
            return
        self.fields(folder, path or join(folder, NAMES[0]), said, [*above, folder])

    def fields(self, folder: str, path: str, said: dict[str, Any], above: list[str]) -> None:
        root = folded(said)
        for name in _RESOURCES:
            for entry in _texts(root, name):
                self.resource(entry, folder, path, above)
        for name in _PLUGINS:
            self.plugins(name, said, root, folder, path, above)
        for entry in _named_files(root):
            self.part(entry, folder, path)
        for generator in (*items(root, "configmapgenerator"), *items(root, "secretgenerator")):
            for entry in _generator_files(generator):
                self.part(_value_of(entry), folder, path, whole=entry)
        self.helm(said, root, folder, path)
        self.offline(said, path)

    def offline(self, said: dict[str, Any], path: str) -> None:
        """The kustomization without what would have to be fetched of resources and generators, if it has any."""
        current = self.closure.rewritten.get(path, said)
        kept = {key: self.local(one) if key.lower() in _OFFLINE else one for key, one in current.items()}
        if kept != current:
            self.closure.offline[path] = kept

    def local(self, listed: Any) -> Any:
        """A list of resources or generators without addresses."""
        if isinstance(listed, dict):
            return {key: self.local(one) if key.lower() in {"files", "envs"} else one for key, one in listed.items()}
        if not isinstance(listed, list):
            return listed
        remote = [one for one in listed if isinstance(one, str) and _is_remote(one)]
        self.closure.fetched.update(remote)
        return [self.local(one) if isinstance(one, dict) else one for one in listed if one not in remote]

    def resource(self, entry: str, folder: str, path: str, above: list[str]) -> None:
        """A file, a kustomization, or an address."""
        if "\n" in entry:
            return
        target = self.inside(entry, folder, path)
        if target is None:
            return
        if self.tree.is_file(target):
            self.take(target)
        elif self.tree.is_folder(target):
            real = self.tree.resolve(target) or target
            self.closure.links |= self.tree.links_on(target)
            self.closure.folders.add(real)
            if real in above:
                self.closure.problems.append(
                    BuildError("cycle", path, *self.position(path, entry), f"it includes itself through '{entry}'")
                )
                self.closure.error = "it includes itself, in the end"
            elif described_in(real, self.tree) is None:
                self.missing(path, f"there is no kustomization in '{entry}'", entry)
            elif len(above) > _DEEPEST:
                self.closure.error = "its bases are nested too deep"
            elif real not in self.done:
                self.done.add(real)
                self.closure.absorb(self._closure_of(real, above))
        else:
            self.missing(path, self.absence(entry, target), entry)

    def absence(self, entry: str, target: str) -> str:
        if posixpath.normpath(target) in self.tree.hidden:
            return f"'{entry}' is not in the source: spec.ignore, .sourceignore or a default of Flux leaves it out"
        return f"there is no '{entry}'"

    def _closure_of(self, folder: str, above: list[str]) -> Closure:
        """What a folder brings, found once however many kustomizations include it."""
        known = self.tree.closures.get(folder)
        if known is None:
            known = self.tree.closures[folder] = Closure()
            _Collector(self.tree, known).kustomization(folder, None, above)
        return known

    def part(self, entry: str, folder: str, path: str, whole: str = "") -> None:
        """A file that is not a manifest of its own."""
        if "\n" in entry or (target := self.inside(entry, folder, path, whole)) is None:
            return
        if self.tree.is_file(target):
            self.take(target, part=True)
        elif not self.tree.is_folder(target):
            self.missing(path, self.absence(entry, target), entry)

    def inside(self, entry: str, folder: str, path: str, whole: str = "") -> str | None:
        """The path that an entry stands for; None, and a word about it, when it is an address or leads outside."""
        if any(_REMOTE.match(one) for one in (entry, whole, whole.partition("=")[2])):
            if _OPTION_FOR_GIT.search(entry):
                self.closure.refuse(f"{path}: '{entry}' has an option of git for its reference")
            self.closure.remote[whole or entry] = None
            return None
        target = posixpath.join("" if folder == "." else folder, entry)
        if self.tree.leads_out(target):
            self.closure.refuse(f"{path}: '{entry}' leads out of the repository")
            return None
        return target

    def missing(self, path: str, message: str, entry: str) -> None:
        self.closure.problems.append(BuildError("missing-path", path, *self.position(path, entry), message))
        self.closure.error = self.closure.error or f"{path}: {message}"

    def position(self, path: str, entry: str) -> tuple[int, int]:
        """Line and column of an entry in a kustomization, the first that is not a comment."""
        for number, line in enumerate((self.tree.text(path) or "").splitlines(), 1):
            column = line.find(entry)
            if column >= 0 and not line.lstrip().startswith("#"):
                return number, column + 1
        return 1, 1

    def take(self, target: str, *, part: bool = False) -> None:
        real = self.tree.resolve(target)
        if real is None:
            return
        self.closure.links |= self.tree.links_on(target)
        self.closure.files.add(real)
        if part:
            self.closure.parts.add(real)

    def plugins(
        self, name: str, said: dict[str, Any], root: dict[str, Any], folder: str, path: str, above: list[str]
    ) -> None:
        """Configurations of generators and transformers: files, folders, or written on the spot."""
        kept, dropped = [], []
        for entry in _texts(root, name):
            if _runs_a_program(values := self.plugin_values(entry, folder, path, above)):
                dropped.append(entry)
                continue
            kept.append(entry)
            for value in values:
                self.plugin(value, folder, path)
        if dropped:
            self.closure.omitted.append(f"{path}: without {len(dropped)} of its {name}, which are programs")
            current = self.closure.rewritten.get(path, said)
            self.closure.rewritten[path] = {key: one for key, one in current.items() if key.lower() != name} | {
                name: kept
            }

    def plugin_values(self, entry: str, folder: str, path: str, above: list[str]) -> list[dict[str, Any]]:
        if inline := _inline(entry):
            return inline
        self.resource(entry, folder, path, above)
        target = self.tree.resolve(posixpath.join("" if folder == "." else folder, entry))
        if target is None or self.closure.refused:
            return []
        inside = self.tree.closures.get(target)
        files = [target] if self.tree.is_file(target) else sorted(inside.files) if inside else []
        found: list[dict[str, Any]] = []
        for file in files:
            self.closure.parts.add(file)
            if posixpath.basename(file) in NAMES:
                continue
            try:
                found += [one.value for one in self.tree.documents(file)]
            except YamlError as error:
                self.closure.error = f"{file}:{error.line}: {error.reason}"
        return found

    def plugin(self, value: dict[str, Any], folder: str, path: str) -> None:
        for field, text in _scalars(value):
            if field in _PLUGIN_FILES:
                self.part(_value_of(text), folder, path, text)

    def helm(self, said: dict[str, Any], root: dict[str, Any], folder: str, path: str) -> None:
        """The kustomization with the output of the charts that are here, and without the others."""
        charts = [folded(one) for one in items(root, "helmcharts") if isinstance(one, dict)]
        older = [folded(one) for one in items(root, _OLDER_CHARTS) if isinstance(one, dict)]
        if not charts and not older:
            return
        globals_ = root.get("helmglobals")
        outputs, left_out = [], [f"the chart {text_of(one.get('chartname')) or '?'}" for one in older]
        for number, chart in enumerate(charts):
            try:
                made, output = inflation(
                    chart, folded(globals_) if isinstance(globals_, dict) else {}, folder, number, self.tree
                )
            except ChartLeftOut as reason:
                left_out.append(str(reason))
                self.closure.lend(reason.values)
                continue
            made.error = made.error and f"{path}: {made.error}"
            made.refused = made.refused and f"{path}: {made.refused}"
            self.closure.absorb(made)
            outputs.append(output)
        self.closure.omitted += [f"{path}: without {one}" for one in left_out]
        self.closure.inflating[path] = None
        current = self.closure.rewritten.get(path, said)
        kept = {key: one for key, one in current.items() if key.lower() not in _HELM}
        names = [key for key in kept if key.lower() == "resources"]
        resources = [one for name in names for one in kept.pop(name) or ()]
        # Also where nothing is left: an empty list is not an empty kustomization, which kustomize refuses.
        self.closure.rewritten[path] = kept | {"resources": [*resources, *outputs]}


def _is_remote(entry: str) -> bool:
    return any(_REMOTE.match(one) for one in (entry, entry.partition("=")[2]))


def _texts(root: Mapping[str, Any], name: str) -> list[str]:
    return [one for one in items(root, name) if isinstance(one, str)]


def _named_files(root: Mapping[str, Any]) -> Iterator[str]:
    """Patches, replacements and configurations."""
    yield from (one for one in _texts(root, "patchesstrategicmerge") if not _is_patch(one))
    yield from _texts(root, "configurations")
    for name in ("patches", "patchesjson6902", "replacements"):
        for one in items(root, name):
            if isinstance(one, dict) and isinstance(path := folded(one).get("path"), str) and path:
                yield path
            elif isinstance(one, str):
                yield one  # as patches were written once
    openapi = root.get("openapi")
    if isinstance(openapi, dict) and isinstance(path := folded(openapi).get("path"), str) and path:
        yield path


def _generator_files(generator: Any) -> Iterator[str]:
    if not isinstance(generator, dict):
        return
    said = folded(generator)
    yield from (one for name in ("files", "envs") for one in _texts(said, name))
    if isinstance(env := said.get("env"), str) and env:
        yield env


def _value_of(entry: str) -> str:
    """The file of `KEY=FILE`."""
    return entry.partition("=")[2] if "=" in entry else entry


def _inline(entry: str) -> list[dict[str, Any]]:
    if ":" not in entry:
        return []
    try:
        return [one.value for one in load("", entry)]
    except YamlError:
        return []


def _is_patch(entry: str) -> bool:
    """Whether an entry is a patch itself: kustomize reads what is not an object as the name of a file."""
    found = _inline(entry)
    return bool(found) and all(text_of(one.get("kind")) and text_of(dig(one, "metadata", "name")) for one in found)


def _runs_a_program(values: list[dict[str, Any]]) -> bool:
    """Whether one of the configurations is for a plugin that is a program or a container, such as KSOPS."""
    for value in values:
        if text_of(value.get("kind")) in {"Kustomization", "Component"}:
            continue
        annotations = (
            (value.get("metadata") or {}).get("annotations") if isinstance(value.get("metadata"), dict) else None
        )
        if isinstance(annotations, dict) and any("config.kubernetes.io/function" in str(key) for key in annotations):
            return True
        if text_of(value.get("apiVersion")).partition("/")[0] != "builtin":
            return True
        if text_of(value.get("kind")) == "HelmChartInflationGenerator":
            return True  # it starts helm with what is written there
    return False


def _scalars(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text with the name of the field that it is in, in lower case."""
    if isinstance(value, dict):
        for key, one in value.items():
            if str(key).lower() != "fieldspecs":  # their `path` is one in an object
                yield from _scalars(one, str(key).lower())
    elif isinstance(value, list):
        for one in value:
            yield from _scalars(one, field)
    elif isinstance(value, str):
        yield field, value
