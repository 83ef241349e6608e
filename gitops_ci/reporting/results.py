"""The few values of an outcome that a later step or job uses, as single words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitops_ci.dataclass import dataclass
from gitops_ci.reporting.base import masked

if TYPE_CHECKING:
    from gitops_ci.model import Commit, Outcome, PullRequest, PushedTag

__all__ = ["Results", "image_name"]


@dataclass(frozen=True, slots=True)
class Results:
    """Empty strings are "there is none". `image` is the first image's name, `reference` its name, tag and digest."""

    image: str
    tag: str
    tags: tuple[str, ...]
    digest: str
    reference: str
    changed: str
    commit: str
    pull_request_url: str
    pull_request_number: str
    findings: str
    status: str

    @classmethod
    def of(cls, outcome: Outcome) -> Results:
        images: tuple[PushedTag, ...] = masked(outcome.images)
        commit: Commit | None = masked(outcome.commit)
        request: PullRequest | None = masked(outcome.pull_request)
        first = images[0] if images else None
        image, digest = (image_name(first), first.digest or "") if first else ("", "")
        tags = tuple(dict.fromkeys(i.tag for i in images if i.tag and image_name(i) == image))
        return cls(
            image=image,
            tag=tags[0] if tags else "",
            tags=tags,
            digest=digest,
            reference=_reference(image, tags[0] if tags else "", digest),
            changed="true" if outcome.status == "changed" else "false",
            commit=commit.sha if commit else "",
            pull_request_url=request.url if request else "",
            pull_request_number=str(request.number) if request and request.number is not None else "",
            findings=str(len(outcome.findings)),
            status=outcome.status,
        )


def image_name(image: PushedTag) -> str:
    """The reference without tag and digest, as it is written."""
    name = image.reference.partition("@")[0] or image.reference
    return name.removesuffix(f":{image.tag}") if image.tag else name


def _reference(image: str, tag: str, digest: str) -> str:
    return f"{image}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"
