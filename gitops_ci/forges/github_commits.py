"""Commits that GitHub makes itself, and signs where an app or GITHUB_TOKEN asks for them.

Source: docs.github.com/graphql/reference/mutations#createcommitonbranch. It names the expected head, so that nothing is
overwritten, and knows no file modes: every file becomes an ordinary one.
"""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ForgeError
from gitops_ci.forges.api import as_object, texts
from gitops_ci.forges.github_api import GitHubApi
from gitops_ci.model import FileChange
from gitops_ci.secret import mask

__all__ = ["Commits"]

_COMMIT = """
mutation Commit($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}"""


@dataclass(frozen=True, slots=True)
class Commits:
    """Commits to branches of one repository, `OWNER/NAME`."""

    api: GitHubApi
    repository: str

    def make(self, *, branch: str, parent: str, message: str, files: tuple[FileChange, ...]) -> str:
        """The new commit's id; see CommitsByApi."""
        tip = self._tip(branch)
        if tip is None:
            body = {"ref": f"refs/heads/{branch}", "sha": parent}
            self.api.send("POST", f"/repos/{self.repository}/git/refs", f"creating {branch}", body)
        elif tip != parent:
            return self._made_already(branch, parent, message, tip)
        headline, _, rest = message.partition("\n")
        wanted = {
            "branch": {"repositoryNameWithOwner": self.repository, "branchName": branch},
            "expectedHeadOid": parent,
            "message": {"headline": headline, "body": rest.strip("\n")},
            "fileChanges": {
                "additions": [
                    {"path": change.path, "contents": b64encode(change.after.encode()).decode()}
                    for change in files
                    if change.after
                ],
                **({"deletions": gone} if (gone := [{"path": c.path} for c in files if not c.after]) else {}),
            },
        }
        try:
            answer = self.api.mutate(_COMMIT, f"committing to {branch}", wanted)
        except ForgeError as error:
            if error.status not in {0, 409, 500, 502, 503, 504}:
                raise
            tip = self._tip(branch)
            if tip is None or tip == parent:
                raise
            return self._made_already(branch, parent, message, tip)
        return str(answer["createCommitOnBranch"]["commit"]["oid"])

    def merge(self, *, onto: str, other: str, tree: str, message: str) -> str:
        """The new commit's id; see CommitsByApi.

        GitHub signs it, too, since it names no author: docs.github.com "About commit signature verification", under
        "Signature verification for bots".
        """
        body = {"message": message, "tree": tree, "parents": [onto, other]}
        doing = f"merging {other[:12]} into {onto[:12]}"
        return str(as_object(self.api.send("POST", f"/repos/{self.repository}/git/commits", doing, body))["sha"])

    def _made_already(self, branch: str, parent: str, message: str, tip: str) -> str:
        """The tip, if it is this very commit: made by a try whose answer was lost, or by a twin of this run."""
        made = as_object(self.api.get(f"/repos/{self.repository}/git/commits/{tip}", f"reading {branch}"))
        if texts(made["parents"], "sha") == (parent,) and made["message"].strip() == message.strip():
            return tip
        raise self.api.refusal(409, f"it is at {mask(tip)[:12]}, not at {parent[:12]}", f"committing to {branch}")

    def _tip(self, branch: str) -> str | None:
        try:
            answer = as_object(
                self.api.get(f"/repos/{self.repository}/git/ref/heads/{quote(branch)}", f"reading {branch}")
            )
        except ForgeError as error:
            if error.status == 404:
                return None
            raise
        return str(answer["object"]["sha"])
