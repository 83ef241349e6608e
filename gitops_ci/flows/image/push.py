"""Push an image once and tag it many times, without ever moving a released tag."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace

from gitops_ci.errors import RegistryError, UsageError
from gitops_ci.flows.image.branch_order import leave_newer
from gitops_ci.flows.image.push_request import PartlyPushed, Pushed, PushRequest, PushRun, chosen_of
from gitops_ci.flows.image.tag_state import TagState, look_again, look_up, refuse_moves
from gitops_ci.flows.image.tagging import check_releases, give_back, give_tags, report_tag
from gitops_ci.flows.image.tags import check_tags, open_destination, plan_tags
from gitops_ci.flows.rehearsal import Rehearsal
from gitops_ci.imageref import ImageRef, check_destination, in_lower_case
from gitops_ci.model import ErrorDetail, Log, Outcome, PushedTag, Skip
from gitops_ci.registry.base import Progress
from gitops_ci.registry.copy import Copied, is_whole
from gitops_ci.registry.sources import ImageSource, Sent, open_source, split_source
from gitops_ci.tags import TagChoice

__all__ = ["PartlyPushed", "PushRequest", "Pushed", "push", "push_image", "push_tags"]

_REVISION = "org.opencontainers.image.revision"


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
    """Push an image under all its tags, to every destination; what is there already is left as it is.

    Raises:
        UsageError: a source, destination or tag that cannot be; no tag for this build.
        RegistryError: the image is not there, a released tag names another one, or the registry refused.
        PartlyPushed: the registry refused some of the tags, or another destination the image.
    """
    request = _with_names_in_lower_case(request, log)
    requests = [replace(request, to=to, also=()) for to in (request.to, *request.also)]
    for one in requests:
        check_tags(one.rules, one.to)
    if len(requests) > 1 and not request.dry_run:
        for one in requests:  # what one of them refuses is found out before any has the image
            _push_to(replace(one, dry_run=True), Rehearsal(log), progress)
    done: list[Pushed] = []
    for one in requests:
        try:
            done.append(_push_to(one, log, progress))
        except RegistryError as error:
            if not done:
                raise
            more = error.images if isinstance(error, PartlyPushed) else ()
            raise PartlyPushed(error, (*(image for pushed in done for image in pushed.images), *more)) from None
    return _sum(done)


def _without_series(choice: TagChoice) -> TagChoice:
    """Leave out `1.5`, `1` and `latest`: Helm finds a chart by its version."""
    return replace(choice, included=False, why="a chart has one tag, its version") if choice.by_version else choice


def _sum(done: list[Pushed]) -> Pushed:
    return replace(
        done[0],
        images=tuple(image for pushed in done for image in pushed.images),
        sent=sum(pushed.sent for pushed in done),
        reused=sum(pushed.reused for pushed in done),
        skipped=tuple(skip for pushed in done for skip in pushed.skipped),
    )


def _push_to(request: PushRequest, log: Log, progress: Progress) -> Pushed:
    with (
        closing(open_destination(request.to, request.access, account_of=request.account_of)) as destination,
        open_source(request.source, request.access) as given,
    ):
        source = chosen_of(given, request).annotated(request.annotations)
        _check_revision(source, request.expect_revision)
        choices = plan_tags(request.rules, request.to, destination, log)
        if source.facts.is_chart:
            choices = tuple(map(_without_series, choices))
        states = look_up(destination, source.facts, choices, allow_move=request.allow_move)
        if any(state.denied for state in states):
            destination.check_access(dry_run=request.dry_run)
        if not request.allow_move:
            refuse_moves(states, destination, source)
        run = PushRun(request, source, destination, log, progress)
        states, stale = leave_newer(run, states)
        stale = (*_report_left(run, choices), *stale)
        return replace(push_tags(run, states, choices, stale), size=_size(source))


def push_tags(run: PushRun, states: list[TagState], choices: tuple[TagChoice, ...], left: tuple[Skip, ...]) -> Pushed:
    """Push an image under these tags, or plan that; `left` are the tags that stay as they are. The size is not told.

    Raises:
        RegistryError: the registry refused, or a released tag names another image meanwhile.
        PartlyPushed: the registry refused some of the tags.
    """
    labels = run.source.facts.labels
    if run.request.dry_run:
        if not all(state.kept for state in states):
            run.source.size()  # a part that is missing shows here
        return Pushed(_planned(run, states), choices, labels, skipped=left)
    copied, images, refused = _push_into(run, states)
    reused = copied.blobs.get("present", 0) + copied.blobs.get("mounted", 0)
    return Pushed(images, choices, labels, sent=copied.sent, reused=reused, skipped=(*left, *refused))


def _size(source: ImageSource) -> int:
    """The bytes of the image. Where nothing of it had to be sent, parts may be missing: then what is known of it."""
    try:
        return source.size()
    except RegistryError:
        return source.facts.size


def _push_into(run: PushRun, states: list[TagState]) -> tuple[Copied, tuple[PushedTag, ...], tuple[Skip, ...]]:
    if all(state.kept for state in states) and not run.request.with_referrers and _are_whole(run, states):
        images = _planned(run, states)
        for state, image in zip(states, images, strict=True):
            report_tag(run, state, image)
        return Copied(), images, ()
    sent = _stored(run, states)
    if run.request.with_referrers:
        _send_referrers(run, sent)
    images, skipped = give_tags(run, states, sent)
    images = give_back(run, states, images)
    check_releases(run, states, images)
    return sent.copied, images, skipped


def _report_left(run: PushRun, choices: tuple[TagChoice, ...]) -> tuple[Skip, ...]:
    """Report the floating tags that belong to other versions; those of which nobody can tell that are skipped."""
    skipped = []
    for choice in choices:
        reference = run.destination.address(choice.tag)
        if not choice.included and choice.rivals:
            run.log.warn(f"{reference} stays as it is: {choice.why}")
            skipped.append(Skip(reference, 0, choice.why))
        elif choice.newer:
            run.log.step(f"{reference} stays as it is: {choice.why}")
    return tuple(skipped)


def _with_names_in_lower_case(request: PushRequest, log: Log) -> PushRequest:
    kind, colon, place = request.source.partition(":")
    source = kind + colon + in_lower_case(place) if kind == "registry" else request.source
    split_source(source)
    given = (request.to, *request.also)
    to, *also = destinations = [in_lower_case(text) for text in given]
    for said, meant in ((request.source, source), *zip(given, destinations, strict=True)):
        if said != meant:
            log.step(f"names in registries are lowercase: {said} is {meant}")
    places: dict[str, str] = {}
    for text in destinations:
        if (place := _place(text)) in places:
            spelled = f", as {places[place]}" if places[place] != text else ""
            raise UsageError(f"--to names {text} twice{spelled}", hint="Give each destination once.")
        places[place] = text
    return replace(request, source=source, to=to, also=tuple(also), account_of=in_lower_case(request.account_of))


def _place(to: str) -> str:
    """What two spellings of one destination have in common. Raises UsageError for what is no destination."""
    check_destination(to)
    if to.startswith("oci:"):
        return to if "\0" in to else os.path.realpath(to.removeprefix("oci:"))
    ref = ImageRef.parse(to)
    return f"{ref.name}:{ref.tag}" if ref.tag else ref.name


def _check_revision(source: ImageSource, expected: str | None) -> None:
    if expected is None:
        return
    found = source.facts.labels.get(_REVISION, "")
    if not found or not (found.startswith(expected) or expected.startswith(found)):
        raise RegistryError(
            f"{source.name} was built from {f'commit {found}' if found else 'an unknown commit'}, not from {expected}",
            hint=f"Build the image from this commit, and set its label {_REVISION}.",
        )


def _planned(run: PushRun, states: list[TagState]) -> tuple[PushedTag, ...]:
    """What the registry has and will have."""
    given, address = _known_digest(run, states), run.destination.address
    return tuple(
        PushedTag(address(state.choice.tag), state.choice.tag, state.digest, "present")
        if state.kept
        else PushedTag(address(state.choice.tag), state.choice.tag, given, "planned")
        for state in states
    )


def _known_digest(run: PushRun, states: list[TagState]) -> str | None:
    """The digest of the manifest that new tags get, where it is known before the push."""
    return run.source.facts.digest or (states[0].digest if states[0].kept else None)


def _stored(run: PushRun, states: list[TagState]) -> Sent:
    """The image in the repository; what the repository has already is not sent again."""
    # An Engine stores the tag itself: this is the last look before it does.
    first = next((state for state in states if not state.kept), states[0])
    now = look_again(run.destination, run.source, first, allow_move=run.request.allow_move)
    known = _known_digest(run, [now] if now.kept else states)
    manifest = run.destination.manifest(known) if known else None
    if manifest is None or not is_whole(run.destination, manifest, run.source.only):
        return _send(run, first.choice.tag)
    return Sent(manifest, Copied())


def _are_whole(run: PushRun, states: list[TagState]) -> bool:
    """Whether the images that the tags name already have all of their platforms there."""
    if run.source.facts.content is not None:
        return True  # one platform: a registry takes no such manifest without its layers
    manifests = [run.destination.manifest(digest) for digest in {state.digest for state in states} if digest]
    return all(manifest is not None and is_whole(run.destination, manifest, run.source.only) for manifest in manifests)


def _send(run: PushRun, tag: str) -> Sent:
    run.log.detail(f"pushing {run.source.name} to {run.destination.name}")
    try:
        return run.source.send(run.destination, tag, run.progress)
    finally:
        run.progress.finish()


def _send_referrers(run: PushRun, sent: Sent) -> None:
    # Before the tags: whoever admits signed images only must find the signature with the image.
    run.destination.put_manifest(sent.manifest, sent.manifest.digest)
    try:
        count = run.source.send_referrers(run.destination, run.progress)
    finally:
        run.progress.finish()
    run.log.step(f"{count} signatures and attestations of {run.source.name} are in {run.destination.name}")


def _outcome(command: str, pushed: Pushed, request: PushRequest) -> Outcome:
    sizes = {"bytes": pushed.size, "bytes_sent": pushed.sent, "layers_reused": pushed.reused}
    return Outcome(
        command=command,
        status="changed" if any(image.state != "present" for image in pushed.images) else "unchanged",
        images=pushed.images,
        skipped=pushed.skipped,
        summary=_tally(pushed.images) | sizes,
        dry_run=request.dry_run,
    )


def _tally(images: tuple[PushedTag, ...]) -> dict[str, int]:
    states = [image.state for image in images]
    return {"tags": len(states), "pushed": states.count("pushed"), "present": states.count("present")}
