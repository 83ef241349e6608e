"""A Git remote and a code host in memory, for models of many runs: what the flows ask of them, and nothing else.

The rules are those of the real ones, which other tests use: commits name trees and parents, a branch moves by compare
and swap, a search shows the newest pull request first. No process is started and nothing is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from gitops_ci.configrepo import ForcePushRefused, Pushed, RemoteRefs
from gitops_ci.configrepo.commits import base_in, has_mark, is_marked, marked
from gitops_ci.configrepo.log import LogEntry
from gitops_ci.configrepo.objects import Entry
from gitops_ci.model import Proposal, PullRequest

__all__ = ["HostInMemory", "RemoteInMemory", "RepoInMemory", "SnapshotInMemory", "merged_files"]

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class _Commit:
    files: Files
    parents: tuple[str, ...]
    message: str
    time: int


@dataclass
class RemoteInMemory:
    """The remote: its commits and where its branches are. `takes_force` as a host's rule says."""

    default: str = "main"
    commits: dict[str, _Commit] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    takes_force: bool = True
    clock: int = 0

    def add(self, files: Files, parents: Sequence[str], message: str) -> str:
        """Store a commit; its id."""
        self.clock += 1
        made = _Commit(dict(files), tuple(parents), message, self.clock)
        name = hashlib.sha1(repr((sorted(files.items()), made.parents, message, self.clock)).encode()).hexdigest()
        self.commits[name] = made
        return name

    def history(self, tip: str) -> Iterator[str]:
        """A commit and all before it."""
        seen, todo = set[str](), [tip]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                yield name
                todo += self.commits[name].parents

    def merge_base(self, one: str, other: str) -> str:
        """The newest commit that both have."""
        common = set(self.history(one)) & set(self.history(other))
        return max(common, key=lambda name: self.commits[name].time)


def tree_of(files: Files) -> str:
    return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()


def merged_files(base: Files, one: Files, other: Files) -> Files | None:
    """A merge as git makes it, of files whose lines are never added or removed; None where it is in conflict.

    Changes of neighboring lines are a conflict, as they are to git.
    """
    found = {}
    for path in {**one, **other}:
        versions = [files.get(path, b"").splitlines(keepends=True) for files in (base, one, other)]
        if versions[1] == versions[2] or versions[2] == versions[0]:
            lines = versions[1]
        elif versions[1] == versions[0]:
            lines = versions[2]
        else:
            ours = {n for n, line in enumerate(versions[1]) if line != versions[0][n]}
            theirs = {n for n, line in enumerate(versions[2]) if line != versions[0][n]}
            same = {n for n in ours & theirs if versions[1][n] == versions[2][n]}
            if any(abs(n - m) <= 1 for n in ours - same for m in theirs - same):
                return None
            lines = [versions[2][n] if n in theirs else line for n, line in enumerate(versions[1])]
        found[path] = b"".join(lines)
    return found


class SnapshotInMemory:
    """One commit, as `configrepo.Snapshot`."""

    is_sparse = False

    def __init__(self, remote: RemoteInMemory, commit: str) -> None:
        self.remote, self.commit = remote, commit
        made = remote.commits[commit]
        self.files, self.message, self.parents, self.committed_at = made.files, made.message, made.parents, made.time
        self.tree = tree_of(made.files)

    @property
    def is_ours(self) -> bool:
        return len(self.parents) == 1 and is_marked(self.message, self.tree)

    @property
    def has_mark(self) -> bool:
        return has_mark(self.message)

    def ancestors(self) -> tuple[SnapshotInMemory, ...]:
        return tuple(SnapshotInMemory(self.remote, parent) for parent in self.parents)

    def parent(self) -> SnapshotInMemory | None:
        return (*self.ancestors(), None)[0]

    def made_from(self) -> SnapshotInMemory | None:
        named = base_in(self.message)
        return SnapshotInMemory(self.remote, named) if named else self.parent()

    def obstacle(self, path: str) -> str:
        return ""

    def links(self) -> dict[str, str]:
        return {}

    def entry(self, path: str) -> Entry | None:
        return Entry("100644", path) if path in self.files else None

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        return ((path, self.files[path]) for path in paths if path in self.files)

    def paths(self, selection: Any) -> list[str]:
        return [path for path in sorted(self.files) if selection.matches(path)]

    def search(self, needles: Sequence[str], selection: Any, *, names: Sequence[str] = ()) -> list[str]:
        wanted = [needle.encode("utf-8", "surrogateescape") for needle in needles]
        found = [path for path in self.paths(selection) if not names or path.rpartition("/")[2] in names]
        return [path for path in found if any(needle in self.files[path] for needle in wanted)]

    def lines(self, needles: Sequence[str], selection: Any) -> str:
        wanted = [needle.encode("utf-8", "surrogateescape") for needle in needles]
        return "".join(
            f"{path}\0{line.decode('utf-8', 'surrogateescape')}\n"
            for path in self.paths(selection)
            for line in self.files[path].split(b"\n")
            if any(needle in line for needle in wanted)
        )

    def whole(self, most: int) -> SnapshotInMemory:
        del most
        return self

    def changed_paths(self, before: SnapshotInMemory) -> list[str]:
        paths = {**self.files, **before.files}
        return [path for path in sorted(paths) if self.files.get(path) != before.files.get(path)]


