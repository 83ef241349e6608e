"""Files and wanted images to a plan: what to edit, what is so already, what is left alone and why. Pure.

Every file is parsed once, whatever the number of images. Edits are spliced and the result is read again: a file in
which anything but the planned values would differ is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from gitops_ci import formats, splice, tags
from gitops_ci.errors import UsageError
from gitops_ci.formats import Source, pin
from gitops_ci.formats.pin import Pin, Refusal
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Change, Edit, Field, FileChange, ImageSite, Plan, Skip
from gitops_ci.yamltext import YamlError

__all__ = ["Policy", "make", "nearest", "needles"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a bump decides: `match_name` takes the same repository on any registry, `formats` () means all of them."""

    pin: Pin = "keep"
    allow_downgrade: bool = False
    match_name: bool = False
    follow_anchors: bool = False
    formats: tuple[str, ...] = ()


def needles(targets: Sequence[ImageRef], policy: Policy) -> tuple[str, ...]:  # noqa: ARG001
    """What a file must contain one of to be worth reading: for a search of the whole repository."""
    return tuple(dict.fromkeys(target.basename for target in targets))


def make(files: Iterable[tuple[str, str]], targets: Sequence[ImageRef], policy: Policy) -> Plan:
    """The plan for `files` (path and decoded text, byte order mark and line ends kept), in the order given.

    Raises:
        UsageError: two targets ask for different versions of one image.
    """
    wanted = _Wanted(targets, policy)
    drafts = [_look(path, text, wanted) for path, text in files if wanted.mentioned(text)]
    overridden = _overridden(drafts)
    return _joined([_finished(draft, policy, overridden) for draft in drafts])


def nearest(files: Iterable[tuple[str, str]], image: ImageRef) -> tuple[str, ...]:
    """Up to five image names written in `files`, the most similar to `image` first."""
    names: dict[str, float] = {}
    for path, text in files:
        try:
            for site in formats.find(Source(path, text)):
                names.setdefault(site.image.familiar, SequenceMatcher(None, site.image.name, image.name).ratio())
        except YamlError:
            continue
    return tuple(sorted(names, key=lambda name: (-names[name], name))[:5])


class _Wanted:
    """The images to write, by name; and the cheap question whether a text can name one of them."""

    def __init__(self, targets: Sequence[ImageRef], policy: Policy) -> None:
        self._by_name: dict[str, ImageRef] = {}
        self._by_repository: dict[str, ImageRef] = {}
        self.policy = policy
        for target in targets:
            known = self._by_name.setdefault(target.name, target)
            if known != target:
                raise UsageError(
                    f"{known} and {target} are two versions of one image", hint="Give each image once in a run."
                )
            self._by_repository.setdefault(target.repository, target)
        self._words = frozenset(target.basename for target in targets)
        self._full = self._whole_names(targets)

    def of(self, image: ImageRef) -> ImageRef | None:
        found = self._by_name.get(image.name)
        if found is None and self.policy.match_name:
            found = self._by_repository.get(image.repository)
        return found

    def mentioned(self, text: str) -> bool:
        if len(self._words) <= _FEW:
            return any(word in text for word in self._words)
        return not self._words.isdisjoint(_WORD.findall(text)) or ("\\" in text and any(w in text for w in self._words))

    def named(self, text: str) -> int:
        """The line of the first whole name of a wanted image, 0 when there is none; for texts that nobody can parse."""
        found = self._full.search(text)
        return text.count("\n", 0, found.start()) + 1 if found else 0

    @staticmethod
    def _whole_names(targets: Sequence[ImageRef]) -> re.Pattern[str]:
        names = "|".join(sorted({re.escape(t.repository.removeprefix("library/")) for t in targets}, key=len))
        return re.compile(rf"(?<![\w.-])(?:{names})(?![\w/-]|\.\w)")


# Up to here asking for one word after the other is faster than taking a text apart.
_FEW = 16
_WORD = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*")


@dataclass(slots=True)
class _Draft:
    """What was found in one file."""

    source: Source
    sites: list[tuple[ImageSite, ImageRef]] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)


def _look(path: str, text: str, wanted: _Wanted) -> _Draft:
    draft = _Draft(Source(path, text, wanted.mentioned))
    try:
        for site in formats.find(draft.source, wanted.policy.formats):
            if target := wanted.of(site.image):
                draft.sites.append((site, target))
    except YamlError as error:
        if wanted.named(text):
            draft.skipped.append(_unreadable(draft.source, error))
    return draft


