"""The settings of the check of a change: those of `validate` in the root of the config repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property

from gitops_ci.bounded import Limits
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.globs import Paths
from gitops_ci.model import FailOn
from gitops_ci.validation import Checks
from gitops_ci.validation.custom_resources.fetched_schemas import FetchedSchemas

__all__ = ["GateSettings"]


@dataclass(frozen=True)
class GateSettings:
    """As the fields of `flows.validate.ValidateRequest`. `renders` is whether units are rendered.

    Paths in `exclude`, `values`, `crd_paths` and `schema_locations` count from the root of the config repository. Of
    the addresses among the locations, only `hosts` are asked: those that the settings of the run name. `fetched` is
    what they answered in this run, `told` the others that the user was told of. `source` names the config repository's
    own file in errors.
    """

    checks: Checks = field(default_factory=Checks)
    exclude: tuple[str, ...] = ()
    renders: bool = True
    substitute: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    fail_on: FailOn = field(default_factory=FailOn)
    crd_paths: tuple[str, ...] = ()
    schema_locations: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    check_images: bool = False
    source: str = ""
    fetched: FetchedSchemas = field(default_factory=FetchedSchemas)
    told: set[str] = field(default_factory=set)

    @cached_property
    def _excluded(self) -> Paths | None:
        return Paths(self.exclude) if self.exclude else None

    def is_excluded(self, path: str) -> bool:
        """Whether nobody wants to see a file checked."""
        return self._excluded is not None and self._excluded.matches(path)
