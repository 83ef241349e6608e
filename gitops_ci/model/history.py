"""What ran where: deployments in time, and the versions of each environment now. Times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from gitops_ci.dataclass import dataclass

__all__ = [
    "Deployment",
    "DeploymentKind",
    "Difference",
    "Inventory",
    "InventoryRow",
    "Metrics",
    "RunningVersion",
    "VersionsInEnvironment",
]

DeploymentKind = Literal["deploy", "promote", "rollback", "redeploy", "add", "remove"]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One image of one environment got another version by one commit of the base branch.

    `old` and `new` are the tag, or the digest where there is no tag; None where the image was added or removed. `by`
    is who asked for it: the trailer `Requested-By`, else the commit's author. `commit` brought it, `source_commit` is
    what the image was built from, in `source_repository`. `merged_by` and `merged` (0 for unknown) are what the code
    host tells where it is asked. `restores` of a rollback is when the version that it takes back came, 0 where the
    history does not reach so far.
    """

    time: int
    environment: str
    image: str
    old: str | None
    new: str | None
    digest: str | None
    kind: DeploymentKind
    by: str
    commit: str
    pull_request: str = ""
    source_commit: str = ""
    restores: int = 0
    source_repository: str = ""
    merged_by: str = ""
    merged: int = 0


@dataclass(frozen=True, slots=True)
class RunningVersion:
    """A version of an image in an environment, and its places as `path:line`.

    `since` is the time of the commit that brought it, 0 where the history that was read does not reach so far.
    """

    tag: str | None
    digest: str | None
    since: int
    commit: str
    places: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.tag or self.digest or ""


@dataclass(frozen=True, slots=True)
class VersionsInEnvironment:
    """An image in one environment.

    `behind` counts the versions that the environment before has had since this one; None where there is nothing to
    compare with. `blocked` are the names of versions that a rollback took back.
    """

    versions: tuple[RunningVersion, ...]
    behind: int | None = None
    held: bool = False
    blocked: tuple[str, ...] = ()
    is_floating: bool = False
    taken_back: str = ""

    @property
    def is_split(self) -> bool:
        """Whether the environment has several versions of the image at once."""
        return len({version.name for version in self.versions}) > 1


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One image by environment."""

    image: str
    environments: Mapping[str, VersionsInEnvironment] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """An image that two environments have in different versions, or that only one of them has."""

    image: str
    state: Literal["differs", "only"]
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is where at `now`. `reaches` is the time from which on the history was read, 0 where it is complete."""

    environments: tuple[str, ...]
    images: tuple[InventoryRow, ...]
    differences: tuple[Difference, ...] = ()
    now: int = 0
    reaches: int = 0


@dataclass(frozen=True, slots=True)
class Metrics:
    """Delivery figures of one environment in a period; times in seconds, None where nothing could be measured.

    `taken_back` are deployments that a rollback followed within the failure window, `change_failure_rate` their share
    of all that went forward. `restore_median` is the time from such a deployment to its rollback, `stage_median` from a
    version's deployment in `stage_from` to that in this environment, over `stage_count` versions. `lead_median` and
    `lead_p90` are the time from the commit of a version's source to its deployment here, over `lead_count` versions; of
    `lead_unknown` more the source's commit or its time is not known.
    """

    environment: str
    start: int
    end: int
    deployments: int
    per_day: float
    taken_back: int
    change_failure_rate: float | None
    restore_median: int | None
    stage_from: str
    stage_median: int | None
    stage_count: int
    lead_median: int | None = None
    lead_p90: int | None = None
    lead_count: int = 0
    lead_unknown: int = 0
