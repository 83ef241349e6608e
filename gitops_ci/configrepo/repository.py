"""The config repository without a checkout: read blobs, write trees and one commit, push by compare-and-swap.

Nothing of the repository ever becomes a file on disk outside git's own object store, so symlinks, filters, hooks,
LFS and submodules of a foreign repository have nothing to act on. Every push names the tip it expects
(`--force-with-lease`, git-push(1)): a branch that moved in between is never overwritten, and whether a push landed is
decided by reading the remote's ref again, not by the words of an error.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from functools import cached_property
from types import MappingProxyType, TracebackType
from typing import Literal, Self

from gitops_ci.configrepo.commits import Identity, Signing, marked, write_commit
from gitops_ci.configrepo.folder import TemporaryFolder
from gitops_ci.configrepo.git import Answer, GitCredentials, GitDirectory, check_branch, last_lines
from gitops_ci.configrepo.git_errors import fetch_error, is_transient, lacks_shallow, no_git_there, push_error
from gitops_ci.configrepo.log import BranchLog
from gitops_ci.configrepo.objects import Objects, Seen
from gitops_ci.configrepo.snapshot import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitError
from gitops_ci.model import Log
from gitops_ci.repourl import RepoUrl

__all__ = ["ConfigRepo", "Pushed", "RemoteRefs"]

_PAUSES = (1.0, 3.0)  # seconds
# A commit that the remote does not have, or does not give by its id (git-upload-pack(1)).
_IS_ABSENT = re.compile("not our ref|unadvertised object|no such remote ref|bad object|couldn't find remote ref")
_COMMITTED = re.compile(rb"^committer .*> (\d+) [+-]\d+$", re.MULTILINE)
_LOOK = 10.0  # seconds for the look at a branch after a push whose answer broke, also after the deadline

# Our own git's word, before it sends anything: it read the remote's ref, and that is not where we expect it. What the
# remote says carries `[remote rejected]` here, or `remote:` on another stream (git-push(1), "OUTPUT").
_OUTRUN = re.compile(r"^!\t\S+\t\[rejected\] \(stale info\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RemoteRefs:
    """The branches asked for that exist, with their tips, and the branch that HEAD names."""

    default: str | None
    tips: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pushed:
    """A push that landed, and what the remote said to it."""

    said: str


@dataclass(frozen=True, slots=True)
class Clone:
    """The temporary repositories of a run: each has other parts of what the remote has."""

    folder: TemporaryFolder = field(default_factory=TemporaryFolder)
    directories: dict[str, GitDirectory] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)


class ConfigRepo:
    """One remote repository, read and written through a temporary bare one. A context manager.

    `left` tells how many seconds the remote may still take to answer. `beside` is a repository of the same host whose
    clone is used: what one of them has fetched, the other may push.
    """

    def __init__(
        self,
        url: RepoUrl,
        credentials: GitCredentials | None,
        log: Log,
        *,
        left: Callable[[], float] = lambda: 600.0,
        beside: ConfigRepo | None = None,
    ) -> None:
        self.url = url
        self._left = left
        self._credentials = credentials
        self._log = log
        self._kept = "refs/gitops-ci-heads/" if beside else "refs/gitops-ci/"  # where fetched branches are
        self.clone: Clone = beside.clone if beside else Clone()
        self._fetched: dict[tuple[str, bool], str] = {}  # the tips by branch, and whether they are sparse
        self._histories: dict[str, tuple[str, int]] = {}  # by branch: its tip, and since when its commits are there
        self._is_remote = url.scheme != "file"
        self._has_partial_clone = self._is_remote  # between folders of one machine there is nothing to save
        self._has_shallow = True
        self._at_least = 0.0
        self.trouble = ""  # what the last request met that was tried again

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for git in self.clone.directories.values():
            git.close()
        self.clone.folder.remove()

    @contextmanager
    def within(self, left: Callable[[], float]) -> Iterator[Self]:
        """The same repository for another piece of work, with what was fetched: it lists the branches again.

        `left` tells meanwhile how many seconds the remote may still take.
        """
        before, self._left, self.trouble = self._left, left, ""
        self.__dict__.pop("refs_at_start", None)
        try:
            yield self
        finally:
            self._left = before

    def _directory(self, kind: Literal["whole", "sparse", "history", "log", "changes", "commits"]) -> GitDirectory:
        # Repositories apart: what one has whole, another has in parts, and git would not send it again.
        if kind not in self.clone.directories:
            path = os.path.join(self.clone.folder.path, kind)
            os.mkdir(path)
            # Having a commit says nothing of its trees where objects come one by one: nothing is offered to the server.
            settings = {"fetch.negotiationAlgorithm": "noop"} if kind in {"sparse", "log", "commits"} else {}
            git = self.clone.directories[kind] = GitDirectory(path, self.url, self._credentials, settings)
            git.create()
        return self.clone.directories[kind]

    def _ref(self, branch: str) -> str:
        """Where a fetched branch is kept."""
        return f"{self._kept}{branch}"

    def _source(self, branch: str) -> str:
        """The ref of the remote that a branch is fetched from."""
        return f"refs/heads/{branch}"

    def _ask(self, git: GitDirectory, *arguments: str, stdin: bytes | None = None) -> Answer:
        """Run a git that only reads; after a trouble that may be over by then it is asked again."""
        for pause in _PAUSES:
            answer = self._run(git, *arguments, stdin=stdin)
            if answer.code == 0 or not is_transient(answer.stderr) or pause >= self._left():
                return answer
            self.trouble = last_lines(answer.stderr, 1)
            self._log.detail(f"git {arguments[0]} is tried again in {pause:.0f} s: {self.trouble}")
            time.sleep(pause)
        return self._run(git, *arguments, stdin=stdin)

    def _run(
        self,
        git: GitDirectory,
        *arguments: str,
        stdin: bytes | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """Run a git that speaks to the remote, as long as there is time."""
        seconds = max(self._left(), self._at_least)
        try:
            return git.run(*arguments, stdin=stdin, environment=environment, seconds=seconds, to_remote=True)
        except GitError as error:
            met = f", after: {self.trouble}" if self.trouble else ""
            raise GitError(f"{self.url}: {error.message}{met}", hint=error.hint) from error

    def refs(self, *branches: str) -> RemoteRefs:
        """Ask the remote where these branches are; one round trip, nothing is fetched.

        Raises:
            GitError: the repository is not there, or may not be read.
        """
        wanted = [f"refs/heads/{check_branch(branch)}" for branch in branches]
        found = self._refs("HEAD", *wanted)
        return RemoteRefs(found.default, {branch: found.tips[branch] for branch in branches if branch in found.tips})

    @cached_property
    def refs_at_start(self) -> RemoteRefs:
        """All branches as the remote first listed them: for what may be some seconds old.

        A listing costs as much as a question for one branch: git asks for all refs either way, and chooses then
        (`GIT_TRACE_PACKET` of ls-remote in git 2.39).

        Raises:
            GitError: as `refs`.
        """
        return self._refs()

    def _refs(self, *wanted: str) -> RemoteRefs:
        """HEAD and the branches that the remote lists for these patterns of git-ls-remote(1), all without any."""
        default, tips = None, {}
        for value, name in self._listed("--symref", "--", self.url.text, *wanted):
            if name == "HEAD" and value.startswith("ref: refs/heads/"):
                default = value.removeprefix("ref: refs/heads/")
            elif name.startswith("refs/heads/"):
                tips[name.removeprefix("refs/heads/")] = value
        return RemoteRefs(default, tips)

    def tips(self) -> Mapping[str, str]:
        """The commits of all branches by name.

        Raises:
            GitError: as `refs`.
        """
        listed = self._listed("--heads", "--", self.url.text)
        return {name.removeprefix("refs/heads/"): value for value, name in listed}

    def branches(self) -> tuple[str, ...]:
        """The names of all branches.

        Raises:
            GitError: as `refs`, or what answers is not a Git server.
        """
        return tuple(self.tips())

    def _listed(self, *arguments: str) -> list[tuple[str, str]]:
        git = self._directory("whole")
        answer = self._ask(git, "ls-remote", *arguments)
        if answer.code == 0 and not answer.stdout and self.url.scheme in {"http", "https"}:
            answer = self._asked_by_protocol(git, *arguments)
        if answer.code != 0:
            raise fetch_error(self.url, answer.stderr, credentials=self._credentials)
        lines = (line.partition("\t") for line in answer.stdout.decode("utf-8", "replace").splitlines())
        return [(value, name) for value, _, name in lines]

    def _asked_by_protocol(self, git: GitDirectory, *arguments: str) -> Answer:
        """Ask for the list again if none came: there are no branches, the answer broke off, or it is not a list.

        Git takes what it can read nothing in, such as a web page without a line break, for a server without branches.

        Raises:
            GitError: what answers does not speak Git's protocol.
        """
        answer = self._run(git, "ls-remote", *arguments, environment={"GIT_TRACE_PACKET": "1"})
        if answer.code == 0 and not answer.stdout and "packet:" not in answer.stderr:
            raise no_git_there(self.url)
        said = "".join(line for line in answer.stderr.splitlines(keepends=True) if "packet:" not in line)
        return replace(answer, stderr=said)

    def fetch(self, branch: str, *, depth: int = 1, sparse: bool = False, tip: str = "") -> Snapshot:
        """Fetch the newest `depth` commits of a branch and return its tip.

        With `sparse` only the commit comes now, and later what is read. A server that cannot do that sends everything:
        the same result, with more to download. Where the branch was fetched at `tip`, nothing is asked.
        """
        name, sparse = check_branch(branch), sparse and self._has_partial_clone
        if not tip or self._fetched.get((name, sparse)) != tip:
            git, tip, is_sparse = self._fetch_tip(name, depth, sparse=sparse)
            self._fetched[name, sparse] = tip if is_sparse == sparse else ""
        else:
            git, is_sparse = self._directory("sparse" if sparse else "whole"), sparse
        objects = Objects(git, self._object_fetcher(git, name, depth), self.clone.seen) if is_sparse else Objects(git)
        snapshot = Snapshot(git, objects, tip)
        self.clone.seen.here.add(snapshot.tree)  # --filter=tree:1: the commit and its root tree
        return snapshot

    def _fetch_tip(self, branch: str, depth: int, *, sparse: bool) -> tuple[GitDirectory, str, bool]:
        """Where the newest commits of a branch are now, its tip, and whether the rest comes piece by piece."""
        started = time.monotonic()
        self._log.detail(f"fetching {branch} of {self.url}")
        git = self._directory("sparse" if sparse else "whole")
        said = self._fetch(git, branch, depth, *(["--filter=tree:1"] if sparse else []))
        if sparse and "filtering not recognized" in said:
            self._send_everything("the server has no partial clone")
            sparse = False
        tip = git.commit_of(self._ref(branch))
        self._log.detail(f"fetched {branch} of {self.url} in {time.monotonic() - started:.1f} s")
        return git, tip, sparse

    def _fetch(self, git: GitDirectory, branch: str, depth: int, *options: str) -> str:
        answer = self._ask(
            git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
            *([f"--depth={depth}"] if self._has_shallow else []),
            *options, "--", self.url.text, f"+{self._source(branch)}:{self._ref(branch)}",
        )  # fmt: skip
        if self._has_shallow and lacks_shallow(answer.stderr):
            self._has_shallow = False
            self._log.detail("the server does not support shallow fetches: fetching the whole history")
            return self._fetch(git, branch, depth, *options)
        if answer.code != 0:
            raise fetch_error(self.url, answer.stderr, credentials=self._credentials, branch=branch)
        return answer.stderr

    def fetch_since(self, branch: str, since: int | None) -> Snapshot:
        """The tip of a branch, with all that it got since a moment, in seconds since 1970; with everything for None.

        Raises:
            GitError: as `fetch`.
        """
        name, git = check_branch(branch), self._directory("whole")
        is_cut = since is not None and self._has_shallow and self._is_remote
        how_far = f"--shallow-since=@{since}" if is_cut else _unshallow(git)
        answer = self._ask(
            git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *([how_far] if how_far else []),
            "--", self.url.text, f"+refs/heads/{name}:{self._ref(name)}",
        )  # fmt: skip
        if answer.code != 0 and is_cut and "shallow" in answer.stderr:
            return self.fetch_since(branch, None)
        if answer.code != 0:
            raise fetch_error(self.url, answer.stderr, credentials=self._credentials, branch=branch)
        return Snapshot(git, Objects(git), git.commit_of(self._ref(name)))

    def holds(self, branch: str, commit: Snapshot) -> bool:
        """Whether a commit is in the history of a branch, of which the commits since then are fetched.

        Raises:
            GitError: as `fetch`.
        """
        # From its parents on: git cuts all parents of a merge off where one of them is older than that.
        since = min(one.committed_at for one in (commit, *commit.ancestors())) - 1
        git = self._fetch_commits(branch, since, may_cut=True)
        if git is None:
            return False
        listed = git.checked("Reading the history", "rev-list", "--end-of-options", self._ref(branch))
        return commit.commit in listed.decode("ascii").split()

    def log(self, branch: str, *, since: int | None) -> BranchLog:
        """The history of a branch: what is newer than `since` (seconds since 1970), all of it without.

        Commits and trees come now, the contents of files when they are asked for. A branch without a commit as new as
        that is read whole.

        Raises:
            GitError: as `fetch`.
        """
        name, git = check_branch(branch), self._directory("log")
        is_cut = since is not None and self._has_shallow and self._is_remote
        answer = self._fetch_log(git, name, f"--shallow-since=@{since}" if is_cut else _unshallow(git))
        if answer.code != 0 and is_cut and "shallow" in answer.stderr:
            return self.log(branch, since=None)
        if answer.code == 0 and is_cut and _unshallow(git):
            # What the oldest of these commits changed shows beside the one before it.
            answer = self._fetch_log(git, name, "--deepen=1")
        if answer.code != 0:
            raise fetch_error(self.url, answer.stderr, credentials=self._credentials, branch=branch)
        is_partial = self._has_partial_clone and "filtering not recognized" not in answer.stderr
        return BranchLog(git, self._ref(name), Objects(git, self._blob_fetcher(git) if is_partial else None))

    def commit_times(self, commits: Sequence[str]) -> dict[str, int]:
        """When commits were made, by their ids, in seconds since 1970. Those that are not there are left out.

        Nothing but the commits is fetched. A server gives none where one is absent: then they are asked for in parts.

        Raises:
            GitError: the repository does not answer.
        """
        git = self._directory("commits")
        self._fetch_some(git, list(dict.fromkeys(commits)))
        times = {}
        for name, raw in git.read_blobs(commits):
            found = _COMMITTED.search(raw.partition(b"\n\n")[0])
            if found:
                times[name] = int(found[1])
        return times

    def _fetch_some(self, git: GitDirectory, commits: list[str]) -> None:
        if not commits:
            return
        answer = self._ask(
            git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1",
            *(["--filter=tree:0"] if self._has_partial_clone else []), "--stdin", "--", self.url.text,
            stdin="".join(f"{one}\n" for one in commits).encode("ascii"),
        )  # fmt: skip
        if answer.code == 0 or (len(commits) == 1 and _IS_ABSENT.search(answer.stderr)):
            return
        if not _IS_ABSENT.search(answer.stderr):
            raise fetch_error(self.url, answer.stderr, credentials=self._credentials)
        half = len(commits) // 2
        self._fetch_some(git, commits[:half])
        self._fetch_some(git, commits[half:])

    def commits(self, branch: str, *, since: int, tip: str = "") -> BranchLog:
        """As `log`, with the commits alone: no tree and no file is fetched. `tip` as with `fetch`."""
        known = self._histories.get(branch)
        git = self._directory("history")
        if known and known[0] == tip and known[1] <= since:
            found: GitDirectory | None = git
        elif found := self._fetch_commits(branch, since, may_cut=self._is_remote):
            self._histories[branch] = git.commit_of(self._ref(branch)), since
        return BranchLog(git, self._ref(branch) if found else "", Objects(git), with_files=False)

    def _fetch_commits(self, branch: str, since: int, *, may_cut: bool) -> GitDirectory | None:
        """Fetch what a branch got since a moment, in seconds since 1970; None where it has nothing as new as that."""
        name, git = check_branch(branch), self._directory("history")
        answer = self._ask(
            git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
            *([f"--shallow-since=@{since}"] if self._has_shallow and may_cut else []),
            *(["--filter=tree:0"] if self._has_partial_clone else []),
            "--", self.url.text, f"+refs/heads/{name}:{self._ref(name)}",
        )  # fmt: skip
        if answer.code != 0 and "shallow" in answer.stderr:
            return None
        if answer.code != 0:
            raise fetch_error(self.url, answer.stderr, credentials=self._credentials, branch=branch)
        return git

    def _fetch_log(self, git: GitDirectory, branch: str, how_far: str) -> Answer:
        return self._ask(
            git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *([how_far] if how_far else []),
            *(["--filter=blob:none"] if self._has_partial_clone else []),
            "--", self.url.text, f"+refs/heads/{branch}:{self._ref(branch)}",
        )  # fmt: skip

    def _blob_fetcher(self, git: GitDirectory) -> Callable[[list[str], str], None]:
        def fetch(ids: list[str], kept_out: str) -> None:
            del kept_out
            answer = self._ask(
                git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
                "--recurse-submodules=no", "--filter=blob:none", "--stdin", "--", self.url.text,
                stdin="".join(f"{i}\n" for i in ids).encode("ascii"),
            )  # fmt: skip
            if answer.code != 0:
                raise fetch_error(self.url, answer.stderr, credentials=self._credentials)

        return fetch

    def _object_fetcher(self, git: GitDirectory, branch: str, depth: int) -> Callable[[list[str], str], None]:
        """How a sparse snapshot gets objects: by id, as git itself does it for a partial clone."""

        def fetch(ids: list[str], kept_out: str) -> None:
            if not self._has_partial_clone:
                return
            answer = self._ask(
                git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
                "--recurse-submodules=no", f"--filter={kept_out}", "--stdin", "--", self.url.text,
                stdin="".join(f"{i}\n" for i in ids).encode("ascii"),
            )  # fmt: skip
            if answer.code != 0:
                self._send_everything("the server does not hand out single objects")
                self._fetch(git, branch, depth, "--no-filter")

        return fetch

    def _send_everything(self, why: str) -> None:
        self._has_partial_clone = False
        self._log.detail(f"{why}: the whole tip is fetched")

    def commit(
        self,
        parent: Snapshot,
        changes: Mapping[str, bytes | None],
        message: str,
        *,
        author: Identity,
        committer: Identity,
        signing: Signing | None = None,
        on: Sequence[Snapshot] = (),
        base: str = "",
        branch: str = "",
    ) -> Snapshot:
        """Write blobs, trees and one commit on top of `parent`; nothing leaves this machine.

        `on` are its parents where it has others than the commit whose files it changes, `base` is the commit that a
        proposal is made against where that is not its parent. `branch` is where it is to be pushed.

        Raises:
            GitError: the commit could not be signed.
            UsageError: a path leads through or to a symlink or a submodule.
        """
        parent, message = self._prepared(parent), self._worded(message, branch)
        tree = parent.tree_with(changes)
        now = max(
            int(time.time()), parent.committed_at, *(one.committed_at for one in on)
        )  # a clock that is behind must not order history wrongly
        commit = write_commit(
            parent.git,
            tree,
            [one.commit for one in on or (parent,)],
            marked(message, tree, base),
            author=author,
            committer=committer,
            seconds=now,
            signing=signing,
        )
        return Snapshot(parent.git, parent.objects, commit)

    def _prepared(self, parent: Snapshot) -> Snapshot:
        """What a commit is made on: `parent`, with the objects that a push of it needs."""
        return parent

    def _worded(self, message: str, branch: str) -> str:
        """The message of a commit that is to be pushed to `branch`."""
        del branch
        return message

    def push(
        self,
        snapshot: Snapshot,
        branch: str,
        *,
        expected: str | None,
        instead_of: str | None = None,
        options: Sequence[str] = (),
    ) -> Pushed | None:
        """Move `branch` from `expected` (None: it does not exist yet) to `snapshot`.

        `instead_of` is a branch that is at `snapshot` and goes away with the same push, `options` are for the server.

        None means that somebody else moved the branch first: read it again, apply again, push again.

        Raises:
            GitError: the remote refuses this push for good (a protected branch, a hook), or does not answer.
        """
        ref = f"refs/heads/{check_branch(branch)}"
        gone = f"refs/heads/{check_branch(instead_of)}" if instead_of else ""
        try:
            answer = self._run(
                snapshot.git,
                "push", "--quiet", "--porcelain", "--no-verify", f"--force-with-lease={ref}:{expected or ''}",
                *(f"--push-option={option}" for option in options),
                *([f"--force-with-lease={gone}:{snapshot.commit}"] if gone else []),
                "--", self.url.text, f"{snapshot.commit}:{ref}", *([f":{gone}"] if gone else []),
            )  # fmt: skip
        except GitError as late:
            if self._tip_after(branch, late.message) == snapshot.commit:
                return Pushed("")
            raise GitError(
                f"{late.message}; {branch} is unchanged",
                hint=f"The server may still work on the push. Run again later: nothing is done twice. {late.hint}",
            ) from late
        if answer.code == 0:
            return Pushed(answer.stderr)
        said = answer.stdout.decode("utf-8", "replace") + "\n" + answer.stderr
        if _OUTRUN.search(answer.stdout.decode("utf-8", "replace")):
            self.trouble = ""
            return None
        self.trouble = last_lines(said, 2) or "the answer broke off"
        tip = self._tip_after(branch, self.trouble)
        if tip == snapshot.commit:
            return Pushed(answer.stderr)
        if tip != expected:
            self.trouble = ""
            return None
        if (final := push_error(self.url, branch, said, credentials=self._credentials)) is not None:
            raise final
        self._log.detail(f"the push was rejected although {branch} had not changed: {self.trouble}")
        return None

    def delete(self, branch: str, *, expected: str) -> bool:
        """Delete a branch that is at `expected`; False when somebody else moved it on.

        Raises:
            GitError: the remote refuses that.
        """
        ref = f"refs/heads/{check_branch(branch)}"
        answer = self._run(
            self._directory("whole"),
            "push", "--quiet", "--porcelain", "--no-verify", f"--force-with-lease={ref}:{expected}",
            "--", self.url.text, f":{ref}",
        )  # fmt: skip
        tip = self._tip_after(branch, last_lines(answer.stderr, 2) or "the answer broke off")
        if answer.code == 0 or tip is None:
            return True
        if tip != expected:
            return False
        said = answer.stdout.decode("utf-8", "replace") + "\n" + answer.stderr
        usual = GitError(f"{self.url} did not delete {branch}: {last_lines(said)}", hint="Delete the branch by hand.")
        raise push_error(self.url, branch, said, credentials=self._credentials) or usual

    def _tip_after(self, branch: str, trouble: str) -> str | None:
        """Where a branch is after a push whose answer broke; the deadline does not count for this look.

        Raises:
            GitError: nobody can tell.
        """
        self._at_least = _LOOK
        try:
            return self.refs(branch).tips.get(branch)
        except GitError as error:
            raise GitError(
                f"The push to {branch} may have landed ({trouble}): then {error.message}",
                hint=f"Run again later: nothing is done twice. {error.hint}",
            ) from error
        finally:
            self._at_least = 0.0


def _unshallow(git: GitDirectory) -> str:
    """What makes a fetch bring the rest of a history that was cut off; empty where nothing was."""
    return "--unshallow" if os.path.exists(os.path.join(git.path, "shallow")) else ""
