"""The one door to git: GitPython starts every child, in an environment of our own making.

No user or system configuration, hook, filter, credential helper, prompt, alias or submodule takes effect; only the
protocol of the repository's own address is allowed. The token travels in the environment of a git that speaks to the
remote, and of no other (the one that reads objects lives as long as the run); never in argv, a URL or a file. An empty
`http.<origin>/.extraheader` first drops any header that somebody else configured for the host (actions/checkout does),
then ours is added (git-config(1), `http.extraHeader`, `GIT_CONFIG_COUNT`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from gitops_ci.configrepo.gitpython import INSTALL, git_in
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitError, ProgramError, UsageError
from gitops_ci.http import authority_of
from gitops_ci.process import time_left
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret, basic_auth, mask, mask_foreign

if TYPE_CHECKING:
    from subprocess import Popen

    from git import Git
    from gitdb import LooseObjectDB

__all__ = ["ASK_GIT", "Answer", "GitCredentials", "GitDirectory", "check_branch", "check_path", "last_lines"]

ASK_GIT = "Git says what is wrong: the same command by hand shows more."
_ALWAYS = {
    "core.hooksPath": os.devnull,
    "core.symlinks": "false",
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    # Files like each other are stored as chains of differences: with git's own 96 MiB a search of 100,000 of them
    # unpacks most chains again and again, and takes ten times as long.
    "core.deltaBaseCacheLimit": "256m",
    "credential.helper": "",
    "fetch.fsckObjects": "true",
    "gc.auto": "0",
    "http.followRedirects": "false",
    # A server that is silent for a minute will say nothing in the next one either; a new connection may help.
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
}
_EMPTY_REPOSITORY = {
    "HEAD": "ref: refs/heads/main\n",
    "config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
}


@dataclass(frozen=True, slots=True)
class GitCredentials:
    """How git signs in over http(s): a user name and a token, or a bearer token where `user` is empty.

    `advice` is what to do when a host refuses this kind of token, where that shows in it.
    """

    user: str
    token: Secret
    advice: str = ""

    def header(self) -> Secret:
        if self.user:
            return Secret("Authorization: " + basic_auth(self.user, self.token).reveal())
        return Secret("Authorization: Bearer " + self.token.reveal())


@dataclass(frozen=True, slots=True)
class Answer:
    """What a git command answered; text is masked."""

    code: int
    stdout: bytes
    stderr: str


class GitDirectory:
    """A bare repository in a temporary folder, and the commands this tool runs in it."""

    def __init__(
        self,
        path: str,
        remote: RepoUrl,
        credentials: GitCredentials | None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.path = path
        self._git: Git = git_in(path, _environment(remote, settings))
        self._sign_in = _environment(remote, settings, credentials)
        self._objects: LooseObjectDB | None = None

    def create(self) -> None:
        """Make the folder an empty bare repository, as gitrepository-layout(5) describes it: no program is started."""
        for folder in ("objects", "refs"):
            os.mkdir(os.path.join(self.path, folder))
        for name, text in _EMPTY_REPOSITORY.items():
            with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
                file.write(text)

    def close(self) -> None:
        self._git.clear_cache()

    def run(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: float = 600.0,
        to_remote: bool = False,
    ) -> Answer:
        """Run `git <arguments>` here and return whatever it answered. Only with `to_remote` it gets the token.

        Raises:
            GitError: it was still not done after `seconds`.
            ProgramError: git is not installed, or does not start.
            UsageError: an argument holds a token: arguments can be read by every user of the machine.
        """
        if any(mask(argument) != argument for argument in arguments):
            raise UsageError("A branch or address holds a token", hint="Give it in GITOPS_CI_TOKEN and nowhere else.")
        from subprocess import PIPE

        from git.exc import GitCommandNotFound

        program = self._git.GIT_PYTHON_GIT_EXECUTABLE or "git"
        pipe = PIPE if stdin is not None else None
        variables = {**(self._sign_in if to_remote else {}), **(environment or {})}
        try:
            # Not GitPython's own waiting: its timer outlives an interrupt, and this program would with it.
            started = self._git.execute([program, *arguments], istream=pipe, as_process=True, env=variables)
        except GitCommandNotFound as error:
            raise ProgramError("git is not installed", hint=INSTALL) from error
        child = cast("Popen[bytes]", started.proc)
        stdout, stderr = _communicate(child, arguments, stdin, seconds if to_remote else time_left(seconds))
        return Answer(child.returncode, stdout, mask_foreign(stderr.decode("utf-8", "replace")))

    def checked(self, doing: str, *arguments: str, **options: object) -> bytes:
        """As `run`, where anything but success is an error."""
        answer = self.run(*arguments, **options)  # type: ignore[arg-type]
        if answer.code != 0:
            raise GitError(f"{doing} failed: {last_lines(answer.stderr)}", hint=ASK_GIT)
        return answer.stdout

    def read_object(self, name: str) -> tuple[str, bytes]:
        """The type and content of an object, by id or `commit:path`; one long-lived child answers them all.

        Raises:
            KeyError: there is no such object here.
        """
        try:
            return self._read(name)
        except KeyError:
            # A sparse clone fetches what it lacks. The long-lived child has no token for that, so another one does it.
            if self.run("cat-file", "-e", name, to_remote=True).code != 0:
                raise
            self._git.clear_cache()
            return self._read(name)

    def commit_of(self, ref: str) -> str:
        """The id of the commit that a ref names; the long-lived child answers this, too.

        Raises:
            KeyError: there is no such ref here.
        """
        try:
            found: str | bytes = self._git.get_object_data(ref)[0]  # GitPython says text, and gives bytes
        except ValueError:
            raise KeyError(ref) from None
        return found if isinstance(found, str) else found.decode("ascii")

    def _read(self, name: str) -> tuple[str, bytes]:
        try:
            _, kind, _, data = self._git.get_object_data(name)
        except ValueError:
            raise KeyError(name) from None
        return kind, data

    def read_blobs(self, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of the blobs that are here, in this order; one child prints them all."""
        asked = "".join(f"{name}\n" for name in ids).encode("ascii")
        printed = self.checked("Reading files", "cat-file", "--batch", "--buffer", stdin=asked)
        at = 0
        while at < len(printed):
            end = printed.index(b"\n", at)
            name, kind, *size = printed[at:end].split(b" ")
            at = end + 1
            if kind == b"missing" or not size:
                continue
            data, at = printed[at : at + int(size[0])], at + int(size[0]) + 1
            yield name.decode("ascii"), data

    def write_object(self, kind: str, data: bytes) -> str:
        """Store an object and return its id; done here, without a child process."""
        from gitdb import IStream, LooseObjectDB

        if self._objects is None:
            self._objects = LooseObjectDB(os.path.join(self.path, "objects"))
        try:
            stored = self._objects.store(IStream(kind.encode("ascii"), len(data), BytesIO(data)))
        except OSError as error:
            raise GitError(
                f"The change cannot be written into {self.path}: {error.strerror}",
                hint="Free space in the temporary folder, or set TMPDIR to another one.",
            ) from error
        return str(stored.hexsha.decode("ascii"))


