"""`status`: the versions of all images in all environments, as Git has them."""

from __future__ import annotations

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import NothingMatched
from gitops_ci.flows.bump.holds import in_force, path_of
from gitops_ci.flows.history.everywhere import read_everywhere
from gitops_ci.flows.history.inventory import inventory
from gitops_ci.flows.history.reader import Past
from gitops_ci.flows.history.source import DAY, Source, reported
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Hold, Log, Outcome

__all__ = ["StatusRequest", "status"]

# A version that is older is shown as "over 90 d": the whole history of a repository may take minutes to fetch.
_SPAN = 90 * DAY


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """`environments` are names, `images` globs; () means all. `fail_on` may hold `drift` and `held`."""

    source: Source
    environments: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    fail_on: frozenset[str] = frozenset()


def status(request: StatusRequest, log: Log) -> Outcome:
    """Read what is where; errors are part of the outcome."""
    return reported("status", lambda: _status(request, log))


def _status(request: StatusRequest, log: Log) -> Outcome:
    now = request.source.clock()
    read = read_everywhere(request.source, request.environments, int(now) - _SPAN, log)
    past, held = read.past, tuple(left for hold in read.holds if (left := in_force(hold, now)))
    found = inventory(past, held, now, request.images)
    if not found.images:
        raise NothingMatched(
            "No image was found" + (f" that matches {', '.join(request.images)}" if request.images else ""),
            hint=_what_was_read(past),
        )
    for hold in held:
        _check_file(hold, log)
    drift = sum(bool(cell.behind) or cell.is_split for row in found.images for cell in row.environments.values())
    stopped = sum(cell.held for row in found.images for cell in row.environments.values())
    failed = ("drift" in request.fail_on and drift) or ("held" in request.fail_on and stopped)
    return Outcome(
        command="status",
        status="unchanged",
        exit_code=1 if failed else 0,
        inventory=found,
        holds=held,
        skipped=past.skipped,
        summary={
            "images": len(found.images),
            "environments": len(found.environments),
            "behind": sum(bool(cell.behind) for row in found.images for cell in row.environments.values()),
            "held": stopped,
        },
    )


def _what_was_read(past: Past) -> str:
    named = [one.scope.environment.name for one in past.environments.values()]
    if not all(named):
        return "The whole branch was read. Name another one with --base."
    return (
        f"Only the files of these environments were read: {', '.join(named)}. "
        "The paths of environments: in .gitops-ci.yaml decide which files that are."
    )


def _check_file(hold: Hold, log: Log) -> None:
    """Warn of a file that nobody can read, and of one that stops nothing because another file is its image's."""
    image = ImageRef.try_parse(hold.image)
    if hold.problem:
        log.warn(f"{hold.path} cannot be read and counts as a hold: {hold.problem}")
    elif image is None:
        log.warn(f"{hold.path} names no image: '{hold.image}'")
    elif hold.path != (own := path_of(hold.environment, image)):
        log.warn(f"{hold.path} does not stop {image.familiar}: the file of its hold is {own}. Rename the file")
