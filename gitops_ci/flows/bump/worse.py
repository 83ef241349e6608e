"""What a change makes worse: findings, units that cannot be rendered any more, and places that cannot be checked.

Two findings are the same when rule, file, resource and field are; the line may move, and the message may quote the new
value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from gitops_ci.flows.bump.judgment import Judgment
from gitops_ci.model import FailOn, Finding, Skip

__all__ = ["lost", "new_findings", "new_skips", "unchecked"]

_T = TypeVar("_T")
# What kustomize hangs on the name of a generated object changes with what is in it (kustomize api/hasher).
_HASH = re.compile(r"-[bcdfghkmt2456789]{10}$")


def unchecked(judgment: Judgment, fail_on: FailOn) -> list[Skip]:
    """The places that `--fail-on skipped` is about, none without it."""
    if "skipped" not in fail_on.words:
        return []
    return [skip for skip in (*judgment.report.skipped, *judgment.skipped) if not skip.expected]


def new_findings(after: Sequence[Finding], before: Iterable[Finding]) -> list[Finding]:
    """The findings that were not there before; of several that are the same, as many as have come."""
    return _added(after, before, lambda one: (one.rule, one.path, _HASH.sub("", one.resource), one.field))


def new_skips(after: Sequence[Skip], before: Iterable[Skip]) -> list[Skip]:
    """The places that could be checked before."""
    return _added(after, before, lambda one: (one.path, one.reason))


def _added(after: Sequence[_T], before: Iterable[_T], key: Callable[[_T], tuple[str, ...]]) -> list[_T]:
    known = Counter(map(key, before))
    added = []
    for one in after:
        if known[key(one)]:
            known[key(one)] -= 1
        else:
            added.append(one)
    return added


def lost(before: Judgment, after: Judgment) -> Iterator[Finding]:
    """Units that could be rendered before the edit, and cannot be any more, whoever's values they lack."""
    for name, (path, reason) in after.failed.items():
        if name in before.rendered:
            message = f"{name} could be rendered before the edit, and no more after it: {reason}"
            yield Finding("gitops/unit-build", "error", message, path, 1, 1)
