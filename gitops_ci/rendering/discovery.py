"""Which units a repository has, and which of them are rendered: those that an operator, or a person, starts from.

A unit that another one contains is rendered as part of that one. What is rendered may hold further units, which are
followed (see `Deployment`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field, replace

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.chart_files import CHART
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Output, Repository
from gitops_ci.rendering.documents import Document, dig, load, text_of
from gitops_ci.rendering.foreign import foreign_addresses
from gitops_ci.rendering.kinds import FILE_KINDS, FOLDER_KINDS, closure_of, describe
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["DEEPEST", "Deployment", "Found", "find_objects"]

DEEPEST = 10  # an Application that makes an Application that …: more is a mistake
# Objects that describe units, and those that units refer to by name.
_GROUPS = ("argoproj.io/", "toolkit.fluxcd.io/", "source.extensions.fluxcd.io/", "fleet.cattle.io/")
# To look for words is much faster than an expression, and so is an expression that begins with one.
_INTERESTING_WORDS = ("argoproj.io/", "fluxcd.io/", "fleet.cattle.io/")
_IS_NAMED = re.compile(r"kind[\"']?:\s*[\"']?(?:ConfigMap|Secret)\b")
_TAKES_FOLDERS_WORD = "kustomize.toolkit.fluxcd.io/v"
_TAKES_FOLDERS = re.compile(r"kind(?<!\wkind)[\"']?:\s*[\"']?(?:Application(?:Set)?|GitRepo)\b")
_TAKES_CHARTS = re.compile(r"kind(?<!\wkind)[\"']?:\s*[\"']?HelmRelease\b")
_DOCUMENT = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
_NAMED = ("ConfigMap", "Secret")


@dataclass(frozen=True, slots=True)
class Found:
    """A unit with its closure, and the unit whose output contains it; '' if it is in Git."""

    unit: DeploymentUnit
    closure: Closure
    within: str = ""
    depth: int = 0


def find_objects(tree: SourceTree, among: Iterable[str] | None = None) -> list[Document]:
    """Every object in Git that describes a unit, or that one may refer to; templates of charts are none.

    A document is read only if the text names such an object. `among` are the files that may; all, if not given.
    """
    charts = [path.removesuffix(CHART) for path in tree.names if path.rpartition("/")[2] == CHART]
    templates = tuple(f"{chart}{name}/" for chart in charts for name in ("templates", "crds", "charts"))
    found: list[Document] = []
    for path in tree.names if among is None else sorted(among):
        if not path.endswith((".yaml", ".yml", ".json")) or path.startswith(templates):
            continue
        if not tree.noted(path, _is_interesting_text):
            continue
        try:
            found += [one for one in tree.documents(path) if _is_interesting(one)]
        except YamlError:
            continue  # the check of the file itself reports it
    return found


def _is_interesting_text(text: str) -> bool:
    if any(word in text for word in _INTERESTING_WORDS):
        return True
    return any(word in text for word in _NAMED) and _IS_NAMED.search(text) is not None


def _is_interesting(one: Document) -> bool:
    version = one.value.get("apiVersion")
    return one.kind in _NAMED or (isinstance(version, str) and any(group in version for group in _GROUPS))


@dataclass
class Deployment:
    """The units of one tree, followed from round to round.

    `start` gives the units to render first; `follow`, called for each that was rendered, gives those in its output;
    when nothing is left, `remaining` gives what no rendered unit contains, until it gives nothing. The caller renders,
    at its own pace, and reports those that cannot be. What is `superseded` was rendered only to find what renders the
    same files in the cluster: its text is not judged. A file that `is_left_out` describes no unit.
    """

    repository: Repository
    units: dict[str, Found] = field(default_factory=dict)
    cycles: list[tuple[str, str]] = field(default_factory=list)
    attempted: set[str] = field(default_factory=set)
    rendered: set[str] = field(default_factory=set)
    superseded: set[str] = field(default_factory=set)
    is_left_out: Callable[[str], bool] = lambda path: False  # noqa: ARG005
    _above: dict[str, set[str]] = field(default_factory=dict)

    def start(self, files: Sequence[str] | None = None, *, objects_in: Iterable[str] | None = None) -> list[Found]:
        """What nothing else contains and no operator's object takes, as far as further units may come of it.

        `objects_in` are the files that may hold an operator's objects, where that is known.
        """
        tree = self.repository.tree
        documents = find_objects(tree, objects_in)
        self.repository.objects = _by_name(documents)
        if not self.repository.urls:
            self.repository.foreign = foreign_addresses(documents, self.repository)
        names = [path for path in (files if files is not None else tree.names) if not self.is_left_out(path)]
        documents = [one for one in documents if not self.is_left_out(one.path)]
        described = [(unit, closure_of(unit, self.repository)) for unit in describe(names, documents, self.repository)]
        parts = set().union(*(closure.parts for _, closure in described))
        # A patch has the name of what it patches, and is not a unit of its own.
        kept = [one for one in described if one[0].kind in FILE_KINDS or one[0].path not in parts]
        for unit, (_, closure) in zip(_unique(unit for unit, _ in kept), kept, strict=True):
            self.units[unit.id] = Found(unit, closure)
        self._above = self._holders()
        taken = _taken(one for one in self.units.values() if one.unit.kind not in FOLDER_KINDS)
        outermost = [
            name for name, one in self.units.items() if not self._is_inner(name) and not self._is_taken(one.unit, taken)
        ]
        return self._attempt(self.units[name] for name in self._first(outermost))

    def holders(self, name: str) -> set[str]:
        """A unit, and all those in whose output it may stand."""
        return {name} | _reachable(name, self._above)

    def follow(self, found: Found, output: Output) -> list[Found]:
        """The units that stand in the output of a unit, each once; what it contains is rendered with it."""
        self.rendered.add(found.unit.id)
        documents = _describing(found.unit.path, output.text)
        followed = []
        for unit in describe((), documents, self.repository):
            one = self._followed(unit, found)
            if one is not None:
                self.units[one.unit.id] = one
                self.attempted.add(one.unit.id)
                followed.append(one)
        return followed

    def _followed(self, unit: DeploymentUnit, found: Found) -> Found | None:
        """A unit of an output, None for one that is known."""
        known = self._in_git(unit, found)
        origin = known.unit if known else replace(found.unit, id=unit.id)
        line = self._line_of(found)
        start = line[-1].unit.path
        if any(one.unit.kind == unit.kind and one.unit.value == unit.value for one in line):
            return None  # it stands in its own output, in the end, as the one that Flux begins with does
        for name in (origin.id, f"{origin.id}@{line[-1].unit.id}", f"{origin.id}@{found.unit.id}"):
            if name not in self.attempted:
                break
            known_unit = self.units[name].unit
            if known_unit.value == unit.value and (known_unit.start == start or not _refers(unit)):
                return None
        else:
            return None
        if found.depth + 1 > DEEPEST:
            self.cycles.append((found.unit.id, name))
            return None
        one = replace(unit, id=name, path=origin.path, line=origin.line, start=start, is_assumed=found.unit.is_assumed)
        closure = closure_of(one, self.repository)
        if found.unit.kind in FOLDER_KINDS and found.closure.files <= closure.files:
            self.superseded.add(found.unit.id)
        return Found(one, closure, found.unit.id, found.depth + 1)

    def _line_of(self, found: Found) -> list[Found]:
        """A unit, the unit whose output contains it, and so on, up to one that is in Git."""
        line = [found]
        while line[-1].within:
            line.append(self.units[line[-1].within])
        return line

    def remaining(self) -> list[Found]:
        """What no rendered unit contains: folders that no operator takes, and parts of what could not be rendered."""
        done = [self.units[name] for name in self.rendered]
        files = set().union(*(one.closure.files for one in done)) if done else set()
        folders = _taken(done)
        whole = [self.units[name] for name in self.attempted - self.rendered if self.units[name].closure.is_indivisible]
        files |= {path for one in whole for path in one.closure.files | one.closure.parts}
        left = {
            name
            for name, one in self.units.items()
            if name not in self.attempted
            and (one.unit.path not in files or one.unit.source in self.repository.values)
            and not self._is_taken(one.unit, folders)
        }
        outermost = [name for name in left if not (_reachable(name, self._above) - {name}) & left]
        # What is left contains each other when nothing is outermost: begin with one.
        names = self._first(outermost or sorted(left)[:1])
        self._assume(names)
        return self._attempt(self.units[name] for name in names)

    def _assume(self, names: Iterable[str]) -> None:
        """Note which units stand in one that cannot be rendered: its patches and values may complete them."""
        stuck = {
            name: one
            for name, one in self.units.items()
            if name not in self.rendered and (name in self.attempted or one.closure.is_stuck)
        }
        taken = Counter(path for one in stuck.values() for path in one.closure.files - one.closure.parts)
        for name in names:
            found = self.units[name]
            if taken[found.unit.path] > (name in stuck):
                self.units[name] = replace(found, unit=replace(found.unit, is_assumed=True))

    def _is_taken(self, unit: DeploymentUnit, folders: set[str]) -> bool:
        """Whether an operator's object takes a folder. A chart that has values of the user is rendered alone, too."""
        is_asked_for = unit.kind == "chart" and unit.source in self.repository.values
        return unit.kind in FOLDER_KINDS and unit.source in folders and not is_asked_for

    def _first(self, names: Iterable[str]) -> list[str]:
        """Those of which further units may come, folders before charts: what they take is then known."""
        levels: dict[int, list[str]] = {}
        for name in sorted(names):
            levels.setdefault(self._level(self.units[name]), []).append(name)
        return levels[min(levels)] if levels else []

    def _level(self, found: Found) -> int:
        if found.unit.kind not in FOLDER_KINDS:
            return 0
        return min((self._names_units(path) for path in found.closure.files), default=2)

    def may_hold(self, found: Found, *, charts: bool = True) -> bool:
        """Whether further units may stand in a unit's output; without `charts` only such as take folders."""
        if found.unit.kind == "applicationset":
            return True
        most = 1 if charts else 0
        return any(self._names_units(path) <= most for path in found.closure.files | found.closure.parts)

    def _names_units(self, path: str) -> int:
        return self.repository.tree.noted(path, _level_of)

    def _attempt(self, found: Iterable[Found]) -> list[Found]:
        listed = list(found)
        self.attempted |= {one.unit.id for one in listed}
        return listed

    def _in_git(self, unit: DeploymentUnit, found: Found) -> Found | None:
        """The same object as it is written in Git, in one of the files that the output is made of."""
        name, files = _name(unit), found.closure.files - found.closure.parts
        for one in self.units.values():
            known = one.unit
            if not one.within and known.kind == unit.kind and known.path in files and _name(known) == name:
                return one
        return None

    def _holders(self) -> dict[str, set[str]]:
        """For each unit the others that contain what describes it, of those that can be rendered."""
        holders: dict[str, set[str]] = {}
        for name, one in self.units.items():
            if not one.closure.is_stuck:
                for path in one.closure.files:
                    holders.setdefault(path, set()).add(name)
        return {
            name: {other for other in holders.get(one.unit.path, ()) if not _is_same(self.units[other].unit, one.unit)}
            for name, one in self.units.items()
        }

    def _is_inner(self, name: str) -> bool:
        """Whether a unit is rendered as part of another. Of those that contain each other, one comes first."""
        above = _reachable(name, self._above)
        if name not in above:
            return bool(above)
        mutual = {other for other in above if name in _reachable(other, self._above)}
        unit = self.units[name].unit
        rivals = [self.units[other].unit for other in mutual if not _is_same(self.units[other].unit, unit)]
        return bool(above - mutual) or any(_rank(rival) < _rank(unit) for rival in rivals)


