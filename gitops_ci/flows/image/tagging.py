"""Give an image its tags, and look whether they stay."""

from __future__ import annotations

import time
from collections.abc import Callable

from gitops_ci.errors import RegistryError
from gitops_ci.flows.image.push_request import PartlyPushed, PushRun
from gitops_ci.flows.image.tag_state import TagState, look_again
from gitops_ci.flows.image.tags import plan_tags
from gitops_ci.model import PushedTag, Skip
from gitops_ci.registry.base import Writer
from gitops_ci.registry.parallel import each
from gitops_ci.registry.refusals import ImmutableTag, Refused
from gitops_ci.registry.sources import Sent

__all__ = ["check_releases", "give_back", "give_tags", "report_tag"]

_AT_ONCE = 6  # tags are small questions: what counts is the way to the registry and back
_PATIENCE = 15.0  # seconds in which a registry's reads follow its writes (GHCR takes some at times)


def give_tags(run: PushRun, states: list[TagState], sent: Sent) -> tuple[tuple[PushedTag, ...], tuple[Skip, ...]]:
    """Give the image its tags: the primary one first, so that where it cannot be had no other one moves.

    A floating tag that the registry never moves is skipped: the version is there, which is what was asked for.

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
    skipped, failure = [], None
    for before, answer in zip(states, answers, strict=True):
        if isinstance(answer, PushedTag):
            report_tag(run, before, answer)
        elif _does_not_move(before, answer):
            skipped.append(_refused(run, before, answer))
        else:
            failure = failure or answer
    images = tuple(answer for answer in answers if isinstance(answer, PushedTag))
    if failure:
        raise PartlyPushed(failure, images)
    return images, tuple(skipped)


def _does_not_move(before: TagState, error: RegistryError) -> bool:
    """Whether a registry keeps a floating tag on its image, in whatever words: it took the same image as a version."""
    if before.choice.kind != "floating":
        return False
    return isinstance(error, ImmutableTag) or (isinstance(error, Refused) and before.digest is not None)


def _refused(run: PushRun, before: TagState, error: RegistryError) -> Skip:
    reference = run.destination.address(before.choice.tag)
    reason = f"the registry does not move the tag: {error.message}"
    run.log.warn(f"{reference} stays on {before.digest or 'its image'}: {reason}")
    return Skip(reference, 0, reason, "Use --no-floating to push the version alone, or let this tag move there.")


def _give(run: PushRun, before: TagState, sent: Sent) -> PushedTag:
    tag, digest, destination = before.choice.tag, sent.manifest.digest, run.destination
    if sent.tag != tag:
        before = look_again(destination, run.source, before, allow_move=run.request.allow_move)
    if before.kept or before.digest == digest:
        return PushedTag(destination.address(tag), tag, before.digest, "present")
    if sent.tag != tag:
        destination.put_manifest(sent.manifest, tag)
    _confirm(destination, tag, digest)
    return PushedTag(destination.address(tag), tag, digest, "pushed")


def report_tag(run: PushRun, before: TagState, image: PushedTag) -> None:
    """Tell of a tag. The digest that all tags share is in the report, once."""
    if image.state == "present":
        given = run.source.facts.digest
        other = f"; {run.source.name} has the same content as {given}" if given not in {None, image.digest} else ""
        run.log.step(f"{image.reference} exists already{other}")
        return
    run.log.step(f"pushed {image.reference}{f' (was {before.digest})' if before.digest else ''}")
    if before.digest and before.choice.kind == "build":
        run.log.warn(f"{image.reference} was another image before: a second build of the same commit has other content")


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
                hint="Another job may have pushed the same tag at the same moment. Run this job again.",
            )
        sleep(pause)
        pause *= 2


def give_back(run: PushRun, states: list[TagState], images: tuple[PushedTag, ...]) -> tuple[PushedTag, ...]:
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
        run.log.warn(f"{choice.newer} was pushed by another job: {destination.address(choice.tag)} is that version now")
        images = tuple(image for image in images if image.tag != choice.tag)
    return images


def check_releases(run: PushRun, states: list[TagState], images: tuple[PushedTag, ...]) -> None:
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
