"""`--at 'path/to/file.yaml:$.a.b[?name=="x"].tag'`: the value that a user points at, whatever the file is.

The path into the document is the part of RFC 9535 (JSONPath) that names single values: `.key`, `["key"]`, `[0]`,
`[*]` and `[?key=="text"]`. A filter right behind `$` chooses documents: `$[?kind=="Deployment"].spec…`. A step into a
string that holds YAML goes on inside it.

In any text, `--at 'main.tf:/image_tag = "(.+)"/'` points by a regular expression with one group, which one line of the
file has to match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.formats.document.image_fields import version_of
from gitops_ci.formats.document.manifest_text import Entry, ManifestText
from gitops_ci.formats.document.text_fields import field_at
from gitops_ci.imageref import DIGEST, ImageRef
from gitops_ci.model import ImageSite, Role
from gitops_ci.yamltext import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, YamlError

__all__ = ["ID", "Pointer", "find"]

ID = "pointer"

_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]\s"'?*]+)
      | \[ \s* (?P<quote>["'])(?P<quoted>.*?)(?P=quote) \s* \]
      | \[ \s* (?P<index>-?\d+) \s* \]
      | (?P<all> \[ \s* \* \s* \] | \.\* )
      | \[ \s* \? \s* \(? \s* (?:@\.)? (?P<key>[\w./-]+) \s* == \s*
        (?: "(?P<double>[^"]*)" | '(?P<single>[^']*)' | (?P<bare>[\w./:-]+) ) \s* \)? \s* \]""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a key, an index, every item, or the items whose `key` is `text`."""

    kind: str
    key: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A file and the path to a value in it; `image` where a rule of the settings names it."""

    path: str
    steps: tuple[Step, ...]
    text: str
    pattern: str = ""
    image: ImageRef | None = None

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.source} {self.text}"

    @property
    def source(self) -> str:
        return "pointers:" if self.image else "--at"

    @classmethod
    def parse(cls, text: str) -> Pointer:
        """Read `path/to/file.yaml:$.a.b` or `path/to/file:/regular expression/`.

        Raises:
            UsageError: it is not of that form; the message says where it stops making sense.
        """
        in_text = _IN_TEXT.fullmatch(text)
        path, colon, rest = (in_text["path"], ":/", "") if in_text else text.partition(":$")
        if not colon or not path or path.startswith("/") or ".." in path.split("/"):
            raise UsageError(f"'{text}' does not name a place in a file: FILE:$.PATH or FILE:/REGEX/", hint=_EXAMPLE)
        if in_text:
            _check(in_text["pattern"], text)
            return cls(path.removeprefix("./"), (), text, in_text["pattern"])
        steps: list[Step] = []
        at = 0
        while at < len(rest):
            match = _STEP.match(rest, at)
            if match is None:
                raise UsageError(f"'{text}' cannot be understood from this point on: '{rest[at:]}'", hint=_EXAMPLE)
            steps.append(_step(match))
            at = match.end()
        if not steps:
            raise UsageError(f"'{text}' points at a whole file", hint=_EXAMPLE)
        return cls(path.removeprefix("./"), tuple(steps), text)


_EXAMPLE = (
    """Write it as --at 'apps/shop.yaml:$.spec.images[?name=="shop"].tag', the path relative to the repository."""
)


_IN_TEXT = re.compile(r"(?P<path>[^:]+):/(?P<pattern>.+)/")
# What would let a search take more than the time of a few passes: repeated groups, references back, looking around.
_SLOW = re.compile(r"\)[*+?{]|\\[1-9]|\(\?(?!:)")
_REPEATED = re.compile(r"(?<!\\)(?:[*+]|\{\d+,\d*\})")
_MOST_REPEATED = 3
_LONGEST_LINE = 2000
# Without the byte order mark that a file may begin with.
_LINE = re.compile(r"[^\r\n\ufeff][^\r\n]*")


def _check(pattern: str, text: str) -> None:
    """Raises UsageError for what is not a regular expression with one group, or may take long."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise UsageError(f"'{text}' has no regular expression: {error}", hint=_EXAMPLE) from None
    if groups != 1:
        raise UsageError(f"'{text}' has {groups} groups", hint="Put the value, and nothing else, in one group: (.+)")
    if _SLOW.search(pattern) or len(_REPEATED.findall(pattern)) > _MOST_REPEATED:
        hint = f"Use at most {_MOST_REPEATED} of * and +, and neither repeated groups, lookarounds nor backreferences."
        raise UsageError(f"The regular expression in '{text}' may take too long", hint=hint)


