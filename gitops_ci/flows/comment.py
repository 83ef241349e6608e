"""One comment on the pull request of this job, for each key: the next run replaces it."""

from __future__ import annotations

from collections.abc import Callable

from gitops_ci.errors import ForgeError
from gitops_ci.forges.base import Forge
from gitops_ci.model import Log, PullRequest

__all__ = ["put_comment"]

_OVER = "This part is no longer needed: everything is in the comments before it."
_MARKER = 200  # more characters than the line takes by which a comment is found again


def put_comment(
    forge: Forge,
    number: int,
    render: Callable[[int], list[str]],
    log: Log,
    *,
    key: str,
    is_empty: bool = False,
    most: int = 1,
) -> bool:
    """Put texts under pull request `number`, in the place of those with the same key.

    `render` makes up to `most` texts with at most so many bytes: what the host takes in a comment. What `is_empty`
    (has nothing to tell) is put only in the place of another one. Returns whether the host took it; a refusal is a
    warning: it is not a fault of what was checked.
    """
    if not forge.COMMENT_LIMIT:
        log.warn("this code host has no comments on pull requests")
        return False
    pull_request = PullRequest(number, "", "", "", "")
    try:
        texts = render(forge.COMMENT_LIMIT - _MARKER)
        for index in range(max(most, len(texts))):
            own = f"{key}#{index + 1}" if index else key
            # An earlier run may have needed more parts.
            text = texts[index] if index < len(texts) else _OVER
            forge.comment(pull_request, text, key=own, is_new=index < len(texts) and not is_empty)
    except ForgeError as error:
        hint = f" {error.hint}" if error.hint else ""
        log.warn(f"The comment on pull request #{number} was not made: {error.message}.{hint}")
        return False
    log.detail(f"comment '{key}' on pull request #{number}")
    return True