def _communicate(
    child: Popen[bytes], arguments: Sequence[str], stdin: bytes | None, seconds: float
) -> tuple[bytes, bytes]:
    from subprocess import TimeoutExpired

    try:
        return child.communicate(stdin, seconds)
    except TimeoutExpired as error:
        _stop(child)
        raise GitError(
            f"git {arguments[0]} did not finish before the deadline",
            hint="Check that the server answers. If it is only slow, raise --deadline.",
        ) from error
    except BaseException:
        _stop(child)
        raise


def _stop(child: Popen[bytes]) -> None:
    """End a git that is still at work, and its helpers; asked to, it removes its temporary files first."""
    from subprocess import TimeoutExpired

    from gitops_ci.configrepo.helpers import end_helpers

    end_helpers(child.pid)
    child.terminate()
    try:
        child.wait(0.5)
    except TimeoutExpired:
        child.kill()
        child.wait()


# Advice of git's own, and what it says after every failure of ssh (git-fetch(1), connect.c: die_initial_contact).
_SAYS_NOTHING = re.compile(
    r"hint:|fatal: Could not read from remote|Please make sure you have|and the repository exists"
)


def last_lines(text: str, count: int = 4) -> str:
    """The end of what git said, on one line: the part that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _SAYS_NOTHING.match(line)]
    return " / ".join(lines[-count:])


_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|^[-/.]|[/.]$|^@$")


def check_branch(name: str) -> str:
    """A branch name that git-check-ref-format(1) accepts and no command can read as an option.

    Raises:
        UsageError: it is neither.
    """
    if not name or len(name) > 240 or _BAD_REF.search(name):
        raise UsageError(f"{name!r} is not a branch name", hint="git-check-ref-format(1) has the rules.")
    return name.removeprefix("refs/heads/")


# What a file system may take for `.git`: any case, trailing dots and blanks, a short name, a stream (git's own
# core.protectNTFS and core.protectHFS); what HFS+ ignores is removed before.
_GIT_FOLDER = re.compile(r"(?:\.git|git~\d)[. ]*(?::.*)?", re.IGNORECASE)


def check_path(path: str) -> str:
    """A path inside the repository's tree.

    Raises:
        UsageError: it is absolute, leaves the tree, or lies in git's own folder.
    """
    parts = path.split("/")
    inside = path and not path.startswith("/") and all(part not in {"", ".", ".."} for part in parts)
    if not inside or "\\" in path or "\0" in path or any(_is_git_folder(part) for part in parts):
        raise UsageError(
            f"{path!r} is not a path inside the config repository", hint="Write it from its root, with '/'."
        )
    return path


def _is_git_folder(name: str) -> bool:
    shown = name if name.isprintable() else "".join(c for c in name if c.isprintable())
    return _GIT_FOLDER.fullmatch(shown) is not None


def _environment(remote: RepoUrl, more: Mapping[str, str], credentials: GitCredentials | None = None) -> dict[str, str]:
    settings = [*_ALWAYS.items(), *more.items()]
    if credentials is not None and remote.scheme in {"http", "https"}:
        key = f"http.{remote.origin}/.extraheader"
        settings += [(key, ""), (key, credentials.header().reveal())]
    environment = {
        "GIT_ALLOW_PROTOCOL": remote.scheme,
        "GIT_ASKPASS": "",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "SSH_ASKPASS": "",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    if remote.scheme == "ssh" and "GIT_SSH_COMMAND" not in os.environ and "GIT_SSH" not in os.environ:
        environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    if remote.scheme == "https" and (authority := authority_of(remote.host, "GIT_SSL_CAINFO", "GIT_SSL_CAPATH")):
        environment["GIT_SSL_CAPATH" if os.path.isdir(authority) else "GIT_SSL_CAINFO"] = os.path.abspath(authority)
    for number, (key, value) in enumerate(settings):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment
