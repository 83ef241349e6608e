"""Delete the oldest tags of a repository, and never one that somebody may still need.

Kept are: versions and the tags that move with them, the newest ones that fit, what a config repository names, and what
shares its image with a tag that stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.flows.image.age import CREATED, BuildMetadata, moment_of
from gitops_ci.flows.image.lookup import by_number, fitting
from gitops_ci.flows.image.named import ConfigSource, named_in
from gitops_ci.imageref import ImageRef, in_lower_case
from gitops_ci.model import ErrorDetail, Log, Outcome, PushedTag, Skip
from gitops_ci.registry.base import Manifest
from gitops_ci.registry.connection import Access
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.image_config import facts_of
from gitops_ci.registry.parallel import each
from gitops_ci.registry.remote import Remote
from gitops_ci.tags import kind_of

__all__ = ["PruneRequest", "prune"]

_AT_ONCE = 8
# Tags that belong to versions, and those of cosign and the referrers tag schema, which belong to another image.
_NEVER = re.compile(r"latest|stable|[vV]?\d+(?:\.\d+)*|sha256-[0-9a-f]{64}(?:\..+)?")


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """The tags that fit `match`, of which the `keep` newest stay, and the repositories whose files name others."""

    reference: str
    match: tuple[str, ...]
    keep: int
    sources: tuple[ConfigSource, ...] = ()
    dry_run: bool = False
    access: Access = field(default_factory=Access)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A tag that may go: its image, and when that was built."""

    tag: str
    digest: str
    built: float | None
    children: tuple[str, ...]


def prune(request: PruneRequest, log: Log) -> Outcome:
    """Delete tags. Raises RegistryError, GitError when something cannot be read: then nothing is deleted."""
    ref = ImageRef.parse(in_lower_case(request.reference).removeprefix("registry:"))
    account = credentials_for(ref.registry, ref.repository)
    with closing(Remote(ref, account, request.access, deletes=not request.dry_run)) as remote:
        digests = _digests(remote)
        candidates = _candidates(remote, digests, request.match)
        old, undated = _beyond(candidates, request.keep)
        kept = {**undated, **_named(old, request.sources, log)}
        going = [one for one in old if one.tag not in kept]
        kept |= _shared(remote, digests, going)
        going = [one for one in going if one.tag not in kept]
        deleted, failure = _delete(remote, going, request, log)
    return _outcome(request, remote.name, candidates, kept, deleted, failure)


def _digests(remote: Remote) -> Mapping[str, str]:
    tags = remote.tags()
    if tags is None:
        raise RegistryError(f"{remote.name} does not let this account list its tags", hint="Use another account.")
    answers = zip(tags, each(remote.digest, tags, at_once=_AT_ONCE), strict=True)
    return {tag: digest for tag, digest in answers if digest is not None}


def _candidates(remote: Remote, digests: Mapping[str, str], match: Sequence[str]) -> list[_Candidate]:
    tags = [tag for tag in fitting(sorted(digests, key=by_number), match) if not _is_kept_for_ever(tag)]
    known = dict.fromkeys(digests[tag] for tag in tags)
    read = dict(zip(known, each(lambda digest: _read(remote, digest), list(known), at_once=_AT_ONCE), strict=True))
    return [_Candidate(tag, digests[tag], *read[digests[tag]]) for tag in tags]


def _is_kept_for_ever(tag: str) -> bool:
    return kind_of(tag) == "release" or _NEVER.fullmatch(tag) is not None


def _read(remote: Remote, digest: str) -> tuple[float | None, tuple[str, ...]]:
    """When an image was built, None where nothing tells; and the manifests that it lists."""
    manifest = remote.manifest(digest)
    if manifest is None:
        return None, ()
    facts = facts_of(remote, manifest)
    moment = moment_of(BuildMetadata({**_noted(manifest), **facts.labels}, facts.created))
    return (moment.timestamp() if moment else None), tuple(child.digest for child in manifest.children)


def _noted(manifest: Manifest) -> dict[str, str]:
    annotations = manifest.data.get("annotations")
    created = annotations.get(CREATED) if isinstance(annotations, dict) else None
    return {CREATED: created} if isinstance(created, str) else {}


def _beyond(candidates: Sequence[_Candidate], keep: int) -> tuple[list[_Candidate], dict[str, str]]:
    """The candidates but for the newest ones, and those of which nobody knows how old they are, with the reason."""
    dated = [one for one in candidates if one.built is not None]
    dated.sort(key=lambda one: (one.built or 0.0, by_number(one.tag)), reverse=True)
    return dated[keep:], {one.tag: "its image has no date" for one in candidates if one.built is None}


def _named(old: Sequence[_Candidate], sources: Iterable[ConfigSource], log: Log) -> dict[str, str]:
    words = {word for one in old for word in (one.tag, one.digest, *one.children)}
    found: dict[str, str] = {}
    if words:
        for source in sources:
            found = {**named_in(source, sorted(words), log), **found}
    kept = {}
    for one in old:
        place = next((found[word] for word in (one.tag, one.digest, *one.children) if word in found), "")
        if place:
            kept[one.tag] = f"{place} names it"
    return kept


def _shared(remote: Remote, digests: Mapping[str, str], going: Sequence[_Candidate]) -> dict[str, str]:
    """The tags whose image another tag needs that stays: many registries only delete whole images."""
    leaving = {one.tag for one in going}
    owners = {digest: tag for tag, digest in digests.items() if tag not in leaving}
    staying = list(owners) if going else []
    for digest, manifest in zip(staying, each(remote.manifest, staying, at_once=_AT_ONCE), strict=True):
        for child in manifest.children if manifest else ():
            owners.setdefault(child.digest, owners[digest])
    return {one.tag: f"{owners[one.digest]} has the same image" for one in going if one.digest in owners}


def _delete(
    remote: Remote, going: Sequence[_Candidate], request: PruneRequest, log: Log
) -> tuple[list[_Candidate], RegistryError | None]:
    if request.dry_run:
        return list(going), None
    deleted: list[_Candidate] = []
    gone: set[str] = set()
    for one in reversed(going):  # the oldest first
        try:
            if one.digest not in gone and not remote.delete(one.tag):
                remote.delete(one.digest)
                gone.add(one.digest)
        except RegistryError as error:
            return deleted, error
        log.step(f"deleted {remote.address(one.tag)} ({one.digest})")
        deleted.append(one)
    return deleted, None


def _outcome(
    request: PruneRequest,
    name: str,
    candidates: Sequence[_Candidate],
    kept: Mapping[str, str],
    deleted: Sequence[_Candidate],
    failure: RegistryError | None,
) -> Outcome:
    images = tuple(
        PushedTag(f"{name}:{one.tag}", one.tag, one.digest, "planned" if request.dry_run else "deleted")
        for one in deleted
    )
    return Outcome(
        command="image prune",
        status="failed" if failure else "changed" if deleted else "unchanged",
        exit_code=failure.exit_code if failure else 0,
        images=images,
        skipped=tuple(Skip(f"{name}:{tag}", 0, reason) for tag, reason in kept.items()),
        summary={"tags": len(candidates), "deleted": 0 if request.dry_run else len(deleted)},
        error=ErrorDetail.of(failure) if failure else None,
        dry_run=request.dry_run,
    )
