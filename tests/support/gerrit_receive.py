"""The hook `proc-receive` of a repository that answers pushes to `refs/for/BRANCH` as Gerrit does.

It runs as a program of its own, inside the real `git receive-pack` (githooks(5), "proc-receive"). Tests import it for
what persons do. What it keeps is what Gerrit keeps in Git: patch sets at `refs/changes/NN/NUMBER/PATCHSET`, and each
change's history at `refs/changes/NN/NUMBER/meta`. It refuses what Gerrit refuses, in its words, and what no client of
ours should send.

Sources, all of Gerrit: Documentation/user-upload.txt, user-changeid.txt, error-change-closed.txt,
error-no-new-changes.txt, note-db.txt; server/git/receive/ReceiveCommits.java (requestReplaceAndValidateComments,
selectNewAndReplacedChangesFromMagicBranch), server/git/DefaultChangeReportFormatter.java,
server/git/validators/CommitValidators.java, server/notedb/ChangeUpdate.java, ChangeNoteFooters.java,
server/change/ChangeMessages.java; acceptance tests AbstractPushForReview.java.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

WEB = "https://review.example"
# Those of user-upload.txt that this tool may use; `t`, `r` and others are other names of the same.
OPTIONS = {"topic", "hashtag", "t", "r", "reviewer", "cc", "wip", "ready", "m", "l", "notify"}


# The repository: as a hook, the folder that it is started in.
_FOLDER = ContextVar("repository", default=Path())


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """What is called in the block is about this repository."""
    before = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(before)


class Rejected(Exception):
    """The word for a ref that is not taken."""


def git(*args: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(["git", "-C", str(_FOLDER.get()), *args], input=stdin, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return done.stdout.decode().removesuffix("\n")


def settings() -> dict:
    path = _FOLDER.get() / "gerrit.json"
    return json.loads(path.read_text()) if path.exists() else {}


def ref(number: int, part: object) -> str:
    return f"refs/changes/{number % 100:02}/{number}/{part}"


def changes() -> dict[int, dict]:
    """All changes: patch sets by number, and what their history says."""
    found: dict[int, dict] = {}
    listed = git("for-each-ref", "--format=%(refname) %(objectname)", "refs/changes/").splitlines()
    for name, commit in (line.split() for line in listed):
        _, _, _, number, part = name.split("/")
        change = found.setdefault(int(number), {"number": int(number), "patch_sets": {}, "status": "new", "wip": False})
        if part != "meta":
            change["patch_sets"][int(part)] = commit
            continue
        for note in reversed(git("log", "--format=%B%x00", commit).split("\0")):
            footers = dict(re.findall(r"(?m)^([A-Za-z-]+): ?(.*)$", note.strip().rpartition("\n\n")[2]))
            for key, footer in [("branch", "Branch"), ("key", "Change-id"), ("status", "Status"), ("topic", "Topic")]:
                change[key] = footers.get(footer, change.get(key, ""))
            change["hashtags"] = footers.get("Hashtags", change.get("hashtags", ""))
            change["reviewers"] = [*change.get("reviewers", []), *re.findall(r"(?m)^Reviewer: (.*)$", note)]
            change["wip"] = footers.get("Work-in-progress", str(change["wip"]).lower()) == "true"
    return found


def note(number: int, subject: str, text: str, footers: list[tuple[str, str]]) -> None:
    """Another commit on a change's history, as ChangeUpdate writes it."""
    name = ref(number, "meta")
    parent = git("for-each-ref", "--format=%(objectname)", name)
    message = "\n\n".join(filter(None, [subject, text, "\n".join(f"{k}: {v}" for k, v in footers)]))
    tree = git("mktree", stdin=b"")
    person = "Gerrit User 1000001 <1000001@fd7bb0f9> 1767225600 +0000"
    lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {person}", f"committer {person}"]
    commit = git("hash-object", "-t", "commit", "-w", "--stdin", stdin="\n".join([*lines, "", message, ""]).encode())
    git("update-ref", name, commit, parent or "0" * 40)


