"""A stub Bitbucket Cloud: a second pull request between the same branches changes the first one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.forge_stub import Asked, ForgeStub, Pull, Refused, route

__all__ = ["BitbucketStub"]

_PULLS = "/repositories/{workspace}/{repo_slug}/pullrequests"
_PULL = f"{_PULLS}/{{pull_request_id}}"
_STATE = {"open": "OPEN", "merged": "MERGED", "closed": "DECLINED"}


class BitbucketStub(ForgeStub):
    CONTRACT = "bitbucket"
    PREFIX = "/2.0"

    def __init__(self, branch_exists: Callable[[str], bool] | None = None, *, token: str = "stub-token-0123") -> None:
        super().__init__(branch_exists, token=token)
        self.people = ["{504c3b62-8120-4f0c-a7bc-87800b9d6f70}", "{bb1b5a5c-7f9f-4b5f-8a59-5a1a36c5c0aa}"]
        self.default_reviewers: list[str] = []
        self.authorization = f"Bearer {token}"

    def authorized(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == self.authorization

    def refusal(self, status: int, words: str = "", detail: str = "") -> Refused:
        usual = {401: "Token is invalid or not supported for this endpoint.", 404: "Repository not found"}
        error = {"message": words or usual.get(status, "No"), **({"detail": detail} if detail else {})}
        return Refused(status, {"type": "error", "error": error})

    @route("GET", "/repositories/{workspace}/{repo_slug}/commit/{commit}/statuses")
    def _list_statuses(self, asked: Asked) -> tuple[int, Any]:
        words = {"success": "SUCCESSFUL", "failure": "FAILED", "pending": "INPROGRESS"}
        found = dict[str, Any]()  # one of each key
        for name, state, _ in self.statuses_of(asked.values["commit"]):
            found.setdefault(name, {"type": "build", "key": name[:40], "name": name, "state": words[state]})
        return 200, self._page(list(found.values()))

    @route("GET", "/repositories/{workspace}/{repo_slug}/commit/{commit}/pullrequests")
    def _list_of_commit(self, asked: Asked) -> tuple[int, Any]:
        commit = asked.values["commit"]
        if not (found := self.merges_of(commit)):
            raise self.refusal(404)
        pull = {"type": "pullrequest", "state": "MERGED", "merge_commit": {"hash": commit[:12]}}
        return 200, self._page([{**pull, "id": number} for number, _, _ in found])

    @route("GET", f"{_PULLS}/{{pull_request_id}}/activity")
    def _list_activity(self, asked: Asked) -> tuple[int, Any]:
        wanted = int(asked.values["pull_request_id"])
        found = [one for listed in self.merges.values() for one in listed if one[0] == wanted]
        author = {"type": "user", "nickname": found[0][1], "display_name": found[0][1].title()} if found[0][1] else {}
        updates = [{"state": "MERGED", "date": found[0][2], "author": author}, {"state": "OPEN", "date": found[0][2]}]
        return 200, {"pagelen": 50, "values": [{"update": update} for update in updates]}

    @route("GET", "/repositories/{workspace}/{repo_slug}")
    def _get_repository(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        branch = {"type": "branch", "name": self.default_branch}
        return 200, {"type": "repository", "full_name": self.path, "mainbranch": branch}

    @route("GET", _PULLS)
    def _list(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        wanted = _QUERY.fullmatch(asked.query["q"])
        if wanted is None or asked.query.get("sort") != "-created_on":
            raise self.refusal(400, f"Invalid query: {asked.query['q']}")
        head, base = json.loads(wanted["head"]), json.loads(wanted["base"])
        states = re.findall(r'"(\w+)"', wanted["states"])
        found = [p for p in self.pulls if (p.head, p.base) == (head, base) and _STATE[p.status] in states]
        return 200, self._page([self._shown(p) for p in self.listed(found)])

    @route("POST", _PULLS)
    def _create(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        body = asked.body
        head, base = body["source"]["branch"]["name"], body["destination"]["branch"]["name"]
        for field, branch in (("source", head), ("destination", base)):
            if not self.branch_exists(branch):
                raise self.refusal(400, "Bad request", f"{field}: branch not found: {branch}")
        self._check_people(body)
        pull = self.duplicate(head, base) or self.add_pull(head, base, author=self.author)
        self._change(pull, body)
        return 201, self._shown(pull)

    @route("GET", _PULL)
    def _get(self, asked: Asked) -> tuple[int, Any]:
        return 200, self._shown(self.pull(asked.values["pull_request_id"]))

    @route("PUT", _PULL)
    def _update(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["pull_request_id"])
        if pull.status != "open":
            raise self.refusal(400, "This pull request is closed and cannot be edited")
        self._change(pull, asked.body)
        return 200, self._shown(pull)

    @route("POST", f"{_PULL}/decline")
    def _decline(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["pull_request_id"])
        if pull.status != "open":
            raise self.refusal(400, "This pull request is already closed.")
        pull.status = "closed"
        return 200, self._shown(pull)

    @route("GET", f"{_PULL}/comments")
    def _list_comments(self, asked: Asked) -> tuple[int, Any]:
        comments = self.pull(asked.values["pull_request_id"]).comments
        return 200, self._page([self._comment(number, text) for number, text in comments.items()])

    @route("POST", f"{_PULL}/comments")
    def _create_comment(self, asked: Asked) -> tuple[int, Any]:
        text = asked.body["content"]["raw"]
        number = self.add_comment(self.pull(asked.values["pull_request_id"]), text)
        return 201, self._comment(number, text)

    @route("PUT", f"{_PULL}/comments/{{comment_id}}")
    def _update_comment(self, asked: Asked) -> tuple[int, Any]:
        pull, number = self.pull(asked.values["pull_request_id"]), int(asked.values["comment_id"])
        if number not in pull.comments:
            raise self.refusal(404, "No such comment")
        pull.comments[number] = asked.body["content"]["raw"]
        return 200, self._comment(number, pull.comments[number])

    def _check_repository(self, asked: Asked) -> None:
        if f"{asked.values['workspace']}/{asked.values['repo_slug']}" != self.path:
            raise self.refusal(404)

    @route("GET", "/repositories/{workspace}/{repo_slug}/effective-default-reviewers")
    def _list_default_reviewers(self, asked: Asked) -> tuple[int, Any]:
        return 200, self._page([{"user": {"type": "user", "uuid": name}} for name in self.default_reviewers])

    def _check_people(self, body: Any) -> list[str]:
        people = [person.get("uuid") for person in body.get("reviewers", [])]
        if not set(people) <= set(self.people):
            words = "Malformed reviewers list"  # and nothing about whom it means
            raise Refused(
                400, {"type": "error", "error": {"message": f"reviewers: {words}", "fields": {"reviewers": [words]}}}
            )
        return people

    def _change(self, pull: Pull, body: Any) -> None:
        people = self._check_people(body)
        pull.reviewers = people  # what a request leaves out is taken away
        pull.title, pull.body = body.get("title", pull.title), body.get("description", pull.body)
        pull.draft = body.get("draft", pull.draft)

    def _page(self, values: list[Any]) -> Any:
        return {"size": len(values), "page": 1, "pagelen": 100, "values": values}

    def _comment(self, number: int, text: str) -> Any:
        return {"type": "pullrequest_comment", "id": number, "content": {"raw": text, "markup": "markdown"}}

    def _shown(self, pull: Pull) -> Any:
        name = "stranger/config" if pull.fork else self.path
        return {
            "type": "pullrequest",
            "id": pull.number,
            "links": {"html": {"href": f"{self.origin}/{self.path}/pull-requests/{pull.number}"}},
            "title": pull.title,
            "summary": {"raw": pull.body, "markup": "markdown"},
            "state": _STATE[pull.status],
            "draft": pull.draft,
            "reviewers": [{"type": "user", "uuid": name} for name in pull.reviewers],
            "source": {
                "branch": {"name": pull.head},
                "commit": {"hash": self.noticed(pull)[:12]},
                "repository": {"type": "repository", "full_name": name},
            },
            "destination": {
                "branch": {"name": pull.base},
                "repository": {"type": "repository", "full_name": self.path},
            },
        }


_TEXT = r'"(?:[^"\\]|\\.)*"'
_QUERY = re.compile(
    rf"source\.branch\.name = (?P<head>{_TEXT}) AND destination\.branch\.name = (?P<base>{_TEXT})"
    r' AND \((?P<states>state = "\w+"(?: OR state = "\w+")*)\)'
)
