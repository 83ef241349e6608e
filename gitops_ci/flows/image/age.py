"""Which of two images is the older one where their tags do not tell: what the images say of themselves.

Source: OCI image specification 1.1, `annotations.md`: `org.opencontainers.image.created` is when an image was built,
`.revision` the commit it was built from; `config.md`: `created`, which builders fill in on their own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitopsCiError
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log
from gitops_ci.registry.connection import Access
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.image_config import facts_of
from gitops_ci.registry.parallel import each
from gitops_ci.registry.remote import Remote

__all__ = ["CREATED", "REVISION", "AgeComparison", "BuildMetadata", "can_tell", "explain_older", "moment_of"]

CREATED = "org.opencontainers.image.created"
REVISION = "org.opencontainers.image.revision"

_AT_ONCE = 8
_PATIENCE = 20.0  # seconds for all lookups of a run: a bump does not wait for a registry that is away
# Builders of reproducible images write a moment of long ago (1970, 1980) where the date would stand.
_SINCE = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BuildMetadata:
    """Where an image comes from: its labels, and when its config says it was built (RFC 3339, or empty)."""

    labels: Mapping[str, str]
    built: str = ""


def explain_older(wanted: BuildMetadata, present: BuildMetadata) -> str:
    """What shows that `wanted` is the older one; '' when it is not, or when nothing tells.

    Two builds of one commit are of one age. A label says more than the config: it may be the commit's own date. What
    both have from the same base image says nothing.
    """
    revision = wanted.labels.get(REVISION)
    if revision and revision == present.labels.get(REVISION):
        return ""
    for name, one, other in (
        (f"label {CREATED}", wanted.labels.get(CREATED, ""), present.labels.get(CREATED, "")),
        ("date in its config", wanted.built, present.built),
    ):
        new, old = _moment(one), _moment(other)
        if new and old and new != old:
            return f"by the {name}: {one[:19]} and {other[:19]}" if new < old else ""
    return ""


def moment_of(metadata: BuildMetadata) -> datetime | None:
    """When an image was built, by its label, else by its config; None where nothing tells."""
    return _moment(metadata.labels.get(CREATED, "")) or _moment(metadata.built)


def can_tell(wanted: BuildMetadata, present: BuildMetadata) -> bool:
    """Whether something shows which of the two is the older one, or that they are of one age."""
    revision = wanted.labels.get(REVISION)
    if revision and revision == present.labels.get(REVISION):
        return True
    return bool(explain_older(wanted, present) or explain_older(present, wanted))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if moment >= _SINCE else None


def _is_series(one: str, other: str) -> bool:
    """Whether one tag is the series of the other: `1.4` and `1.4.2`."""
    return one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _has_digit(image: ImageRef) -> bool:
    return any(letter.isdigit() for letter in image.tag or "")


class AgeComparison:
    """Answers from what is known, and remembers what was asked and is not: `learn` then asks the registries.

    Planning stays free of requests that way, and all images are looked up at once. `known` are images that may not be
    in their registry yet.
    """

    def __init__(self, access: Access, log: Log, known: Mapping[ImageRef, BuildMetadata] | None = None) -> None:
        self._access = access
        self._log = log
        self._origins: dict[ImageRef, BuildMetadata | None] = dict(known or {})
        self._asked: set[tuple[ImageRef, ImageRef]] = set()
        self._pairs: set[tuple[ImageRef, ImageRef]] = set()

    def __call__(self, wanted: ImageRef, present: ImageRef) -> str:
        """Why `wanted` is the older one; '' as long as nothing shows it."""
        # A mirror has what the original has; no host is asked that only a manifest names.
        present = wanted.with_version(tag=present.tag, digest=present.digest)
        self._asked.add((wanted, present))
        one, other = self._origins.get(wanted), self._origins.get(present)
        return explain_older(one, other) if one and other else ""

    def learn(self) -> bool:
        """Look up what was asked for and is not known; whether an image turns out to be the older one."""
        pairs, self._asked = self._asked, set()
        self._pairs |= pairs
        wanting: dict[str, dict[ImageRef, None]] = {}
        for image in (image for pair in sorted(pairs, key=str) for image in pair if image not in self._origins):
            wanting.setdefault(image.name, {})[image] = None
        if not wanting:
            return False
        access = replace(self._access, deadline=time.monotonic() + _PATIENCE)
        for found in each(lambda images: self._look(list(images), access), list(wanting.values()), at_once=_AT_ONCE):
            self._origins.update(found)
        return any(self(*pair) for pair in pairs)

    def undecided(self) -> list[tuple[ImageRef, ImageRef]]:
        """The pairs (wanted, present) of which nothing shows which one is newer; each is given once.

        A tag without a digit is a floating one (`latest`, a branch): it stands for any version, and not for another
        floating one.
        """
        pairs, self._pairs = sorted(self._pairs, key=str), set()
        return [
            (wanted, present)
            for wanted, present in pairs
            if wanted.tag != present.tag and (_has_digit(present) or not _has_digit(wanted))
            if not _is_series(wanted.tag or "", present.tag or "") and not self._knows(wanted, present)
        ]

    def _knows(self, wanted: ImageRef, present: ImageRef) -> bool:
        one, other = self._origins.get(wanted), self._origins.get(present)
        return one is not None and other is not None and can_tell(one, other)

    def _look(self, images: list[ImageRef], access: Access) -> dict[ImageRef, BuildMetadata | None]:
        """What the images of one repository say of themselves, None for those that cannot be read."""
        found: dict[ImageRef, BuildMetadata | None] = dict.fromkeys(images)
        try:
            account = credentials_for(images[0].registry, images[0].repository)
            with closing(Remote(images[0], account, access)) as remote:
                for image in images:
                    manifest = remote.manifest(image.digest or image.tag or "latest")
                    if manifest is None:
                        self._log.detail(f"{image} is not in its registry: its age is not compared")
                        return found
                    facts = facts_of(remote, manifest)
                    found[image] = BuildMetadata(facts.labels, facts.created)
        except GitopsCiError as error:
            self._log.detail(f"the age of {images[0].familiar} is not compared: {error.message}")
        return found
