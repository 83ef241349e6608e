"""The globs of Argo CD, each field as the package reads it that Argo CD uses there.

Source: argo-cd 3.6 (reposerver/repository/repository.go; util/git/client.go, LsFiles; applicationset/generators).
"""

from __future__ import annotations

import re
from functools import cache

from gitops_ci.rendering.source_ignore import name_expression

__all__ = ["directory_glob", "doublestar", "is_glob", "path_match", "pathspec"]

_WHOLE_NAMES = re.compile(r"(?:^|(?<=/))\*\*(?=/|$)")


def is_glob(path: str) -> bool:
    return any(character in path for character in "*?[")


def path_match(glob: str, path: str) -> bool:
    """path.Match of Go, of the folders of a Git generator: a star stays within one name."""
    wanted, parts = glob.split("/"), path.split("/")
    return len(wanted) == len(parts) and all(
        re.fullmatch(name_expression(one), part, re.DOTALL) for one, part in zip(wanted, parts, strict=True)
    )


def pathspec(glob: str, path: str) -> bool:
    """A pathspec of Git, of the files of a Git generator: a star takes slashes too, and a folder all that is in it.

    The controller has another way, `--enable-new-git-file-globbing`, which is off by default.
    """
    plain = glob.strip("/")
    return path == plain or path.startswith(f"{plain}/") or _expression(plain, star=".*").fullmatch(path) is not None


def doublestar(glob: str, path: str) -> bool:
    """github.com/bmatcuk/doublestar, of files of values: two stars are any number of folders, one stays in a name."""
    return _expression(glob, star="[^/]*", one="[^/]", has_choices=True, has_folders=True).fullmatch(path) is not None


def directory_glob(glob: str, path: str) -> bool:
    """github.com/gobwas/glob without separators, of `include` and `exclude`: a star takes slashes too."""
    return _expression(glob, star=".*", has_choices=True).fullmatch(path) is not None


@cache
def _expression(
    glob: str, *, star: str, one: str = ".", has_choices: bool = False, has_folders: bool = False
) -> re.Pattern[str]:
    """`[a-c]` is a class, `[!a]` one of all others, `{a,b}` a choice where there are choices."""
    folders = {match.start() for match in _WHOLE_NAMES.finditer(glob)} if has_folders else set[int]()
    made, depth, at = "", 0, 0
    while at < len(glob):
        character = glob[at]
        at += 1
        if at - 1 in folders:
            at += 2  # the second star, and the slash
            made += "(?:.*/)?" if at <= len(glob) else ".*"
        elif character == "*":
            made = made if made.endswith(star) else made + star
        elif character == "?":
            made += one
        elif has_choices and character == "{":
            made, depth = f"{made}(?:", depth + 1
        elif character == "}" and depth:
            made, depth = f"{made})", depth - 1
        elif character == "," and depth:
            made += "|"
        elif character == "\\" and at < len(glob):
            made, at = made + re.escape(glob[at]), at + 1
        elif character == "[" and (end := glob.find("]", at + 1)) > 0:
            inside = glob[at:end]
            is_negated, inside = inside[:1] in {"!", "^"}, inside.lstrip("!^") if inside[:1] in {"!", "^"} else inside
            made += f"[{'^' if is_negated else ''}{re.escape(inside).replace(chr(92) + '-', '-')}]"
            at = end + 1
        else:
            made += re.escape(character)
    try:
        return re.compile(made + ")" * depth, re.DOTALL)
    except re.error:
        return re.compile(re.escape(glob))
