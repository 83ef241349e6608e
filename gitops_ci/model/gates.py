"""What stops a change, for a while or until a person decides: gates of a promotion, holds and blocks."""

from __future__ import annotations

from typing import Literal

from gitops_ci.dataclass import dataclass

__all__ = ["SKIPPABLE", "Gate", "Hold"]

# The gates that --skip-gate may name: what a change would break is never skipped.
SKIPPABLE = ("age", "soak", "status", "window", "hold", "set", "source-agrees", "stage")


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a promotion to `environment`. `opens` is the second since 1970 at which it opens by itself."""

    environment: str
    images: tuple[str, ...]
    gate: str
    state: Literal["open", "waiting", "closed"]
    reason: str = ""
    opens: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A file below `.gitops-ci/holds/`: no proposals for an image (`hold`), or none of the `blocked` versions.

    `blocked` are pairs of tag and digest. `until` ends a hold; `since` and `until` are seconds since 1970. `problem`
    says why the file could not be read: it counts as a hold then.
    """

    environment: str
    image: str
    hold: bool = False
    blocked: tuple[tuple[str | None, str | None], ...] = ()
    until: int | None = None
    reason: str = ""
    by: str = ""
    since: int | None = None
    path: str = ""
    problem: str = ""
