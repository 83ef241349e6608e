"""What the git generators of an ApplicationSet read: files with parameters, and folders.

Source: argo-cd.readthedocs.io, "Git Generator": `files[].path` and `directories[].path` are globs from the repository's
root, and `path`, `path.basename` and `path[n]` (with Go templates `.path.path`, `.path.basename`, `index .path.segments
n`) say where a file or folder lies.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from gitops_ci.formats.document.nodes import walk
from gitops_ci.yamltext import MappingNode, SequenceNode

__all__ = ["file_patterns", "filled_in", "folders"]

_ACTION = re.compile(
    r"\{\{-?\s*(?:(?P<whole>\.?path(?:\.path)?)|(?P<base>\.?path\.basename\w*)"
    r"|(?:\.?path\[|index\s+\.path\.segments\s+)(?P<number>\d+)\]?|[^{}]*)\s*-?\}\}"
)


def file_patterns(root: MappingNode) -> Iterator[re.Pattern[str]]:
    """What the paths of files with parameters match."""
    yield from (re.compile(_expression(path)) for path in _globs(root, "files"))


def folders(root: MappingNode, paths: Collection[str]) -> list[str]:
    """The folders of `paths` that the generators of an ApplicationSet stand for, sorted."""
    patterns = [f"({_expression(path.rstrip('/'))})/.*" for path in _globs(root, "directories")]
    patterns += [f"({_expression(path.rpartition('/')[0])})/[^/]*" for path in _globs(root, "files") if "/" in path]
    known = [re.compile(pattern) for pattern in patterns]
    found = (match for pattern in known for path in paths if (match := pattern.fullmatch(path)))
    return sorted({match[1] for match in found})


def filled_in(text: str, folder: str = "") -> str:
    """A text in which the generator's `folder` is filled in; every other action is a `*`."""

    def value(match: re.Match[str]) -> str:
        parts = folder.split("/")
        if match["whole"]:
            return folder or "*"
        if match["number"]:
            return parts[int(match["number"])] if int(match["number"]) < len(parts) and folder else "*"
        return parts[-1] or "*" if match["base"] else "*"

    return _ACTION.sub(value, text)


def _globs(root: MappingNode, key: str) -> Iterator[str]:
    for place in walk(root):
        if place.key == key and isinstance(place.node, SequenceNode):
            for item in place.node.items:
                path = item.text("path") if isinstance(item, MappingNode) and item.text("exclude") != "true" else ""
                if path and "{{" not in path:
                    yield path.removeprefix("/").removeprefix("./")


def _expression(glob: str) -> str:
    parts = re.split(r"(\*\*/?|\*)", glob)
    return "".join(".*" if part[:2] == "**" else "[^/]*" if part == "*" else re.escape(part) for part in parts)
