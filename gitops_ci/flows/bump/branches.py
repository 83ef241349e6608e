"""The names of the head branches: derived and never random, so that the same run always finds the same branch.

`gitops-ci/ENVIRONMENT/SLUG`. Ten hexadecimal digits of a SHA-256 follow where the readable part alone could belong to
something else, and where a run looks at other files than the environment's own.
"""

from __future__ import annotations

import hashlib
import re

from gitops_ci.configrepo import check_branch
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.bump.search import Search
from gitops_ci.flows.environments import Environment
from gitops_ci.imageref import ImageRef

__all__ = ["branch_name", "environment_part", "heads", "kind_branch", "selection_of", "slug_of"]

# Code hosts and file systems take some 250 bytes for a whole branch name.
_LONGEST_SLUG = 120
_ENDS_IN_DIGITS = re.compile(r"-[0-9a-f]{10}\Z")
_EVERYTHING = "all"


def heads(to: PublishContext) -> tuple[str, ...]:
    """Where this run's proposal may be: on its own branch, else on one that it can join.

    The others are the branch of the whole environment, and the name that earlier releases gave to either.
    """
    if to.head:
        return (to.head,)
    search, base = to.search, to.base if to.base != to.usual else None
    names = (
        branch_name(search.environment, search.images, base, selection_of(search, to.environment)),
        branch_name(search.environment, search.images, base),
        _earlier_name(search.environment, search.images, base),
    )
    return tuple(dict.fromkeys(names))


def branch_name(
    environment: str | None, images: tuple[ImageRef, ...], base: str | None = None, selection: str = ""
) -> str:
    """The head branch.

    `base` is given where it is not the usual one: what stands on it is no proposal to another branch. `selection` is
    given where it is not the environment's own.

    Raises:
        UsageError: an environment has a name that no branch can have.
    """
    check_branch(_earlier_name(environment, images, base))
    slug = f"{_slug(images)}-{_digits(selection)}" if selection else _slug(images)
    return check_branch(_joined(_environment(environment), base, slug))


def selection_of(search: Search, environment: Environment) -> str:
    """Which files and places a run looks at, one choice a line; '' for those that the environment means by itself."""
    paths = {_plain(glob) for glob in search.paths}
    chosen = {
        "path": paths if paths != {_plain(glob) for glob in environment.paths} else (),
        "exclude": map(_plain, search.exclude),
        "format": search.policy.formats,
        "at": (pointer.text for pointer in search.pointers),
    }
    return "\n".join(f"{kind} {value}" for kind, values in chosen.items() for value in sorted(set(values)))


def _plain(glob: str) -> str:
    return glob.removeprefix("./").rstrip("/")


def _joined(environment: str, base: str | None, slug: str) -> str:
    return f"gitops-ci/{environment}{f'@{base}' if base else ''}/{slug}"


def _environment(name: str | None) -> str:
    """An environment's part. What could be read as none, or as an environment and a base, gets digits."""
    if not name:
        return _EVERYTHING
    is_clear = name != _EVERYTHING and not re.search(r"[@/]", name) and not _ENDS_IN_DIGITS.search(name)
    return name if is_clear else f"{name}-{_digits(name)}"


def _slug(images: tuple[ImageRef, ...]) -> str:
    if len(images) > 1:
        return f"{len(images)}-images-{_digits(*sorted(image.name for image in images))}"
    slug, name = images[0].slug, images[0].name
    if len(slug) <= _LONGEST_SLUG and _read_back(slug) == images[0].familiar and not _ENDS_IN_DIGITS.search(slug):
        return slug
    return f"{slug[:_LONGEST_SLUG].rstrip('-.')}-{_digits(name)}"


def _read_back(slug: str) -> str:
    """The one image name that a slug belongs to: its host, a port, and a slash for every other hyphen.

    The host ends with the last word that has a dot: those of cloud registries have hyphens themselves.
    """
    words = slug.split("-")
    dotted = [number for number, word in enumerate(words) if "." in word or (number == 0 and word == "localhost")]
    after = dotted[-1] + 1 if dotted else 0
    host, rest = "-".join(words[:after]), words[after:]
    if host and len(rest) > 1 and re.fullmatch(r"[0-9]{1,5}", rest[0]):
        host, rest = f"{host}:{rest[0]}", rest[1:]
    return "/".join([host, *rest] if host else rest)


def _earlier_name(environment: str | None, images: tuple[ImageRef, ...], base: str | None) -> str:
    """The name that was given without regard to other images of the same slug, and to an environment called `all`."""
    slug = _slug(images) if len(images) > 1 or len(images[0].slug) > _LONGEST_SLUG else images[0].slug
    return _joined(environment or _EVERYTHING, base, slug)


def _digits(*names: str) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:10]


def environment_part(name: str | None) -> str:
    """An environment as one part of a branch's name, or of the path of a hold."""
    return _environment(name)


def slug_of(*images: ImageRef) -> str:
    """Images as one part of a branch's name, or of the path of a hold."""
    return _slug(images)


def kind_branch(kind: str, environment: str | None, images: tuple[ImageRef, ...]) -> str:
    """The branch of a proposal that is none of a newer image: `gitops-ci/ENVIRONMENT@rollback/SLUG`.

    Raises:
        UsageError: an environment has a name that no branch can have.
    """
    return check_branch(f"gitops-ci/{_environment(environment)}@{kind}/{_slug(images)}")
