"""Push an image once and tag it many times, without ever moving a released tag."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

from gitops_ci.errors import RegistryError
from gitops_ci.flows.image.tag_state import TagState, look_again, look_up, refuse_moves
from gitops_ci.flows.image.tags import TagRules, check_tags, in_lower_case, open_destination, plan_tags
from gitops_ci.model import ErrorDetail, Log, Outcome, PushedTag
from gitops_ci.registry.base import Progress, Writer
from gitops_ci.registry.connection import Access
from gitops_ci.registry.copy import Copied
from gitops_ci.registry.parallel import each
from gitops_ci.registry.sources import ImageSource, Sent, open_source, split_source
from gitops_ci.tags import TagChoice

__all__ = ["PartlyPushed", "PushRequest", "Pushed", "push", "push_image"]

_REVISION = "org.opencontainers.image.revision"
_AT_ONCE = 6  # tags are small questions: what counts is the way to the registry and back
_PATIENCE = 15.0  # seconds in which a registry's reads follow its writes (GHCR takes some at times)


@dataclass(frozen=True, slots=True)
class PushRequest:
    """An image, where it goes, and what decides its tags.

    `source` is `docker:NAME` (or just NAME), `oci:DIR[:NAME]` or another of `SOURCES`; `to` a repository of a registry,
    with a tag if it is to get that one only, or `oci:DIR`. `allow_move` lets released tags change their manifest.
    """

    source: str
    to: str
    rules: TagRules = field(default_factory=TagRules)
    dry_run: bool = False
    allow_move: bool = False
    expect_revision: str | None = None
    with_referrers: bool = False
    access: Access = field(default_factory=Access)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did. `images` has the primary reference first; `sent` and `size` are bytes, `reused` blobs."""

    images: tuple[PushedTag, ...]
    choices: tuple[TagChoice, ...]
    labels: Mapping[str, str]
    size: int = 0
    sent: int = 0
    reused: int = 0


@dataclass(frozen=True, slots=True)
class _Run:
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


def push(command: str, request: PushRequest, log: Log, progress: Progress) -> Outcome:
    """Push an image and say what came of it; errors of the registry are part of the outcome.

    Raises:
        UsageError: as `push_image`.
    """
    try:
        return _outcome(command, push_image(request, log, progress), request)
    except PartlyPushed as error:
        done, exit_code = error.images, error.exit_code
        return Outcome(command, "failed", exit_code, done, summary=_tally(done), error=ErrorDetail.of(error))


def push_image(request: PushRequest, log: Log, progress: Progress) -> Pushed:
    """Push an image under all its tags; what is there already is left as it is.

    Raises:
        UsageError: a source, destination or tag that cannot be; no tag for this build.
        RegistryError: the image is not there, a released tag names another one, or the registry refused.
        PartlyPushed: the registry refused some of the tags.
    """
    request = _with_names_in_lower_case(request, log)
    check_tags(request.rules, request.to)
    with (
        closing(open_destination(request.to, request.access)) as destination,
        open_source(request.source, request.access) as source,
    ):
        _check_revision(source, request.expect_revision)
        choices = plan_tags(request.rules, request.to, destination, log)
        states = look_up(destination, source.facts, choices, allow_move=request.allow_move)
        if any(state.denied for state in states):
            destination.check_access(dry_run=request.dry_run)
        if not request.allow_move:
            refuse_moves(states, destination, source)
        run = _Run(request, source, destination, log, progress)
        if request.dry_run:
            return Pushed(_planned(run, states), choices, source.facts.labels, source.facts.size)
        copied, images = _push_into(run, states)
    reused = copied.blobs.get("present", 0) + copied.blobs.get("mounted", 0)
    return Pushed(images, choices, source.facts.labels, source.facts.size, copied.sent, reused)


