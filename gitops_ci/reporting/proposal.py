r"""The texts of a commit and a pull request, from facts: the same facts give the same text.

What comes from images, files and CI variables never becomes Markdown, HTML, a mention, a trailer or a `[skip ci]`:
in titles and commits a character outside a small set is spelled out (`\x5b`), in bodies it stands in code spans.
A template belongs to the config repository's owners and is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_ci.display import short_digests, visible
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Change, FileChange
from gitops_ci.reporting import commonmark as md
from gitops_ci.reporting.base import change_order, masked
from gitops_ci.reporting.plaintext import address, cut, defused, words
from gitops_ci.reporting.summary import count, location, old_and_new

__all__ = [
    "BODY_LIMIT",
    "ProposalFacts",
    "body",
    "commit_message",
    "files_in",
    "images_in",
    "is_written_by_us",
    "same_body",
    "title",
]

# GitHub's limit of a body and the smallest of the hosts' limits of a title. Both are counted in UTF-8 bytes here,
# which are never fewer than the characters or UTF-16 units that a host counts.
BODY_LIMIT = 65_536
TITLE_LIMIT = 255

_TITLES = {  # (an environment is named, there are several images)
    (True, False): "{environment}: {image} {tag}",
    (True, True): "{environment}: {image} {tag} and {others} more",
    (False, False): "Bump {image} to {tag}",
    (False, True): "Bump {image} {tag} and {others} more",
}
_BODY = "{summary}\n\n{changes}\n\n{details}\n\n{footer}"
_FOOTER = "Made and kept current by gitops-ci: a newer image updates this request, commits of yours are left alone."
_PIPELINE = "- Pipeline: "
_IMAGE = "- Image: "
_HIDDEN = "more than fit here"
_LOCATION = re.compile(r"\| (`.+?)(?::\d+)?[ ]?`+ \|")
_PREVIOUS_SHOWN = 5
_IMAGES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ProposalFacts:
    """What a bump did and who asked for it. Empty strings are "not known"; `more` are further images of one bump.

    `previous` are the references or tags that were there before, `source_*` the repository and commit that the image
    was built from, `pipeline_url` the run that built it, `source_commit_url` where a person can look at the commit.
    `signers` are those whose signatures were verified.
    `trailers` are further ones for the commit, `notes` sentences for the body.
    """

    image: ImageRef
    previous: tuple[str, ...] = ()
    environment: str = ""
    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = ()
    source_repository: str = ""
    source_commit: str = ""
    source_commit_url: str = ""
    pipeline_url: str = ""
    more: tuple[ImageRef, ...] = ()
    signers: tuple[str, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def title(template: str, facts: ProposalFacts, *, limit: int = TITLE_LIMIT) -> str:
    """The title on one line; an empty `template` means the default.

    Raises:
        UsageError: the template names a placeholder that does not exist.
    """
    facts = masked(facts)
    chosen = template or _TITLES[bool(facts.environment), bool(facts.more)]
    if facts.more and "{others}" not in chosen:
        chosen += " and {others} more"
    filled = _filled(chosen, {name: words(value) for name, value in _values(facts).items()})
    if defused(chosen) == chosen:
        filled = defused(filled)  # "[{environment}]" must not become an order by what stands in it
    # A placeholder without a value leaves its separator behind: ": shop 1.5.0".
    return cut(visible(" ".join(filled.split()).lstrip(":,-/ ")), limit)


def commit_message(template: str, facts: ProposalFacts) -> str:
    """The title as subject, an empty line, and trailers that say what runs and where it comes from.

    Trailers are those of git-interpret-trailers(1): one `Key: value` a line in the last paragraph.

    Raises:
        UsageError: the template names a placeholder that does not exist.
    """
    facts = masked(facts)
    trailers = [f"{key}: {value}" for key, value in _trailers(facts) if value]
    return "\n".join([title(template, facts), "", *trailers]) + "\n"


def body(facts: ProposalFacts, *, template: str = "", limit: int = BODY_LIMIT) -> str:
    """The pull request's text in Markdown, at most `limit` bytes of UTF-8: what does not fit is counted instead.

    Raises:
        UsageError: the template names a placeholder that does not exist.
    """
    facts = masked(facts)
    changes = sorted(facts.changes, key=change_order)
    values = {name: md.code(value) for name, value in _values(facts).items()}
    values |= {"summary": _summary(facts), "details": "\n".join(_details(facts)), "footer": _FOOTER}

    def rendered(shown: int) -> str:
        text = _filled(template or _BODY, {**values, "changes": _table(changes, shown)})
        return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"

    text = rendered(_fitting(changes, limit - len(rendered(0).encode())))
    # A text that is too long without a single row is a template's: cutting it could open what its end closes.
    return text if len(text.encode()) <= limit else cut(_FOOTER, limit)


def same_body(existing: str, proposed: str) -> bool:
    """Whether two bodies say the same: hosts change line ends and blanks, every run has another pipeline link."""
    return _essence(existing) == _essence(proposed)


def is_written_by_us(body: str) -> bool:
    """Whether a text has the words that end each body of ours."""
    return _FOOTER in body


def images_in(body: str) -> frozenset[str]:
    """The images that a body of ours is about, as it spells them; none for a text of somebody else's."""
    return frozenset(line.rstrip() for line in body.splitlines() if line.startswith(_IMAGE))


