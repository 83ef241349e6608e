"""What is deployed together, as operators define it: a unit, the files it needs, and how it is rendered."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Literal, Protocol

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.base import BuildError
from gitops_ci.rendering.documents import Document
from gitops_ci.rendering.source_ignore import hidden_files
from gitops_ci.rendering.tree import SourceTree

__all__ = [
    "CHART_OUTPUT",
    "USUAL_BRANCHES",
    "Closure",
    "Cluster",
    "DeploymentUnit",
    "Output",
    "Recipe",
    "Repository",
    "Step",
    "UnitKind",
    "join_documents",
]

CHART_OUTPUT = ".gitops-ci-chart-"
# What a source follows that follows this repository, where nobody says what its branch is called. '' and HEAD are it.
USUAL_BRANCHES = frozenset({"", "HEAD", "main", "master"})


@dataclass(frozen=True, slots=True)
class DeploymentUnit:
    """What an operator, or a person with kubectl or helm, applies together.

    `id` is unique within one side of a comparison; `path` and `line` say where the unit is described, `source` which
    folder or chart it takes, `destination` the cluster and namespace, as far as the description says.
    `value` is the object that describes it, empty for a folder; `start` is the file of the outermost unit whose output
    it stands in, where that is another one: objects that it refers to are looked for there first. `values` are files
    that a chart is rendered with. `is_assumed` says that nobody installs the chart with these values or this name, as
    far as the repository shows: what hangs on a name's length or on an empty value is not a finding then.
    """

    id: str
    kind: str
    path: str
    line: int = 1
    source: str = ""
    destination: str = ""
    value: Mapping[str, Any] = field(default_factory=dict, compare=False)
    values: tuple[str, ...] = ()
    start: str = ""
    is_assumed: bool = False


@dataclass(slots=True)
class Closure:
    """Every file that a unit needs, found without starting a program.

    `parts` are those of `files` that are not manifests of their own: patches, values, what a generator reads.
    `folders` are kustomizations and charts that are part of it. `rewritten` are kustomizations without what cannot be
    done here, each reason in `omitted`. `offline` are those without the resources that
    would have to be `fetched`. `copies` are files that are also wanted under another path, `written` files of our own.
    `left_out` are files of its folder that it says not to deploy. `inputs` are files of values for charts that are not
    here. `inflating` are kustomizations that inflate charts,
    `steps` make their files, named `CHART_OUTPUT` and a number.

    `refused` is why nothing of it may reach a program; `skip` why it cannot be rendered here although others can, with
    what to do about it in `remedy`; `error` why nobody can. What is `pinned` follows other commits of this repository.
    What `is_only_a_part` is deployed by nobody alone, so that skipping it loses nothing. What is `is_indivisible` has
    parts that cannot be rendered without the whole.
    """

    files: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    remote: dict[str, None] = field(default_factory=dict)
    problems: list[BuildError] = field(default_factory=list)
    rewritten: dict[str, dict[str, Any]] = field(default_factory=dict)
    offline: dict[str, dict[str, Any]] = field(default_factory=dict)
    fetched: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    copies: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    inflating: dict[str, None] = field(default_factory=dict)
    omitted: list[str] = field(default_factory=list)
    refused: str = ""
    error: str = ""
    skip: str = ""
    remedy: str = ""
    pinned: bool = False
    is_only_a_part: bool = False
    is_indivisible: bool = False

    @property
    def is_stuck(self) -> bool:
        """Whether something speaks against rendering it."""
        return bool(self.refused or self.error or self.skip)

    def refuse(self, reason: str) -> None:
        self.refused = self.refused or reason

    def lend(self, paths: Iterable[str]) -> None:
        """Take files of values for a chart that is not here."""
        for path in paths:
            self.files.add(path)
            self.parts.add(path)
            self.inputs.add(path)

    def without_remote(self) -> Closure | None:
        """What can be tried without a network, None when more than resources would have to be fetched."""
        if not self.offline or self.remote.keys() - self.fetched:
            return None
        reasons = [f"without {address}, which is not in this repository" for address in sorted(self.fetched)]
        omitted = [*self.omitted, *reasons]
        return replace(self, rewritten=self.rewritten | self.offline, omitted=omitted, skip="")

    def without_charts(self) -> Closure:
        """What can be built where no helm is installed."""
        rewritten, offline = (
            {path: _without_charts(one) for path, one in texts.items()} for texts in (self.rewritten, self.offline)
        )
        omitted = [*self.omitted, "without the Helm charts that it inflates: helm is not installed"]
        return replace(self, rewritten=rewritten, offline=offline, omitted=omitted, steps=[])

    def absorb(self, other: Closure) -> None:
        """Take what another closure holds, and what speaks against it."""
        self.files |= other.files
        self.parts |= other.parts
        self.folders |= other.folders
        self.links |= other.links
        self.remote |= other.remote
        self.problems += [one for one in other.problems if one not in self.problems]
        self.rewritten |= other.rewritten
        self.offline |= other.offline
        self.fetched |= other.fetched
        self.left_out |= other.left_out
        self.inputs |= other.inputs
        self.copies |= other.copies
        self.written |= other.written
        self.steps += [one for one in other.steps if one not in self.steps]
        self.inflating |= other.inflating
        self.omitted += [one for one in other.omitted if one not in self.omitted]
        self.refuse(other.refused)
        self.error = self.error or other.error
        self.is_indivisible = self.is_indivisible or other.is_indivisible
        if not self.skip:
            self.skip, self.remedy = other.skip, other.remedy


def _without_charts(kustomization: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [item for item in one if not str(item).startswith(CHART_OUTPUT)] if key == "resources" else one
        for key, one in kustomization.items()
    }


@dataclass(frozen=True, slots=True)
class Step:
    """One run of a program in a folder that holds nothing but the unit's files.

    `arguments` are options of our own and, behind `--`, paths as ./NAME. `into` is the file that the output becomes for
    the next step; the outputs of steps without it, one after the other, are what the unit renders to.
    """

    program: Literal["kustomize", "helm"]
    arguments: tuple[str, ...]
    into: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """What is applied. `undefined` are variables that have no value, `errors` why the operator would refuse it."""

    text: str
    undefined: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def join_documents(texts: Sequence[str]) -> str:
    """Streams of documents as one."""
    if len(texts) < 2:
        return "".join(texts)
    ended = (text if text.endswith("\n") else f"{text}\n" for text in texts if text.strip())
    return "".join(
        text if text.startswith("---") or not number else f"---\n{text}" for number, text in enumerate(ended)
    )


def _as_it_is(text: str) -> Output:
    return Output(text)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a unit is rendered: `files` are copied, `written` are added, `steps` run, `finish` makes the result of it.

    `copies` are files by a path that they have for the program only. `text` comes before what is printed.
    """

    files: frozenset[str] = frozenset()
    copies: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    text: str = ""
    finish: Callable[[str], Output] = _as_it_is


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that Argo CD knows, for the generators that ask for it."""

    name: str
    server: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


_PORT_OR_COLON = re.compile(r"(?::\d+)?[:/]")


@dataclass
class Repository:
    """The repository that units are found in. `urls` are its addresses; without any, each is that is not `foreign`.

    `values` are files of the user for the charts in some folders, `variables` values of Flux variables that are not in
    Git. `objects` are all objects in Git that others refer to by name (see `find_objects`).
    """

    tree: SourceTree
    urls: tuple[str, ...] = ()
    foreign: Collection[str] = ()
    branches: frozenset[str] = USUAL_BRANCHES
    clusters: Sequence[Cluster] | None = None
    kubernetes_version: str = ""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[tuple[str, str], Sequence[Document]] = field(default_factory=dict)
    # Of this tree alone: not an argument, so that `replace` begins with none.
    _sources: dict[str | None, SourceTree] = field(default_factory=dict, init=False)

    def source_tree(self, ignore: str | None) -> SourceTree:
        """The files as a source of Flux has them; `ignore` is its `spec.ignore`, None where it is not set."""
        known = self._sources.get(ignore)
        if known is None:
            hidden = hidden_files(self.tree.names, self.tree.text, ignore)
            known = self._sources[ignore] = self.tree.without(hidden) if hidden else self.tree
        return known

    def is_own(self, url: str) -> bool:
        """Whether an address is this repository's, with or without .git, over https or ssh."""
        if not self.urls:
            return url not in self.foreign
        return _plain(url) in {_plain(known) for known in self.urls}

    def why_elsewhere(self, url: str) -> str:
        """Why an address is not this repository's."""
        guessed = "" if self.urls else " (this checkout has no remote, and other paths of it are not here)"
        return f"its source is {url}{guessed}"

    def is_compared(self, revision: str) -> bool:
        """Whether a revision stands for the files at hand."""
        return revision.removeprefix("refs/heads/") in self.branches

    def named(self, kind: str, name: str, namespace: str, unit: DeploymentUnit) -> Document | None:
        """The object of a name that a unit refers to; of several, the nearest one."""
        named = self.objects.get((kind, name), ())
        found = [one for one in named if not namespace or one.namespace in {"", namespace}]
        # A kustomization may set another namespace than the file has.
        return self.nearest(found or named, unit)

    def nearest(self, found: Sequence[Document], unit: DeploymentUnit) -> Document | None:
        """Of several objects the one that has most folders in common with where the unit comes from."""
        start = unit.start or unit.path
        return max(found, key=lambda one: (_shared(one.path, start), _shared(one.path, unit.path)), default=None)


def _plain(url: str) -> str:
    plain = re.sub(r"^[a-z+]+://(?:[^@/]*@)?|^[^@/:]+@", "", url.strip().lower())
    return _PORT_OR_COLON.sub("/", plain, count=1).removesuffix("/").removesuffix(".git")


def _shared(one: str, other: str) -> int:
    """How many folders two paths have in common."""
    count = 0
    for mine, its in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if mine != its:
            break
        count += 1
    return count


class UnitKind(Protocol):
    """A kind of unit. Each module of the table in `kinds` has these three functions."""

    def describe(
        self, files: Sequence[str], documents: Sequence[Document], repository: Repository
    ) -> Iterable[DeploymentUnit]:
        """The units that files and objects describe."""

    def closure(self, unit: DeploymentUnit, repository: Repository) -> Closure:
        """The files that a unit needs, without starting a program."""

    def recipe(self, unit: DeploymentUnit, closure: Closure, repository: Repository) -> Recipe:
        """How the unit is rendered, once its closure speaks not against it."""