def options_of(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for option in filter(None, text.split(",")):
        name, _, value = option.partition("=")
        if name not in OPTIONS:
            raise Rejected(f'"--{name}" is not a valid option')
        found.setdefault({"t": "hashtag", "reviewer": "r"}.get(name, name), []).append(value)
    for name in found.get("r", []):
        if name not in settings().get("accounts", ["ada", "grace", "linus"]):
            raise Rejected(f"Account '{name}' not found\n{name} does not identify a registered user or group")
    return found


def change_id_of(commit: str) -> str:
    """The Change-Id of a commit's footer, as ChangeIdValidator wants it."""
    short, message = commit[:7], git("log", "-1", "--format=%B", commit)
    ids = re.findall(r"(?m)^Change-Id: (.*)$", message.strip().rpartition("\n\n")[2])
    if not ids:
        above = re.search(r"(?m)^Change-Id:", message)
        why = "Change-Id must be in message footer" if above else "missing Change-Id in message footer"
        raise Rejected(f"commit {short}: {why}")
    if len(ids) > 1:
        raise Rejected(f"commit {short}: multiple Change-Id lines in message footer")
    if not re.fullmatch(r"I[0-9a-f]{40}", ids[0]):
        raise Rejected(f"commit {short}: invalid Change-Id line format in message footer")
    return str(ids[0])


def receive(commit: str, name: str) -> str:
    """Take a commit for review; what is said of the change."""
    branch, _, given = name.removeprefix("refs/for/").partition("%")
    branch = branch.removeprefix("refs/heads/")
    wanted = options_of(given)
    if not git("for-each-ref", f"refs/heads/{branch}"):
        raise Rejected(f"branch {branch} not found")
    if settings().get("read_only"):
        raise Rejected("prohibited by Gerrit: not permitted: create change on refs/heads/" + branch)
    new = git("rev-list", commit, "--not", f"refs/heads/{branch}").splitlines()
    if not new:
        raise Rejected("no new changes")
    if len(new) > 1:
        raise Rejected(f"stub: {len(new)} commits in one push")
    committer = git("log", "-1", "--format=%ce", commit)
    if committer not in settings().get("emails", [committer]):
        raise Rejected(f"commit {commit[:7]}: invalid committer")
    key = change_id_of(commit)
    known = changes()
    here = [c for c in known.values() if (c.get("key"), c.get("branch")) == (key, f"refs/heads/{branch}")]
    for change in known.values():
        if commit in change["patch_sets"].values():
            is_current = change["patch_sets"][max(change["patch_sets"])] == commit
            raise Rejected(
                "commit(s) already exists (as current patchset)"
                if is_current
                else "commit already exists (in the change)"
            )
    subject = git("log", "-1", "--format=%s", commit)
    footers = [(k, v) for k, v in [("Topic", "".join(wanted.get("topic", [])[-1:]))] if v]
    footers += [("Hashtags", ",".join(wanted["hashtag"]))] if "hashtag" in wanted else []
    footers += [("Reviewer", person) for person in wanted.get("r", [])]
    if here:
        change = here[0]
        if change["status"] in {"merged", "abandoned"}:
            raise Rejected(f"change {WEB}/c/{project()}/+/{change['number']} closed")
        number, patch_set = change["number"], max(change["patch_sets"]) + 1
        footers += [("Work-in-progress", "true")] if "wip" in wanted else []
        first = []
    else:
        number, patch_set = max([0, *known]) + 1, 1
        footers += [("Private", "false"), ("Work-in-progress", str("wip" in wanted).lower())]
        first = [("Change-id", key), ("Subject", subject), ("Branch", f"refs/heads/{branch}"), ("Status", "new")]
    git("update-ref", ref(number, patch_set), commit, "0" * 40)
    head = "Create change" if patch_set == 1 else f"Create patch set {patch_set}"
    note(
        number,
        head,
        f"Uploaded patch set {patch_set}.",
        [
            ("Patch-set", str(patch_set)),
            *first,
            ("Commit", commit),
            ("Tag", "autogenerated:gerrit:newPatchSet"),
            *footers,
        ],
    )
    return f"  {WEB}/c/{project()}/+/{number} {subject}{'' if here else ' [NEW]'}"


def project() -> str:
    return str(settings().get("project", "acme/config"))


def packets() -> list[bytes]:
    """Packets up to the next flush (gitprotocol-common(5))."""
    found = []
    while (size := int(sys.stdin.buffer.read(4) or b"0", 16)) > 4:
        found.append(sys.stdin.buffer.read(size - 4))
    return found


def send(*lines: str) -> None:
    for line in lines:
        data = line.encode()
        sys.stdout.buffer.write(f"{len(data) + 4:04x}".encode() + data)
    sys.stdout.buffer.write(b"0000")
    sys.stdout.buffer.flush()


def main() -> None:
    asked = packets()[0].partition(b"\0")[2]
    send("version=1\0push-options" if b"push-options" in asked else "version=1")
    commands = [packet.decode().strip().split(" ", 2) for packet in packets()]
    if b"push-options" in asked:
        packets()
    answers = []
    for _, new, name in commands:
        try:
            said = receive(new, name)
            sys.stderr.write(f"Processing changes: refs: 1, done\n\nSUCCESS\n\n{said}\n\n")
            answers.append(f"ok {name}\n")
        except Rejected as why:
            sys.stderr.write("Processing changes: refs: 1, done\n")
            words = str(why).replace("\n", " ")
            answers.append(f"ng {name} {words}\n")
    send(*answers)


if __name__ == "__main__":
    main()
