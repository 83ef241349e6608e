"""Commit objects: who they name, how they are signed, and how this tool knows its own again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import Literal

from gitops_ci.configrepo.git import GitDirectory, last_lines
from gitops_ci.configrepo.objects import tree_with
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitError, UsageError

__all__ = ["Identity", "Signing", "base_in", "first_commit", "has_mark", "is_marked", "marked", "write_commit"]

# Names the tree of the commit that carries it: a commit that somebody amended has another tree and is not ours.
_MARK = "Gitops-Ci-Tree"
# Names the commit that a proposal is made against where that is not the parent: it continues an earlier commit.
_BASE = "Gitops-Ci-Base"
_NAMED = re.compile(rf"^{_BASE}: ([0-9a-f]{{40}}(?:[0-9a-f]{{24}})?)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a commit names as author or committer."""

    name: str
    email: str

    @property
    def clean(self) -> Identity:
        """Without the characters that end a field of a commit."""

        def kept(text: str) -> str:
            return "".join(c for c in text if c.isprintable() and c not in "<>").strip()

        return Identity(kept(self.name) or "gitops-ci", kept(self.email))

    def line(self, seconds: int) -> str:
        return f"{self.clean.name} <{self.clean.email}> {seconds} +0000"


@dataclass(frozen=True, slots=True)
class Signing:
    """How commits are signed. `key` is a GPG key's id or address, an SSH key's file, or `key::` and a public key.

    The secret half stays where it is: in the key ring, the agent, or the file (git-config(1), `user.signingKey`).
    """

    kind: Literal["gpg", "ssh"]
    key: str

    @classmethod
    def parse(cls, kind: Literal["gpg", "ssh"], key: str) -> Signing:
        """Check a key's name; a path becomes absolute.

        Raises:
            UsageError: it can be no key, or there is no such file.
        """
        if not key or key.startswith("-") or not key.isprintable():
            raise UsageError(f"{key!r} is not a signing key", hint="It is a GPG key's id, or the file of an SSH key.")
        if kind == "gpg" or key.startswith(("key::", "ssh-")):
            return cls(kind, key)
        path = os.path.abspath(os.path.expanduser(key))
        if not os.path.isfile(path):
            raise UsageError(f"There is no SSH key at {key}", hint="Name its file, or 'key::' and a public key.")
        return cls(kind, path)


def marked(message: str, tree: str, base: str = "") -> str:
    """The message, which ends in trailers (git-interpret-trailers(1)), with the one that makes the commit ours.

    `base` is the commit that a proposal is made against, where that is not the parent.
    """
    named = f"{_BASE}: {base}\n" if base else ""
    return f"{message.rstrip()}\n{named}{_MARK}: {tree}\n"


def base_in(message: str) -> str:
    """The commit that a message names as the base of its proposal, or an empty text."""
    found = _NAMED.search(message)
    return found[1] if found else ""


def is_marked(message: str, tree: str) -> bool:
    return f"\n{_MARK}: {tree}" in message


def has_mark(message: str) -> bool:
    return f"\n{_MARK}: " in message


def write_commit(
    git: GitDirectory,
    tree: str,
    parents: Sequence[str],
    message: str,
    *,
    author: Identity,
    committer: Identity,
    seconds: int,
    signing: Signing | None,
) -> str:
    """Store a commit and return its id; `seconds` is its time since 1970.

    Raises:
        GitError: it could not be signed.
    """
    if signing is None:
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        head = "\n".join([*lines, f"author {author.line(seconds)}", f"committer {committer.line(seconds)}", ""])
        return git.write_object("commit", f"{head}\n{message}".encode())
    people = {"AUTHOR": author.clean, "COMMITTER": committer.clean}
    environment = {f"GIT_{role}_NAME": person.name for role, person in people.items()}
    environment |= {f"GIT_{role}_EMAIL": person.email for role, person in people.items()}
    environment |= {f"GIT_{role}_DATE": f"@{seconds} +0000" for role in people}
    kind = {"gpg": "openpgp", "ssh": "ssh"}[signing.kind]
    answer = git.run(
        "-c", f"gpg.format={kind}", "-c", f"user.signingKey={signing.key}",
        "commit-tree", "--gpg-sign", *(f"-p{parent}" for parent in parents), "-F", "-", tree,
        stdin=message.encode(), environment=environment,
    )  # fmt: skip
    if answer.code != 0:
        raise GitError(
            f"The commit could not be signed: {last_lines(answer.stderr)}",
            hint=f"Make the private key of {signing.key} available, in the agent or without a passphrase. Is "
            f"{'gpg' if signing.kind == 'gpg' else 'ssh-keygen'} installed?",
        )
    return answer.stdout.decode("ascii").strip()


def first_commit(git: GitDirectory, files: Mapping[str, bytes], message: str, author: Identity) -> str:
    """Write a commit without a parent that holds exactly these files."""
    line = author.line(int(time.time()))
    tree = tree_with(git, None, files, lambda _: {})
    raw = f"tree {tree}\nauthor {line}\ncommitter {line}\n\n{message}\n"
    return git.write_object("commit", raw.encode())
