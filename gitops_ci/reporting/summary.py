"""One sentence about an outcome, and the small phrases that several formats share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gitops_ci.display import short_digests, visible

if TYPE_CHECKING:
    from gitops_ci.imageref import ImageRef
    from gitops_ci.model import Change, Outcome

__all__ = ["count", "is_told", "location", "old_and_new", "sentence"]

# Counts that the sentence itself says already.
_SAID = frozenset(
    {"changes", "changed", "findings", "errors", "warnings", "notes", "skipped", "images", "jobs", "waiting"}
)
# Commands that only read, and what they count.
_READ = {"status": "images", "compare": "differences", "history": "deployments"}


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def location(path: str, line: int = 0, column: int = 0) -> str:
    """`path:line:column` as editors and terminals understand it, without what is not known."""
    text = visible(path) or "(no file)"
    if line:
        text += f":{line}"
    return f"{text}:{column}" if line and column else text


def is_told(outcome: Outcome) -> bool:
    """Whether an error only sums up what the findings, and the files that could not be read, say one by one."""
    summed_up = outcome.command == "validate" and outcome.error is not None and outcome.error.kind == "findings"
    return summed_up and bool(outcome.findings or any(skip.failed for skip in outcome.skipped))


def old_and_new(change: Change) -> tuple[str, str]:
    """Both values as short as they stay clear: digests cut, and of two references to one image only what differs."""
    from gitops_ci.imageref import ImageRef

    old, new = ImageRef.try_parse(change.edit.old), ImageRef.try_parse(change.edit.new)
    if old and new and old.name == new.name and _version(old) and _version(new):
        return _version(old), _version(new)
    return short_digests(change.edit.old), short_digests(change.edit.new)


def _version(image: ImageRef) -> str:
    return short_digests(str(image).removeprefix(image.familiar).lstrip(":@"))


def sentence(outcome: Outcome) -> str:
    """`bump: changed 3 places in 2 files, 1 skipped (documents 40)`."""
    if outcome.rendered is not None:
        from gitops_ci.reporting.rendered import headline

        found = _found(outcome)
        return f"{outcome.command}: {headline(outcome.rendered)}{f', {found}' if found else ''}"
    told = [_deed(outcome)]
    if outcome.skipped:
        told.append(f"{len(outcome.skipped):,} skipped")
    said = _SAID | {_READ.get(outcome.command, "")}
    counts = [f"{name} {number:,}" for name, number in outcome.summary.items() if number and name not in said]
    more = f" ({', '.join(counts)})" if counts else ""
    return f"{outcome.command}: {', '.join(part for part in told if part)}{more}"


def _deed(outcome: Outcome) -> str:
    found = _found(outcome)
    if outcome.error and outcome.error.kind != "findings":
        return f"failed, {found}" if found else "failed"
    parts = [_changed(outcome), _pushed(outcome), found]
    if said := ", ".join(part for part in parts if part):
        return said
    if outcome.status == "failed":
        return "failed"
    if outcome.command == "refresh":
        states = Counter(one.state for one in outcome.proposals)
        told = [f"{states[state]} {state}" for state in ("rebuilt", "closed", "unchanged", "left") if states[state]]
        return _listed(told) if told else "no open pull request of gitops-ci"
    if outcome.command == "promote" and (waiting := outcome.summary.get("waiting")):
        return f"{count(waiting, 'change')} waiting"
    if outcome.command == "plan":
        return count(len(outcome.jobs), "job")
    if outcome.command == "image tags":
        return count(len(outcome.images), "tag")
    if outcome.command in _READ:
        number, noun = outcome.summary.get(_READ[outcome.command], 0), _READ[outcome.command].removesuffix("s")
        return count(number, noun)
    if outcome.command == "config check":
        return "valid"
    if outcome.command == "validate":
        return "no findings"
    if outcome.status == "changed":
        return "changed"
    so = outcome.summary.get("unchanged", 1) or outcome.images
    return "already up to date" if so else "nothing to change"


def _changed(outcome: Outcome) -> str:
    if not outcome.changes:
        return ""
    files = len({change.path for change in outcome.changes})
    places = f"{count(len(outcome.changes), 'place')} in {count(files, 'file')}"
    if outcome.status == "failed":
        return f"{places} left as they were"
    return f"{'would change' if outcome.dry_run else 'changed'} {places}"


def _pushed(outcome: Outcome) -> str:
    pushed = sum(image.state == "pushed" for image in outcome.images)
    return f"pushed {count(pushed, 'tag')}" if pushed else ""


def _found(outcome: Outcome) -> str:
    severities = Counter(finding.severity for finding in outcome.findings)
    parts = [count(severities[name], name) for name in ("error", "warning", "note") if severities[name]]
    if not parts:
        return ""
    files = len({finding.path for finding in outcome.findings})
    return f"{_listed(parts)} in {count(files, 'file')}"


def _listed(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
