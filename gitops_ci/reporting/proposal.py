r"""The texts of a commit and a pull request, from facts: the same facts give the same text.

What comes from images, files and CI variables never becomes Markdown, HTML, a mention, a trailer or a `[skip ci]`:
in titles and commits a character outside a small set is spelled out (`\x5b`), in bodies it stands in code spans.
A template belongs to the config repository's owners and is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gitops_ci.display import short_digests, visible
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Change
from gitops_ci.reporting import commonmark as md
from gitops_ci.reporting.base import change_order, masked
from gitops_ci.reporting.plaintext import address, cut, defused, words
from gitops_ci.reporting.proposal_facts import (
    FOOTER,
    HIDDEN,
    IMAGE,
    ProposalFacts,
    files_in,
    images_in,
    is_usual,
    is_written_by_us,
    note,
)
from gitops_ci.reporting.proposal_fields import field_values, filled
from gitops_ci.reporting.summary import count, location, old_and_new
from gitops_ci.reporting.tables import by_environment

__all__ = [
    "BODY_LIMIT",
    "ProposalFacts",
    "body",
    "commit_message",
    "files_in",
    "images_in",
    "is_usual",
    "is_written_by_us",
    "same_body",
    "title",
]

# GitHub's limit of a body and the smallest of the hosts' limits of a title. Both are counted in UTF-8 bytes here,
# which are never fewer than the characters or UTF-16 units that a host counts.
BODY_LIMIT = 65_536
TITLE_LIMIT = 255

_GROUP_TITLES = {True: "{environment}: {group}", False: "Update {group}"}
_TITLES = {  # (an environment is named, there are several images)
    (True, False): "{environment}: {image} {tag}",
    (True, True): "{environment}: {image} {tag} and {others} more",
    (False, False): "Bump {image} to {tag}",
    (False, True): "Bump {image} {tag} and {others} more",
}
_BODY = "{summary}\n\n{changes}\n\n{details}\n\n{footer}"
_PIPELINE = "- Pipeline: "
_TRAILER = re.compile(r"[A-Za-z0-9-]+: \S.*")
_PREVIOUS_SHOWN = 5
_IMAGES_SHOWN = 20


def title(template: str, facts: ProposalFacts, *, limit: int = TITLE_LIMIT) -> str:
    """The title on one line; an empty `template` means the default.

    Raises:
        UsageError: the template names a placeholder that does not exist.
    """
    facts = masked(facts)
    usual = _TITLES[bool(facts.environment), bool(facts.more)]
    chosen = template or (_GROUP_TITLES[bool(facts.environment)] if facts.group else usual)
    if facts.more and not facts.group and "{others}" not in chosen:
        chosen += " and {others} more"
    text = filled(chosen, {name: words(value) for name, value in field_values(facts).items()})
    if defused(chosen) == chosen:
        text = defused(text)  # "[{environment}]" must not become an order by what stands in it
    # A placeholder without a value leaves its separator behind: ": shop 1.5.0".
    return cut(visible(" ".join(text.split()).lstrip(":,-/ ")), limit)


def commit_message(template: str, facts: ProposalFacts, *, text: str = "", sign_off: str = "") -> str:
    """The title as subject, an empty line, and trailers that say what runs and where it comes from.

    `text` is a whole message in place of the title of `template`, `sign_off` who signs it off, as `Name <address>`.
    Trailers are those of git-interpret-trailers(1): one `Key: value` a line in the last paragraph.

    Raises:
        UsageError: the template names a placeholder that does not exist.
    """
    facts = masked(facts)
    trailers = [f"{key}: {value}" for key, value in _trailers(facts) if value]
    trailers += [f"Signed-off-by: {sign_off}"] if sign_off else []
    message = _message(text, facts) if text.strip() else title(template, facts)
    paragraphs = message.split("\n\n")
    # Somebody's own trailers and these are one paragraph.
    has_own = len(paragraphs) > 1 and all(_TRAILER.fullmatch(line) for line in paragraphs[-1].splitlines())
    return "\n".join([message, *([] if has_own else [""]), *trailers]) + "\n"


def _message(template: str, facts: ProposalFacts) -> str:
    """A commit message of somebody's own, its subject on the first line."""
    values = {name: words(value) for name, value in field_values(facts).items()}
    subject, _, rest = template.strip().partition("\n")
    lines = []
    for line in rest.splitlines():
        text = filled(line, values)
        lines.append(visible(defused(text) if defused(line) == line else text).rstrip())
    paragraphs = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return f"{title(subject, facts)}\n\n{paragraphs}".strip()


