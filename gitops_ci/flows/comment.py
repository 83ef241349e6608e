"""One comment on the pull request of this job, for each key: the next run replaces it."""

from __future__ import annotations

from collections.abc import Callable

from gitops_ci.errors import ForgeError
from gitops_ci.forges.base import Forge
from gitops_ci.model import Log, PullRequest

__all__ = ["put_comment"]

_MARKER = 200  # more characters than the line takes by which a comment is found again


def put_comment(
    forge: Forge, number: int, render: Callable[[int], str], log: Log, *, key: str, is_empty: bool = False
) -> bool:
    """Put a text under pull request `number`, in the place of the one with the same key.

    `render` makes the text with at most so many bytes: what the host takes in a comment. A text that `is_empty` (has
    nothing to tell) is put only in the place of another one. Returns whether the host took it; a refusal is a warning:
    it is no fault of what was checked.
    """
    if not forge.COMMENT_LIMIT:
        log.warn("this code host has no comments on pull requests")
        return False
    pull_request = PullRequest(number, "", "", "", "")
    try:
        forge.comment(pull_request, render(forge.COMMENT_LIMIT - _MARKER), key=key, is_new=not is_empty)
    except ForgeError as error:
        hint = f" {error.hint}" if error.hint else ""
        log.warn(f"The comment on pull request #{number} was not made: {error.message}.{hint}")
        return False
    log.detail(f"comment '{key}' on pull request #{number}")
    return True
