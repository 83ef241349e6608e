"""What a validation run is asked and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.model import Finding, Skip
from gitops_ci.validation.kubernetes_versions import DEFAULT_VERSION

__all__ = ["Checks", "Destination", "Lookup", "Rendered", "Report", "Suppression", "Surroundings"]

# (apiVersion, kind, Kubernetes version) -> a JSON Schema, why a location could not be asked, or None
Lookup = Callable[[str, str, str], Mapping[str, Any] | str | None]


@dataclass(frozen=True, slots=True)
class Suppression:
    """Findings that are known and accepted: each given part must match; globs. No report contains `reason`."""

    rule: str = "*"
    path: str = "*"
    kind: str = "*"
    name: str = "*"

    @classmethod
    def parse(cls, text: str) -> Suppression:
        """Read `RULE [path=GLOB] [kind=GLOB] [name=GLOB]`, for example `repo/mutable-tag path=apps/dev/*`.

        Raises:
            UsageError: it is nothing of the kind.
        """
        rule, *conditions = text.split()
        pairs = [condition.partition("=") for condition in conditions]
        if "/" not in rule or any(name not in {"path", "kind", "name"} or not glob for name, _, glob in pairs):
            raise UsageError(
                f"'{text}' does not name a rule", hint="For example: repo/mutable-tag path=apps/dev/* kind=CronJob"
            )
        return cls(rule, **{name: glob for name, _, glob in pairs})

    def covers(self, finding: Finding) -> bool:
        kind, _, name = finding.resource.partition("/")
        return (
            fnmatchcase(finding.rule, self.rule)
            and fnmatchcase(finding.path, self.path)
            and fnmatchcase(kind, self.kind)
            and fnmatchcase(name, self.name)
        )


@dataclass(frozen=True)
class Checks:
    """The settings of a validation run. `rules` and `skip_rules` are globs over rule ids, `skip_rules` wins.

    `skip_kinds` are globs over kinds, written as `Secret`, `Certificate.cert-manager.io` or `apps/v1/Deployment`.
    """

    kubernetes_versions: tuple[str, ...] = (DEFAULT_VERSION,)
    missing_schema: Literal["fail", "warn", "ignore"] = "warn"
    rules: tuple[str, ...] = ("*",)
    skip_rules: tuple[str, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    skip_kinds: tuple[str, ...] = ()

    @cached_property
    def _answers(self) -> dict[str, bool]:
        return {}

    @property
    def accepted(self) -> tuple[Suppression, ...]:
        """What hides findings, so that they are counted: the suppressions, and rules that are skipped everywhere."""
        return (*self.suppressions, *(Suppression(rule) for rule in self.skip_rules))

    def asks(self, rule: str) -> bool:
        """Whether a rule is among those that were chosen."""
        if rule not in self._answers:
            self._answers[rule] = any(fnmatchcase(rule, glob) for glob in self.rules)
        return self._answers[rule]

    def leaves_out(self, api_version: str, kind: str) -> bool:
        """Whether objects of a kind are not checked."""
        if not self.skip_kinds:
            return False
        group = api_version.rpartition("/")[0]
        names = (kind, f"{kind}.{group}" if group else kind, f"{api_version}/{kind}")
        return any(fnmatchcase(name, glob) for name in names for glob in self.skip_kinds)

    def wants(self, rule: str) -> bool:
        """Whether findings of a rule may be shown."""
        return self.asks(rule) and not any(fnmatchcase(rule, glob) for glob in self.skip_rules)

    def asks_any(self, family: str) -> bool:
        """Whether some rule of a family may be among those that were chosen: a family that is not need not run."""
        if family not in self._answers:
            self._answers[family] = any(
                glob in {f"{family}/*", "*"} or fnmatchcase(glob, f"{family}/*") or "*" in glob.partition("/")[0]
                for glob in self.rules
            )
        return self._answers[family]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies around the checked files.

    `definitions` are further files whose CustomResourceDefinitions count, `lookup` finds other schemas, `exists` tells
    whether a path (relative to the repository's root) exists, `repository_urls` are the addresses of this repository.
    `texts` are further files that findings may point at: comments in them count.
    `missing_images` is given all images and answers with those that are not in their registry, and why. `elsewhere`
    are files that are not checked, and that hold what checked ones may refer to. `beside` are files that are not
    checked, and that hold objects of which there must not be a second one in their folder. `is_whole`: together they
    are all of the repository, so that what is in none of them is not in it. `has_variables`: Flux substitutes
    variables there; what sets that up among the checked files is found by itself. `kustomized` are files that kustomize
    reads. `patched_kinds` are kinds of which something patches every object that it applies. `made_by_hand` tells of a
    kind and a name whether a guide or a script of the repository creates the object. `alone` is the file that the user
    names, if it is the only one: it was to be a manifest, even if it cannot be read.
    """

    definitions: tuple[tuple[str, str], ...] = ()
    lookup: Lookup | None = None
    exists: Callable[[str], bool] | None = None
    repository_urls: tuple[str, ...] = ()
    missing_images: Callable[[Sequence[str]], Mapping[str, str]] | None = None
    elsewhere: tuple[tuple[str, str], ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = True
    has_variables: bool = False
    beside: tuple[tuple[str, str], ...] = ()
    kustomized: frozenset[str] = frozenset()
    patched_kinds: frozenset[str] = frozenset()
    made_by_hand: Callable[[str, str], bool] | None = None
    alone: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a unit is applied: `cluster` is equal for units of one cluster, `namespace` is for objects without one."""

    cluster: str
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The output of a kustomization or a chart.

    `unit` names it, `file` describes it, `sources` are the (path, text) it was made of. `source_of` tells the path that
    one document's text says it came from. `is_assumed`: nobody installs it with these values and this name, so that
    nothing hangs on how long a name is, or that a value is empty. `is_partial`: parts of it could not be rendered here,
    so that nobody can tell what is missing in it. `completed` are kinds of Flux whose objects what applies them would
    patch, and nothing applies them now. `merges`: Flux applies it and owns nothing of it, so that it may be about parts
    of objects of others. `destination` is None where nobody can know it.
    """

    unit: str
    file: str
    text: str
    sources: tuple[tuple[str, str], ...] = ()
    source_of: Callable[[str], str | None] = lambda text: None  # noqa: ARG005
    is_assumed: bool = False
    is_partial: bool = False
    completed: frozenset[str] = frozenset()
    merges: bool = False
    destination: Destination | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Findings and skips sorted by place. `summary` counts files, documents, valid, invalid, skipped and suppressed."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skip, ...]
    summary: Mapping[str, int] = field(default_factory=dict)