def _in_text(source: ManifestText, pointer: Pointer, image: ImageRef) -> ImageSite:
    """The value in the one line that matches.

    Raises:
        UsageError: no line matches, or several do.
    """
    wanted = re.compile(pointer.pattern)
    lines = (line for line in _LINE.finditer(source.text) if len(line[0]) <= _LONGEST_LINE)
    # Each line for itself, so that `^` is its start.
    found = [(line.start(), at) for line in lines for at in wanted.finditer(line[0])]
    if len(found) != 1:
        lines_of = ", ".join(str(source.line(start)) for start, _ in found[:5])
        counted = f"{len(found)} times (lines {lines_of})" if found else "nowhere"
        raise UsageError(
            f"{pointer.title} matches {counted}", hint="It must match exactly once. Include more of the line."
        )
    start, at = found[0]
    role, now = _part(at[1], image)
    problem = "" if now else f"what {pointer.source} points at is '{at[1]}', no part of {image.familiar}"
    field = field_at(source, role, start + at.start(1), start + at.end(1))
    named = now or image.with_version(tag=None, digest=None)
    return ImageSite(ID, source.path, "", named, (field,), problem=problem)


def _step(match: re.Match[str]) -> Step:
    if match["all"]:
        return Step("all")
    if match["index"]:
        return Step("index", match["index"])
    if match["key"]:
        return Step("filter", match["key"], match["double"] or match["single"] or match["bare"] or "")
    return Step("key", match["name"] or match["quoted"] or "")


@dataclass(frozen=True, slots=True)
class _At:
    source: ManifestText
    entry: Entry


def find(source: ManifestText, pointer: Pointer, image: ImageRef) -> Iterator[ImageSite]:
    """The values a pointer leads to, as sites of `image`; a value that is not part of it has a `problem`.

    Raises:
        YamlError: the file cannot be read.
        UsageError: a regular expression does not match once.
    """
    if pointer.pattern:
        yield _in_text(source, pointer, image)
        return
    nowhere = ScalarNode(0, 0, "", "")
    here = [
        _At(source, Entry(nowhere, root)) for root in source.yaml.documents if root and not isinstance(root, AliasNode)
    ]
    for number, step in enumerate(pointer.steps):
        if number == 0 and step.kind == "filter":
            here = [at for at in here if _matches(at.source, at.entry.value, step)]
        else:
            here = [found for at in here for found in _taken(at, step)]
    for at in here:
        if site := _site(at, image, pointer.source):
            yield site


def _taken(at: _At, step: Step) -> Iterator[_At]:
    source, node = at.source, at.entry.value
    if isinstance(node, ScalarNode):
        inner = source.inside(node)
        try:
            roots = inner.yaml.documents if inner else ()
        except YamlError:
            return
        for root in roots:
            if inner and isinstance(root, MappingNode | SequenceNode):
                yield from _taken(_At(inner, Entry(at.entry.key, root)), step)
        return
    for entry in _children(source, node, step):
        yield _At(source, replace(entry, alias=entry.alias or at.entry.alias))


def _children(source: ManifestText, node: MappingNode | SequenceNode, step: Step) -> Iterator[Entry]:
    if isinstance(node, MappingNode):
        entries = source.entries(node)
        if step.kind == "key" and step.key in entries:
            yield entries[step.key]
        elif step.kind == "all":
            yield from entries.values()
        elif step.kind == "filter":
            yield from (entry for entry in entries.values() if _matches(source, entry.value, step))
        return
    items = [_item(item) for item in node.items]
    if step.kind == "index":
        at = int(step.key)
        yield from items[at : at + 1 or None]
    elif step.kind == "all":
        yield from items
    elif step.kind == "filter":
        yield from (item for item in items if _matches(source, item.value, step))


def _item(node: Node) -> Entry:
    key = ScalarNode(node.start, node.start, "", "")
    return Entry(key, node.target, node) if isinstance(node, AliasNode) else Entry(key, node)


def _matches(source: ManifestText, node: Node, step: Step) -> bool:
    for key in step.key.split("."):
        entry = source.entries(node).get(key) if isinstance(node, MappingNode) else None
        if entry is None:
            return False
        node = entry.value
    return isinstance(node, ScalarNode) and node.value == step.text


def _site(at: _At, image: ImageRef, title: str) -> ImageSite | None:
    value = at.entry.value
    if not isinstance(value, ScalarNode):
        return None
    text = value.value.strip()
    role, now = _part(text, image)
    field = at.source.field(role, at.entry)
    if field is None:
        return None
    problem = "" if now else f"what {title} points at is '{text}', no part of {image.familiar}"
    return ImageSite(
        ID, at.source.path, "", now or image.with_version(tag=None, digest=None), (field,), problem=problem
    )


def _part(text: str, image: ImageRef) -> tuple[Role, ImageRef | None]:
    named = ImageRef.try_parse(text.rpartition("=")[2])
    if named and named.same_image(image):
        return "reference", named
    if DIGEST.fullmatch(text):
        return "digest", image.with_version(tag=None, digest=text)
    version = version_of(text)
    if version is None:
        return "tag", None
    return "tag", image.with_version(tag=version[0], digest=version[1])
