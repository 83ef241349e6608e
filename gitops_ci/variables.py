"""The variables of this process, and which of them are secrets that no other program may read.

`/proc/PID/environ` shows what a process was started with for as long as it runs, whatever the process does to its own
variables. So the program starts again without its secrets, before it starts anything else, and hands them over in an
unnamed file that is read once and closed (memfd_create(2); a pipe where there is none). Afterward they are in the
memory of this process and nowhere else.
"""

from __future__ import annotations

import os
import sys

# Imported before anything else, by every run: no regular expressions, which take longer to import than this to run.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["forget_secrets", "inherited", "start_without_secrets", "variables"]

# What CI systems, registries, code hosts and clouds call their secrets: a part of the name, or its last word.
_PARTS = ("TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "CREDENTIAL", "PRIVATE", "APIKEY", "AUTH_CONFIG")
_LAST_WORDS = frozenset({"KEY", "PAT", "PASS", "PW", "PWD", "AUTH", "JWT", "SAS", "SSHPASS"})
# Whatever they hold, no program runs without them; and what names the place of a secret is none.
_HARMLESS = frozenset(
    {"PATH", "HOME", "PWD", "OLDPWD", "SHELL", "USER", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"}
    | {"USERPROFILE", "COMSPEC", "PATHEXT", "GOOGLE_APPLICATION_CREDENTIALS"}
)
# A shorter value may be a word that other values contain, and one from "/" on is a path.
_SHORTEST = 12
# Commands that start no other program.
_ALONE = frozenset({"completion", "config"})
_HANDED_OVER = "_GITOPS_CI_HANDED_OVER"
_PIPE_HOLDS = 16_384

_secrets: dict[str, str] = {}


def variables() -> Mapping[str, str]:
    """All variables, the secret ones among them. For this process only: `inherited` is for others."""
    return {**os.environ, **_secrets}


def inherited() -> dict[str, str]:
    """The variables for a program that works on the user's behalf: none of them is a secret by its name or value."""
    hidden = _secret_names(os.environ)
    return {name: value for name, value in os.environ.items() if name not in hidden or _is_for_children(name)}


def forget_secrets() -> None:
    """Drop every secret, for a run that must not have any; only the way to the network stays."""
    _secrets.clear()
    for name in _secret_names(os.environ):
        if not name.upper().endswith("_PROXY"):
            del os.environ[name]


def start_without_secrets(arguments: list[str]) -> None:
    """Start this program again without secrets in its environment, unless there are none or nothing will be started.

    In a locale of another encoding it starts again, too: a path must be the same text everywhere.

    Where a program cannot be replaced by itself (Windows), only its variables are cleared.
    """
    if _HANDED_OVER in os.environ:
        _keep(_received(os.environ.pop(_HANDED_OVER)))
        return
    if _starts_nothing(arguments):
        return
    secrets = {name: os.environ[name] for name in _secret_names(os.environ)}
    if not secrets and _reads_utf8():
        return
    if _may_start_again():
        _start_again(secrets)
    for name in secrets:
        del os.environ[name]
    _keep(secrets)


def _starts_nothing(arguments: list[str]) -> bool:
    """Whether this is no command that starts a program, or only asks for its help.

    A word like `--help` elsewhere may be a file's name or an option's value, and the command runs.
    """
    if not arguments or arguments[0].startswith("-") or arguments[0] in _ALONE:
        return True
    *words, last = arguments
    return last in {"--help", "-h"} and not any(word.startswith("-") for word in words)


def _secret_names(environ: Mapping[str, str]) -> frozenset[str]:
    """Variables that are secrets by their name, or that hold one: an address with a user, a setting of git, JSON."""
    named = {name for name in environ if _is_secret_name(name)}
    values = [environ[name] for name in named if len(environ[name]) >= _SHORTEST and environ[name][0] != "/"]
    holding = {
        name
        for name, value in environ.items()
        if name not in _HARMLESS and (_has_user(value) or any(secret in value for secret in values))
    }
    return frozenset(named | holding)


def _is_secret_name(name: str) -> bool:
    upper = name.upper()
    if upper.startswith("GITOPS_CI_"):
        # Options have such names too (GITOPS_CI_SIGNING_KEY is a path), and click reads them from the environment.
        return upper.endswith(("TOKEN", "PASSWORD"))
    if name in _HARMLESS:
        return False
    return upper.rpartition("_")[2] in _LAST_WORDS or any(part in upper for part in _PARTS)


def _has_user(value: str) -> bool:
    """Whether a value is or holds an address with a password, or with a user of HTTP, who may be a token."""
    before, *others = value.split("://")
    for after in others:
        user, at, _ = after.partition("/")[0].rpartition("@")
        if at and (":" in user or before.endswith(("http", "https"))):
            return True
        before = after
    return False


def _is_for_children(name: str) -> bool:
    """Whether programs that reach the network for the user, or options, need a variable although it holds a secret.

    It goes back into the variables after the restart, where /proc does not show it.
    """
    upper = name.upper()
    if upper.startswith("GITOPS_CI_"):
        return not _is_secret_name(name)
    return upper == "SSHPASS" or upper.endswith("_PROXY")


def _may_start_again() -> bool:
    """Whether the same command line would do the same: not where the program's text came through standard input."""
    return (
        os.name == "posix"
        and bool(sys.executable)
        and not getattr(sys, "frozen", False)
        and sys.argv[0] != "-"
        and len(sys.orig_argv) > 1
    )


def _reads_utf8() -> bool:
    return sys.getfilesystemencoding() == "utf-8"


def _start_again(secrets: Mapping[str, str]) -> None:
    """Replace this process by itself; returns only where that is impossible."""
    data = b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in secrets.items())
    environ = {name: value for name, value in os.environ.items() if name not in secrets}
    try:
        handed_over = _unnamed_file(data)
    except OSError:
        return
    try:
        sys.stdout.flush()
        os.set_inheritable(handed_over, True)  # noqa: FBT003
        # The path, not the name it was called by: a virtual environment is found by it.
        os.execve(  # noqa: S606 - this very program, with its own arguments
            sys.executable,
            [sys.executable, *([] if _reads_utf8() else ["-X", "utf8"]), *sys.orig_argv[1:]],
            environ | {_HANDED_OVER: str(handed_over)},
        )
    except OSError:
        os.close(handed_over)


def _unnamed_file(data: bytes) -> int:
    """A descriptor from which exactly `data` can be read.

    Raises:
        OSError: there is none for so much.
    """
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("gitops-ci")
        os.write(file, data)
        os.lseek(file, 0, os.SEEK_SET)
        return file
    if len(data) > _PIPE_HOLDS:
        raise OSError
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return reading


def _received(number: str) -> dict[str, str]:
    try:
        with open(int(number), "rb") as file:
            return dict(_pairs(file.read().split(b"\0")))
    except (OSError, ValueError):
        return {}  # somebody else's variable of this name


def _pairs(lines: Iterable[bytes]) -> Iterable[tuple[str, str]]:
    for line in filter(None, lines):
        name, _, value = os.fsdecode(line).partition("=")
        yield name, value


def _keep(secrets: Mapping[str, str]) -> None:
    for name, value in secrets.items():
        if _is_for_children(name):
            os.environ[name] = value
        else:
            _secrets[name] = value
