"""The config repository without a checkout: read blobs, write trees and one commit, push by compare-and-swap.

Nothing of the repository ever becomes a file on disk outside git's own object store, so symlinks, filters, hooks,
LFS and submodules of a foreign repository have nothing to act on. Every push names the tip it expects
(`--force-with-lease`, git-push(1)): a branch that moved in between is never overwritten, and whether a push landed is
decided by reading the remote's ref again, not by the words of an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Literal, Self

from gitops_ci.configrepo.git import GitCredentials, GitDirectory, check_branch, check_path, last_lines
from gitops_ci.configrepo.remote import refusal, unreachable
from gitops_ci.errors import GitError, UsageError
from gitops_ci.model import Log
from gitops_ci.repourl import RepoUrl

__all__ = ["ConfigRepo", "Identity", "RemoteRefs", "Snapshot"]

# Names the tree of the commit that carries it: a commit that somebody amended has another tree and is not ours.
_MARK = "Gitops-Ci-Tree"
SYMLINK, GITLINK, TREE = "120000", "160000", "40000"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a commit names as author or committer."""

    name: str
    email: str

    def line(self, seconds: int) -> str:
        def clean(text: str) -> str:
            return "".join(c for c in text if c.isprintable() and c not in "<>").strip()

        return f"{clean(self.name) or 'gitops-ci'} <{clean(self.email)}> {seconds} +0000"


