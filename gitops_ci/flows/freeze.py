"""Whether an environment takes changes now: its windows, and the file that stops everything, `.gitops-ci/freeze.yaml`.

The file is a mapping, or a list of them, with `environments` (all without it), `from`, `until` and `reason`. One that
cannot be read, or that would never be in force, freezes everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.environments import Environment
from gitops_ci.model import Gate
from gitops_ci.moments import moment, rfc3339
from gitops_ci.text import nearest
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode, YamlError, read

__all__ = ["FREEZE_FILE", "Freeze", "freezes_of", "misspelled", "window_gate"]

FREEZE_FILE = ".gitops-ci/freeze.yaml"
_HINT = "Correct the file, or delete it to end the freeze."
_KEYS = frozenset({"environments", "from", "until", "reason"})


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which nothing is pushed or merged. `environments` are globs, all of them without any."""

    environments: tuple[str, ...] = ()
    start: int | None = None
    until: int | None = None
    reason: str = ""

    def stops(self, environment: str, now: float) -> bool:
        """Whether it is in force for an environment."""
        is_meant = not self.environments or any(fnmatchcase(environment, glob) for glob in self.environments)
        return is_meant and (self.start is None or now >= self.start) and (self.until is None or now <= self.until)


def freezes_of(data: bytes | None) -> tuple[Freeze, ...]:
    """What the file says; None is not a file."""
    if data is None:
        return ()
    try:
        return tuple(_freezes(read(data.decode("utf-8")).documents))
    except (UnicodeDecodeError, YamlError, UsageError) as error:
        said = error.message if isinstance(error, UsageError) else getattr(error, "reason", "it is not UTF-8")
        return (Freeze(reason=f"{FREEZE_FILE} cannot be read: {said}"),)


def _freezes(documents: Sequence[Node | None]) -> Iterator[Freeze]:
    if len(documents) > 1:
        raise UsageError("it has several documents", hint=_HINT)
    for root in documents:
        if root is not None and not (isinstance(root, ScalarNode) and not root.value):
            yield from map(_freeze, root.items if isinstance(root, SequenceNode) else [root])


def window_gate(environment: Environment, freezes: Iterable[Freeze], now: float, images: tuple[str, ...] = ()) -> Gate:
    """`closed` where a person froze the environment, `waiting` outside of its windows, `closed` if none comes again."""
    name = environment.name
    for freeze in freezes:
        if freeze.stops(name, now):
            until = f" until {rfc3339(freeze.until)}" if freeze.until else ""
            why = f": {freeze.reason}" if freeze.reason else ""
            return Gate(name, images, "window", "closed", f"frozen{until}{why} ({FREEZE_FILE})", freeze.until)
    state = environment.windows.at(now)
    if state.is_open:
        return Gate(name, images, "window", "open")
    if state.opens is None:
        reason = f"{state.reason}, and no later time allows them: correct its windows in .gitops-ci.yaml"
        return Gate(name, images, "window", "closed", reason)
    return Gate(name, images, "window", "waiting", state.reason, state.opens)


def misspelled(freezes: Iterable[Freeze], known: Collection[str]) -> Iterator[str]:
    """Sentences about names of environments that do not exist and are like one that does."""
    for glob in dict.fromkeys(glob for freeze in freezes for glob in freeze.environments):
        if not any(fnmatchcase(name, glob) for name in known) and (near := nearest(glob, known)):
            yield f"{FREEZE_FILE} freezes '{glob}', and no environment has that name: did you mean '{near}'?"


def _freeze(node: Node) -> Freeze:
    if not isinstance(node, MappingNode):
        raise UsageError("it is not a mapping", hint=_HINT)
    values = {key.value: value for key, value in node.pairs if isinstance(key, ScalarNode)}
    if unknown := sorted(values.keys() - _KEYS):
        raise UsageError(f"unknown key '{unknown[0]}'", hint=_HINT)
    names, begins, ends = values.get("environments"), _text(values, "from"), _text(values, "until")
    items = names.items if isinstance(names, SequenceNode) else [names] if names is not None else []
    environments = tuple(_value(item, "environments") for item in items)
    if not all(environments):
        raise UsageError("environments has an empty name", hint=_HINT)
    start, until = moment(begins) if begins else None, moment(ends, ends=True) if ends else None
    if start is not None and until is not None and until < start:
        raise UsageError(f"until {ends} is before from {begins}", hint=_HINT)
    return Freeze(environments, start, until, _text(values, "reason"))


def _text(values: dict[str, Node], key: str) -> str:
    return _value(values[key], key) if key in values else ""


def _value(node: Node, key: str) -> str:
    if not isinstance(node, ScalarNode):
        raise UsageError(f"{key} is not a single value", hint=_HINT)
    return node.value
