"""Which descriptions of deployment units may lead to an edited file: asked of names and texts, nothing is parsed.

What is found is more than what holds a file; what holds one is among it. A bump where nothing is found costs no more
than the search for the image.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.commit_files import CommitFiles
from gitops_ci.flows.globs import Paths
from gitops_ci.known_files import CHART, FLEET, KUSTOMIZATIONS
from gitops_ci.rendering.deployment import USUAL_BRANCHES
from gitops_ci.repourl import RepoUrl

__all__ = ["MOST", "NAMED", "VALUES_FROM", "Survey", "survey"]

# With more files and folders than this, a run that is about some folders does not read the others for its check.
MOST = 20_000
_MANY = 100  # names: git grep looks for each of them, so reading all descriptions takes less
# The API groups whose objects describe units.
_OPERATORS = ("argoproj.io/", "fluxcd.io/", "fleet.cattle.io/")
# What a unit takes values from by name, and the fields that do so.
NAMED = ("ConfigMap", "Secret")
VALUES_FROM = ("valuesFrom", "substituteFrom")
_FLUX = "kustomize.toolkit.fluxcd.io/"
_DESCRIBING = (*KUSTOMIZATIONS, CHART, *FLEET)
_YAML = (".yaml", ".yml", ".json")
_DOCUMENT = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
_OBJECT = re.compile(r"apiVersion[\"']?:\s*[\"']?(?:argoproj\.io|[a-z.]*\.fluxcd\.io|fleet\.cattle\.io)/")
_UNIT = re.compile(r"kind[\"']?:\s*[\"']?(?:Application(?:Set)?|Kustomization|HelmRelease|GitRepo)\b")
# Objects that others refer to by name.
_SOURCE = re.compile(r"source\.(?:toolkit|extensions)\.fluxcd\.io/")
# What may take any folder, and what comes before a variable or a template in a path.
_ANY = re.compile(
    r"kind[\"']?:\s*[\"']?(?:ApplicationSet|GitRepo)\b|\bpath[\"']?:\s*[\"']?\.?/?[\"']?\s*$", re.MULTILINE
)
_PREFIX = re.compile(r"\bpath[\"']?:\s*[\"']?(?:\./|/)?([^\n\"'${]*)(?:\$\{|\{\{)")
_TOKEN = re.compile(r"[^\s\"',\[\]{}#=]+")
_SOURCE_NAME = re.compile(r"\A\$[\w-]+/")


@dataclass(frozen=True, slots=True)
class Survey:
    """`describing` are kustomizations, charts and bundles, `operators` files with objects of an operator.

    `words` are the values that the edit replaces and writes: what has one of them may be made of an edited file.
    `has_variables`: Flux substitutes variables somewhere in the repository. `leading` are those of `operators` that may
    take an edited file, once a kustomization has patched them.
    """

    snapshot: Snapshot
    edited: frozenset[str]
    describing: frozenset[str]
    operators: frozenset[str]
    repository: Mapping[str, Any]
    words: frozenset[str]
    has_variables: bool
    leading: frozenset[str]


def survey(
    snapshot: Snapshot,
    edited: Collection[str],
    *,
    url: RepoUrl,
    branch: str,
    values: Mapping[str, Sequence[str]],
    words: Collection[str],
) -> Survey | None:
    """None where no unit holds an edited file. `values` are files that charts in some folders are rendered with."""
    operators = snapshot.search(_OPERATORS, Paths())
    search = _Search(snapshot, edited, [path for path in operators if path.endswith(_YAML)], values)
    found = search.everything()
    if not found:
        return None
    # The address of a folder on this machine says nothing about what the repository is called elsewhere.
    urls = () if url.scheme == "file" else (url.text,)
    settings = {"urls": urls, "branches": USUAL_BRANCHES | {branch}}
    describing, objects = found & search.describing, found - search.describing
    return Survey(
        snapshot,
        frozenset(edited),
        frozenset(describing),
        frozenset(objects | search.sources),
        settings,
        frozenset(words),
        search.has_variables(),
        search.leading,
    )


class _Search:
    """From edited files to what names them, to what names that, and so on."""

    def __init__(
        self,
        snapshot: Snapshot,
        edited: Collection[str],
        operators: Iterable[str],
        values: Mapping[str, Sequence[str]],
    ) -> None:
        self._snapshot = snapshot
        self._edited = set(edited)
        self._files = CommitFiles(snapshot, {})
        self._read: dict[str, str] = {}
        self._named: dict[str, frozenset[str]] = {}
        self.describing = {path for path in snapshot.paths(Paths()) if path.rpartition("/")[2] in _DESCRIBING}
        self._with_values = {
            posixpath.normpath(posixpath.join(chart, CHART))
            for chart, files in values.items()
            if not self._edited.isdisjoint(map(posixpath.normpath, files))
        }
        self._texts: dict[str, str] = {}
        self.sources: set[str] = set()
        self._files.read_ahead(operators)
        for path in operators:
            objects = [one for one in _DOCUMENT.split(self._text(path)) if _OBJECT.search(one)]
            self.sources |= {path} if any(map(_SOURCE.search, objects)) else set()
            if units := [one for one in objects if _UNIT.search(one)]:
                self._texts[path] = "\n---\n".join(units)
        self._index = _Index(self._texts, {posixpath.basename(path) for path in self._edited})

    def _text(self, path: str) -> str:
        if path not in self._read:
            self._read[path] = (self._files.data(path) or b"").decode("utf-8", "replace")
        return self._read[path]

    def has_variables(self) -> bool:
        """Whether Flux substitutes variables in what it applies from here."""
        return any(_FLUX in text for text in self._texts.values())

    def everything(self) -> set[str]:
        """The descriptions and objects that may lead to an edited file."""
        if self._snapshot.links():  # a name may stand for anything
            return self.describing | self._texts.keys()
        found = {*self.leading, *(self._with_values & self.describing)}
        new = self._edited | found
        while new:
            new = {*self._near(new), *self._listing(new), *self._index.taking(new)} - found
            found |= new
        return found

    @cached_property
    def leading(self) -> frozenset[str]:
        """The objects that may take an edited file, or an object that may."""
        found = {path for path, text in self._texts.items() if path in self._edited or _takes_any(text)}
        if any(kind in self._text(path) for path in self._edited for kind in NAMED):
            found |= {path for path, text in self._texts.items() if any(field in text for field in VALUES_FROM)}
        new = self._edited | found
        while new:
            new = self._index.taking(new) - found
            found |= new
        return frozenset(found)

    def _near(self, paths: Collection[str]) -> Iterator[str]:
        """Descriptions in the folders of files, and above them."""
        for folder in {folder for path in paths for folder in _folders(path)}:
            yield from (one for name in _DESCRIBING if (one := posixpath.join(folder, name)) in self.describing)

    def _listing(self, paths: Collection[str]) -> Iterator[str]:
        """Descriptions that have a file in them, or the folder of a description."""
        if not self.describing:
            return
        folders = {posixpath.dirname(path) for path in paths if path in self.describing}
        targets = folders | set(paths)
        names = sorted({name for path in targets if (name := posixpath.basename(path))})
        if len(names) > _MANY:
            candidates = set(self.describing)
        else:
            candidates = {*self._snapshot.search(names, Paths(), names=_DESCRIBING)} if names else set()
        # Entries such as `../..` have no name in them.
        candidates |= {path for path in self.describing if not folders.isdisjoint(_folders(path))}
        self._files.read_ahead(candidates & self.describing - self._named.keys())
        for path in candidates & self.describing:
            if path not in self._named:
                folder, tokens = posixpath.dirname(path), _TOKEN.findall(self._text(path))
                self._named[path] = frozenset(_resolved(folder, token.removeprefix("file://")) for token in tokens)
            if not self._named[path].isdisjoint(targets):
                yield path


class _Index:
    """Objects of operators by the paths in them. `names` are those of the edited files."""

    def __init__(self, texts: Mapping[str, str], names: Collection[str]) -> None:
        self._by_token: dict[str, list[str]] = {}
        self._by_prefix: dict[str, list[str]] = {}
        self._naming: set[str] = set()
        for path, text in texts.items():
            tokens = _plain_tokens(text)
            for token in tokens:
                self._by_token.setdefault(token, []).append(path)
            if any(token.rpartition("/")[2] in names for token in tokens):
                self._naming.add(path)
            for prefix in set(_PREFIX.findall(text)):
                self._by_prefix.setdefault(prefix, []).append(path)

    def taking(self, paths: Collection[str]) -> set[str]:
        """Objects with the path of a file, or of a folder above it, in them, or an edited file's name."""
        wanted = {*paths, *(folder for path in paths for folder in _folders(path) if folder)}
        found = set(self._naming)
        found.update(*(self._by_token.get(token, ()) for token in wanted))
        for prefix, objects in self._by_prefix.items():
            if any(path.startswith(prefix) for path in paths):
                found.update(objects)
        return found


def _takes_any(text: str) -> bool:
    """Whether an object may take any folder: without a path, Flux takes the root."""
    return _ANY.search(text) is not None or (_FLUX in text and "sourceRef" in text and "path" not in text)


def _plain_tokens(text: str) -> set[str]:
    """The words of a text as paths from the root."""
    return {_SOURCE_NAME.sub("", token).removeprefix("./").strip("/") for token in _TOKEN.findall(text)}


def _resolved(folder: str, token: str) -> str:
    path = posixpath.normpath(posixpath.join(folder, token))
    return "" if path == "." else path


def _folders(path: str) -> Iterator[str]:
    while path:
        path = posixpath.dirname(path)
        yield path
