"""What a reviewer has to see, read from both renderings. A risk is a function and a row, the most dangerous first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from gitops_ci.comparing.risks import capacity, exposure, identity, immutable, removal, rights, workloads
from gitops_ci.comparing.risks.base import Subject
from gitops_ci.model.rendered import ObjectChange, Risk, RiskGroup

__all__ = ["HINTS", "RISKS", "RiskKind", "Subject", "gathered", "rank_of", "risks_of", "words_of"]


class RiskKind(NamedTuple):
    """`words` is the risk as a person reads it. A hint is reported and not counted as a risk."""

    words: str
    rule: Callable[[Subject], Iterable[Risk]]
    is_hint: bool = False


RISKS: Mapping[str, RiskKind] = {
    "deletes-data": RiskKind("deletes data", removal.deletes_data),
    "unit-removed": RiskKind("unit removed", removal.unit_removed),
    "refused": RiskKind("refused by the server", immutable.refused),
    "wider-rights": RiskKind("wider rights", rights.wider_rights),
    "exposure": RiskKind("exposure", exposure.exposure),
    "pruned": RiskKind("pruned", removal.pruned),
    "moved": RiskKind("moved", identity.moved),
    "renamed": RiskKind("renamed", identity.renamed),
    "capacity": RiskKind("capacity", capacity.capacity),
    "older-image": RiskKind("older image", workloads.older_image),
    "registry-changed": RiskKind("other registry", workloads.registry_changed),
    "pruning-changed": RiskKind("pruning changed", removal.pruning_changed),
    "restarts-pods": RiskKind("restarts pods", workloads.restarts_pods, is_hint=True),
    "api-version": RiskKind("other API version", identity.api_version, is_hint=True),
    "kept": RiskKind("stays in the cluster", removal.kept, is_hint=True),
}
HINTS = frozenset(name for name, kind in RISKS.items() if kind.is_hint)
_RANKS = {name: number for number, name in enumerate(RISKS)}


def risks_of(subject: Subject) -> tuple[Risk, ...]:
    """All risks of one object, the most dangerous first."""
    return tuple(risk for kind in RISKS.values() for risk in kind.rule(subject))


def gathered(objects: Iterable[ObjectChange]) -> tuple[RiskGroup, ...]:
    """The risks of all objects, each with those that have it, the most dangerous first."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in objects:
        for risk in one.risks:
            # How many pods restart is another number for each workload.
            why = "" if risk.name == "restarts-pods" else risk.why
            found.setdefault((risk.name, why), []).append(one.id)
    ordered = sorted(found.items(), key=lambda item: (rank_of(item[0][0]), -len(item[1]), item[0][1]))
    return tuple(
        RiskGroup(name, words_of(name), why, tuple(objects), name in HINTS) for (name, why), objects in ordered
    )


def rank_of(name: str) -> int:
    """The rank of a risk in a list: lower comes first."""
    return _RANKS.get(name, len(_RANKS))


def words_of(name: str) -> str:
    return RISKS[name].words if name in RISKS else name