def files_in(body: str) -> frozenset[str] | None:
    """The files that a body of ours lists, as it spells them; None where it does not list all, or is not ours."""
    if _FOOTER not in body or _HIDDEN in body:
        return None
    return frozenset(found[1] for line in body.splitlines() if (found := _LOCATION.match(line)))


def _essence(text: str) -> list[str]:
    lines = (line.rstrip() for line in text.strip().splitlines())
    return [line for line in lines if not line.startswith(_PIPELINE)]


def _values(facts: ProposalFacts) -> dict[str, str]:
    """The placeholders of templates."""
    image = facts.image
    return {
        "environment": facts.environment,
        "image": image.basename,
        "name": image.familiar,
        "tag": image.tag or short_digests(image.digest or ""),
        "digest": image.digest or "",
        "reference": str(image),
        "previous": short_digests(facts.previous[0]) if facts.previous else "",
        "others": str(len(facts.more)),
        "source": facts.source_repository,
        "commit": facts.source_commit[:12],
    }


def _filled(template: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if (name := found[1].strip()) not in values:
            known = ", ".join(f"{{{name}}}" for name in values)
            raise UsageError(f"The template names {found[0]}, which does not exist: {template!r}", hint=f"Use {known}")
        return values[name]

    return re.sub(r"\{([^{}]*)\}", value, template)


def _summary(facts: ProposalFacts) -> str:
    """Updates `ghcr.io/acme/shop` to `1.5.0` for `production`: 3 places in 2 files."""
    target = md.code(facts.image.tag or short_digests(facts.image.digest or ""))
    others = f" and {count(len(facts.more), 'more image')}" if facts.more else ""
    where = f" for {md.code(facts.environment)}" if facts.environment else ""
    files = len({change.path for change in facts.changes})
    places = f": {count(len(facts.changes), 'place')} in {count(files, 'file')}" if files else ""
    return f"Updates {md.code(facts.image.familiar)}{f' to {target}' if target else ''}{others}{where}{places}."


def _table(changes: Sequence[Change], shown: int) -> str:
    if not changes:
        return ""
    lines = [*md.table_head("Where", "Resource", "From", "To"), *(_row(change) for change in changes[:shown])]
    if hidden := len(changes) - shown:
        lines = [*(lines if shown else []), "", f"{count(hidden, 'place')} {_HIDDEN}: see the changed files."]
    return "\n".join(lines)


def _fitting(changes: Sequence[Change], budget: int) -> int:
    """How many rows fit into `budget` bytes."""
    if sum(len(_row(change).encode()) + 1 for change in changes) <= budget:
        return len(changes)
    budget -= len("\n".join(md.table_head("Where", "Resource", "From", "To"))) + 2
    for number, change in enumerate(changes):
        budget -= len(_row(change).encode()) + 1
        if budget < 0:
            return number
    return len(changes)


def _row(change: Change) -> str:
    cells = (location(change.path, change.edit.span.line), change.resource, *old_and_new(change))
    return md.row(md.code(cell) for cell in cells)


def _details(facts: ProposalFacts) -> Iterator[str]:
    yield from (f"- {md.plain(note)}" for note in facts.notes)
    images = (facts.image, *facts.more)
    for image in images[:_IMAGES_SHOWN]:
        yield f"{_IMAGE}{md.code(str(image))}"
    if len(images) > _IMAGES_SHOWN:
        yield f"- and {count(len(images) - _IMAGES_SHOWN, 'more image')}"
    if facts.previous:
        shown = [md.code(short_digests(text)) for text in facts.previous[:_PREVIOUS_SHOWN]]
        hidden = len(facts.previous) - len(shown)
        yield f"- Before: {', '.join(shown)}{f' and {hidden} more' if hidden else ''}"
    if facts.signers:
        yield f"- Signed by: {', '.join(map(md.code, facts.signers))}"
    if facts.source_repository:
        commit = _commit(facts)
        yield f"- Source: {md.link(facts.source_repository)}{f' at {commit}' if commit else ''}"
    if facts.pipeline_url:
        yield f"{_PIPELINE}{md.link(facts.pipeline_url)}"


def _commit(facts: ProposalFacts) -> str:
    return md.link(facts.source_commit_url, facts.source_commit[:12])


def _trailers(facts: ProposalFacts) -> Iterator[tuple[str, str]]:
    for image in (image for image in (facts.image, *facts.more) if image.tag or image.digest):
        yield "Image", address(str(image.with_version(tag=image.tag, digest=None) if image.tag else image))
        yield "Image-Digest", address(image.digest or "")
    for previous in facts.previous:
        yield "Previous-Image", address(previous)
    yield "Environment", words(facts.environment)
    yield "Source-Repository", address(facts.source_repository)
    yield "Source-Commit", address(facts.source_commit)
    yield "Pipeline-URL", address(facts.pipeline_url)
    for key, value in facts.trailers:
        yield key, words(value)