def _level_of(text: str) -> int:
    """0 for a text that may describe what takes folders, 1 for one of charts, 2 for others."""
    if _TAKES_FOLDERS_WORD in text or (("Application" in text or "GitRepo" in text) and _TAKES_FOLDERS.search(text)):
        return 0
    return 1 if "HelmRelease" in text and _TAKES_CHARTS.search(text) else 2


def _describing(path: str, text: str) -> list[Document]:
    """The objects of an output that describe units; no other document is read."""
    found: list[Document] = []
    for piece in _DOCUMENT.split(text):
        if _level_of(piece) < 2:
            try:
                found += load(path, piece)
            except YamlError:
                continue  # the check of the output reports it
    return found


def _is_same(one: DeploymentUnit, other: DeploymentUnit) -> bool:
    """A folder does not contain itself, nor a chart its other values."""
    variants = one.kind == other.kind and one.kind in FILE_KINDS and one.source == other.source
    return one.id == other.id or variants


def _refers(unit: DeploymentUnit) -> bool:
    """Whether a unit takes values from objects that may be others in each cluster."""
    spec = unit.value.get("spec")
    return bool(dig(spec, "valuesFrom") or dig(spec, "postBuild", "substituteFrom"))


def _name(unit: DeploymentUnit) -> str:
    return text_of(dig(unit.value, "metadata", "name"))


