"""A stub Bitbucket Data Center: every change names the version it was made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.support.forge_stub import Asked, ForgeStub, Pull, Refused, route

__all__ = ["BitbucketDataCenterStub"]

_REPO = "/api/latest/projects/{projectKey}/repos/{repositorySlug}"
_PULLS = f"{_REPO}/pull-requests"
_PULL = f"{_PULLS}/{{pullRequestId}}"
_STATE = {"open": "OPEN", "merged": "MERGED", "closed": "DECLINED"}


class BitbucketDataCenterStub(ForgeStub):
    """`racing_changes` is how often somebody else changes a pull request just before our change arrives."""

    CONTRACT = "bitbucket-dc"
    PREFIX = "/rest"
    OWNER = "ACME"

    def __init__(self, branch_exists: Callable[[str], bool] | None = None, *, token: str = "stub-token-0123") -> None:
        super().__init__(branch_exists, token=token)
        self.checks_running = True
        self.auto_merge_enabled = True
        self.racing_changes = 0

    @property
    def path(self) -> str:
        return f"scm/{self.OWNER}/{self.NAME}"

    def authorized(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {self.token}"

    def refusal(self, status: int, words: str = "", vetoes: list[Any] | None = None) -> Refused:
        usual = {401: "Authentication failed.", 404: "Repository ACME/config does not exist."}
        error: dict[str, Any] = {"message": words or usual.get(status, "No"), "exceptionName": "X"}
        return Refused(status, {"errors": [{**error, **({"vetoes": vetoes} if vetoes else {})}]})

    @route("GET", "/build-status/latest/commits/{commitId}")
    def _list_statuses(self, asked: Asked) -> tuple[int, Any]:
        words = {"success": "SUCCESSFUL", "failure": "FAILED", "pending": "INPROGRESS"}
        found = self.statuses_of(asked.values["commitId"])
        start, limit = int(asked.query["start"]), int(asked.query["limit"])
        shown = [{"key": name[:40], "name": name, "state": words[state]} for name, state, _ in found]
        last = start + limit >= len(found)
        more = {} if last else {"nextPageStart": start + limit}
        return 200, {"values": shown[start : start + limit], "isLastPage": last, **more}

    @route("GET", f"{_REPO}/commits/{{commitId}}/pull-requests")
    def _list_of_commit(self, asked: Asked) -> tuple[int, Any]:
        found = [
            {"id": number, "state": "MERGED", "closedDate": int(datetime.fromisoformat(time).timestamp()) * 1000}
            for number, _, time in self.merges_of(asked.values["commitId"])
        ]
        return 200, {"values": [{"id": 99, "state": "OPEN"}, *found], "isLastPage": True}

    @route("GET", f"{_REPO}/branches/default")
    def _get_default(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        return 200, {"id": f"refs/heads/{self.default_branch}", "displayId": self.default_branch}

    @route("GET", _PULLS)
    def _list(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        query = asked.query
        branch = query["at"].removeprefix("refs/heads/")
        outgoing = query.get("direction", "INCOMING") == "OUTGOING"
        found = [p for p in self.pulls if (p.head if outgoing else p.base) == branch]
        if (state := query.get("state", "OPEN")) != "ALL":
            found = [p for p in found if _STATE[p.status] == state]
        start, limit = int(query.get("start", 0)), int(query.get("limit", 25))
        return 200, self._page([self._shown(p) for p in self.listed(found)], start, limit)

    @route("POST", _PULLS)
    def _create(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        body = asked.body
        for end in ("fromRef", "toRef"):
            repository = body[end]["repository"]
            if (repository["project"]["key"], repository["slug"]) != (self.OWNER, self.NAME):
                raise self.refusal(404)
        head, base = (body[end]["id"].removeprefix("refs/heads/") for end in ("fromRef", "toRef"))
        for branch in (head, base):
            if not self.branch_exists(branch):
                raise self.refusal(404, f"Repository ACME/config has no branch '{branch}'.")
        if self.duplicate(head, base):
            raise self.refusal(409, "Only one pull request may be open for a given source and target branch")
        pull = self.add_pull(head, base, title=body["title"], body=body.get("description", ""), author=self.author)
        pull.draft = body.get("draft", False)
        return 201, self._shown(pull)

    @route("GET", _PULL)
    def _get(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        return 200, self._shown(self.pull(asked.values["pullRequestId"]))

    @route("PUT", _PULL)
    def _update(self, asked: Asked) -> tuple[int, Any]:
        pull, body = self.pull(asked.values["pullRequestId"]), asked.body
        self._check_version(pull, body["version"])
        people = [person["user"]["name"] for person in body.get("reviewers", [])]
        if not set(people) <= set(self.people):
            raise self.refusal(409, "Errors encountered while adding some reviewers to this pull request.")
        pull.reviewers = people
        pull.title, pull.body = body.get("title", pull.title), body.get("description", pull.body)
        pull.draft = body.get("draft", pull.draft)
        pull.version += 1
        return 200, self._shown(pull)

    @route("POST", f"{_PULL}/participants")
    def _add_participant(self, asked: Asked) -> tuple[int, Any]:
        pull, name = self.pull(asked.values["pullRequestId"]), asked.body["user"]["name"]
        if name not in self.people:
            raise self.refusal(404, f"{name} is not a licensed user.")
        if name not in pull.reviewers:
            pull.reviewers.append(name)
            pull.version += 1
        return 200, {"user": {"name": name}, "role": asked.body["role"]}

    @route("POST", f"{_PULL}/decline")
    def _decline(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["pullRequestId"])
        self._check_version(pull, int(asked.query["version"]))
        pull.status = "closed"
        pull.version += 1
        return 200, self._shown(pull)

    @route("GET", f"{_PULL}/activities")
    def _list_activities(self, asked: Asked) -> tuple[int, Any]:
        number = int(asked.values["pullRequestId"])
        merges = [one for listed in self.merges.values() for one in listed if one[0] == number]
        comments = self.pull(number).comments if not merges else {}
        events = [{"id": 2, "action": "MERGED", "user": {"name": by}} for _, by, _ in merges if by]
        said = events + [
            {"id": n, "action": "COMMENTED", "comment": {"id": n, "version": 0, "text": text}}
            for n, text in comments.items()
        ]
        start, limit = int(asked.query.get("start", 0)), int(asked.query.get("limit", 25))
        return 200, self._page([{"id": 1, "action": "OPENED"}, *said], start, limit)

    @route("POST", f"{_PULL}/comments")
    def _create_comment(self, asked: Asked) -> tuple[int, Any]:
        number = self.add_comment(self.pull(asked.values["pullRequestId"]), asked.body["text"])
        return 201, {"id": number, "version": 0, "text": asked.body["text"]}

    @route("PUT", f"{_PULL}/comments/{{commentId}}")
    def _update_comment(self, asked: Asked) -> tuple[int, Any]:
        pull, number = self.pull(asked.values["pullRequestId"]), int(asked.values["commentId"])
        if number not in pull.comments or asked.body["version"] != 0:
            raise self.refusal(409, "You are attempting to modify a comment based on out-of-date information.")
        pull.comments[number] = asked.body["text"]
        return 200, {"id": number, "version": 1, "text": asked.body["text"]}

    @route("GET", f"{_PULL}/auto-merge")
    def _get_auto_merge(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["pullRequestId"])
        if not pull.auto_merge:
            raise self.refusal(404, "There is no auto-merge request for this pull request.")
        return 200, {"autoSubject": True, "strategyId": "no-ff", "fromHash": pull.auto_merge.partition(" ")[2]}

    @route("POST", f"{_PULL}/merge")
    def _merge(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["pullRequestId"])
        self._check_version(pull, asked.body["version"])
        if not self.checks_running:
            pull.status = "merged"
        elif asked.body.get("autoMerge") and self.auto_merge_enabled:
            pull.auto_merge = f"{asked.body.get('strategyId', 'no-ff')} {self.sha(pull.head)}"
        else:
            vetoes = [{"summaryMessage": "Builds", "detailedMessage": "You need 1 successful build"}]
            raise self.refusal(409, "The pull request has vetoes and cannot be merged", vetoes)
        return 200, self._shown(pull)

    def _check_repository(self, asked: Asked) -> None:
        if (asked.values["projectKey"], asked.values["repositorySlug"]) != (self.OWNER, self.NAME):
            raise self.refusal(404)

    def _check_version(self, pull: Pull, version: int) -> None:
        if self.racing_changes:
            self.racing_changes -= 1
            pull.version += 1
        if version != pull.version:
            words = "You are attempting to modify a pull request based on out-of-date information."
            raise self.refusal(409, words)

    def _page(self, values: list[Any], start: int, limit: int) -> Any:
        shown, last = values[start : start + limit], start + limit >= len(values)
        page = {"start": start, "limit": limit, "size": len(shown), "isLastPage": last, "values": shown}
        return page if last else {**page, "nextPageStart": start + limit}

    def _shown(self, pull: Pull) -> Any:
        return {
            "id": pull.number,
            "version": pull.version,
            "title": pull.title,
            "description": pull.body,
            "state": _STATE[pull.status],
            "draft": pull.draft,
            "fromRef": self._ref(pull.head, "~STRANGER" if pull.fork else self.OWNER, self.noticed(pull)),
            "toRef": self._ref(pull.base, self.OWNER, self.sha(pull.base)),
            "reviewers": [{"user": {"name": name}, "role": "REVIEWER"} for name in pull.reviewers],
            "links": {"self": [{"href": f"{self.origin}/projects/ACME/repos/config/pull-requests/{pull.number}"}]},
        }

    def _ref(self, branch: str, project: str, commit: str) -> Any:
        repository = {"slug": self.NAME, "project": {"key": project}}
        return {"id": f"refs/heads/{branch}", "displayId": branch, "latestCommit": commit, "repository": repository}
