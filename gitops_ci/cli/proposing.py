"""What `promote`, `rollback`, `hold` and `unhold` begin with: names of images, and how their change is proposed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.ci import CiContext, detect
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.flows.bump import BumpRequest

__all__ = ["image_names", "proposing_request", "trusted_context"]


def trusted_context(options: Mapping[str, Any]) -> CiContext:
    """The job that this is.

    Raises:
        UsageError: what runs here is not trusted to publish.
    """
    from gitops_ci.cli.repository import refuse_untrusted

    context = detect(variables())
    refuse_untrusted(context, options)
    return context


def image_names(references: Iterable[str], more: str = "") -> tuple[ImageRef, ...]:
    """Images by their names alone, each once; `more` says where a version goes.

    Raises:
        UsageError: one has a version, or is not an image.
    """
    found = []
    for text in references:
        image = ImageRef.parse(text)
        if image.tag or image.digest:
            raise UsageError(f"'{text}' has a version", hint=f"Give the name alone: {image.familiar}{more}")
        found.append(image)
    return tuple(dict.fromkeys(found))


def proposing_request(
    ctx: click.Context, images: tuple[ImageRef, ...], options: Mapping[str, Any], address: str = ""
) -> BumpRequest:
    """The request for the repository at `address`, else for the one of the options or of this checkout.

    Raises:
        UsageError: something of it is missing or wrong.
    """
    from gitops_ci.cli.reading import config_repository
    from gitops_ci.cli.repository import bump_request

    return bump_request(ctx, images, {**options, "config_repo": address or config_repository(options)})
