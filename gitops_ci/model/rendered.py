"""What a change does to the objects that are rendered: the value that `diff` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from gitops_ci.dataclass import dataclass

__all__ = [
    "ImageChange",
    "ObjectChange",
    "ObjectGroup",
    "PathChange",
    "RenderedDiff",
    "Risk",
    "RiskGroup",
    "UnitChange",
    "View",
]

_HOOKS = ("helm.sh/hook", "argocd.argoproj.io/hook")

UnitState = Literal["added", "removed", "changed", "unchanged", "skipped", "failed"]
ObjectState = Literal["added", "removed", "changed", "moved", "renamed"]


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A deployment unit that the change reaches. `reason` and `remedy` tell why it was not rendered, or in part."""

    id: str
    kind: str
    source: str
    destination: str
    state: UnitState
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class PathChange:
    """One changed value of an object. `path` is for persons, the pointers (RFC 6901) are for programs.

    Without a `head_pointer` the value is removed, without a `base_pointer` it is added. Set the values with both first,
    at their base pointer; then remove, last pointer first; then add, first pointer first. A `masked` value is a secret:
    `old` and `new` are None. `noise` is the class that it is folded under, '' for none; `risk` the risk that it causes.
    `inside` are the changes of JSON or YAML in a text, for persons; None where it is none.
    """

    path: str
    base_pointer: str | None
    head_pointer: str | None
    old: Any = None
    new: Any = None
    masked: bool = False
    noise: str = ""
    risk: str = ""
    inside: tuple[PathChange, ...] | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """What a reviewer has to see. `name` is a row of `comparing.risks`, `pointer` the value that causes it."""

    name: str
    why: str
    pointer: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """An object that differs. `id` is unique; `was` is where a moved or renamed one was before.

    `before` and `after` are the whole objects, secrets masked, None where there is none.
    """

    id: str
    unit: str
    group: str
    version: str
    kind: str
    namespace: str
    name: str
    state: ObjectState
    paths: tuple[PathChange, ...] = ()
    risks: tuple[Risk, ...] = ()
    was: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @property
    def hook(self) -> str:
        """When helm or Argo CD runs it, '' for what is not a hook (helm.sh/docs/topics/charts_hooks)."""
        value = self.after or self.before or {}
        metadata = value.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
        if not isinstance(annotations, Mapping):
            return ""
        return next((str(annotations[name]) for name in _HOOKS if annotations.get(name)), "")

    @property
    def shown_paths(self) -> tuple[PathChange, ...]:
        """Those that are not noise."""
        return tuple(one for one in self.paths if not one.noise)

    @property
    def is_noise(self) -> bool:
        """Whether nothing but noise changed."""
        return self.state == "changed" and all(one.noise for one in self.paths)


@dataclass(frozen=True, slots=True)
class ObjectGroup:
    """Objects with the same change. `text` is the change, once; `{name}` stands for what each object is called."""

    objects: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """Objects with the same risk. `words` is its name in text; a hint is reported and not counted."""

    name: str
    words: str
    why: str
    objects: tuple[str, ...]
    is_hint: bool = False


@dataclass(frozen=True, slots=True)
class ImageChange:
    """An image that other objects use now: `old` is '' for a new one, `new` for one that is gone."""

    image: str
    old: str
    new: str
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """How a person wants to read it."""

    form: Literal["summary", "paths", "yaml"] = "summary"
    context: int = 3
    show_noise: bool = False


@dataclass(frozen=True, slots=True)
class RenderedDiff:
    """Everything that differs between two sides. `base` and `head` are commits, or '' for the working tree.

    Without `is_change` they are the names of two environments.
    """

    base: str
    head: str
    units: tuple[UnitChange, ...] = ()
    objects: tuple[ObjectChange, ...] = ()
    groups: tuple[ObjectGroup, ...] = ()
    risks: tuple[RiskGroup, ...] = ()
    images: tuple[ImageChange, ...] = ()
    notes: tuple[str, ...] = ()
    summary: Mapping[str, int] = field(default_factory=dict)
    view: View = View()
    is_change: bool = True