class LogInMemory:
    """The first parents of a branch, as `configrepo.BranchLog`."""

    def __init__(self, remote: RemoteInMemory, branch: str) -> None:
        self.remote, self.branch = remote, branch

    def entries(self, wanted: Any) -> Iterator[LogEntry]:
        del wanted
        names, name = list[str](), self.remote.heads[self.branch]
        while name:
            names.append(name)
            name = next(iter(self.remote.commits[name].parents), "")
        for name in reversed(names):
            made = self.remote.commits[name]
            yield LogEntry(name, made.parents, made.time, "ada", "ada", made.message)

    def messages(self, commits: Sequence[str]) -> dict[str, str]:
        return {name: self.remote.commits[name].message for name in commits}


class RepoInMemory:
    """As `configrepo.ConfigRepo`."""

    def __init__(self, remote: RemoteInMemory, url: Any) -> None:
        self.remote, self.url, self.trouble = remote, url, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def refs(self, *branches: str) -> RemoteRefs:
        tips = {name: self.remote.heads[name] for name in branches if name in self.remote.heads}
        return RemoteRefs(self.remote.default, tips)

    @property
    def refs_at_start(self) -> RemoteRefs:
        return self.refs(*self.remote.heads)

    def tips(self) -> Mapping[str, str]:
        return dict(self.remote.heads)

    def branches(self) -> tuple[str, ...]:
        return tuple(self.remote.heads)

    def fetch(self, branch: str, *, depth: int = 1, sparse: bool = False, tip: str = "") -> SnapshotInMemory:
        del depth, sparse, tip
        return SnapshotInMemory(self.remote, self.remote.heads[branch])

    def commits(self, branch: str, *, since: int, tip: str = "") -> LogInMemory:
        del since, tip
        return LogInMemory(self.remote, branch)

    def holds(self, branch: str, commit: SnapshotInMemory) -> bool:
        return commit.commit in set(self.remote.history(self.remote.heads[branch]))

    def commit(
        self, parent: Any, changes: Files, message: str, *, on: Sequence[Any] = (), base: str = "", **people: Any
    ) -> SnapshotInMemory:
        del people
        files = {**parent.files, **changes}
        parents = [one.commit for one in on or (parent,)]
        made = self.remote.add(files, parents, marked(message, tree_of(files), base))
        return SnapshotInMemory(self.remote, made)

    def push(self, snapshot: Any, branch: str, *, expected: str | None, **more: Any) -> Pushed | None:
        del more
        now = self.remote.heads.get(branch)
        if now != expected:
            return None
        if now and not self.remote.takes_force and now not in set(self.remote.history(snapshot.commit)):
            raise ForcePushRefused("refused", hint="")
        self.remote.heads[branch] = snapshot.commit
        return Pushed("")

    def delete(self, branch: str, *, expected: str) -> bool:
        if self.remote.heads.get(branch) != expected:
            return False
        del self.remote.heads[branch]
        return True


@dataclass
class HostInMemory:
    """A code host. `pulls` are its pull requests, the oldest first."""

    BODY_LIMIT: ClassVar[int] = 65_536
    COMMENT_LIMIT: ClassVar[int] = 65_536

    remote: RemoteInMemory
    pulls: list[PullRequest] = field(default_factory=list)
    comments: dict[int, list[str]] = field(default_factory=dict)

    def _shown(self, pull: PullRequest) -> PullRequest:
        tip = self.remote.heads.get(pull.head, "")
        return replace(pull, head_commit=tip, state="unchanged") if pull.status == "open" else pull

    def put(self, pull: PullRequest, **values: Any) -> PullRequest:
        """Change a pull request, whoever does it."""
        changed: PullRequest = replace(self.pulls[(pull.number or 0) - 1], **values)
        self.pulls[(pull.number or 0) - 1] = changed
        return changed

    def find_latest(self, *, head: str, base: str) -> PullRequest | None:
        found = [self._shown(p) for p in self.pulls if (p.head, p.base) == (head, base)]
        return next((p for p in found if p.status == "open"), found[-1] if found else None)

    def find_open(self, *, head: str, base: str) -> PullRequest | None:
        found = self.find_latest(head=head, base=base)
        return found if found and found.status == "open" else None

    def open(self, proposal: Proposal) -> PullRequest:
        assert self.find_open(head=proposal.head, base=proposal.base) is None, "there is one already"
        assert proposal.head in self.remote.heads, "a pull request of no branch"
        number = len(self.pulls) + 1
        made = PullRequest(number, f"#{number}", proposal.head, proposal.base, proposal.title, proposal.body)
        self.pulls.append(made)
        return replace(self._shown(made), state="opened")

    def update(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        if (pull_request.title, pull_request.body) == (proposal.title, proposal.body):
            return replace(pull_request, state="unchanged")
        self.put(pull_request, title=proposal.title, body=proposal.body)
        return replace(pull_request, title=proposal.title, body=proposal.body, state="updated")

    def complete(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        del proposal
        return pull_request

    def comment(self, pull_request: PullRequest, text: str, *, key: str, is_new: bool = True) -> None:
        del key, is_new
        self.comments.setdefault(pull_request.number or 0, []).append(text)

    def close(self, pull_request: PullRequest, *, comment: str) -> bool:
        self.comment(pull_request, comment, key="closed")
        from gitops_ci.model import RETIRED

        self.put(pull_request, status="closed", body=f"{pull_request.body}\n\n{RETIRED}")
        return True

    def merge_when_green(self, pull_request: PullRequest, wanted: Any) -> bool:
        raise AssertionError("no run of a model asks for that")

    def default_branch(self) -> str:
        return self.remote.default
