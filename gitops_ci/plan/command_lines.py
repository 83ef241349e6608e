"""Where a command of a container program names an image: `docker run --rm -p 80:80 node:22`, `podman pull node:22`.

Source: docs.docker.com/reference/cli/docker (`run`, `create`, `pull`, `push`, `tag`, `rmi`, `save`); podman and nerdctl
take the same options.
"""

from __future__ import annotations

import re

__all__ = ["names_image"]

_LONGEST = 2000  # characters of a command before the name
_COMMAND = re.compile(
    r"\b(?:docker|nerdctl|podman)[ \t]+(?:(?:container|image)[ \t]+)?(?P<does>create|pull|push|rmi|run|save|tag)(?=\s)"
)
_ENDS_COMMAND = re.compile(r"[;&|)]")
_CONTINUED = re.compile(r"\\\r?\n")
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
# These have no value behind them; every other option has one.
_FLAGS = frozenset(
    {
        *("--all-tags", "--detach", "--disable-content-trust", "--force", "--help", "--init", "--interactive"),
        *("--no-healthcheck", "--no-hosts", "--no-prune", "--oom-kill-disable", "--privileged", "--publish-all"),
        *("--quiet", "--read-only", "--replace", "--rm", "--rmi", "--sig-proxy", "--tls-verify", "--tty"),
    }
)
_SHORT_FLAGS = frozenset("adfiPqt")
# With `-a` a terminal's stream follows `run`, and nothing `pull`.
_ATTACH = frozenset({"run", "create"})


def names_image(text: str, at: int) -> bool:
    """Whether what begins at `at` is an image to the command in front of it on its line, or on lines it continues."""
    before = _command(text, at)
    found = None
    for found in _COMMAND.finditer(before):  # noqa: B007 - the last one
        pass
    if found is None:
        return False
    does, expects_value = found["does"], False
    for word in _WORD.findall(before[found.end() :].rstrip("\"'")):
        if word[0] not in "\"'" and _ENDS_COMMAND.search(word):
            return False
        if expects_value:
            expects_value = False
        elif not word.startswith("-"):
            # Several images stand behind these.
            if does not in {"rmi", "save", "tag"}:
                return False
        elif "=" not in word and word not in _FLAGS:
            expects_value = _has_value(word, does)
    return not expects_value


def _command(text: str, at: int) -> str:
    """The line up to `at`, with the lines before it that end in a backslash."""
    lowest = max(0, at - _LONGEST)
    line = text.rfind("\n", lowest, at)
    while line >= 0 and (text.startswith("\\", line - 1) or text.startswith("\\\r", line - 2)):
        line = text.rfind("\n", lowest, line)
    start = line + 1 if line >= 0 else lowest
    return _CONTINUED.sub(" ", text[start:at])


def _has_value(option: str, does: str) -> bool:
    """Whether an option's value is the next word: it is not where the short option has it attached, as `-p80:80`."""
    if option.startswith("--"):
        return True
    flags = _SHORT_FLAGS - {"a"} if does in _ATTACH else _SHORT_FLAGS
    letters = option[1:].lstrip("".join(flags))
    return len(letters) == 1
