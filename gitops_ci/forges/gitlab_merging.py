"""How GitLab is brought to merge by itself: the commit that was pushed, and only after its pipeline.

GitLab deals with a push in background jobs. Until they are done a merge request shows the commit before, has no
pipeline, and keeps an auto-merge that the jobs then take back (gitlab-org/gitlab, app/services/merge_requests/
refresh_service.rb: `reload_merge_requests`, then `abort_auto_merges`). A request to merge at such a moment is refused,
forgotten, or obeyed at once without any pipeline (docs.gitlab.com/user/project/merge_requests/auto_merge).
"""

from __future__ import annotations

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ForgeError
from gitops_ci.forges.api import CATCHING_UP, Api, Fields, as_list, as_object
from gitops_ci.forges.base import AutoMerge

__all__ = ["Merging"]

# Still being looked at by a background job: the answer comes by itself (docs.gitlab.com "Merge status").
_UNDECIDED = frozenset({"approvals_syncing", "checking", "preparing", "unchecked"})
_ASKING = "asking to merge when the pipeline succeeds"


@dataclass(frozen=True, slots=True)
class Merging:
    """Auto-merge of one merge request of a project, whose addresses are `project` and `path`."""

    api: Api
    project: str
    path: str
    wanted: AutoMerge

    def run(self) -> bool:
        """As `Forge.merge_when_green`."""
        state = self._settled()
        if _is_done(state):
            return True
        self._check_method()
        self._wait_for_pipeline(state)
        for pause in (*CATCHING_UP, None):
            try:
                answer = as_object(self._ask())
            except ForgeError as error:
                # Right after it was opened, GitLab answers 405 until its background jobs have looked at it.
                if error.status not in {405, 409, 422} or not self._pause(pause):
                    status = self._look().get("detailed_merge_status")
                    words = f"{error.words or error.message}; its status is {status}"
                    raise self.api.refusal(error.status, words, _ASKING) from None
            else:
                if answer["state"] == "merged" or self._stays_on():
                    return True
                if not self._pause(pause):
                    break
        raise self.api.refusal(409, "it was taken back each time", _ASKING)

    def _check_method(self) -> None:
        """How a merge request is merged is the project's setting; only a squash can be asked for.

        Raises:
            ForgeError: the project merges in another way.
        """
        settings = {"merge": {"merge", "rebase_merge"}, "rebase": {"rebase_merge", "ff"}, "fast-forward": {"ff"}}
        if (wanted := settings.get(self.wanted.method)) is None:
            return
        project = as_object(self.api.get(self.project, "reading the project's settings"))
        if project.get("merge_method") not in wanted:
            raise self.api.no_method(self.wanted, _ASKING)

    def _stays_on(self) -> bool:
        """Whether auto-merge is still on a moment later: GitLab, busy with the push, may have taken it back."""
        return not (self.wanted.is_new and self._pause(1)) or _is_done(self._look())

    def _ask(self) -> object:
        # 17.11 renamed the parameter; each version ignores the name that it does not know.
        body = {
            "auto_merge": True,
            "merge_when_pipeline_succeeds": True,
            "should_remove_source_branch": True,
            "sha": self.wanted.commit,
        }
        if self.wanted.method != "auto":
            body["squash"] = self.wanted.method == "squash"
        return self.api.send("PUT", f"{self.path}/merge", _ASKING, body, safe=False)

    def _look(self) -> Fields:
        return as_object(self.api.get(self.path, "looking whether the merge request can be merged"))

    def _settled(self) -> Fields:
        """The merge request once it is about the wanted commit and its status is known.

        Raises:
            ForgeError: it is about another commit all the time.
        """

        def is_settled(state: Fields) -> bool:
            # What is on from before the push is about to be taken back.
            is_left_over = self.wanted.is_new and state.get("merge_when_pipeline_succeeds")
            return state["state"] == "merged" or not (is_left_over or state.get("detailed_merge_status") in _UNDECIDED)

        return self.api.caught_up(
            self._look, lambda state: str(state.get("sha") or ""), self.wanted, _ASKING, is_settled=is_settled
        )

    def _wait_for_pipeline(self, state: Fields) -> None:
        """Return when the wanted commit has a pipeline, or when GitLab merges nothing without one.

        Raises:
            ForgeError: none comes, and GitLab would merge at once.
        """
        if self._has_pipeline(state) or self._needs_none():
            return
        for pause in CATCHING_UP:
            if not self._pause(pause):
                break
            if self._has_pipeline(self._look()):
                return
        commit = self.wanted.commit[:12]
        raise self.api.refusal(422, f"no pipeline started for {commit}, so it would be merged unchecked", _ASKING)

    def _has_pipeline(self, state: Fields) -> bool:
        pipeline = as_object(state.get("head_pipeline") or Fields())
        if not pipeline or pipeline.get("sha") == self.wanted.commit:
            return bool(pipeline)
        if not str(pipeline.get("ref")).endswith(("/merge", "/train")):
            return False
        # A merged results pipeline runs for the merge of the head into the base.
        merge = as_object(self.api.get(f"{self.project}/repository/commits/{pipeline['sha']}", "reading a commit"))
        return self.wanted.commit in (merge.get("parent_ids") or ())

    def _needs_none(self) -> bool:
        """Whether the project waits for pipelines by itself, or has never had one."""
        project = as_object(self.api.get(self.project, "reading the project's settings"))
        if project.get("only_allow_merge_if_pipeline_succeeds"):
            return True
        try:
            return not as_list(self.api.get(f"{self.project}/pipelines", "looking for pipelines", per_page=1))
        except ForgeError as error:
            if error.status not in {403, 404}:
                raise
            return True  # pipelines are turned off in this project

    def _pause(self, seconds: int | None) -> bool:
        return seconds is not None and self.api.http.pause(seconds)


def _is_done(state: Fields) -> bool:
    return state["state"] == "merged" or bool(state.get("merge_when_pipeline_succeeds"))
