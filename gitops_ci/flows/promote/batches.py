"""Which images of an environment are asked about, and which of them go in one change. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import NothingMatched, UsageError
from gitops_ci.flows.history.sites import familiar
from gitops_ci.flows.history.timeline import Timeline
from gitops_ci.flows.promote.gates import Question
from gitops_ci.imageref import ImageRef

__all__ = ["Batch", "Pair", "batches", "is_meant", "pairs"]


@dataclass(frozen=True, slots=True)
class Pair:
    """An image of the target, and the name that it has in the sources; `others` fit it there as well."""

    target: ImageRef
    source: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Images of one change. `members` are the names of a set, which goes whole or not at all; () for a single image."""

    questions: tuple[Question, ...]
    members: tuple[str, ...] = ()


def pairs(
    target: Timeline, sources: Sequence[Timeline], named: Sequence[ImageRef], *, match_name: bool, every: bool
) -> tuple[list[Pair], list[str]]:
    """The images that the target and every source have, and sentences about those that one of them lacks.

    With `every`, an image that is named and is not here is not an error: another target may have it.

    Raises:
        NothingMatched: an image is named that the target, or a source, does not have.
    """
    found, notes = list[Pair](), list[str]()
    wanted = {image.name for image in named}
    for name in target.names:
        image = ImageRef.parse(name)
        if wanted and not any(_fits(one, image, match_name) for one in named):
            continue
        names = [_names_in(source, image, wanted, match_name) for source in sources]
        if all(names):
            found.append(Pair(image, names[0][0], names[0][1:]))
        else:
            lacking = sources[names.index(())].environment
            notes.append(f"{familiar(name)} is in {target.environment} and not in {lacking}")
    for image in named if not every else ():
        if not any(is_meant(image, pair.target, pair.source, match_name) for pair in found):
            where = " and ".join(dict.fromkeys((target.environment, *(source.environment for source in sources))))
            raise NothingMatched(
                f"{image.familiar} is not in both {where}",
                hint=f"A promotion adds no image: add it to {target.environment} first. "
                f"It has {', '.join(map(familiar, target.names)) or 'no image'}.",
            )
    if not wanted:
        there = {name for source in sources for name in source.names}
        known = {pair.source for pair in found}
        notes += [
            f"{familiar(name)} is not in {target.environment}"
            for name in sorted(there - known)
            if name not in target.names
        ]
    return found, notes


def is_meant(image: ImageRef, target: ImageRef, source: str, match_name: bool) -> bool:
    """Whether a name is that of an image of the target, or the one that it has in the sources."""
    return _fits(image, target, match_name) or source == image.name


def _fits(one: ImageRef, other: ImageRef, match_name: bool) -> bool:
    return one.same_image(other) or (match_name and one.repository == other.repository)


def _names_in(source: Timeline, image: ImageRef, wanted: Collection[str], match_name: bool) -> tuple[str, ...]:
    """The images of a source that may be the target's; of several the one that is named, if one is."""
    if source.counts(image.name):
        return (image.name,)
    others = [name for name in source.names if match_name and ImageRef.parse(name).repository == image.repository]
    return tuple([name for name in others if name in wanted] or others)


def batches(questions: Iterable[Question], sets: Sequence[Sequence[str]], *, together: bool) -> Iterator[Batch]:
    """What goes in one change: a set, or a single image. With `together` all of them are one.

    Raises:
        UsageError: an image is in two sets, as where the files of two repositories name sets.
    """
    left = list(questions)
    every = tuple(left)
    if together:
        if left:
            yield Batch(tuple(left), tuple(question.image.name for question in left) if len(left) > 1 else ())
        return
    taken = dict[frozenset[Question], tuple[str, ...]]()
    for names in sets:
        members = tuple(ImageRef.parse(name).name for name in names)
        here = tuple(dict.fromkeys(one for name in members for one in every if one.is_named(name)))
        if not here or set(taken.get(frozenset(here), ())) == set(members):
            continue
        for other, its_members in taken.items():
            if twice := next((one for one in here if one in other), None):
                raise _in_two_sets(twice, its_members, members)
        taken[frozenset(here)] = members
        left = [question for question in left if question not in here]
        yield Batch(here, members)
    for question in left:
        yield Batch((question,))


def _in_two_sets(question: Question, *sets: Sequence[str]) -> UsageError:
    listed = " and ".join(f"[{', '.join(map(familiar, members))}]" for members in sets)
    return UsageError(
        f"{question.image.familiar} is in two sets of promotion.together: {listed}",
        hint="Make one set of both, or take it out of one. The config repository's .gitops-ci.yaml has sets, too.",
    )
