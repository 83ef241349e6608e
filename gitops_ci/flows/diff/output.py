"""What one unit of one side renders to, or why it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gitops_ci.errors import ProgramError
from gitops_ci.flows.diff.half import Half, Trouble
from gitops_ci.rendering.deployment import Output, Recipe
from gitops_ci.rendering.discovery import Found
from gitops_ci.rendering.failures import failure_of
from gitops_ci.rendering.kinds import recipe_of
from gitops_ci.rendering.programs import ProgramSettings, render

__all__ = ["output_of"]


def output_of(half: Half, found: Found, settings: Callable[[Recipe], ProgramSettings]) -> Output | Trouble:
    """Render a unit; the half gets its recipe. `settings` are those for a recipe."""
    ready = _ready(found, allow_remote=half.settings.allow_remote)
    if isinstance(ready, Trouble):
        return ready
    if ready.closure.omitted:
        half.omitted[found.unit.id] = ready.closure.omitted
    repository = half.deployment.repository
    try:
        recipe = recipe_of(found.unit, ready.closure, repository)
        half.recipes[found.unit.id] = recipe
        return render(recipe, half.tree, settings(recipe))
    except ProgramError as error:
        failure = failure_of(found.unit, found.closure, error, repository)
        return Trouble(failure.message, failure.remedy, failure.is_error)


def _ready(found: Found, *, allow_remote: bool) -> Found | Trouble:
    """The unit as it can be rendered here, else why it cannot."""
    closure = found.closure
    if closure.refused:
        return Trouble(closure.refused)
    if closure.error:
        return Trouble(closure.error, is_error=True)
    if closure.skip and not (allow_remote and closure.remote):
        if offline := closure.without_remote():
            return replace(found, closure=offline)
        return Trouble(closure.skip, closure.remedy)
    return found
