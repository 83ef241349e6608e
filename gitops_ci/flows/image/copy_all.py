"""Copy all tags of a repository to another one, each under its own name.

A released tag of the destination stays, a tag that moves does not go back: the destination may have newer images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import field, replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.flows.image.branch_order import split_newer, why_newer
from gitops_ci.flows.image.lookup import fitting, tags_of
from gitops_ci.flows.image.push import push_tags
from gitops_ci.flows.image.push_request import PartlyPushed, Pushed, PushRequest, PushRun, chosen_of
from gitops_ci.flows.image.tag_state import TagState, look_up, refuse_moves
from gitops_ci.flows.image.tags import open_destination
from gitops_ci.imageref import in_lower_case
from gitops_ci.model import ErrorDetail, Log, Outcome, PushedTag, Skip
from gitops_ci.registry.base import Progress, Writer
from gitops_ci.registry.parallel import each
from gitops_ci.registry.sources import ImageSource
from gitops_ci.registry.sources.reading import Found, open_repository
from gitops_ci.registry.sources.stored import Stored
from gitops_ci.tags import TagChoice, choose, kind_of, older

__all__ = ["copy_all"]

_AT_ONCE = 8


def copy_all(request: PushRequest, match: Sequence[str], log: Log, progress: Progress) -> Outcome:
    """Copy the tags of `request.source` that fit one of the globs; one that is refused does not stop the others.

    Raises:
        RegistryError: the tags cannot be listed, or none fits.
    """
    with (
        open_repository(in_lower_case(request.source), request.access) as found,
        closing(open_destination(in_lower_case(request.to), request.access)) as destination,
    ):
        tags = fitting(tags_of(found), match)
        if not tags:
            raise RegistryError(f"No tag of {found.reader.name} fits {', '.join(match)}", hint="Widen --match.")
        digests = dict(zip(tags, each(found.reader.digest, tags, at_once=_AT_ONCE), strict=True))
        copies = _Copies(request, found, destination, _Versions(digests, destination), log, progress)
        for digest, names in _by_digest(digests).items():
            try:
                copies.copy(digest, names)
            except RegistryError as error:
                copies.failed(error)
    return copies.outcome()


@dataclass(slots=True)
class _Copies:
    """All images from one place to another: what was copied so far, and what went wrong."""

    request: PushRequest
    found: Found
    destination: Writer
    versions: _Versions
    log: Log
    progress: Progress
    done: list[Pushed] = field(default_factory=list)
    partly: list[PushedTag] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    failures: list[RegistryError] = field(default_factory=list)

    def failed(self, error: RegistryError) -> None:
        self.log.warn(error.message)
        self.failures.append(error)
        self.partly += error.images if isinstance(error, PartlyPushed) else ()

    def copy(self, digest: str, names: Sequence[str]) -> None:
        """Copy one image with its tags. Raises RegistryError."""
        manifest = self.found.reader.manifest(digest)
        if manifest is None:
            raise RegistryError(f"{self.found.reader.name}@{digest} no longer exists", hint="Run it again.")
        source: ImageSource = Stored(self.found.reader, manifest)
        source = chosen_of(source, self.request).annotated(self.request.annotations)
        rules = replace(self.request.rules, strategies=tuple(f"raw={name}" for name in names))
        run = PushRun(replace(self.request, rules=rules), source, self.destination, self.log, self.progress)
        choices = choose(rules.strategies, rules.facts, None)
        for choice in choices:
            if not choice.included:
                self.skipped.append(Skip(self.destination.address(choice.tag), 0, choice.why))
        if not any(choice.included for choice in choices):
            return
        states = self._states(run, choices)
        if not run.request.allow_move:
            states, left = split_newer(run, states, lambda run, state: self.versions.why_newer(digest, state, run))
            self.skipped += left
        if states:
            self.done.append(push_tags(run, states, choices, ()))

    def _states(self, run: PushRun, choices: tuple[TagChoice, ...]) -> list[TagState]:
        """What the tags name at the destination, without those that may not move, which are failures."""
        states = []
        for state in look_up(self.destination, run.source.facts, choices, allow_move=self.request.allow_move):
            try:
                if not self.request.allow_move:
                    refuse_moves([state], self.destination, run.source)
                states.append(state)
            except RegistryError as error:
                self.failed(error)
        if any(state.denied for state in states):
            self.destination.check_access(dry_run=self.request.dry_run)
        return states

    def outcome(self) -> Outcome:
        images = (*(image for pushed in self.done for image in pushed.images), *self.partly)
        skipped = (*self.skipped, *(skip for pushed in self.done for skip in pushed.skipped))
        states = [image.state for image in images]
        failure = _summed(self.failures)
        return Outcome(
            command="image copy",
            status="failed" if failure else "changed" if set(states) - {"present"} else "unchanged",
            exit_code=failure.exit_code if failure else 0,
            images=images,
            skipped=skipped,
            summary={
                "tags": len(images),
                "pushed": states.count("pushed"),
                "present": states.count("present"),
                "bytes_sent": sum(pushed.sent for pushed in self.done),
                "layers_reused": sum(pushed.reused for pushed in self.done),
            },
            error=ErrorDetail.of(failure) if failure else None,
            dry_run=self.request.dry_run,
        )


class _Versions:
    """Which version an image is, here and there: what tells whether a floating tag would go back."""

    def __init__(self, digests: Mapping[str, str | None], destination: Writer) -> None:
        self._source = digests
        self._destination = destination
        self._there: dict[str, str | None] | None = None

    def why_newer(self, digest: str, state: TagState, run: PushRun) -> str:
        """Why the image that a floating tag names at the destination is newer; '' when nothing shows it."""
        if state.kept or state.digest is None or state.choice.kind != "floating":
            return ""
        ours, theirs = _version_of(digest, self._source), _version_of(state.digest, self._known_there())
        if ours and theirs and (is_older := older(ours, theirs)) is not None:
            return f"{theirs} is newer than {ours}" if is_older else ""
        return why_newer(run, replace(state, choice=replace(state.choice, by_commit=True)))

    def _known_there(self) -> Mapping[str, str | None]:
        if self._there is None:
            releases = [tag for tag in self._destination.tags() or () if kind_of(tag) == "release"]
            self._there = dict(zip(releases, each(self._destination.digest, releases, at_once=_AT_ONCE), strict=True))
        return self._there


def _version_of(digest: str, digests: Mapping[str, str | None]) -> str:
    """The tag that names an image's version; '' where it has none, or several that say different things."""
    found = [tag for tag, named in digests.items() if named == digest and kind_of(tag) == "release"]
    return found[0] if len({tag.lstrip("vV") for tag in found}) == 1 else ""


def _by_digest(digests: Mapping[str, str | None]) -> Mapping[str, list[str]]:
    """The tags of each image; first the images with versions, so that a floating tag finds its version there."""
    found: dict[str, list[str]] = {}
    for tag, digest in sorted(digests.items(), key=lambda pair: kind_of(pair[0]) != "release"):
        if digest is not None:
            found.setdefault(digest, []).append(tag)
    return found


def _summed(failures: Iterable[RegistryError]) -> RegistryError | None:
    """One error for all: the first one's words, and how many there are."""
    listed = list(failures)
    if len(listed) < 2:
        return listed[0] if listed else None
    first = listed[0]
    return RegistryError(f"{len(listed)} tags were not copied. The first: {first.message}", hint=first.hint)
