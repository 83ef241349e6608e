"""The globs of Argo CD, each field as the package reads it that Argo CD uses there.

Source: argo-cd 3.6 (reposerver/repository/repository.go; util/git/client.go, LsFiles; applicationset/generators).
"""

from __future__ import annotations

import re
from functools import cache

from gitops_ci.rendering.globs import name_expression, with_stars

__all__ = ["directory_glob", "doublestar", "is_glob", "path_match", "pathspec"]

_CHOICE = re.compile(r"\{([^{}]*)\}")
_MOST_CHOICES = 100


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
    return path == plain or path.startswith(f"{plain}/") or _expression(plain).fullmatch(path) is not None


def directory_glob(glob: str, path: str) -> bool:
    """github.com/gobwas/glob without separators, of `include` and `exclude`: a star takes slashes too."""
    return any(_expression(one).fullmatch(path) for one in _choices(glob))


def doublestar(glob: str, path: str) -> bool:
    """github.com/bmatcuk/doublestar, of files of values: two stars are any number of folders, one stays in a name."""
    names = path.split("/")
    return any(_fits(one.split("/"), names) for one in _choices(glob))


def _fits(wanted: list[str], names: list[str]) -> bool:
    # How many names the pattern's parts so far may have taken.
    reached = {0}
    for one in wanted:
        if one == "**":
            reached = set(range(min(reached), len(names) + 1)) if reached else reached
        else:
            reached = {at + 1 for at in reached if at < len(names) and _expression(one).fullmatch(names[at])}
    return len(names) in reached


@cache
def _choices(glob: str) -> tuple[str, ...]:
    """Expand `{a,b}`; nested braces are expanded from the inside."""
    made = [glob]
    while len(made) < _MOST_CHOICES and (match := _CHOICE.search(made[0])):
        before, after = made[0][: match.start()], made[0][match.end() :]
        made = [*made[1:], *(before + one + after for one in match[1].split(","))]
    return tuple(made)


@cache
def _expression(glob: str) -> re.Pattern[str]:
    """`[a-c]` is a class, `[!a]` and `[^a]` one of all others."""
    chunks, at = [""], 0
    while at < len(glob):
        character = glob[at]
        at += 1
        if character == "*":
            chunks.append("")
        elif character == "?":
            chunks[-1] += "."
        elif character == "\\" and at < len(glob):
            chunks[-1], at = chunks[-1] + re.escape(glob[at]), at + 1
        elif character == "[" and (end := glob.find("]", at + 1)) > 0:
            inside = glob[at:end]
            negation, inside = ("^", inside[1:]) if inside[:1] in {"!", "^"} else ("", inside)
            chunks[-1] += f"[{negation}{re.escape(inside).replace(chr(92) + '-', '-')}]"
            at = end + 1
        else:
            chunks[-1] += re.escape(character)
    try:
        return re.compile(with_stars(chunks, "."), re.DOTALL)
    except re.error:
        return re.compile(re.escape(glob))
