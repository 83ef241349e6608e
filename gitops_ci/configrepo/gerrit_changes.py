"""Gerrit: a change takes the place of a branch and its pull request, and a push to `refs/for/BRANCH` makes it.

Everything is read by Git alone. A patch set is `refs/changes/34/1234/5`. What Gerrit knows of the change is a history
of commits at `refs/changes/34/1234/meta`, in the footers of their messages. Whoever may see the change sees both.

Two trailers of our commit show which change belongs to a head: `Gitops-Ci-Branch` names the head, and the Change-Id is
made from head, base and the change before. So two runs at once make one change, and a newer image becomes a patch set
of the open change. After the end of a change the next one has another Change-Id.

Sources: Gerrit's documentation (user-upload, user-changeid, error-change-closed, note-db) and its code:
server/permissions/DefaultRefFilter, server/notedb/ChangeNoteFooters, server/git/receive/ReceiveCommits.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property

from gitops_ci.configrepo.git import Answer, GitCredentials, GitDirectory, check_branch, last_lines
from gitops_ci.configrepo.git_errors import fetch_error, push_error
from gitops_ci.configrepo.objects import Objects
from gitops_ci.configrepo.repository import ConfigRepo, Pushed, RemoteRefs
from gitops_ci.configrepo.snapshot import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitError
from gitops_ci.model import RETIRED, Log, ReviewedChange
from gitops_ci.repourl import RepoUrl

__all__ = ["GerritChanges"]

_MOST = 1000  # changes, the newest ones, that are searched for ours
_REF = re.compile(r"refs/changes/\d\d/(?P<number>[0-9]{1,10})/(?P<part>[0-9]{1,10}|meta)")
_PAGE = re.compile(r"^remote:\s+(https?://\S+/\+/([0-9]{1,10})) ", re.MULTILINE)
_CLOSED = re.compile(r"\(change (?P<name>\S+) closed\)")
_STATUS = {"abandoned": "closed", "merged": "merged"}


@dataclass(slots=True)
class _Listed:
    """A change as the remote lists it: its patch sets by number, and the tip of what Gerrit knows of it."""

    number: int
    patch_sets: dict[int, str] = field(default_factory=dict)
    meta: str = ""

    @property
    def newest(self) -> int:
        return max(self.patch_sets)

    def ref(self, part: object) -> str:
        return f"refs/changes/{self.number % 100:02}/{self.number}/{part}"


class GerritChanges(ConfigRepo):
    """The changes of one repository that go to one base branch; without a `base`, those of all branches.

    To the flows a change is a head branch, at the commit of its newest patch set. It stays there when it is closed.
    """

    def __init__(
        self,
        url: RepoUrl,
        credentials: GitCredentials | None,
        log: Log,
        *,
        left: Callable[[], float],
        whole: ConfigRepo,
        base: str,
    ) -> None:
        super().__init__(url, credentials, log, left=left, beside=whole)
        self._base = base
        self._has_looked = False
        self._changes: dict[int, _Listed] = {}
        self._messages: dict[str, str] = {}  # of patch sets, by commit
        self._notes: dict[str, list[str]] = {}  # of changes, the newest first, by the tip of their history
        self._pages: dict[int, str] = {}  # the addresses of changes and
        self._closed: set[int] = set()  # those that are closed, as answers to pushes say
        self._spent: set[str] = set()  # Change-Ids of changes that are closed and not seen

    # What the flows ask of branches.

    def refs(self, *branches: str) -> RemoteRefs:
        """Ask the remote which changes there are; as of a repository's branches."""
        self._look()
        return RemoteRefs(None, {head: change.commit for head in branches if (change := self.latest(head))})

    @cached_property
    def refs_at_start(self) -> RemoteRefs:
        """The heads of all changes."""
        return RemoteRefs(None, self.tips())

    def tips(self) -> Mapping[str, str]:
        """The newest patch sets of the changes of this tool, by head."""
        self._look()
        return {change.head: change.commit for change in self._ours()}

    def latest(self, head: str) -> ReviewedChange | None:
        """The open change of a head, else the newest one, as of the last look at the remote."""
        if not self._has_looked:
            self._look()
        found = [change for change in self._ours(head) if change.head == head]
        return next((change for change in reversed(found) if change.status == "open"), found[-1] if found else None)

    def _worded(self, message: str, branch: str) -> str:
        """The message with the trailers that say which change the commit is a patch set of."""
        return f"{message.rstrip()}\nGitops-Ci-Branch: {branch}\nChange-Id: {self._change_id(branch)}\n"

    def push(
        self,
        snapshot: Snapshot,
        branch: str,
        *,
        expected: str | None,
        instead_of: str | None = None,
        options: Sequence[str] = (),
    ) -> Pushed | None:
        """Make a commit the newest patch set of the change of a head, which is at `expected`.

        `options` are those of `refs/for/BRANCH%OPTION,OPTION`. Gerrit compares nothing: a patch set that another run
        pushed at the same moment is found afterward and put on top again, and None says that both are to be joined.

        Raises:
            GitError: Gerrit refuses the push for good, or does not answer.
        """
        assert instead_of is None, "a change is never moved"
        if self.refs(branch).tips.get(branch) != expected:
            return None
        latest = self.latest(branch)
        before = (latest.number, latest.patch_set) if latest and latest.status == "open" else (0, 0)
        target = f"refs/for/{check_branch(self._base)}{'%' if options else ''}{','.join(options)}"
        answer = self._sent(snapshot, target)
        said = answer.stdout.decode("utf-8", "replace") + "\n" + answer.stderr
        self._pages |= {int(page[2]): page[1] for page in _PAGE.finditer(answer.stderr)}
        if unknown := [one for one in options if one.startswith("r=") and _is_unknown(one.removeprefix("r="), said)]:
            for one in unknown:
                self._log.warn(f"reviewer {one.removeprefix('r=')} was not added: Gerrit finds no such account")
            left = [one for one in options if one not in unknown]
            return self.push(snapshot, branch, expected=expected, options=left)
        if closed := _CLOSED.search(said):
            self._note_closed(closed["name"], snapshot.message)
            return None
        self._look()
        mine = next((one for one in self._changes.values() if snapshot.commit in one.patch_sets.values()), None)
        if mine is not None:
            is_alone = self._put_back(mine, snapshot.commit, before, target)
            return Pushed(answer.stderr) if is_alone else None
        if answer.code == 0:  # it shows no changes: the answer is all there is
            return Pushed(answer.stderr)
        self.trouble = last_lines(said, 2) or "the answer broke off"
        if (final := push_error(self.url, target.partition("%")[0], said, credentials=self._credentials)) is not None:
            raise final
        return None

    def delete(self, branch: str, *, expected: str) -> bool:
        """Refused: a change is abandoned and not deleted.

        Raises:
            GitError: always.
        """
        del expected
        raise GitError(f"Gerrit cannot delete a change: {branch}", hint="Abandon the change on its page.")

    # How changes are seen.

    def _source(self, branch: str) -> str:
        change = self.latest(branch)
        assert change is not None, "only what was listed is fetched"
        return self._changes[change.number].ref(change.patch_set)

    def _look(self) -> None:
        """List the changes, and fetch what is new among them: their newest patch sets as commits without files."""
        self._has_looked, self._changes = True, {}
        for commit, name in self._listed("--", self.url.text, "refs/changes/*"):
            if not (ref := _REF.fullmatch(name)):
                continue
            change = self._changes.setdefault(int(ref["number"]), _Listed(int(ref["number"])))
            if ref["part"] == "meta":
                change.meta = commit
            else:
                change.patch_sets[int(ref["part"])] = commit
        self._changes = {number: one for number, one in self._changes.items() if one.patch_sets}
        new = [one for one in self._newest() if one.patch_sets[one.newest] not in self._messages]
        git = self._fetched_refs([one.ref(one.newest) for one in new], "--depth=1")
        for one in new:
            commit = one.patch_sets[one.newest]
            self._messages[commit] = _message(git, commit)

    def _newest(self) -> list[_Listed]:
        return [self._changes[number] for number in sorted(self._changes)[-_MOST:]]

    def _ours(self, head: str = "") -> Iterator[ReviewedChange]:
        """The changes of this tool, the oldest first, of one head or of all."""
        found = []
        for one in self._newest():
            message = self._messages.get(one.patch_sets[one.newest], "")
            named, change_id = _footer(message, "Gitops-Ci-Branch"), _footer(message, "Change-Id")
            is_asked = named == head if head else bool(named)
            if is_asked and (not self._base or change_id.startswith(self._prefix(named))):
                found.append((one, named, change_id, message))
        self._read_notes([one for one, *_ in found])
        for one, named, change_id, message in found:
            notes = self._notes.get(one.meta, [])
            branch = next(filter(None, (_footer(note, "Branch") for note in notes)), "")
            if self._base and branch not in {"", f"refs/heads/{self._base}"}:
                continue  # picked to another branch
            yield self._change(one, named, change_id, message, notes)

    def _change(self, one: _Listed, head: str, change_id: str, message: str, notes: Sequence[str]) -> ReviewedChange:
        ending = next(((note, status) for note in notes if (status := _footer(note, "Status"))), ("", ""))
        tags = next((value for note in notes if (value := _footer(note, "Hashtags"))), "")
        is_wip = next((value for note in notes if (value := _footer(note, "Work-in-progress"))), "")
        status = _STATUS.get(ending[1], "closed" if one.number in self._closed else "open")
        return ReviewedChange(
            number=one.number,
            patch_set=one.newest,
            commit=one.patch_sets[one.newest],
            change_id=change_id,
            status=status,  # type: ignore[arg-type]
            head=head,
            subject=message.partition("\n")[0],
            is_draft=is_wip == "true",
            is_retired=RETIRED in ending[0],
            hashtags=tuple(filter(None, tags.split(","))),
            url=self._pages.get(one.number, ""),
        )

    def _read_notes(self, changes: Iterable[_Listed]) -> None:
        """Fetch what Gerrit knows of these changes, where it shows that."""
        new = [one for one in changes if one.meta and one.meta not in self._notes]
        git = self._fetched_refs([one.ref("meta") for one in new])
        for one in new:
            read = git.checked("Reading a change", "log", "--format=%B%x00", "--end-of-options", one.meta)
            self._notes[one.meta] = [note.strip() for note in read.decode("utf-8", "replace").split("\0")]

    def _fetched_refs(self, refs: Sequence[str], *options: str) -> GitDirectory:
        """The repository that these refs of the remote were fetched into, commits alone where the server can."""
        git = self._directory("changes")
        if not refs:
            return git
        answer = self._ask(
            git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *options,
            *(["--filter=tree:0"] if self._has_partial_clone else []), "--stdin", "--", self.url.text,
            stdin="".join(f"+{ref}:{self._kept}{ref}\n" for ref in refs).encode(),
        )  # fmt: skip
        if answer.code != 0:
            raise fetch_error(self.url, answer.stderr, credentials=self._credentials)
        return git

    # How they are changed.

    def _prefix(self, head: str) -> str:
        """How the Change-Ids of a head begin."""
        return "I" + hashlib.sha1(f"{head}\n{self._base}".encode(), usedforsecurity=False).hexdigest()[:20]

    def _change_id(self, head: str) -> str:
        """The Change-Id for the next patch set of a head: that of the open change, else one made from the last one."""
        latest = self.latest(head)
        if latest is not None and latest.status == "open":
            return latest.change_id
        wanted = self._following(head, latest.change_id if latest else "")
        while wanted in self._spent:
            wanted = self._following(head, wanted)
        return wanted

    def _following(self, head: str, before: str) -> str:
        rest = hashlib.sha1(f"{head}\n{self._base}\n{before}".encode(), usedforsecurity=False).hexdigest()
        return self._prefix(head) + rest[:20]

    def _sent(self, commit: Snapshot, target: str) -> Answer:
        return self._run(
            commit.git,
            "push", "--quiet", "--porcelain", "--no-verify", "--", self.url.text, f"{commit.commit}:{target}",
        )  # fmt: skip

    def _note_closed(self, name: str, message: str) -> None:
        """Remember what the answer to a push says: `change https://review.example.com/c/config/+/1234 closed`."""
        number = int(found[0]) if (found := re.findall(r"[0-9]{1,10}", name)[-1:]) else 0
        if number in self._changes:
            self._closed.add(number)
        else:
            self._spent.add(_footer(message, "Change-Id"))
        self._log.detail(f"change {number} is closed")

    def _put_back(self, change: _Listed, commit: str, before: tuple[int, int], target: str) -> bool:
        """Whether a patch set follows the one that it was made for; else what came between is on top again."""
        is_alone, seen = True, before[1] if change.number == before[0] else 0
        while True:
            here = next(number for number, one in change.patch_sets.items() if one == commit)
            between = [number for number in change.patch_sets if seen < number < here]
            if not between:
                return is_alone
            self._log.detail(f"another run pushed patch set {max(between)} of change {change.number}: it is joined")
            again = self._copied(change.ref(max(between)), change.patch_sets[max(between)])
            is_alone, seen, commit = False, here, again.commit
            self._sent(again, target)
            self._look()
            change = self._changes[change.number]
            if commit not in change.patch_sets.values():
                return is_alone

    def _copied(self, ref: str, commit: str) -> Snapshot:
        """A patch set as a new commit, which Gerrit takes once more: of another second, and unsigned."""
        git = self._directory("whole")
        answer = self._ask(
            git, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=2",
            "--", self.url.text, f"+{ref}:{self._kept}{ref}",
        )  # fmt: skip
        if answer.code != 0:
            raise fetch_error(self.url, answer.stderr, credentials=self._credentials)
        head, _, message = git.read_object(commit)[1].decode("utf-8", "replace").partition("\n\n")
        lines = re.sub(r"\ngpgsig(?:-sha256)? .*(?:\n .*)*", "", head)
        seconds = max(int(time.time()), Snapshot(git, Objects(git), commit).committed_at + 1)
        lines = re.sub(r"(?m)^(committer .*) \d+ (\S+)$", rf"\g<1> {seconds} \2", lines)
        return Snapshot(git, Objects(git), git.write_object("commit", f"{lines}\n\n{message}".encode()))


def _is_unknown(name: str, said: str) -> bool:
    """Whether Gerrit refused a push because it has no account of this name (ChangeMessages)."""
    words = r"does not identify a registered user|is not a valid user identifier|does not have permission to see"
    return re.search(rf"(?<!\S){re.escape(name)} (?:{words})", said) is not None


def _message(git: GitDirectory, commit: str) -> str:
    try:
        _, raw = git.read_object(commit)
    except KeyError:
        return ""
    return raw.decode("utf-8", "replace").partition("\n\n")[2]


def _footer(message: str, key: str) -> str:
    """The value of a trailer in the last paragraph of a message, the last one of that name."""
    last = message.rstrip().rpartition("\n\n")[2]
    found: list[str] = re.findall(rf"(?m)^{re.escape(key)}: (.*?)\s*$", last)
    return found[-1] if found else ""
