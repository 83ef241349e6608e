"""Both sides expanded together: only what the change reaches is rendered, and what is equal is rendered once.

A unit is reached when a file of its closure, its description, or an object that it refers to differs. One that is not
reached is rendered only where further units may stand in its output, and then once for both sides.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ProgramError
from gitops_ci.flows.diff.half import Half, Trouble
from gitops_ci.flows.diff.output import output_of
from gitops_ci.flows.diff.scope import Scope
from gitops_ci.flows.diff.sides import Trees
from gitops_ci.model import Log
from gitops_ci.rendering.deployment import Output, Recipe, Repository
from gitops_ci.rendering.discovery import Deployment, Found
from gitops_ci.rendering.kinds import FILE_KINDS
from gitops_ci.rendering.programs import ProgramSettings, render
from gitops_ci.yamltext import YamlError

__all__ = ["Expansion", "expand"]

_WORKERS = 4


@dataclass(slots=True)
class Expansion:
    """What came of both sides. `reached` are the ids of the units that the change reaches."""

    base: Half
    head: Half
    reached: set[str] = field(default_factory=set)
    count: int = 0

    @property
    def cycles(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys((*self.head.deployment.cycles, *self.base.deployment.cycles)))


def expand(
    trees: Trees,
    repository: Repository,
    settings: ProgramSettings,
    log: Log,
    *,
    start: Callable[[Deployment], list[Found]] = Deployment.start,
) -> Expansion:
    """Find the units of both sides and render those that the change reaches.

    `repository` is that of the head, `start` finds the first units of a side.
    """
    halves = [
        Half(Deployment(replace(repository, tree=tree, objects={})), replace(settings, outputs={}))
        for tree in (trees.before, trees.after)
    ]
    run = _Run(Expansion(halves[0], halves[1]), trees, replace(settings, outputs={}), log)
    run.everything(start)
    return run.expansion


class _Run:
    def __init__(self, expansion: Expansion, trees: Trees, shared: ProgramSettings, log: Log) -> None:
        self.expansion = expansion
        self._halves = (expansion.base, expansion.head)
        self._differing = trees.differing
        self._shared = shared
        self._log = log
        self._named: set[tuple[str, str]] = set()

    def everything(self, start: Callable[[Deployment], list[Found]]) -> None:
        batches = [start(half.deployment) for half in self._halves]
        self._named = self._changed_objects()
        self._scope = Scope(self._halves, self._differing, self._is_reached)
        while any(batches):
            more = self._round(batches)
            batches = [follow or half.deployment.remaining() for half, follow in zip(self._halves, more, strict=True)]
        self._fill_in()
        self.expansion.count = len({name for half in self._halves for name in half.deployment.attempted})

    def _round(self, batches: Sequence[Sequence[Found]]) -> list[list[Found]]:
        """Render the requested units of both sides together, and return the units that the outputs contain."""
        more: list[list[Found]] = [[], []]
        tasks: list[tuple[int, Found]] = []
        for side, batch in enumerate(batches):
            for found in batch:
                if self._is_reached(found.unit.id):
                    self.expansion.reached.add(found.unit.id)
                elif not self._scope.may_lead(self._halves[side], found):
                    self._halves[side].deployment.follow(found, Output(""))
                    continue
                tasks.append((side, found))
        for (side, found), made in zip(tasks, self._outputs(tasks), strict=True):
            if isinstance(made, Output):
                more[side] += self._halves[side].deployment.follow(found, made)
        return more

    def _outputs(self, tasks: Sequence[tuple[int, Found]]) -> list[Output | Trouble]:
        # What is equal on both sides is rendered by the first task and found by the second.
        order = {id(task): number for number, task in enumerate(tasks)}
        alone = [task for task in tasks if task[0] == 0 or task[1].unit.id in self.expansion.reached]
        rest = [task for task in tasks if not (task[0] == 0 or task[1].unit.id in self.expansion.reached)]
        made: list[Output | Trouble] = [Output("")] * len(tasks)
        with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
            for listed in (alone, rest):
                for task, output in zip(listed, pool.map(lambda one: self._output(*one), listed), strict=True):
                    made[order[id(task)]] = output
        for (side, found), output in zip(tasks, made, strict=True):
            self._keep(side, found, output)
        return made

    def _keep(self, side: int, found: Found, output: Output | Trouble) -> None:
        if found.unit.id not in self.expansion.reached:
            return
        half = self._halves[side]
        if isinstance(output, Output):
            half.outputs[found.unit.id] = output
            self._log.detail(f"rendered {found.unit.id} ({'head' if side else 'base'})")
        else:
            half.troubles[found.unit.id] = output

    def _output(self, side: int, found: Found) -> Output | Trouble:
        half = self._halves[side]

        def settings(recipe: Recipe) -> ProgramSettings:
            is_shared = self._differing.isdisjoint((*recipe.files, *recipe.copies.values()))
            return self._shared if is_shared else half.settings

        return output_of(half, found, settings)

    def _again(self, half: Half, name: str) -> Output | None:
        """A second rendering of a unit."""
        recipe = half.recipes.get(name)
        try:
            return render(recipe, half.tree, replace(half.settings, outputs={})) if recipe else None
        except ProgramError:
            return None

    def _fill_in(self) -> None:
        """What one side came upon before the other was known to have it."""
        for side, half in enumerate(self._halves):
            other = self._halves[1 - side]
            for name in sorted(other.outputs.keys() | other.troubles.keys()):
                found = half.units.get(name)
                is_there = name in half.outputs or name in half.troubles
                if found is not None and not is_there and name in half.deployment.attempted:
                    self._keep(side, found, self._output(side, found))
        self._render_twice()

    def _render_twice(self) -> None:
        """Render again what templates make up, where both sides have it."""
        both = self.expansion.base.outputs.keys() & self.expansion.head.outputs.keys() & self.expansion.reached
        used = {
            (number, name): _made_up_by(half, name) for name in sorted(both) for number, half in enumerate(self._halves)
        }
        tasks = [(self._halves[number], name) for (number, name), functions in used.items() if functions]
        if any("now" in functions for functions in used.values()):
            time.sleep(1)  # the time in seconds is another one then
        with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
            for (half, name), second in zip(tasks, pool.map(lambda one: self._again(*one), tasks), strict=True):
                if second is not None:
                    half.again[name] = second

    def _is_reached(self, name: str) -> bool:
        one, other = (half.units.get(name) for half in self._halves)
        if one is None or other is None:
            return True
        if one.unit.value != other.unit.value or _made_of(one) != _made_of(other):
            return True
        touched = self._differing
        if any(not touched.isdisjoint(_files_of(found)) for found in (one, other)):
            return True
        return bool(self._named) and _refers(one.unit.value, self._named)

    def _changed_objects(self) -> set[tuple[str, str]]:
        """(kind, name) of the objects in differing files that units may take values or sources from."""
        return {
            key
            for half in self._halves
            for key, documents in half.deployment.repository.objects.items()
            if any(one.path in self._differing for one in documents)
        }


def _made_of(found: Found) -> tuple[Any, ...]:
    closure = found.closure
    whys = closure.skip, closure.error, closure.refused, tuple(closure.omitted)
    return found.unit.source, found.unit.values, closure.files, closure.copies, closure.links, *whys


def _files_of(found: Found) -> Iterable[str]:
    closure = found.closure
    own = (found.unit.path,) if found.unit.kind in FILE_KINDS else ()
    return (*closure.files, *closure.parts, *closure.copies.values(), *closure.links, *own)


def _refers(value: Any, named: set[tuple[str, str]]) -> bool:
    """Whether an object names one of others by kind and name, as `valuesFrom` and `sourceRef` do."""
    if isinstance(value, Mapping):
        kind, name = value.get("kind"), value.get("name")
        if isinstance(kind, str) and isinstance(name, str) and (kind, name) in named:
            return True
        return any(_refers(one, named) for one in value.values())
    return isinstance(value, list) and any(_refers(one, named) for one in value)


# Functions of templates whose result is another one with each run (masterminds.github.io/sprig).
_RANDOM = re.compile(
    r"\b(?:rand(?:Alpha|Numeric|Ascii|Bytes|Int)\w*|gen(?:CA|SelfSigned|Signed|PrivateKey)\w*|uuidv4|now|htpasswd|bcrypt"
    r"|shuffle|encryptAES|lookup|getHostByName)\b"
)


def _made_up_by(half: Half, name: str) -> set[str]:
    """The functions in the templates of a unit whose result is another one with each run."""
    recipe = half.recipes.get(name)
    found: set[str] = set()
    if recipe is None or not any(step.program == "helm" for step in recipe.steps):
        return found
    for path in recipe.files:
        if "/templates/" in f"/{path}" and path.endswith((".yaml", ".yml", ".tpl", ".txt", ".json")):
            try:
                text = half.tree.text(path) or ""
            except YamlError:
                continue
            if "{{" in text:
                found |= set(_RANDOM.findall(text))
    return found
