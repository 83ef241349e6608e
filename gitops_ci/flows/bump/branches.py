"""The names of the head branches: derived and never random, so that the same run always finds the same branch.

`gitops-ci/ENVIRONMENT/SLUG`, for a group `gitops-ci/ENVIRONMENT@group/SLUG`, or what a template makes of them. Ten
hexadecimal digits of a SHA-256 follow where the readable part alone could belong to something else, and where a run
looks at other files than the environment's own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field

from gitops_ci.configrepo import check_branch
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.bump.search import Search
from gitops_ci.flows.environments import Environment
from gitops_ci.imageref import ImageRef
from gitops_ci.reporting.proposal_facts import ProposalFacts
from gitops_ci.reporting.proposal_fields import field_values, fields_in, filled

__all__ = ["PREFIX", "Naming", "branch_name", "environment_part", "heads", "kind_branch", "selection_of", "slug"]

PREFIX = "gitops-ci/"

# Code hosts and file systems take some 250 bytes for a whole branch name.
_LONGEST_SLUG = 120
_ENDS_IN_DIGITS = re.compile(r"-[0-9a-f]{10}\Z")
_EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Naming:
    """What else a branch's name depends on: a group of images, a template, and the build's values for its fields."""

    group: str = ""
    template: str = ""
    build: Mapping[str, str] = field(default_factory=dict)
    source_commit: str = ""


_USUAL = Naming()


def heads(to: PublishContext) -> tuple[str, ...]:
    """Where this run's proposal may be: on its own branch, else on one that it can join.

    The others are the branch of the whole environment, the usual name where a template gives another one, and the name
    that earlier releases gave.
    """
    if to.head:
        return (to.head,)
    search, base = to.search, to.base if to.base != to.usual else None
    said, selection = to.publication, selection_of(search, to.environment)
    naming = Naming(said.group, said.branch, said.build, said.source_commit)
    usual = Naming(said.group)
    names = [
        branch_name(search.environment, search.images, base, selection, naming),
        branch_name(search.environment, search.images, base, "", naming),
        branch_name(search.environment, search.images, base, "", usual),
    ]
    if not said.group:
        names.append(_earlier_name(search.environment, search.images, base))
    return tuple(dict.fromkeys(names))


def branch_name(
    environment: str | None,
    images: tuple[ImageRef, ...],
    base: str | None = None,
    selection: str = "",
    naming: Naming = _USUAL,
) -> str:
    """The head branch.

    `base` is given where it is not the usual one: what stands on it is not a proposal to another branch. `selection` is
    given where it is not the environment's own.

    Raises:
        UsageError: an environment has a name that no branch can have, or a template makes none.
    """
    check_branch(_earlier_name(environment, images, base))
    name = _word(naming.group) if naming.group else slug(images)
    name = f"{name}-{_digits(selection)}" if selection else name
    place = environment_part(environment)
    place += f"@{_digited(base)}" if base else ""
    place += "@group" if naming.group else ""
    if not naming.template:
        return check_branch(f"{PREFIX}{place}/{name}")
    return check_branch(_from_template(naming, images[0], place, name, base, selection))


def _from_template(
    naming: Naming, image: ImageRef, place: str, image_part: str, base: str | None, selection: str
) -> str:
    """A template's name. What it does not name and is not the usual one is put behind it."""
    known = ProposalFacts(image, source_commit=naming.source_commit, build=naming.build)
    values = {name: _word(value) for name, value in field_values(known).items()}
    values |= {"environment": place, "image": image_part, "group": _word(naming.group)}
    fields = fields_in(naming.template)
    if missing := next((name for name in fields if not values.get(name)), None):
        raise UsageError(
            f"--branch has the field {{{missing}}}, which has no value in this run",
            hint="Leave it out, or run where it has one.",
        )
    name = filled(naming.template, values)
    name += f"@{base}" if base and "environment" not in fields else ""
    return name + (f"-{_digits(selection)}" if selection and "image" not in fields else "")


def _word(text: str) -> str:
    """A text as a part of a branch's name; digits tell apart what looks the same then."""
    word = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")
    word = re.sub(r"\.{2,}", ".", word).removesuffix(".lock")
    return word if word == text else f"{word}-{_digits(text)}"


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


def _digited(base: str) -> str:
    """A base's part. What stands for another kind of proposal there gets digits."""
    return f"{base}-{_digits(base)}" if base in {"group", "rollback"} else base


def environment_part(name: str | None) -> str:
    """An environment's part. What could be read as none, or as an environment and a base, gets digits."""
    if not name:
        return _EVERYTHING
    is_clear = name != _EVERYTHING and not re.search(r"[@/]", name) and not _ENDS_IN_DIGITS.search(name)
    return name if is_clear else f"{name}-{_digits(name)}"


def slug(images: tuple[ImageRef, ...]) -> str:
    """The part of a name that says which images: of a branch, and of a hold's file."""
    if len(images) > 1:
        return f"{len(images)}-images-{_digits(*sorted(image.name for image in images))}"
    short, name = images[0].slug, images[0].name
    if len(short) <= _LONGEST_SLUG and _read_back(short) == images[0].familiar and not _ENDS_IN_DIGITS.search(short):
        return short
    return f"{short[:_LONGEST_SLUG].rstrip('-.')}-{_digits(name)}"


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
    name = slug(images) if len(images) > 1 or len(images[0].slug) > _LONGEST_SLUG else images[0].slug
    return f"{PREFIX}{environment or _EVERYTHING}{f'@{base}' if base else ''}/{name}"


def _digits(*names: str) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:10]


def kind_branch(kind: str, environment: str | None, images: tuple[ImageRef, ...]) -> str:
    """The branch of a proposal that is none of a newer image: `gitops-ci/ENVIRONMENT@rollback/SLUG`.

    Raises:
        UsageError: an environment has a name that no branch can have.
    """
    return check_branch(f"{PREFIX}{environment_part(environment)}@{kind}/{slug(images)}")
