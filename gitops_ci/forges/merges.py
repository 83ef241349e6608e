"""What the modules of code hosts share to tell who merged the pull request of a commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gitops_ci.errors import ForgeError, UsageError
from gitops_ci.forges.api import Api, Fields
from gitops_ci.moments import moment

__all__ = ["answer_or_none", "name_of", "of_commit", "seconds"]

# No pull request, or no such commit; Bitbucket Cloud answers 404 as well where the links are not installed.
_NONE = frozenset({404, 422})


def answer_or_none(api: Api, path: str, doing: str, **params: str | int) -> Any:
    """The answer, None where the host knows of nothing."""
    try:
        return api.get(path, doing, **params)
    except ForgeError as error:
        if error.status in _NONE:
            return None
        raise


def of_commit(found: Sequence[Fields], commit: str, made: Callable[[Fields], Sequence[object]]) -> Fields | None:
    """Of several merged pull requests the one whose merge `made` the commit, else the first.

    A commit may be in several: in the one that brought it here, and in those of other branches that contain it.
    """
    own = (one for one in found if any(text and commit.startswith(str(text)) for text in made(one)))
    return next(own, found[0] if found else None)


def seconds(text: object) -> int:
    """An RFC 3339 time in seconds since 1970; 0 for what is none."""
    try:
        return moment(str(text)) if text else 0
    except UsageError:
        return 0


def name_of(person: Any, *keys: str) -> str:
    """The first name that an account has under these keys."""
    return next((str(person[key]) for key in keys if person.get(key)), "") if isinstance(person, dict) else ""