def body(facts: ProposalFacts, *, template: str = "", limit: int = BODY_LIMIT) -> str:
    """The pull request's text in Markdown, at most `limit` bytes of UTF-8: what does not fit is counted instead.

    Raises:
        UsageError: the template names a placeholder that does not exist.
    """
    facts = masked(facts)
    changes = sorted(facts.changes, key=change_order)
    values = {name: md.code(value) for name, value in field_values(facts).items()}
    values |= {"summary": _summary(facts), "details": "\n".join(_details(facts)), "footer": FOOTER}

    matrix = _matrix(changes, limit // 4)
    about = f"\n\n{_note(facts)}" if template.strip() else ""

    def rendered(shown: int) -> str:
        text = filled(template.strip() or _BODY, {**values, "changes": matrix + _table(changes, shown)})
        return re.sub(r"\n{3,}", "\n\n", text).strip() + about + "\n"

    text = rendered(_fitting(changes, limit - len(rendered(0).encode())))
    # A text that is too long without a single row is a template's: cutting it could open what its end closes.
    return text if len(text.encode()) <= limit else cut(FOOTER, limit) + about


def _note(facts: ProposalFacts) -> str:
    """What a text of somebody's own is about, as the usual one would show it."""
    return about((facts.image, *facts.more), [change.path for change in facts.changes])


def about(images: Sequence[ImageRef], files: Iterable[str]) -> str:
    """What a change is about, in lines that no renderer shows: as the usual text of a pull request would show it."""
    shown = (md.code(str(image)) for image in images[:_IMAGES_SHOWN])
    return note(shown, (md.code(path).rstrip("`").rstrip() for path in files))


def same_body(existing: str, proposed: str) -> bool:
    """Whether two bodies say the same: hosts change line ends and blanks, every run has another pipeline link."""
    return _essence(existing) == _essence(proposed)


def _essence(text: str) -> list[str]:
    lines = (line.rstrip() for line in text.strip().splitlines())
    return [line for line in lines if not line.startswith(_PIPELINE)]


def _summary(facts: ProposalFacts) -> str:
    """Updates `ghcr.io/acme/shop` to `1.5.0` for `production`: 3 places in 2 files."""
    target = md.code(facts.image.tag or short_digests(facts.image.digest or ""))
    others = f" and {count(len(facts.more), 'more image')}" if facts.more else ""
    others += f" of {md.code(facts.group)}" if facts.group else ""
    where = f" for {md.code(facts.environment)}" if facts.environment else ""
    files = len({change.path for change in facts.changes})
    places = f": {count(len(facts.changes), 'place')} in {count(files, 'file')}" if files else ""
    return f"Updates {md.code(facts.image.familiar)}{f' to {target}' if target else ''}{others}{where}{places}."


def _matrix(changes: Sequence[Change], most: int) -> str:
    """Image by environment, where it fits. Cells are plain text: a row that begins with a code span is of a place."""
    table = by_environment(changes)
    if table is None:
        return ""
    rows = [*md.table_head(*map(md.plain, table.headings)), *(md.row(map(md.plain, row)) for row in table.rows)]
    text = "\n".join(rows) + "\n\n"
    return text if len(text.encode()) <= most else ""


def _table(changes: Sequence[Change], shown: int) -> str:
    if not changes:
        return ""
    lines = [*md.table_head("Where", "Resource", "From", "To"), *(_row(change) for change in changes[:shown])]
    if hidden := len(changes) - shown:
        lines = [*(lines if shown else []), "", f"{count(hidden, 'place')} {HIDDEN}: see the changed files."]
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
        yield f"{IMAGE}{md.code(str(image))}"
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
    if facts.compare_url:
        yield f"- Changes: {md.link(facts.compare_url)}"
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
    yield "Group", words(facts.group)
    yield "Source-Repository", address(facts.source_repository)
    yield "Source-Commit", address(facts.source_commit)
    yield "Pipeline-URL", address(facts.pipeline_url)
    for key, value in facts.trailers:
        yield key, words(value)
