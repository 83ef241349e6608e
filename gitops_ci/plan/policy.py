"""How a bump decides."""

from __future__ import annotations

from collections.abc import Callable

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.formats import FORMATS
from gitops_ci.imageref import ImageRef
from gitops_ci.plan.pinning import Pin
from gitops_ci.text import nearest

__all__ = ["Age", "BumpPolicy", "Twin"]

# (wanted, present): what shows that the wanted image is the older one; '' where nothing does.
Age = Callable[[ImageRef, ImageRef], str]
# (wanted, tag): whether the registry has the wanted image under that tag, too.
Twin = Callable[[ImageRef, str], bool]


@dataclass(frozen=True, slots=True)
class BumpPolicy:
    """What to write and where.

    `any_flavour` writes another flavor of a tag, too; `match_name` takes the same repository on any registry,
    `follow_anchors` edits a value behind an alias at its anchor, `app_version` edits a chart's `appVersion` where its
    values leave the tag to it; `formats` () means all.

    Raises:
        UsageError: there is no format of that name.
    """

    pin: Pin = "keep"
    allow_downgrade: bool = False
    any_flavour: bool = False
    match_name: bool = False
    follow_anchors: bool = False
    app_version: bool = False
    formats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.formats:
            if name not in FORMATS:
                near = nearest(name, FORMATS)
                raise UsageError(
                    f"There is no format '{name}'{f': did you mean {near!r}?' if near else ''}",
                    hint=f"Formats: {', '.join(FORMATS)}.",
                )
