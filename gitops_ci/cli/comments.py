"""`--comment`: a command's outcome as a comment on the pull request that this job runs for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gitops_ci.ci import detect
from gitops_ci.cli.options import option
from gitops_ci.cli.repository_options import forge_option
from gitops_ci.errors import UsageError
from gitops_ci.lazy import lazy_pattern
from gitops_ci.secret import mask
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.model import Log

__all__ = ["comment_options", "post_comment"]

_KEY = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
_SECONDS = 60.0
_OPTIONS = (
    option("--comment", is_flag=True, help="Keep one comment with the result on the pull request of this job."),
    option("--comment-key", metavar="NAME", help="Keep a separate comment for each NAME, for example one per cluster."),
    forge_option(", for --comment"),
    option("--api-url", metavar="URL", help="Address of the code host's API, if it is not the default one."),
)


def comment_options(function: Callable[..., Any]) -> Any:
    """Adds the options above to a command; `post_comment` reads them back."""
    return functools.reduce(lambda decorated, decorate: decorate(decorated), reversed(_OPTIONS), function)


def post_comment(
    command: str,
    options: Mapping[str, Any],
    render: Callable[[int], str | list[str]],
    log: Log,
    *,
    is_empty: bool = False,
) -> None:
    """Put a text on the pull request of this job, where --comment asks for it; a warning where that is impossible.

    Raises:
        UsageError: the key is none, or the repository has no address.
    """
    if not options["comment"]:
        return
    if options["comment_key"] and not _KEY.fullmatch(options["comment_key"]):
        raise UsageError("--comment-key takes letters, digits, '.', '_' and '-'", hint="--comment-key eu-production")
    context = detect(variables())
    if context.pull_request is None:
        log.step("This job has no pull request: no comment is written")
        return
    from gitops_ci.cli.facts import origin_url
    from gitops_ci.cli.repository import connection
    from gitops_ci.flows.comment import put_comment

    address = context.repository_url or origin_url()
    there = connection({**options, "config_repo": address, "deadline": _SECONDS})
    key = f"{command}/{options['comment_key']}" if options["comment_key"] else command

    def parts(limit: int) -> list[str]:
        made = render(limit)
        return [mask(text) for text in ([made] if isinstance(made, str) else made)]

    put_comment(
        there.connect(),
        context.pull_request,
        parts,
        log,
        key=key,
        is_empty=is_empty,
        most=options.get("comment_parts", 1),
    )
