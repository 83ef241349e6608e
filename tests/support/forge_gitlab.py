"""A stub GitLab with one project in a sub-group."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.forge_stub import Asked, ForgeStub, Pull, Refused, route

__all__ = ["GitLabStub"]

_PROJECT = "/api/v4/projects/{id}"
_PULL = f"{_PROJECT}/merge_requests/{{merge_request_iid}}"
_NOTES = f"{_PROJECT}/merge_requests/{{noteable_id}}/notes"


class GitLabStub(ForgeStub):
    """`merge_answers` are statuses that come before a merge is accepted, `undecided` how often the status is open.

    `one_reviewer` is what the free edition does: the first name counts.
    """

    CONTRACT = "gitlab"
    OWNER = "acme/platform"

    def __init__(self, branch_exists: Callable[[str], bool] | None = None, *, token: str = "stub-token-0123") -> None:
        super().__init__(branch_exists, token=token)
        self.pipeline_running = True
        self.merge_answers: list[int] = []
        self.undecided = 0
        self.one_reviewer = False
        self.pipeline_lag = 0  # looks at a merge request until the commit has a pipeline
        self.abort_lag = 0  # looks at a merge request that shows a push until its auto-merge is taken back
        self.requires_pipeline = False
        self.merge_method = "merge"
        self.has_pipelines = True
        self.merged_results = False

    @property
    def api_url(self) -> str:
        return f"{self.origin}/api/v4"

    def authorized(self, headers: Mapping[str, str]) -> bool:
        return headers.get("private-token") == self.token

    def refusal(self, status: int, words: str = "") -> Refused:
        usual = {401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Project Not Found"}
        return Refused(status, {"message": [words] if status == 409 else words or usual.get(status, "No")})

    @route("GET", "/api/v4/projects/{id}/repository/commits/{sha}/statuses")
    def _list_statuses(self, asked: Asked) -> tuple[int, Any]:
        words = {"success": "success", "failure": "failed", "pending": "running"}
        found = dict[str, Any]()  # the last one of each name
        for name, state, by in self.statuses_of(asked.values["sha"]):
            author = {"id": 1, "username": by}
            found.setdefault(name, {"name": name, "status": words[state], "author": author})
        return 200, list(found.values())

    @route("GET", "/api/v4/projects/{id}/repository/commits/{sha}/merge_requests")
    def _list_merge_requests_of_commit(self, asked: Asked) -> tuple[int, Any]:
        commit = asked.values["sha"]
        other = {"iid": 99, "state": "opened", "sha": commit, "merge_user": None, "merged_at": None}
        return 200, [other] + [
            {"iid": number, "state": "merged", "merge_commit_sha": commit, "merged_at": time}
            | {"merge_user": {"id": 1, "username": by} if by else None}
            for number, by, time in self.merges_of(commit)
        ]

    @route("GET", _PROJECT)
    def _get_project(self, asked: Asked) -> tuple[int, Any]:
        if self.fork and asked.values["id"] == self.fork:
            return 200, {
                "id": 9,
                "path_with_namespace": self.fork,
                "default_branch": self.default_branch,
                "only_allow_merge_if_pipeline_succeeds": False,
                "merge_method": "merge",
            }
        self._check_project(asked)
        return 200, {
            "id": 7,
            "path_with_namespace": self.path,
            "default_branch": self.default_branch,
            "only_allow_merge_if_pipeline_succeeds": self.requires_pipeline,
            "merge_method": self.merge_method,
        }

    @route("GET", f"{_PROJECT}/pipelines")
    def _list_pipelines(self, asked: Asked) -> tuple[int, Any]:
        return 200, [{"id": 1, "sha": self.sha(self.default_branch)}] if self.has_pipelines else []

    @route("GET", f"{_PROJECT}/repository/commits/{{sha}}")
    def _get_commit(self, asked: Asked) -> tuple[int, Any]:
        # The merge of a head into the base, as `_worked` makes it up.
        return 200, {"id": asked.values["sha"], "parent_ids": ["b" * 40, asked.values["sha"][::-1]]}

    @route("GET", f"{_PROJECT}/merge_requests")
    def _list(self, asked: Asked) -> tuple[int, Any]:
        self._check_project(asked)
        found = self.pulls
        if (state := asked.query.get("state", "all")) != "all":
            found = [p for p in found if _state(p) == state]
        if head := asked.query.get("source_branch"):
            found = [p for p in found if p.head == head]
        if base := asked.query.get("target_branch"):
            found = [p for p in found if p.base == base]
        return 200, [self._shown(p) for p in self.listed(found)]

    @route("POST", f"{_PROJECT}/merge_requests")
    def _create(self, asked: Asked) -> tuple[int, Any]:
        body = asked.body
        # It is made in the project that it comes from (docs.gitlab.com/api/merge_requests/#create-a-merge-request).
        origin = self.fork if self.fork and asked.values["id"] == self.fork else ""
        if origin and body.get("target_project_id") != 7:
            raise self.refusal(404)  # to the fork itself
        if not origin:
            self._check_project(asked)
        head, base = body["source_branch"], body["target_branch"]
        for field, branch, is_there in (
            ("source_branch", head, self.has_head(head, origin)),
            ("target_branch", base, self.branch_exists(base)),
        ):
            if not is_there:
                raise Refused(400, {"message": {field: [f'"{branch}" does not exist']}})
        if found := self.duplicate(head, base, origin):
            words = f"Another open merge request already exists for this source branch: !{found.number}"
            raise self.refusal(409, words)
        pull = self.add_pull(head, base, body=body.get("description") or "", author=self.author, origin=origin)
        self._retitle(pull, body["title"])
        return 201, self._shown(pull)

    @route("GET", _PULL)
    def _get(self, asked: Asked) -> tuple[int, Any]:
        self._check_project(asked)
        pull = self.pull(asked.values["merge_request_iid"])
        pipeline = self._worked(pull)
        shown = {**self._shown(pull), "head_pipeline": pipeline}
        if self.undecided:
            self.undecided -= 1
            shown["detailed_merge_status"] = "checking"
        return 200, shown

    def _worked(self, pull: Pull) -> Any:
        """The pipeline of a merge request, after the background jobs did another bit of their work."""
        before = pull.noticed
        commit = self.noticed(pull)
        if before == commit == self.head_sha(pull):
            pull.looks += 1
        if pull.auto_merge.startswith("old ") and pull.looks >= self.abort_lag:
            pull.auto_merge = ""
        if not self.has_pipelines or pull.looks < self.pipeline_lag:
            return None
        if self.merged_results:
            return {"sha": commit[::-1], "ref": f"refs/merge-requests/{pull.number}/merge", "status": "running"}
        return {"sha": commit, "ref": pull.head, "status": "running"}

    def on_push(self, pull: Pull) -> None:
        pull.auto_merge = pull.auto_merge and f"old {pull.auto_merge}"

    @route("PUT", _PULL)
    def _update(self, asked: Asked) -> tuple[int, Any]:
        self._check_project(asked)
        pull, body = self.pull(asked.values["merge_request_iid"]), asked.body
        if "title" in body:
            self._retitle(pull, body["title"])
        pull.body = body.get("description", pull.body)
        pull.labels += [label for label in body.get("add_labels", []) if label not in pull.labels]
        if body.get("state_event") == "close" and pull.status == "open":
            pull.status = "closed"
        if "milestone_id" in body:
            pull.milestone = self.milestones[body["milestone_id"] - 70]
        for role in ("reviewer", "assignee"):
            if f"{role}_ids" in body:
                named = [self.people[number - 1] for number in body[f"{role}_ids"]]
                setattr(pull, f"{role}s", named[:1] if self.one_reviewer else named)
        return 200, self._shown(pull)

    @route("GET", f"{_PROJECT}/milestones")
    def _list_milestones(self, asked: Asked) -> tuple[int, Any]:
        return 200, [self._milestone(title) for title in self.milestones if title == asked.query["title"]]

    def _milestone(self, title: str) -> Any:
        return {"id": self.milestones.index(title) + 70, "title": title} if title else None

    @route("PUT", f"{_PULL}/merge")
    def _merge(self, asked: Asked) -> tuple[int, Any]:
        pull, body = self.pull(asked.values["merge_request_iid"]), asked.body
        if self.merge_answers and (status := self.merge_answers.pop(0)) != 200:
            raise self.refusal(status, f"{status} Method Not Allowed")
        if body["sha"] != self.noticed(pull):
            raise self.refusal(409, "SHA does not match HEAD of source branch")
        if pull.draft or pull.status != "open":
            raise self.refusal(405, "405 Method Not Allowed")
        has_pipeline = self.has_pipelines and pull.looks >= self.pipeline_lag
        waits = self.requires_pipeline or (self.pipeline_running and has_pipeline)
        if waits and (body.get("auto_merge") or body.get("merge_when_pipeline_succeeds")):
            pull.auto_merge = "merge_when_checks_pass"
        else:
            pull.status = "merged"
        return 200, self._shown(pull)

    @route("GET", _NOTES)
    def _list_notes(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["noteable_id"])
        size, page = int(asked.query.get("per_page", 20)), int(asked.query.get("page", 1))
        system = [{"id": 1, "body": "added 1 commit", "system": True}]
        notes = [*system, *({"id": n, "body": text, "system": False} for n, text in pull.comments.items())]
        return 200, notes[(page - 1) * size : page * size]

    @route("POST", _NOTES)
    def _create_note(self, asked: Asked) -> tuple[int, Any]:
        number = self.add_comment(self.pull(asked.values["noteable_id"]), asked.body["body"])
        return 201, {"id": number, "body": asked.body["body"]}

    @route("PUT", f"{_NOTES}/{{note_id}}")
    def _update_note(self, asked: Asked) -> tuple[int, Any]:
        pull, number = self.pull(asked.values["noteable_id"]), int(asked.values["note_id"])
        if number not in pull.comments:
            raise self.refusal(404)
        pull.comments[number] = asked.body["body"]
        return 200, {"id": number, "body": asked.body["body"]}

    @route("GET", "/api/v4/users")
    def _list_users(self, asked: Asked) -> tuple[int, Any]:
        name = asked.query["username"].casefold()
        return 200, [self._user(n) for n in self.people if n.casefold() == name]

    def _check_project(self, asked: Asked) -> None:
        if asked.values["id"] != self.path:
            raise self.refusal(404)

    def _retitle(self, pull: Pull, title: str) -> None:
        marker = re.match(r"(?i)\s*(draft:|\[draft\]|\(draft\))\s*", title)
        pull.draft = marker is not None
        pull.title = title[marker.end() :] if marker else title

    def _shown(self, pull: Pull) -> Any:
        return {
            "iid": pull.number,
            "web_url": f"{self.origin}/{self.path}/-/merge_requests/{pull.number}",
            "title": f"Draft: {pull.title}" if pull.draft else pull.title,
            "draft": pull.draft,
            "description": pull.body,
            "state": _state(pull),
            "source_branch": pull.head,
            "target_branch": pull.base,
            "source_project_id": 8 if pull.fork else 9 if pull.origin else 7,
            "target_project_id": 7,
            "labels": pull.labels,
            "reviewers": [self._user(name) for name in pull.reviewers],
            "assignees": [self._user(name) for name in pull.assignees],
            "milestone": self._milestone(pull.milestone),
            "merge_when_pipeline_succeeds": bool(pull.auto_merge),
            "detailed_merge_status": "draft_status" if pull.draft else "mergeable",
            "sha": pull.noticed or self.noticed(pull),
        }

    def _user(self, name: str) -> Any:
        return {"id": self.people.index(name) + 1, "username": name}


def _state(pull: Pull) -> str:
    return {"open": "opened"}.get(pull.status, pull.status)
