"""What it means that a unit could not be rendered: nobody can, or only nobody here."""

from __future__ import annotations

import re

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ProgramError
from gitops_ci.rendering import fleet, helmrelease
from gitops_ci.rendering.chart_errors import is_broken
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Repository

__all__ = ["Failure", "failure_of"]

_LOGGED = re.compile(r'^E\d{4} .*? err="(?P<message>.*)"$')
_NO_FINDING = ("is not installed", "cannot be run", "was ended", "cannot be copied")
# What kustomize says of a patch, a replacement, a variable or a merge whose object is not there (kustomize api 5.6:
# resmap, krusty, internal/builtins). It may be in what was left out.
_IS_ABSENT = re.compile(
    "no resource matches|no matches for Id|failed to find unique target|nothing selected by"
    "|unable to find .{0,200}target|unable to find field|does not exist; cannot merge or replace"
    "|var '[^']*' cannot be mapped"
)
_MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """`is_error`: the operator, or whoever installs it, fails in the same way."""

    message: str
    is_error: bool
    remedy: str = ""


def failure_of(unit: DeploymentUnit, closure: Closure, error: ProgramError, repository: Repository) -> Failure:
    """A program's refusal, by what is known of the values that the unit is rendered with, and of what it lacks here."""
    message = _complaint(error.message)
    if closure.skip:  # what would be fetched may be what the rest is about
        return Failure(closure.skip, is_error=False, remedy=closure.remedy)
    if closure.omitted and _IS_ABSENT.search(message):
        return Failure(f"{'; '.join(closure.omitted)}; and so {message}", is_error=False, remedy=closure.remedy)
    if any(words in error.message for words in _NO_FINDING):
        return Failure(error.message, is_error=False, remedy=error.hint)
    is_given = unit.kind == "chart" and unit.source in repository.values
    lacks_values = (
        (unit.is_assumed and not is_given)
        or (unit.kind == "helmrelease" and not helmrelease.is_fully_known(unit, repository))
        or (unit.kind == "fleet" and not fleet.is_fully_known(unit))
    )
    if lacks_values and not is_broken(error.message):
        return Failure(message, is_error=False, remedy="Render it with its user's values: --values CHART=FILE.")
    return Failure(message, is_error=True)


def _complaint(text: str) -> str:
    """The program's own last words, without its warnings."""
    lines = [line.strip() for line in text.partition(": ")[2].splitlines() or text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", "Use --debug"))] or [text]
    if logged := _LOGGED.match(lines[-1]):
        return logged["message"].replace('\\"', '"')
    return " ".join(lines[-_MOST_LINES:]).removeprefix("error: ").removeprefix("Error: ")
