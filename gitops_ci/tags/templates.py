"""Templates in tags: `{branch}-{short_sha:12}-{date:%Y%m%d}`, filled in with what is known about the build."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.tags.choices import BuildFacts
from gitops_ci.tags.order import Kind, kind_of

__all__ = ["FIELDS", "Filled", "check_template", "date_of", "fill", "is_template"]

# The fields, and what may follow a colon in each.
FIELDS = {
    "branch": "",
    "sha": "",
    "short_sha": r"[1-9]|[1-3][0-9]|40",
    "timestamp": "",
    "date": r".+",
    "version": "",
    "tag": "",
    "pr": "",
    "run": "",
}
# What makes each build's tag another one.
_OF_ONE_BUILD = frozenset({"sha", "short_sha", "timestamp", "date", "pr", "run"})
_FIELD = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A tag out of a template. `by_commit`: it belongs to the newest commit of a branch."""

    tag: str
    kind: Kind
    by_commit: bool


def is_template(text: str) -> bool:
    return "{" in text or "}" in text


def check_template(text: str) -> None:
    """Raises UsageError for a field that does not exist, or an argument that the field does not take."""
    for name, argument in _FIELD.findall(text):
        if name not in FIELDS:
            raise UsageError(f"A tag has no field {{{name}}}", hint=f"Known fields: {', '.join(FIELDS)}.")
        if argument and not re.fullmatch(FIELDS[name], argument):
            raise UsageError(
                f"{{{name}:{argument}}} is not a field of a tag",
                hint="Only {short_sha:12} and {date:%Y%m%d} take something after a colon.",
            )
    if is_template(_FIELD.sub("", text)):
        raise UsageError(f"'{text}' has an unmatched brace", hint="Write fields as {branch}.")


def fill(text: str, facts: BuildFacts, version: str | None, slug: Callable[[str], str]) -> Filled | None:
    """The tag of a template for this build; None where the build has no value for one of its fields."""
    known = {
        "branch": slug(facts.branch) if facts.branch else "",
        "sha": facts.commit or "",
        "short_sha": facts.commit or "",
        "timestamp": "" if facts.moment is None else str(int(facts.moment)),
        "date": "" if facts.moment is None else date_of(facts.moment),
        "version": (version or "").replace("+", "_"),
        "tag": slug(facts.tag.replace("+", "_")) if facts.tag else "",
        "pr": str(facts.pull_request or ""),
        "run": facts.run,
    }
    fields = {name for name, _ in _FIELD.findall(text)}
    if not all(known[name] for name in fields):
        return None

    def value(found: re.Match[str]) -> str:
        name, argument = found[1], found[2]
        if name == "short_sha":
            return known[name][: int(argument or 7)]
        if name == "date" and argument and facts.moment is not None:
            return date_of(facts.moment, argument)
        return known[name]

    tag = _FIELD.sub(value, text)
    kind: Kind = "build" if fields & _OF_ONE_BUILD else kind_of(tag)
    return Filled(tag, kind, by_commit=kind == "floating" and "branch" in fields)


def date_of(moment: float, form: str = "") -> str:
    """A moment in UTC as strftime writes it, `%Y%m%d` without a form."""
    # What strftime makes of %s depends on the machine's time zone.
    form = re.sub(r"%(.)", lambda found: str(int(moment)) if found[1] == "s" else found[0], form or "%Y%m%d")
    return datetime.fromtimestamp(moment, UTC).strftime(form)