def _rank(unit: DeploymentUnit) -> tuple[bool, str]:
    return unit.kind in FOLDER_KINDS, unit.id


def _reachable(name: str, above: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    stack = list(above.get(name, ()))
    while stack:
        one = stack.pop()
        if one not in seen:
            seen.add(one)
            stack += above.get(one, ())
    return seen


def _taken(found: Iterable[Found]) -> set[str]:
    """The folders of kustomizations and charts that units take."""
    taken: set[str] = set()
    for one in found:
        taken |= one.closure.folders
        taken |= {path.rpartition("/")[0] or "." for path in one.closure.files}
    return taken


def _by_name(documents: Iterable[Document]) -> dict[tuple[str, str], list[Document]]:
    made: dict[tuple[str, str], list[Document]] = {}
    for one in documents:
        made.setdefault((one.kind, one.name), []).append(one)
    return made


def _unique(units: Iterable[DeploymentUnit]) -> list[DeploymentUnit]:
    """Units with an id of their own: where objects have one name, each has its file in it."""
    listed = list(units)
    count = Counter(unit.id for unit in listed)
    made: dict[str, DeploymentUnit] = {}
    for unit in listed:
        name = unit.id if count[unit.id] == 1 else f"{unit.id}@{unit.path}"
        while name in made:
            name += "+"
        made[name] = replace(unit, id=name)
    return list(made.values())
