"""A repository on Gerrit: real Git over HTTP, whose hook takes pushes for review, and what persons do on its pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support import gerrit_receive
from tests.support.git_repo import BareRepo

__all__ = ["Gerrit"]

_HOOK = Path(gerrit_receive.__file__)
_REFUSES = """\
#!/bin/sh
echo "error: branch $1:" >&2
echo "Push to refs/for/${1#refs/heads/} to create a review, or get 'Push' rights to update the branch." >&2
exit 1
"""


class Gerrit:
    """The changes of one bare repository. Direct pushes to branches are refused unless `may_push`."""

    def __init__(self, repo: BareRepo, project: str = "acme/config", *, may_push: bool = False) -> None:
        self.repo = repo
        repo.set(receive__procReceiveRefs="refs/for")
        repo.hook("proc-receive", f'#!/bin/sh\nexec {sys.executable} -I {_HOOK} "$@"\n')
        if not may_push:
            repo.hook("update", _REFUSES)
        self.set(project=project)

    def set(self, **values: object) -> None:
        """What the server is set to: `accounts`, `emails` of the one that pushes, `read_only`."""
        path = self.repo.path / "gerrit.json"
        now = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(now | values))

    def changes(self) -> list[dict]:
        """All changes, the oldest first; `current` is the commit of the newest patch set."""
        with gerrit_receive.within(self.repo.path):
            found = gerrit_receive.changes()
        ordered = [found[number] for number in sorted(found)]
        for change in ordered:
            change["current"] = change["patch_sets"][max(change["patch_sets"])]
        return ordered

    def change(self, number: int) -> dict:
        return next(change for change in self.changes() if change["number"] == number)

    def open(self) -> list[dict]:
        return [change for change in self.changes() if change["status"] == "new"]

    def abandon(self, number: int, message: str = "") -> None:
        """A person abandons a change (server/change/AbandonOp)."""
        text = f"Abandoned\n\n{message}".strip()
        self._note(number, "Update patch set", text, ("Status", "abandoned"))

    def restore(self, number: int) -> None:
        self._note(number, "Update patch set", "Restored", ("Status", "new"))

    def submit(self, number: int, how: str = "merge if necessary") -> None:
        """A person submits a change. By `rebase` and `cherry pick` the commit on the branch is a further patch set
        (Documentation/config-project-config.txt, "submit.action")."""
        change = self.change(number)
        branch, commit = change["branch"], change["current"]
        tip = self.repo.git("rev-parse", branch)
        if self.repo.git("merge-base", tip, commit) != tip:
            if how == "merge if necessary":
                tree = self._laid_on(tip, commit)
                made = self._made(tree, [tip, commit], f'Merge "{self.repo.git("log", "-1", "--format=%s", commit)}"')
            else:
                made = self._made(self._laid_on(tip, commit), [tip], self.repo.message(commit))
                self.upload(number, made, "Create patch set")
        else:
            made = commit
        self.repo.git("update-ref", branch, made)
        self._note(number, "Submit patch set", "Change has been successfully merged", ("Status", "merged"))

    def upload(self, number: int, commit: str, subject: str = "Create patch set") -> None:
        """Somebody's further patch set."""
        patch_set = max(self.change(number)["patch_sets"]) + 1
        self.repo.git("update-ref", gerrit_receive.ref(number, patch_set), commit)
        self._note(number, f"{subject} {patch_set}", f"Uploaded patch set {patch_set}.", ("Commit", commit))

    def amend(self, number: int, files: dict[str, bytes]) -> str:
        """A person's further patch set with other files: the same message, the same parent."""
        commit = self.change(number)["current"]
        parent = self.repo.git("rev-parse", f"{commit}^")
        made = self._made(self._tree(commit, files), [parent], self.repo.message(commit))
        self.upload(number, made)
        return made

    def rebase(self, number: int) -> None:
        """The button of the page: the change on today's branch, as a further patch set."""
        change = self.change(number)
        commit, tip = change["current"], self.repo.git("rev-parse", change["branch"])
        self.upload(number, self._made(self._laid_on(tip, commit), [tip], self.repo.message(commit)))

    def pick(self, number: int, branch: str) -> int:
        """The button of the page: a change of its own with the same Change-Id, for another branch."""
        change = self.change(number)
        tip = self.repo.git("rev-parse", f"refs/heads/{branch}")
        commit = change["current"]
        made = self._made(self._laid_on(tip, commit), [tip], self.repo.message(commit))
        new = max(one["number"] for one in self.changes()) + 1
        self.repo.git("update-ref", gerrit_receive.ref(new, 1), made)
        footers = [
            ("Patch-set", "1"),
            ("Change-id", change["key"]),
            ("Branch", f"refs/heads/{branch}"),
            ("Status", "new"),
        ]
        with gerrit_receive.within(self.repo.path):
            gerrit_receive.note(new, "Create change", "", [*footers, ("Commit", made)])
        return new

    def push(self, commit: str, branch: str = "main") -> None:
        """Another run pushes a commit for review."""
        with gerrit_receive.within(self.repo.path):
            gerrit_receive.receive(commit, f"refs/for/{branch}")

    def hide(self) -> None:
        """The server shows no changes (git-config(1), `transfer.hideRefs`)."""
        self.repo.set(uploadpack__hideRefs="refs/changes")

    def hide_notes(self) -> None:
        """Without the histories of changes, as before Gerrit 3."""
        listed = self.repo.git("for-each-ref", "--format=%(refname)", "refs/changes/").splitlines()
        for name in listed:
            if name.endswith("/meta"):
                self.repo.git("config", "--add", "uploadpack.hideRefs", name)

    def _note(self, number: int, subject: str, text: str, *footers: tuple[str, str]) -> None:
        patch_set = max(self.change(number)["patch_sets"])
        with gerrit_receive.within(self.repo.path):
            gerrit_receive.note(number, subject, text, [("Patch-set", str(patch_set)), *footers])

    def _laid_on(self, tip: str, commit: str) -> str:
        """The tree of a commit's changes on another one that did not change the same files."""
        paths = self.repo.git("diff", "--name-only", f"{commit}^", commit).splitlines()
        for path in paths:
            assert self.repo.read(path, tip) == self.repo.read(path, f"{commit}^"), f"conflict in {path}"
        return self._tree(tip, {path: self.repo.read(path, commit) for path in paths})

    def _tree(self, commit: str, files: dict[str, bytes]) -> str:
        """The tree of a commit with other contents of some files."""
        index = {"GIT_INDEX_FILE": str(self.repo.path / "gerrit.index"), **os.environ}

        def git(*args: str, stdin: bytes | None = None) -> str:
            command = ["git", "-C", str(self.repo.path), *args]
            done = subprocess.run(command, input=stdin, env=index, capture_output=True, check=True)
            return done.stdout.decode().strip()

        git("read-tree", commit)
        for path, data in files.items():
            blob = git("hash-object", "-w", "--stdin", stdin=data)
            git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        return git("write-tree")

    def _made(self, tree: str, parents: list[str], message: str) -> str:
        person = "ada <ada@example.com> 1799999999 +0000"
        lines = [f"tree {tree}", *(f"parent {p}" for p in parents), f"author {person}", f"committer {person}"]
        data = "\n".join([*lines, "", message, ""]).encode()
        return self.repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=data)