def _push_into(run: _Run, states: list[TagState]) -> tuple[Copied, tuple[PushedTag, ...]]:
    if all(state.kept for state in states) and not run.request.with_referrers:
        images = _planned(run, states)
        for state, image in zip(states, images, strict=True):
            _tell(run, state, image)
        return Copied(), images
    sent = _stored(run, states)
    if run.request.with_referrers:
        _send_referrers(run, sent)
    images = _give_back(run, states, _tag(run, states, sent))
    _check_releases(run, states, images)
    return sent.copied, images


def _with_names_in_lower_case(request: PushRequest, log: Log) -> PushRequest:
    kind, colon, place = request.source.partition(":")
    source = kind + colon + in_lower_case(place) if kind == "registry" else request.source
    split_source(source)
    to = in_lower_case(request.to)
    for said, meant in ((request.source, source), (request.to, to)):
        if said != meant:
            log.step(f"names in registries are lower case: {said} is {meant}")
    return replace(request, source=source, to=to)


def _check_revision(source: ImageSource, expected: str | None) -> None:
    if expected is None:
        return
    found = source.facts.labels.get(_REVISION, "")
    if not found or not (found.startswith(expected) or expected.startswith(found)):
        raise RegistryError(
            f"{source.name} was built from {found or 'nobody knows which'} commit, not from {expected}",
            hint=f"Its label {_REVISION} says so: build the image of this commit, and label it with it.",
        )


def _planned(run: _Run, states: list[TagState]) -> tuple[PushedTag, ...]:
    """What the registry has and will have."""
    given, address = _known_digest(run, states), run.destination.address
    return tuple(
        PushedTag(address(state.choice.tag), state.choice.tag, state.digest, "present")
        if state.kept
        else PushedTag(address(state.choice.tag), state.choice.tag, given, "planned")
        for state in states
    )


def _known_digest(run: _Run, states: list[TagState]) -> str | None:
    """The digest of the manifest that new tags get, where it is known before the push."""
    return run.source.facts.digest or (states[0].digest if states[0].kept else None)


def _stored(run: _Run, states: list[TagState]) -> Sent:
    """The image in the repository; what the repository has already is not sent again."""
    # An Engine stores the tag itself: this is the last look before it does.
    first = next((state for state in states if not state.kept), states[0])
    now = look_again(run.destination, run.source, first, allow_move=run.request.allow_move)
    known = _known_digest(run, [now] if now.kept else states)
    manifest = run.destination.manifest(known) if known else None
    return Sent(manifest, Copied()) if manifest else _send(run, first.choice.tag)


def _send(run: _Run, tag: str) -> Sent:
    run.log.detail(f"pushing {run.source.name} to {run.destination.name}")
    try:
        return run.source.send(run.destination, tag, run.progress)
    finally:
        run.progress.finish()


def _send_referrers(run: _Run, sent: Sent) -> None:
    # Before the tags: whoever admits signed images only must find the signature with the image.
    run.destination.put_manifest(sent.manifest, sent.manifest.digest)
    try:
        count = run.source.send_referrers(run.destination, run.progress)
    finally:
        run.progress.finish()
    run.log.step(f"{count} signatures and attestations of {run.source.name} are in {run.destination.name}")


def _tag(run: _Run, states: list[TagState], sent: Sent) -> tuple[PushedTag, ...]:
    """Give the image its tags: the primary one first, so that where it cannot be had no other one moves.

    Raises:
        PartlyPushed: some of the others were refused; the rest has been given.
    """
    primary, *others = states

    def attempt(before: TagState) -> PushedTag | RegistryError:
        try:
            return _give(run, before, sent)
        except RegistryError as error:
            return error

    answers = [_give(run, primary, sent), *each(attempt, others, at_once=_AT_ONCE)]
    for before, answer in zip(states, answers, strict=True):
        if isinstance(answer, PushedTag):
            _tell(run, before, answer)
    images = tuple(answer for answer in answers if isinstance(answer, PushedTag))
    for answer in answers:
        if isinstance(answer, RegistryError):
            raise PartlyPushed(answer, images)
    return images


