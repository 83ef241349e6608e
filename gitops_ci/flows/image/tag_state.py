"""What the tags of a push name in the registry today, and which of them stay as they are."""

from __future__ import annotations

from dataclasses import replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import Writer
from gitops_ci.registry.image_config import ImageConfig, facts_of, has_content
from gitops_ci.registry.parallel import each
from gitops_ci.registry.refusals import AccessDenied
from gitops_ci.registry.sources import ImageSource
from gitops_ci.secret import mask
from gitops_ci.tags import TagChoice

__all__ = ["TagState", "look_again", "look_up", "refuse_moves"]

_AT_ONCE = 6  # tags are small questions: what counts is the way to the registry and back


@dataclass(frozen=True, slots=True)
class TagState:
    """A tag and the digest that it names today. `same`: with the content of the image that is pushed.

    `kept`: the push leaves the tag as it is. `denied`: the registry does not tell whether the tag is there.
    """

    choice: TagChoice
    digest: str | None
    same: bool
    kept: bool = False
    denied: bool = False


def look_up(
    destination: Writer, facts: ImageConfig, choices: tuple[TagChoice, ...], *, allow_move: bool
) -> list[TagState]:
    """The state of every tag that the image gets, the primary one first."""
    included = [choice for choice in choices if choice.included]
    states = each(lambda choice: _state(destination, facts, choice), included, at_once=_AT_ONCE)
    may_move = allow_move and facts.digest is not None
    kept = [replace(state, kept=_stays(state, facts, may_move=may_move)) for state in states]
    primary = kept[0]
    # An image that only the push gives a manifest has the one that its primary tag names.
    if primary.same and facts.digest is None:
        primary = replace(primary, kept=True)
    return [
        replace(state, kept=state.kept or (primary.kept and state.same and state.digest == primary.digest))
        for state in kept
    ]


def look_again(destination: Writer, source: ImageSource, state: TagState, *, allow_move: bool) -> TagState:
    """The state of a released tag right before it is stored: another job may have pushed the version meanwhile.

    Raises:
        RegistryError: it has, and with other content.
    """
    if state.kept or state.choice.kind != "release" or allow_move:
        return state
    [now] = look_up(destination, source.facts, (state.choice,), allow_move=False)
    refuse_moves([now], destination, source)
    return now


def refuse_moves(states: list[TagState], destination: Writer, source: ImageSource) -> None:
    """Raises RegistryError for a released tag that names another image."""
    for state in states:
        if state.digest is None or state.kept or state.choice.kind != "release":
            continue
        raise RegistryError(
            f"{destination.address(state.choice.tag)} is released already, as another image: it is {state.digest}"
            f"{_created(destination, state.digest)}, {source.name} is {source.facts.digest or source.facts.content}",
            hint="Released tags do not move. Build a new version, or use --allow-move to replace this one.",
        )


def _state(destination: Writer, facts: ImageConfig, choice: TagChoice) -> TagState:
    try:
        digest = destination.digest(choice.tag)
    except AccessDenied:
        return TagState(choice, None, same=False, denied=True)
    if digest is None or digest == facts.digest or facts.content is None:
        return TagState(choice, digest, same=digest is not None and digest == facts.digest)
    manifest = destination.manifest(digest)
    return TagState(choice, digest, same=manifest is not None and has_content(destination, manifest, facts.content))


def _stays(state: TagState, facts: ImageConfig, *, may_move: bool) -> bool:
    """Equal content keeps a released tag where it is; every other tag gets exactly the manifest that was given."""
    if state.digest is not None and state.digest == facts.digest:
        return True
    return state.same and state.choice.kind == "release" and not may_move


def _created(destination: Writer, digest: str) -> str:
    manifest = destination.manifest(digest)
    created = facts_of(destination, manifest).created if manifest else ""
    return f" of {mask(created)[:19]}" if created else ""
