"""What was pushed, committed, or handed to another job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gitops_ci.dataclass import dataclass

__all__ = ["Commit", "ImageDetails", "ImagePart", "Job", "PushedTag", "VerifiedImage"]


@dataclass(frozen=True, slots=True)
class PushedTag:
    """One reference of an image in the registry: pushed now, there already, deleted now, or planned by a dry run.

    `why` says why it gets this tag, where that was the question.
    """

    reference: str
    tag: str | None
    digest: str | None
    state: Literal["pushed", "present", "planned", "deleted"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class ImagePart:
    """Something that an image refers to: a platform of it, a layer, a signature. `size` are bytes."""

    digest: str
    media_type: str
    size: int
    platform: str = ""
    artifact_type: str = ""


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """What an image in a registry is. `size` are the bytes of all that it consists of, `created` is RFC 3339 or empty.

    `manifest` and `config` are the JSON documents of the registry, with tuples for lists; `content` is the manifest's
    exact text. An index has the labels, date and config of its first image.
    """

    reference: str
    digest: str
    media_type: str
    artifact_type: str
    size: int
    created: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    platforms: tuple[ImagePart, ...]
    layers: tuple[ImagePart, ...]
    referrers: tuple[ImagePart, ...]
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]
    content: str = ""


@dataclass(frozen=True, slots=True)
class VerifiedImage:
    """An image whose signature was verified: by whom it is, and where it was found.

    `attestation` is the type of what they state about the image; '' for a signature, which approves it.
    """

    reference: str
    tag: str | None
    digest: str
    signer: str
    found_in: str
    attestation: str = ""

    @property
    def statement(self) -> str:
        """Who signed, and what."""
        return f"{self.signer}: attestation {self.attestation}" if self.attestation else self.signer


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit on a branch of the config repository."""

    sha: str
    branch: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a CI system is to run: `command` with `arguments`, and `options` by their long names."""

    name: str
    command: str
    options: Mapping[str, str]
    arguments: tuple[str, ...] = ()
