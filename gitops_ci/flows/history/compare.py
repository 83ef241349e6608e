"""`compare`: the images that two environments have in different versions."""

from __future__ import annotations

from dataclasses import replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.history.everywhere import read_everywhere
from gitops_ci.flows.history.inventory import differences, inventory
from gitops_ci.flows.history.source import DAY, Source, reported
from gitops_ci.model import Log, Outcome

__all__ = ["CompareRequest", "compare"]

_SPAN = 90 * DAY


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Two environments by name. `fail_on` may hold `drift`."""

    source: Source
    one: str
    other: str
    images: tuple[str, ...] = ()
    fail_on: frozenset[str] = frozenset()


def compare(request: CompareRequest, log: Log) -> Outcome:
    """Compare two environments; errors are part of the outcome."""
    return reported("compare", lambda: _compare(request, log))


def _compare(request: CompareRequest, log: Log) -> Outcome:
    if request.one == request.other:
        raise UsageError(f"{request.one} is compared with itself", hint="Name two environments.")
    now = request.source.clock()
    past = read_everywhere(request.source, (request.one, request.other), int(now) - _SPAN, log).past
    found = inventory(past, (), now, request.images)
    different = differences(found, request.one, request.other)
    return Outcome(
        command="compare",
        status="unchanged",
        exit_code=1 if different and "drift" in request.fail_on else 0,
        inventory=replace(found, differences=different),
        skipped=past.skipped,
        summary={"images": len(found.images), "differences": len(different)},
    )
