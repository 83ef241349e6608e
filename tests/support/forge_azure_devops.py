"""A stub Azure DevOps: lists come wrapped in `count` and `value`, and searches cut descriptions to 400 characters."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.support.forge_stub import Asked, ForgeStub, Pull, Refused, route

__all__ = ["AzureDevOpsStub"]

_REPO = "/{organization}/{project}/_apis/git/repositories/{repositoryId}"
_PULLS = f"{_REPO}/pullrequests"
_PULL = f"{_PULLS}/{{pullRequestId}}"
_PARTS = f"{_REPO}/pullRequests/{{pullRequestId}}"
_STATUS = {"open": "active", "merged": "completed", "closed": "abandoned"}
_BOT = "00000000-0000-4000-8000-00000000b07a"


class AzureDevOpsStub(ForgeStub):
    CONTRACT = "azure-devops"
    OWNER = "acme/platform"

    def __init__(self, branch_exists: Callable[[str], bool] | None = None, *, token: str = "stub-token-0123") -> None:
        super().__init__(branch_exists, token=token)
        self.people = ["00000000-0000-4000-8000-0000000000a1", "00000000-0000-4000-8000-0000000000a2"]
        self.checks_running = True
        self.methods: set[str] | None = None  # what "Limit merge types" allows
        pair = base64.b64encode(f"gitops-ci:{token}".encode()).decode()
        self.authorization = f"Basic {pair}"

    @property
    def path(self) -> str:
        return f"{self.OWNER}/_git/{self.NAME}"

    def authorized(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == self.authorization

    def refusal(self, status: int, words: str = "") -> Refused:
        return Refused(
            status, {"$id": "1", "message": words or "TF400813: The user is not authorized.", "errorCode": 0}
        )

    @route("GET", "/{organization}/{project}/_apis/git/repositories/{repositoryId}/commits/{commitId}/statuses")
    def _list_statuses(self, asked: Asked) -> tuple[int, Any]:
        words = {"success": "succeeded", "failure": "failed", "pending": "pending"}
        found = dict[str, Any]()  # latestOnly
        for context, state, by in self.statuses_of(asked.values["commitId"]):
            genre, _, name = context.rpartition("/")
            of = {"name": name, **({"genre": genre} if genre else {})}
            found.setdefault(context, {"context": of, "state": words[state], "createdBy": {"displayName": by}})
        return 200, {"value": list(found.values()), "count": len(found)}

    @route("POST", f"{_REPO}/pullrequestquery")
    def _query(self, asked: Asked) -> tuple[int, Any]:
        results = []
        for query in asked.body["queries"]:
            [commit] = query["items"]
            merged = [
                {"pullRequestId": number, "status": "completed", "closedBy": {"displayName": by}, "closedDate": time}
                for number, by, time in self.merges_of(commit)
            ]
            is_first = query["type"] == "lastMergeCommit"
            results.append({commit: merged} if is_first and merged else {})
        return 200, {"results": results}

    @route("GET", _REPO)
    def _get_repository(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        return 200, {"name": self.NAME, "defaultBranch": f"refs/heads/{self.default_branch}"}

    @route("GET", _PULLS)
    def _list(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        criteria = {name.removeprefix("searchCriteria."): value for name, value in asked.query.items()}
        found = self.pulls
        if (status := criteria.get("status", "active")) != "all":
            found = [p for p in found if _STATUS[p.status] == status]
        if head := criteria.get("sourceRefName"):
            found = [p for p in found if f"refs/heads/{p.head}" == head]
        if base := criteria.get("targetRefName"):
            found = [p for p in found if f"refs/heads/{p.base}" == base]
        shown = [self._shown(p) for p in self.listed(found)]
        return 200, self._wrapped({**data, "description": data["description"][:400]} for data in shown)

    @route("POST", _PULLS)
    def _create(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        body = asked.body
        head, base = (body[end].removeprefix("refs/heads/") for end in ("sourceRefName", "targetRefName"))
        for branch in (head, base):
            if not self.branch_exists(branch):
                raise self.refusal(404, f"TF401027: the branch {branch} does not exist.")
        if self.duplicate(head, base):
            words = "TF401179: An active pull request for the source and target branch already exists."
            raise self.refusal(409, words)
        pull = self.add_pull(head, base, title=body["title"], body=body.get("description", ""), author=self.author)
        pull.draft = body.get("isDraft", False)
        return 200, self._shown(pull)

    @route("GET", _PULL)
    def _get(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        return 200, self._shown(self.pull(asked.values["pullRequestId"]))

    @route("PATCH", _PULL)
    def _update(self, asked: Asked) -> tuple[int, Any]:
        pull, body = self.pull(asked.values["pullRequestId"]), asked.body
        pull.title, pull.body = body.get("title", pull.title), body.get("description", pull.body)
        pull.draft = body.get("isDraft", pull.draft)
        if body.get("status") == "abandoned" and pull.status == "open":
            pull.status = "closed"
        if setter := body.get("autoCompleteSetBy"):
            if setter["id"] != _BOT:
                raise self.refusal(403, "TF401186: auto-complete can only be set by the caller.")
            pull.auto_merge = body["completionOptions"]["mergeStrategy"]
            if not self.checks_running:
                pull.status = "merged"
        return 200, self._shown(pull)

    @route("GET", "/{organization}/{project}/_apis/git/policy/configurations")
    def _list_policies(self, asked: Asked) -> tuple[int, Any]:
        if self.methods is None:
            return 200, self._wrapped([])
        names = {"merge": "allowNoFastForward", "rebase": "allowRebase", "squash": "allowSquash"}
        settings = {name: method in self.methods for method, name in names.items()}
        return 200, self._wrapped([{"isEnabled": True, "settings": settings}])

    @route("GET", f"{_PARTS}/labels")
    def _list_labels(self, asked: Asked) -> tuple[int, Any]:
        labels = self.pull(asked.values["pullRequestId"]).labels
        return 200, self._wrapped({"name": name, "active": True} for name in labels)

    @route("POST", f"{_PARTS}/labels")
    def _add_label(self, asked: Asked) -> tuple[int, Any]:
        pull, name = self.pull(asked.values["pullRequestId"]), asked.body["name"]
        pull.labels += [name] if name not in pull.labels else []
        return 200, {"name": name, "active": True}

    @route("PUT", f"{_PARTS}/reviewers/{{reviewerId}}")
    def _add_reviewer(self, asked: Asked) -> tuple[int, Any]:
        pull, name = self.pull(asked.values["pullRequestId"]), asked.values["reviewerId"]
        if name not in self.people:
            raise self.refusal(400, f"TF401027: the identity {name} cannot be resolved.")
        pull.reviewers += [name] if name not in pull.reviewers else []
        return 200, {"id": name, "vote": 0}

    @route("GET", f"{_PARTS}/threads")
    def _list_threads(self, asked: Asked) -> tuple[int, Any]:
        comments = self.pull(asked.values["pullRequestId"]).comments
        return 200, self._wrapped({"id": n, "comments": [{"id": 1, "content": text}]} for n, text in comments.items())

    @route("POST", f"{_PARTS}/threads")
    def _create_thread(self, asked: Asked) -> tuple[int, Any]:
        comment = asked.body["comments"][0]
        number = self.add_comment(self.pull(asked.values["pullRequestId"]), comment["content"])
        return 200, {"id": number, "comments": [{"id": 1, "content": comment["content"]}]}

    @route("PATCH", f"{_PARTS}/threads/{{threadId}}/comments/{{commentId}}")
    def _update_comment(self, asked: Asked) -> tuple[int, Any]:
        pull, number = self.pull(asked.values["pullRequestId"]), int(asked.values["threadId"])
        if number not in pull.comments or asked.values["commentId"] != "1":
            raise self.refusal(404, "TF: no such comment")
        pull.comments[number] = asked.body["content"]
        return 200, {"id": 1, "content": asked.body["content"]}

    def _check_repository(self, asked: Asked) -> None:
        found = f"{asked.values['organization']}/{asked.values['project']}/_git/{asked.values['repositoryId']}"
        if found != self.path:
            raise self.refusal(404, "TF401019: The Git repository does not exist or you do not have permissions.")

    def _wrapped(self, values: Iterable[Any]) -> Any:
        listed = list(values)
        return {"count": len(listed), "value": listed}

    def _shown(self, pull: Pull) -> Any:
        return {
            "pullRequestId": pull.number,
            "title": pull.title,
            "description": pull.body,
            "status": _STATUS[pull.status],
            "isDraft": pull.draft,
            "repository": {"id": "00000000-0000-4000-8000-00000000f00d"},
            "lastMergeSourceCommit": {"commitId": self.noticed(pull)},
            "sourceRefName": f"refs/heads/{pull.head}",
            "targetRefName": f"refs/heads/{pull.base}",
            "createdBy": {"id": _BOT, "displayName": pull.author},
            "reviewers": [{"id": name, "vote": 0} for name in pull.reviewers],
            **({"forkSource": {"name": "refs/heads/x"}} if pull.fork else {}),
            **({"autoCompleteSetBy": {"id": _BOT}} if pull.auto_merge else {}),
        }
