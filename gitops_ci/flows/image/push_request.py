"""What a push is asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.flows.image.tags import TagRules
from gitops_ci.model import Log, PushedTag, Skip
from gitops_ci.registry.base import Progress, Writer
from gitops_ci.registry.connection import Access
from gitops_ci.registry.sources import ImageSource
from gitops_ci.tags import TagChoice

__all__ = ["PartlyPushed", "PushRequest", "PushRun", "Pushed", "chosen_of"]


@dataclass(frozen=True, slots=True)
class PushRequest:
    """An image, where it goes, and what decides its tags.

    `source` is `docker:NAME` (or just NAME), `oci:DIR[:NAME]` or another of `SOURCES`; `to` a repository of a registry,
    with a tag if it is to get that one only, or `oci:DIR`. `allow_move` lets released tags change their manifest.

    `also` are further destinations; the outcome's first image is that of `to`. The account of the environment is for
    the destination `account_of`, for `to` without one: no registry gets the password of another.

    `platforms` are those of an image with several that are pushed, all of them where there are none. `sparse`: the
    index stays as it is, and lists the others too. `annotations` are added to the manifest, or to the index of an image
    with several platforms.
    """

    source: str
    to: str
    rules: TagRules = field(default_factory=TagRules)
    dry_run: bool = False
    allow_move: bool = False
    expect_revision: str | None = None
    with_referrers: bool = False
    access: Access = field(default_factory=Access)
    also: tuple[str, ...] = ()
    account_of: str = ""
    platforms: tuple[str, ...] = ()
    sparse: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did. `images` has the primary reference first; `sent` and `size` are bytes, `reused` blobs.

    `skipped` are floating tags that stay as they are.
    """

    images: tuple[PushedTag, ...]
    choices: tuple[TagChoice, ...]
    labels: Mapping[str, str]
    size: int = 0
    sent: int = 0
    reused: int = 0
    skipped: tuple[Skip, ...] = ()


@dataclass(frozen=True, slots=True)
class PushRun:
    """One push: what is asked for, from where to where, and who hears of it."""

    request: PushRequest
    source: ImageSource
    destination: Writer
    log: Log
    progress: Progress


class PartlyPushed(RegistryError):
    """The image is there and has some of its tags, `images`; the others were refused."""

    def __init__(self, error: RegistryError, images: tuple[PushedTag, ...]) -> None:
        super().__init__(error.message, hint=error.hint)
        self.images = images


def chosen_of(source: ImageSource, request: PushRequest) -> ImageSource:
    """The image for the platforms of the request. Raises RegistryError where it does not have them."""
    return source.sparse(request.platforms) if request.sparse else source.selected(request.platforms)
