"""The whole journey: plan everything, then push the image, then bump the config repository.

All that can be known to fail is found out before anything leaves this machine: a wrong environment, a missing branch,
an image that no manifest names or an invalid result stop the run while the registry is still as it was.
"""

from __future__ import annotations

from dataclasses import replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError, GitopsCiError, ProgramError
from gitops_ci.flows.after_push import AfterPush
from gitops_ci.flows.bump import BumpRequest, PublishSettings, bump_into
from gitops_ci.flows.image.age import CREATED, BuildMetadata
from gitops_ci.flows.image.push import PartlyPushed, Pushed, PushRequest, push_image
from gitops_ci.flows.image.verify import Verification
from gitops_ci.flows.journal import Journal
from gitops_ci.flows.rehearsal import Rehearsal
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log, Outcome, VerifiedImage
from gitops_ci.registry.base import Progress

__all__ = ["ReleaseRequest", "release"]

_SOURCE = "org.opencontainers.image.source"
_REVISION = "org.opencontainers.image.revision"


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A push and a bump; the bump's images come from the push. `name` is what manifests call the image.

    `after_push` runs between the two.
    """

    push: PushRequest
    bump: BumpRequest
    name: ImageRef
    after_push: AfterPush | None = None


def release(request: ReleaseRequest, log: Log, progress: Progress) -> Outcome:
    """Run a release and say what came of it; errors are part of the outcome."""
    journal = Journal("release")
    try:
        changed = _release_into(journal, request, log, progress)
    except GitopsCiError as error:
        return journal.failed(error)
    except (OSError, MemoryError) as error:
        return journal.failed(ProgramError.of_machine(error))
    return journal.outcome(changed=changed)


def _release_into(journal: Journal, request: ReleaseRequest, log: Log, progress: Progress) -> bool:
    planned = push_image(replace(request.push, dry_run=True), Rehearsal(log), progress)
    stored = _stored(planned)
    request.bump.verification.prepare([request.name, *([stored] if stored else [])])
    if request.bump.mode == "dry-run":
        journal.images = planned.images
        bumped = bump_into(journal, _bump(request, planned), log)
        journal.skipped = (*journal.skipped, *planned.skipped)
        return bumped
    bump_into(journal, _bump(request, planned), Rehearsal(log), rehearsal=True)
    try:
        pushed = push_image(request.push, log, progress)
    except PartlyPushed as error:
        journal.images = error.images
        raise
    journal.images = pushed.images
    if request.after_push:
        request.after_push.run_for(pushed.images, log)
    journal.verified = _verified(request, pushed, log)
    try:
        bumped = bump_into(journal, _bump(request, pushed), log)
    finally:
        journal.skipped = (*journal.skipped, *pushed.skipped)
    return bumped or any(image.state == "pushed" for image in pushed.images)


def _bump(request: ReleaseRequest, pushed: Pushed) -> BumpRequest:
    """The bump to the image as manifests are to name it: by its most exact tag, and its digest once that is known."""
    primary = pushed.images[0]
    target = request.name.with_version(tag=primary.tag, digest=primary.digest)
    search = replace(request.bump.search, images=(target,))
    return replace(
        request.bump,
        search=search,
        publication=_sourced(request.bump.publication, pushed),
        access=request.push.access,
        origins={target: BuildMetadata(pushed.labels)} if CREATED in pushed.labels else {},
        verification=Verification(),
        stored_as={target: stored} if (stored := _stored(pushed)) else {},
        pushes=True,
    )


def _verified(request: ReleaseRequest, pushed: Pushed, log: Log) -> tuple[VerifiedImage, ...]:
    """The signatures of the image where it was pushed to: under its name in manifests a mirror may not have it yet.

    Raises:
        FindingsError: it is not signed as the rules for it say.
        RegistryError: its signatures cannot be read.
    """
    verification, primary = request.bump.verification, pushed.images[0]
    if (image := _stored(pushed)) is not None:
        return verification.check((image,), request.push.access, log, known_as=request.name)
    if verification.covers(request.name):
        raise FindingsError(
            f"{request.name.familiar} must be signed, but {primary.reference} is a folder",
            hint="Push it to a registry and sign it there, then use bump.",
        )
    return ()


def _stored(pushed: Pushed) -> ImageRef | None:
    """The image where it was pushed to, None for a folder."""
    primary = pushed.images[0]
    ref = None if primary.reference.startswith("oci:") else ImageRef.try_parse(primary.reference)
    return ref and ref.with_version(tag=primary.tag, digest=primary.digest)


def _sourced(said: PublishSettings, pushed: Pushed) -> PublishSettings:
    """What the image says of its source, where the CI system says nothing.

    An image without labels of its own has those of its base image: what the CI system knows goes first.
    """
    source, revision = pushed.labels.get(_SOURCE, ""), pushed.labels.get(_REVISION, "")
    if said.source_commit or said.source_repository or not source.startswith("https://"):
        return said
    return replace(said, source_repository=source, source_commit=revision)