@dataclass(frozen=True, slots=True)
class RemoteRefs:
    """The branches asked for that exist, with their tips, and the branch that HEAD names."""

    default: str | None
    tips: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tree. `mode` is octal as git prints it: 100644, 100755, 120000, 160000, 40000."""

    mode: str
    sha: str


class ConfigRepo:
    """One remote repository, read and written through a temporary bare one. A context manager."""

    def __init__(self, url: RepoUrl, credentials: GitCredentials | None, log: Log) -> None:
        self.url = url
        self._credentials = credentials
        self._log = log
        self._folder = TemporaryDirectory(prefix="gitops-ci-")

    def __enter__(self) -> Self:
        self._git = GitDirectory(self._folder.name, self.url, self._credentials)
        self._git.checked("Creating a repository", "init", "--quiet", "--bare", "--template=", ".")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._git.close()
        self._folder.cleanup()

    def refs(self, *branches: str) -> RemoteRefs:
        """Ask the remote where these branches are; one round trip, nothing is fetched.

        Raises:
            GitError: the repository is not there, or may not be read.
        """
        wanted = {f"refs/heads/{check_branch(branch)}": branch for branch in branches}
        answer = self._git.run("ls-remote", "--symref", "--", self.url.text, "HEAD", *wanted)
        if answer.code != 0:
            raise unreachable(self.url, answer.stderr, signed_in=self._credentials is not None)
        default, tips = None, {}
        for line in answer.stdout.decode("utf-8", "replace").splitlines():
            value, _, name = line.partition("\t")
            if name == "HEAD" and value.startswith("ref: refs/heads/"):
                default = value.removeprefix("ref: refs/heads/")
            elif name in wanted:
                tips[wanted[name]] = value
        return RemoteRefs(default, tips)

    def fetch(self, branch: str, *, depth: int = 1) -> Snapshot:
        """Fetch the newest `depth` commits of a branch and return its tip."""
        name = check_branch(branch)
        ref = f"refs/gitops-ci/{name}"
        started = time.monotonic()
        answer = self._git.run(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", f"--depth={depth}",
            "--", self.url.text, f"+refs/heads/{name}:{ref}",
        )  # fmt: skip
        if answer.code != 0:
            raise unreachable(self.url, answer.stderr, signed_in=self._credentials is not None, branch=name)
        tip = self._git.checked("Reading the fetched branch", "rev-parse", "--verify", "--end-of-options", ref)
        self._log.detail(f"fetched {name} of {self.url} in {time.monotonic() - started:.1f} s")
        return Snapshot(self._git, tip.decode("ascii").strip())

    def commit(
        self, parent: Snapshot, changes: Mapping[str, bytes], message: str, *, author: Identity, committer: Identity
    ) -> Snapshot:
        """Write blobs, trees and one commit on top of `parent`; nothing leaves this machine.

        The message ends in trailers (git-interpret-trailers(1)); one more is added, by which `is_ours` knows it.
        """
        tree = parent.tree_with(changes)
        now = max(int(time.time()), parent.committed_at)  # a clock that is behind must not order history wrongly
        raw = (
            f"tree {tree}\nparent {parent.commit}\nauthor {author.line(now)}\n"
            f"committer {committer.line(now)}\n\n{message.rstrip()}\n{_MARK}: {tree}\n"
        )
        return Snapshot(self._git, self._git.write_object("commit", raw.encode()))

    def push(self, snapshot: Snapshot, branch: str, *, expected: str | None) -> Literal["landed", "raced"]:
        """Move `branch` from `expected` (None: it does not exist yet) to `snapshot`.

        `raced` means that somebody else moved the branch first: read it again, apply again, push again.

        Raises:
            GitError: the remote refuses this push for good (a protected branch, a hook), or does not answer.
        """
        ref = f"refs/heads/{check_branch(branch)}"
        answer = self._git.run(
            "push", "--quiet", "--porcelain", "--no-verify", f"--force-with-lease={ref}:{expected or ''}",
            "--", self.url.text, f"{snapshot.commit}:{ref}",
        )  # fmt: skip
        if answer.code == 0:
            return "landed"
        said = answer.stdout.decode("utf-8", "replace") + "\n" + answer.stderr
        tip = self.refs(branch).tips.get(branch)
        if tip == snapshot.commit:
            return "landed"
        if tip != expected:
            return "raced"
        if (final := refusal(self.url, branch, said)) is not None:
            raise final
        self._log.detail(f"push was turned away while {branch} stood still: {last_lines(said, 2)}")
        return "raced"


class Snapshot:
    """One commit: its files by path, read on demand."""

    def __init__(self, git: GitDirectory, commit: str) -> None:
        self._git = git
        self.commit = commit
        self._trees: dict[str, dict[str, Entry]] = {}
        _, raw = git.read_object(commit)
        head, _, message = raw.decode("utf-8", "replace").partition("\n\n")
        self.message = message
        headers = [line.split(" ", 1) for line in head.split("\n")]
        self.tree = next(value for name, value in headers if name == "tree")
        self.parents = tuple(value for name, value in headers if name == "parent")
        committer = next(value for name, value in headers if name == "committer")
        self.committed_at = int(committer.rsplit(" ", 2)[1])

    @property
    def is_ours(self) -> bool:
        """Whether this tool made exactly this commit: nobody amended it, or put a merge on top."""
        return len(self.parents) == 1 and f"\n{_MARK}: {self.tree}" in self.message

    def parent(self) -> Snapshot | None:
        """The first parent, or None where the fetch did not reach so far."""
        try:
            return Snapshot(self._git, self.parents[0]) if self.parents else None
        except KeyError:
            return None

    def entry(self, path: str) -> Entry | None:
        tree, entry = self.tree, None
        for part in check_path(path).split("/"):
            if entry is not None:
                if entry.mode != TREE:
                    return None
                tree = entry.sha
            entry = self._entries(tree).get(part)
            if entry is None:
                return None
        return entry

    def read(self, path: str) -> bytes | None:
        """The content of a file, None where there is no regular file of this path."""
        entry = self.entry(path)
        if entry is None or entry.mode in {SYMLINK, GITLINK, TREE}:
            return None
        return self._git.read_object(entry.sha)[1]

    def paths(self) -> list[str]:
        """The paths of all regular files, in git's order."""
        listing = self._git.checked("Listing files", "ls-tree", "-r", "-z", "--full-tree", self.commit)
        entries = (line.split(b"\t", 1) for line in listing.split(b"\0") if line)
        return [name.decode("utf-8", "replace") for meta, name in entries if meta.startswith(b"100")]

    def search(self, needles: Sequence[str], wanted: Callable[[str], bool]) -> list[str]:
        """The paths of the regular files that contain any needle, byte for byte, in git's order."""
        patterns = [argument for needle in needles for argument in ("-e", needle)]
        answer = self._git.run("grep", "--full-name", "-l", "-z", "-a", "-F", *patterns, self.commit, "--")
        if answer.code > 1:
            raise GitError(f"Searching the config repository failed: {last_lines(answer.stderr)}")
        prefix = len(self.commit) + 1
        found = (name[prefix:].decode("utf-8", "replace") for name in answer.stdout.split(b"\0") if name)
        return [path for path in found if wanted(path)]

    def changed_paths(self, before: Snapshot) -> list[str]:
        """What differs between two commits, by tree; renames are not looked for."""
        out = self._git.checked(
            "Comparing commits", "diff-tree", "-r", "-z", "--name-only", "--no-renames", before.commit, self.commit
        )
        return [name.decode("utf-8", "replace") for name in out.split(b"\0") if name]

    def tree_with(self, changes: Mapping[str, bytes]) -> str:
        """The id of a tree that is this commit's with these files replaced or added.

        Raises:
            UsageError: a path leads through or to a symlink or a submodule.
        """
        return write_tree(self._git, self.tree, changes, self._entries)

    def _entries(self, tree: str) -> dict[str, Entry]:
        if tree not in self._trees:
            self._trees[tree] = _parse_tree(self._git.read_object(tree)[1], len(tree) // 2)
        return self._trees[tree]


def first_commit(git: GitDirectory, files: Mapping[str, bytes], message: str, author: Identity) -> str:
    """Write a commit without a parent that holds exactly these files."""
    line = author.line(int(time.time()))
    raw = f"tree {write_tree(git, None, files)}\nauthor {line}\ncommitter {line}\n\n{message}\n"
    return git.write_object("commit", raw.encode())


def write_tree(
    git: GitDirectory,
    tree: str | None,
    files: Mapping[str, bytes],
    entries_of: Callable[[str], dict[str, Entry]] = lambda tree: {},  # noqa: ARG005
) -> str:
    """Write a tree that is `tree` with these files replaced or added, and return its id.

    Raises:
        UsageError: a path leads through or to a symlink or a submodule.
    """

    def rebuilt(tree: str | None, blobs: Mapping[tuple[str, ...], str]) -> str:
        entries = dict(entries_of(tree)) if tree else {}
        below: dict[str, dict[tuple[str, ...], str]] = {}
        for (name, *rest), blob in blobs.items():
            old = entries.get(name)
            if old and (old.mode in {SYMLINK, GITLINK} or (old.mode == TREE) != bool(rest)):
                what = {SYMLINK: "a symlink", GITLINK: "a submodule", TREE: "a folder"}.get(old.mode, "a file")
                raise UsageError(f"{'/'.join((name, *rest))}: {name} is {what} and is left alone")
            if rest:
                below.setdefault(name, {})[tuple(rest)] = blob
            else:
                entries[name] = Entry(old.mode if old else "100644", blob)
        for name, inner in below.items():
            old = entries.get(name)
            entries[name] = Entry(TREE, rebuilt(old.sha if old else None, inner))
        return git.write_object("tree", _tree_bytes(entries.items()))

    blobs = {check_path(path): git.write_object("blob", data) for path, data in files.items()}
    return rebuilt(tree, {tuple(path.split("/")): blob for path, blob in blobs.items()})


def _parse_tree(data: bytes, id_length: int) -> dict[str, Entry]:
    """Entries of a raw tree object: mode, space, name, NUL and binary id, repeated (Pro Git, "Git Objects")."""
    entries, at = {}, 0
    while at < len(data):
        space, end = data.index(b" ", at), data.index(b"\0", at)
        name = data[space + 1 : end].decode("utf-8", "surrogateescape")
        entries[name] = Entry(data[at:space].decode("ascii"), data[end + 1 : end + 1 + id_length].hex())
        at = end + 1 + id_length
    return entries


def _tree_bytes(entries: Iterable[tuple[str, Entry]]) -> bytes:
    """The raw object, in git's order: by bytes, a folder as if its name ended in `/`."""
    encoded = [(name.encode("utf-8", "surrogateescape"), entry) for name, entry in entries]
    encoded.sort(key=lambda pair: pair[0] + (b"/" if pair[1].mode == TREE else b""))
    return b"".join(
        entry.mode.encode("ascii") + b" " + name + b"\0" + bytes.fromhex(entry.sha) for name, entry in encoded
    )
