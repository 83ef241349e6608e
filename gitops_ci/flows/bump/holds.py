"""Holds and blocks: files of the config repository that stop proposals for an image in an environment.

One file for each environment and image, `.gitops-ci/holds/ENVIRONMENT/SLUG.yaml`: a person can read, review and delete
it. A file that cannot be read counts as a hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.bump.branches import environment_part, slug
from gitops_ci.imageref import ImageRef
from gitops_ci.model import FileChange, Hold
from gitops_ci.moments import moment, rfc3339
from gitops_ci.yamltext import MappingNode, Node, ScalarNode, SequenceNode, YamlError, read

__all__ = ["change_of", "dump", "hold_in", "hold_of", "holds_of", "in_force", "parse", "path_of", "refusal", "stopping"]

_FOLDER = ".gitops-ci/holds"
_HINT = "Correct the file, or delete it and run `gitops-ci hold` again."
_KEYS = frozenset({"image", "environment", "hold", "blocked", "until", "reason", "by", "since"})


def path_of(environment: str, image: ImageRef) -> str:
    """The file for an image in an environment; an empty name is that of a repository without environments."""
    return f"{_FOLDER}/{environment_part(environment or None)}/{slug((image,))}.yaml"


def hold_of(snapshot: Snapshot, environment: str, image: ImageRef) -> Hold | None:
    """The hold or block of an image, over or not; None where there is no file."""
    path = path_of(environment, image)
    data = snapshot.read(path)
    return None if data is None else _about(image, parse(path, data, environment))


def hold_in(holds: Iterable[Hold], environment: str, image: ImageRef) -> Hold | None:
    """As `hold_of`, of files that were read: the name of a file decides whose it is."""
    path = path_of(environment, image)
    found = next((hold for hold in holds if hold.path == path), None)
    return None if found is None else _about(image, found)


def _about(image: ImageRef, found: Hold) -> Hold:
    """The hold of this image; one whose file is about another image has a problem."""
    named = ImageRef.try_parse(found.image)
    if not found.problem and (named is None or not named.same_image(image)):
        return replace(found, image=image.familiar, problem=f"it is about {found.image}")
    return replace(found, image=image.familiar)


def holds_of(snapshot: Snapshot, environments: Iterable[str]) -> Iterator[Hold]:
    """All files of these environments."""
    for environment in environments:
        folder = f"{_FOLDER}/{environment_part(environment or None)}/"
        for path, data in snapshot.read_all(snapshot.paths(_Below(folder))):
            yield parse(path, data, environment)


def parse(path: str, data: bytes, environment: str) -> Hold:
    """The hold that a file describes; `problem` where it cannot be read."""
    try:
        values = _values(data.decode("utf-8"))
        return Hold(
            environment=environment,
            image=_text(values, "image"),
            hold=_flag(values, "hold"),
            blocked=tuple(_version(item) for item in _items(values.get("blocked"))),
            until=moment(_text(values, "until"), ends=True) if _text(values, "until") else None,
            reason=_text(values, "reason"),
            by=_text(values, "by"),
            since=moment(_text(values, "since")) if _text(values, "since") else None,
            path=path,
        )
    except (UnicodeDecodeError, YamlError, UsageError) as error:
        reason = error.message if isinstance(error, UsageError) else getattr(error, "reason", "it is not UTF-8")
        return Hold(environment, path.rpartition("/")[2].removesuffix(".yaml"), hold=True, path=path, problem=reason)


def _values(text: str) -> dict[str, Node]:
    documents = read(text).documents
    root = documents[0] if documents else None
    if not isinstance(root, MappingNode):
        raise UsageError("it is not a mapping", hint=_HINT)
    values = {key.value: value for key, value in root.pairs if isinstance(key, ScalarNode)}
    if unknown := sorted(values.keys() - _KEYS):
        raise UsageError(f"unknown key '{unknown[0]}'", hint=_HINT)
    return values


def dump(hold: Hold) -> str:
    """The file's text. Values are JSON strings, which YAML reads as they are."""
    lines = [
        "# Written by gitops-ci. Delete this file, or run `gitops-ci unhold`, to end it.",
        f"image: {_quoted(hold.image)}",
        f"hold: {'true' if hold.hold else 'false'}",
    ]
    if hold.blocked:
        lines += ["blocked:", *(f"  - {_quoted(_spelled(*version))}" for version in hold.blocked)]
    if hold.until is not None:
        lines.append(f"until: {_quoted(rfc3339(hold.until))}")
    lines += [f"{key}: {_quoted(value)}" for key, value in (("reason", hold.reason), ("by", hold.by)) if value]
    if hold.since is not None:
        lines.append(f"since: {_quoted(rfc3339(hold.since))}")
    return "\n".join(lines) + "\n"