def _unreadable(source: Source, error: YamlError) -> Skip:
    if "{{" in source.text:
        return Skip(source.path, error.line, "a template, not YAML", "Bump the values that it is rendered with.")
    return Skip(
        source.path,
        error.line,
        f"names the image and cannot be read: {error.reason}",
        "Correct the YAML; the file was not changed.",
        failed=True,
    )


def _overridden(drafts: Sequence[_Draft]) -> dict[str, str]:
    """Images that a Kustomize `images` entry among these files gives their version, and the file of that entry."""
    sites = (site for draft in drafts for site, _ in draft.sites if site.format == "kustomize")
    return {site.image.name: site.path for site in sites}


def _finished(draft: _Draft, policy: Policy, overridden: dict[str, str]) -> Plan:
    changes: list[Change] = []
    unchanged: list[ImageSite] = []
    skipped = list(draft.skipped)
    refused: list[Skip] = []
    for site, target in draft.sites:
        answer = _decide(site, target, policy, overridden)
        if isinstance(answer, Refusal):
            skip = Skip(site.path, _line(site), answer.reason, answer.hint, answer.failed)
            skipped.append(skip)
            refused += [skip] if isinstance(answer, _Downgrade) else []
        elif answer:
            changes += [_change(site, target, edit) for edit in answer]
        else:
            unchanged.append(site)
    text = draft.source.text
    if not changes:
        return Plan((), tuple(unchanged), tuple(skipped), refused=tuple(refused))
    edits = [change.edit for change in changes]
    after = splice.apply(text, edits)
    if trouble := splice.confirm(draft.source.lines, edits, after):
        skipped.append(
            Skip(
                draft.source.path,
                edits[0].span.line,
                f"not edited: {trouble}",
                "Please report this file; it was not changed.",
                failed=True,
            )
        )
        return Plan((), tuple(unchanged), tuple(skipped), refused=tuple(refused))
    files = (FileChange(draft.source.path, text, after),)
    return Plan(tuple(changes), tuple(unchanged), tuple(skipped), files, tuple(refused))


def _decide(site: ImageSite, target: ImageRef, policy: Policy, overridden: dict[str, str]) -> list[Edit] | Refusal:
    if site.problem:
        return Refusal(f"names {site.image.familiar}, but {site.problem}", "Bump what fills it in.")
    bare = site.image.tag is None and site.image.digest is None
    if bare and policy.pin == "keep" and site.format != "kustomize" and (path := overridden.get(site.image.name)):
        return Refusal(f"names {site.image.familiar} without a version: `images` in {path} gives it", "")
    version = pin.version(site, target, policy.pin)
    if isinstance(version, Refusal):
        return version
    if refusal := _downgrade(site.image, version, policy):
        return refusal
    edits = pin.edits(site, version)
    if isinstance(edits, Refusal):
        return edits
    behind = next((f for f in site.fields if f.anchor and any(edit.span == f.span for edit in edits)), None)
    if behind and not policy.follow_anchors:
        return _behind_anchor(behind)
    return edits


class _Downgrade(Refusal):
    """A site that holds a newer image: the caller tells it apart, because a late build is no broken file."""


def _downgrade(now: ImageRef, wanted: pin.Version, policy: Policy) -> _Downgrade | None:
    if policy.allow_downgrade or not now.tag or not wanted.tag or not tags.older(wanted.tag, now.tag):
        return None
    return _Downgrade(
        f"{wanted.tag} is older than {now.tag}, which is there",
        "`--allow-downgrade` writes it all the same.",
    )


def _behind_anchor(behind: Field) -> Refusal:
    anchor = behind.anchor
    if anchor is None:
        return Refusal("", "")
    lines = ", ".join(str(line) for line in anchor.users)
    return Refusal(
        f"the {behind.role} stands at the anchor &{anchor.name} (line {anchor.line}), which line {lines} uses",
        "`--follow-anchors` edits it there, for all of them.",
    )


def _change(site: ImageSite, target: ImageRef, edit: Edit) -> Change:
    return Change(site.path, site.format, site.resource, target, edit, site.image)


def _line(site: ImageSite) -> int:
    return min((field.span.line for field in site.fields), default=0)


def _joined(plans: Sequence[Plan]) -> Plan:
    take: Callable[[str], tuple[object, ...]] = lambda name: tuple(x for plan in plans for x in getattr(plan, name))  # noqa: E731
    return Plan(take("changes"), take("unchanged"), take("skipped"), take("files"), take("refused"))  # type: ignore[arg-type]