def _give(run: _Run, before: TagState, sent: Sent) -> PushedTag:
    tag, digest, destination = before.choice.tag, sent.manifest.digest, run.destination
    if sent.tag != tag:
        before = look_again(destination, run.source, before, allow_move=run.request.allow_move)
    if before.kept or before.digest == digest:
        return PushedTag(destination.address(tag), tag, before.digest, "present")
    if sent.tag != tag:
        destination.put_manifest(sent.manifest, tag)
    _confirm(destination, tag, digest)
    return PushedTag(destination.address(tag), tag, digest, "pushed")


def _tell(run: _Run, before: TagState, image: PushedTag) -> None:
    if image.state == "present":
        given = run.source.facts.digest
        other = f"; {run.source.name} has the same content as {given}" if given not in {None, image.digest} else ""
        run.log.step(f"{image.reference} is there already ({image.digest}){other}")
        return
    run.log.step(f"pushed {image.reference} ({image.digest}{f', was {before.digest}' if before.digest else ''})")
    if before.digest and before.choice.kind == "build":
        run.log.warn(f"{image.reference} named another image before: a build of the same commit gave other bytes")


def _confirm(
    destination: Writer,
    tag: str,
    digest: str,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Read a tag back: a registry may answer stale for some seconds, and two jobs may push the same tag at once."""
    until, pause = clock() + _PATIENCE, 0.1
    while (there := destination.digest(tag)) != digest:
        if clock() + pause > until:
            raise RegistryError(
                f"{destination.address(tag)} was pushed as {digest}, and is {there or 'not there'} now",
                hint="Did another job push the same tag at the same moment? Run this one again to see.",
            )
        sleep(pause)
        pause *= 2


def _give_back(run: _Run, states: list[TagState], images: tuple[PushedTag, ...]) -> tuple[PushedTag, ...]:
    """Give a floating tag to a newer version that another job has pushed since the tags were planned.

    Each job writes its version before it moves a tag, and looks again after: whoever is last sees both. Returns the
    images without those tags.
    """
    destination = run.destination
    floating = {before.choice.tag for before in states if before.choice.kind == "floating"}
    moved = {image.tag for image in images if image.state == "pushed" and image.tag in floating}
    if not moved:
        return images
    for choice in plan_tags(run.request.rules, run.request.to, destination):
        manifest = destination.manifest(choice.newer) if choice.newer and choice.tag in moved else None
        if manifest is None:
            continue
        destination.put_manifest(manifest, choice.tag)
        _confirm(destination, choice.tag, manifest.digest)
        run.log.warn(f"{choice.newer} was pushed meanwhile: {destination.address(choice.tag)} is that one now")
        images = tuple(image for image in images if image.tag != choice.tag)
    return images


def _check_releases(run: _Run, states: list[TagState], images: tuple[PushedTag, ...]) -> None:
    """Look at the released tags once more: another job may have looked before they were there, and stored after.

    Raises:
        PartlyPushed: one names another image now.
    """
    released = {state.choice.tag for state in states if state.choice.kind == "release"}
    for image in images:
        if image.tag not in released or image.state != "pushed" or image.digest is None:
            continue
        try:
            _confirm(run.destination, image.tag, image.digest)
        except RegistryError as error:
            raise PartlyPushed(error, tuple(other for other in images if other is not image)) from None


def _outcome(command: str, pushed: Pushed, request: PushRequest) -> Outcome:
    sizes = {"bytes": pushed.size, "bytes_sent": pushed.sent, "layers_reused": pushed.reused}
    return Outcome(
        command=command,
        status="changed" if any(image.state != "present" for image in pushed.images) else "unchanged",
        images=pushed.images,
        summary=_tally(pushed.images) | sizes,
        dry_run=request.dry_run,
    )


def _tally(images: tuple[PushedTag, ...]) -> dict[str, int]:
    states = [image.state for image in images]
    return {"tags": len(states), "pushed": states.count("pushed"), "present": states.count("present")}