def change_of(hold: Hold, image: ImageRef, *there: Snapshot | None) -> FileChange | None:
    """The change of the first snapshot that writes a hold; None where it says so already.

    One that stops nothing has no file. A hold that any of the snapshots has with the same meaning keeps who made it
    and when.
    """
    before = (there[0].read(hold.path) if there[0] else None) or b""
    for snapshot in there:
        known = hold_of(snapshot, hold.environment, image) if snapshot else None
        if known and not known.problem and _says_the_same(known, hold):
            hold = replace(hold, since=known.since, by=known.by)
    after = dump(hold) if hold.hold or hold.blocked else ""
    return FileChange(hold.path, before.decode("utf-8", "replace"), after) if after.encode() != before else None


def _says_the_same(one: Hold, other: Hold) -> bool:
    return (one.hold, one.until, one.reason, {*one.blocked}) == (
        other.hold,
        other.until,
        other.reason,
        {*other.blocked},
    )


def in_force(hold: Hold, now: float) -> Hold | None:
    """What is left of it: a hold whose time is over leaves the blocks of versions; None for nothing."""
    if hold.problem or hold.until is None or now <= hold.until:
        return hold
    return replace(hold, hold=False, until=None) if hold.hold and hold.blocked else None


def stopping(hold: Hold, image: ImageRef, now: float) -> Hold | None:
    """What of it keeps this version of the image from being proposed; None where nothing does."""
    left = in_force(hold, now)
    return left if left and (left.problem or left.hold or is_blocked(left, image)) else None


def is_blocked(hold: Hold, image: ImageRef) -> bool:
    """Whether a version is one of those that were taken back: the same tag or the same digest."""
    return any(
        (tag is not None and tag == image.tag) or (digest is not None and digest == image.digest)
        for tag, digest in hold.blocked
    )


def refusal(hold: Hold, image: ImageRef) -> str:
    """Why an image is not proposed, since when, and how to end that; one line."""
    where = f" in {hold.environment}" if hold.environment else ""
    since = f" on {rfc3339(hold.since)[:10]}" if hold.since is not None else ""
    by = f" by {hold.by}" if hold.by else ""
    why = f": {hold.reason}" if hold.reason else ""
    if hold.problem:
        return (
            f"{image.familiar} counts as held{where}: {hold.path} cannot be read: {hold.problem}. "
            "Correct the file or delete it"
        )
    if hold.hold:
        until = f" until {rfc3339(hold.until)}" if hold.until is not None else ""
        ends = "gitops-ci unhold ends it; --ignore-hold proposes this version once"
        return f"{image.familiar} is held{where}{since.replace(' on ', ' since ')}{by}{until}{why}. {ends}"
    version = image.tag or image.digest
    ends = "--ignore-hold" if hold.path else "--reopen"
    return f"{image.familiar} {version} was taken back{where}{since}{by}{why}. {ends} proposes it again"


@dataclass(frozen=True, slots=True)
class _Below:
    """All files below a folder."""

    folder: str

    def matches(self, path: str) -> bool:
        return path.startswith(self.folder) and path.endswith(".yaml")

    def may_hold(self, folder: str) -> bool:
        return self.folder.startswith(f"{folder}/") or folder.startswith(self.folder)

    def wants_all(self, folder: str) -> bool:
        return f"{folder}/".startswith(self.folder)


def _quoted(text: str) -> str:
    return json.dumps(text)


def _spelled(tag: str | None, digest: str | None) -> str:
    return f"{tag or ''}{f'@{digest}' if tag and digest else digest or ''}"


def _version(node: Node) -> tuple[str | None, str | None]:
    if not isinstance(node, ScalarNode) or not node.value:
        raise UsageError("blocked is not a list of versions", hint=_HINT)
    tag, at, digest = node.value.partition("@")
    if at:
        return tag or None, digest
    return (None, tag) if ":" in tag else (tag, None)


def _items(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return [*node.items] if isinstance(node, SequenceNode) else [node]


def _text(values: dict[str, Node], key: str) -> str:
    node = values.get(key)
    if node is None:
        return ""
    if not isinstance(node, ScalarNode):
        raise UsageError(f"{key} is not a single value", hint=_HINT)
    return node.value


def _flag(values: dict[str, Node], key: str) -> bool:
    text = _text(values, key)
    if text not in {"", "true", "false"}:
        raise UsageError(f"{key} is '{text}', and neither true nor false", hint=_HINT)
    return text == "true"
