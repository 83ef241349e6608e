"""How GitHub is brought to merge by itself: the commit that was pushed, by a method that the repository allows.

Sources: docs.github.com/graphql/reference/mutations#enablepullrequestautomerge, /rest/pulls/pulls#merge-a-pull-request.
"""

from __future__ import annotations

import re

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ForgeError
from gitops_ci.forges.api import Fields, as_object
from gitops_ci.forges.base import AutoMerge, MergeMethod
from gitops_ci.forges.github_api import GitHubApi

__all__ = ["Merging"]

_STATE = """
query State($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    autoMergeAllowed mergeCommitAllowed rebaseMergeAllowed squashMergeAllowed
    pullRequest(number: $number) {
      id merged headRefOid mergeStateStatus isInMergeQueue isMergeQueueEnabled autoMergeRequest { enabledAt }
    }
  }
}"""
_ENABLE = """
mutation Enable($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { pullRequest { id } }
}"""
_ENQUEUE = """
mutation Enqueue($input: EnqueuePullRequestInput!) {
  enqueuePullRequest(input: $input) { mergeQueueEntry { id } }
}"""
# A merge commit and a rebase keep the commit with its trailers; a squash may rewrite it.
_METHODS: tuple[tuple[str, MergeMethod], ...] = (
    ("mergeCommitAllowed", "merge"),
    ("rebaseMergeAllowed", "rebase"),
    ("squashMergeAllowed", "squash"),
)
# What a ruleset, or a branch with a linear history, answers to a method that the repository's settings allow.
_METHOD_REFUSED = re.compile(
    r"merge commits are not allowed|must not contain merge commits|merg(?:ing is|es are) not allowed",
    re.IGNORECASE,
)
_LOOKING = "looking whether the pull request can be merged"
_NOTHING_TO_WAIT_FOR = ("clean status", "unstable status", "rules not configured", "has_hooks status")


@dataclass(frozen=True, slots=True)
class Merging:
    """Auto-merge of one pull request of `OWNER/NAME`."""

    api: GitHubApi
    owner: str
    name: str
    number: int
    wanted: AutoMerge

    def run(self) -> bool:
        """As `Forge.merge_when_green`."""
        repository = self.api.caught_up(
            self._look, lambda found: str(found["pullRequest"]["headRefOid"]), self.wanted, _LOOKING,
            # A push takes a pull request out of the queue, a moment later.
            is_settled=lambda found: not (self.wanted.is_new and found["pullRequest"]["isInMergeQueue"]),
        )  # fmt: skip
        state = as_object(repository["pullRequest"])
        if state["merged"] or state["autoMergeRequest"] or state["isInMergeQueue"]:
            return True
        may_wait = bool(repository["autoMergeAllowed"])
        if state["isMergeQueueEnabled"] and not may_wait:
            return self._enqueue(state)
        methods = self.wanted.choose({name: name for allowed, name in _METHODS if repository[allowed]})
        for number, method in enumerate(methods, 1):
            try:
                return (may_wait and self._enable(state, method)) or self._merge_now(state, method, may_wait=may_wait)
            except ForgeError as error:
                if number == len(methods) or not _METHOD_REFUSED.search(error.message):
                    raise
        raise self.api.no_method(self.wanted, "merging the pull request")

    def _enqueue(self, state: Fields) -> bool:
        """Add it to the merge queue, which merges by a method of its own."""
        wanted = {"pullRequestId": state["id"], "expectedHeadOid": self.wanted.commit}
        self.api.mutate(_ENQUEUE, "adding the pull request to the merge queue", wanted)
        return True

    def _look(self) -> Fields:
        data = self.api.query(_STATE, _LOOKING, owner=self.owner, name=self.name, number=self.number)
        return as_object(data["repository"])

    def _enable(self, state: Fields, method: str) -> bool:
        """Turn auto-merge on; False where GitHub says that there is nothing to wait for."""
        wanted = {
            "pullRequestId": state["id"],
            "mergeMethod": method.upper(),
            "expectedHeadOid": self.wanted.commit,
        }
        try:
            self.api.mutate(_ENABLE, "turning auto-merge on", wanted, safe=True)
        except ForgeError as error:
            if any(words in error.message.casefold() for words in _NOTHING_TO_WAIT_FOR):
                return False
            raise
        return True

    def _merge_now(self, state: Fields, method: str, *, may_wait: bool) -> bool:
        status = state["mergeStateStatus"]
        doing = "merging the pull request"
        if status not in {"CLEAN", "HAS_HOOKS", "UNKNOWN"}:
            words = f"it is {status.lower()}, and auto-merge is " + ("refused" if may_wait else "not allowed")
            raise self.api.refusal(422, words, doing)
        body = {"sha": self.wanted.commit, "merge_method": method}
        path = f"/repos/{self.owner}/{self.name}/pulls/{self.number}/merge"
        self.api.send("PUT", path, doing, body, safe=False)
        return True
