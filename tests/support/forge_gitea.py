"""A stub Gitea: 1.27, or 1.25 with the old names in the request to merge."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.forge_stub import Asked, ForgeStub, Pull, Refused, route

__all__ = ["GiteaStub", "OldGiteaStub"]

_PULL = "/repos/{owner}/{repo}/pulls/{index}"


class GiteaStub(ForgeStub):
    """`merge_answers` are refusals (status, words) that come before a request to merge is accepted."""

    CONTRACT = "gitea"
    PREFIX = "/api/v1"
    VERSION = "1.27.0"
    DO = "do"

    def __init__(self, branch_exists: Callable[[str], bool] | None = None, *, token: str = "stub-token-0123") -> None:
        super().__init__(branch_exists, token=token)
        self.version = self.VERSION
        self.checks_running = True
        self.methods = {"merge", "rebase", "squash", "fast-forward-only"}
        self.merge_answers: list[tuple[int, str]] = []
        self.labels = ["gitops", "image"]
        self.teams = ["sre"]
        self.longest_page = 50

    def authorized(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"token {self.token}"

    def refusal(self, status: int, words: str = "") -> Refused:
        usual = {401: "user does not exist", 404: "The target couldn't be found."}
        return Refused(status, {"message": words or usual.get(status, "No"), "url": f"{self.origin}/api/swagger"})

    @route("GET", "/repos/{owner}/{repo}/commits/{ref}/statuses")
    def _list_statuses(self, asked: Asked) -> tuple[int, Any]:
        assert asked.query["sort"] == "recentupdate"
        size, page = min(int(asked.query.get("limit", 30)), self.longest_page), int(asked.query.get("page", 1))
        return 200, [
            {"context": context, "status": state, "creator": {"login": by}}
            for context, state, by in self.statuses_of(asked.values["ref"])[(page - 1) * size : page * size]
        ]

    @route("GET", "/repos/{owner}/{repo}/commits/{sha}/pull")
    def _get_pull_of_commit(self, asked: Asked) -> tuple[int, Any]:
        found = self.merges_of(asked.values["sha"])
        if not found:
            raise self.refusal(404)
        number, by, time = found[0]
        return 200, {"number": number, "merged": True, "merged_at": time, "merged_by": {"login": by} if by else None}

    @route("GET", "/version")
    def _version(self, asked: Asked) -> tuple[int, Any]:
        return 200, {"version": self.version}

    @route("GET", "/repos/{owner}/{repo}")
    def _get_repository(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        return 200, {"full_name": self.path, "default_branch": self.default_branch, **self._merges()}

    @route("GET", "/repos/{owner}/{repo}/pulls")
    def _list(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        state = asked.query.get("state", "open")
        found = [p for p in self.pulls if state == "all" or (p.status == "open") == (state == "open")]
        if base := asked.query.get("base_branch"):
            found = [p for p in found if p.base == base]
        size, page = min(int(asked.query.get("limit", 30)), self.longest_page), int(asked.query.get("page", 1))
        return 200, [self._shown(p) for p in self.listed(found)[(page - 1) * size : page * size]]

    @route("POST", "/repos/{owner}/{repo}/pulls")
    def _create(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        body = asked.body
        owner, colon, head = body["head"].rpartition(":")
        origin = self.fork if colon and owner != self.OWNER else ""
        if colon and owner not in {self.OWNER, self.fork.partition("/")[0]}:
            raise self.refusal(404)
        if not (self.has_head(head, origin) and self.branch_exists(body["base"])):
            raise self.refusal(404)
        if found := self.duplicate(head, body["base"], origin):
            words = f"pull request already exists for these targets [id: {found.number}, issue_id: 1]"
            raise self.refusal(409, words)
        pull = self.add_pull(head, body["base"], body=body.get("body", ""), author=self.author, origin=origin)
        self._retitle(pull, body["title"])
        return 201, self._shown(pull)

    @route("GET", _PULL)
    def _get(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        return 200, self._shown(self.pull(asked.values["index"]))

    @route("PATCH", _PULL)
    def _update(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        pull, body = self.pull(asked.values["index"]), asked.body
        if "title" in body:
            self._retitle(pull, body["title"])
        pull.body = body.get("body", pull.body)
        if pull.status != "merged":
            pull.status = body.get("state", pull.status)
        if "assignees" in body:
            if not set(body["assignees"]) <= set(self.people):
                raise self.refusal(422, "Assignee does not exist")
            pull.assignees = body["assignees"]
        if "milestone" in body:
            pull.milestone = self.milestones[body["milestone"] - 70]
        return 201, self._shown(pull)

    @route("GET", "/repos/{owner}/{repo}/milestones")
    def _list_milestones(self, asked: Asked) -> tuple[int, Any]:
        return 200, [self._milestone(title) for title in self.milestones if asked.query["name"] in title]

    def _milestone(self, title: str) -> Any:
        return {"id": self.milestones.index(title) + 70, "title": title} if title else None

    @route("POST", f"{_PULL}/requested_reviewers")
    def _ask_reviewers(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["index"])
        people, teams = asked.body.get("reviewers", []), asked.body.get("team_reviewers", [])
        if not set(people) <= set(self.people) or not set(teams) <= set(self.teams):
            raise self.refusal(404)
        if pull.author in people:
            raise self.refusal(422, "poster of pr can't be reviewer")
        pull.reviewers += [n for n in [*people, *(f"{self.OWNER}/{t}" for t in teams)] if n not in pull.reviewers]
        return 201, []

    @route("GET", f"{_PULL}/reviews")
    def _list_reviews(self, asked: Asked) -> tuple[int, Any]:
        reviews = self.pull(asked.values["index"]).reviews
        return 200, [{"user": {"login": name}, "state": "APPROVED"} for name in reviews]

    @route("POST", "/repos/{owner}/{repo}/issues/{index}/labels")
    def _add_labels(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["index"])
        pull.labels += [n for n in asked.body["labels"] if n in self.labels and n not in pull.labels]
        return 200, [{"name": name} for name in pull.labels]

    @route("GET", "/repos/{owner}/{repo}/issues/{index}/comments")
    def _list_comments(self, asked: Asked) -> tuple[int, Any]:
        comments = self.pull(asked.values["index"]).comments
        return 200, [{"id": number, "body": text} for number, text in comments.items()]

    @route("POST", "/repos/{owner}/{repo}/issues/{index}/comments")
    def _create_comment(self, asked: Asked) -> tuple[int, Any]:
        number = self.add_comment(self.pull(asked.values["index"]), asked.body["body"])
        return 201, {"id": number, "body": asked.body["body"]}

    @route("PATCH", "/repos/{owner}/{repo}/issues/comments/{id}")
    def _update_comment(self, asked: Asked) -> tuple[int, Any]:
        number = int(asked.values["id"])
        pull = next((p for p in self.pulls if number in p.comments), None)
        if pull is None:
            raise self.refusal(404)
        pull.comments[number] = asked.body["body"]
        return 200, {"id": number, "body": asked.body["body"]}

    @route("POST", f"{_PULL}/merge")
    def _merge(self, asked: Asked) -> tuple[int, Any]:
        pull, body = self.pull(asked.values["index"]), asked.body
        if self.merge_answers:
            raise self.refusal(*self.merge_answers.pop(0))
        if body[self.DO] not in self.methods:
            raise self.refusal(405, "merge style is not allowed")
        if body["head_commit_id"] != self.noticed(pull):
            raise self.refusal(409, "head out of date")
        if pull.draft:
            raise self.refusal(405, "Work in progress PRs cannot be merged")
        if self.checks_running and body.get("merge_when_checks_succeed"):
            if pull.auto_merge:
                raise self.refusal(409, "pull request is already scheduled to auto merge when checks succeed")
            pull.auto_merge = body[self.DO]
        else:
            pull.status = "merged"
        return 200, None

    def _check_repository(self, asked: Asked) -> None:
        if f"{asked.values['owner']}/{asked.values['repo']}" != self.path:
            raise self.refusal(404)

    def _retitle(self, pull: Pull, title: str) -> None:
        marker = re.match(r"(?i)\s*(wip:|\[wip\])\s*", title)
        pull.draft = marker is not None
        pull.title = title[marker.end() :] if marker else title

    def _merges(self) -> dict[str, bool]:
        names = {
            "merge": "merge_commits",
            "rebase": "rebase",
            "squash": "squash_merge",
            "fast-forward-only": "fast_forward_only_merge",
        }
        return {f"allow_{name}": method in self.methods for method, name in names.items()}

    def _ref_of(self, pull: Pull) -> str:
        return pull.head if self.has_head(pull.head, pull.origin) else f"refs/pull/{pull.number}/head"

    def _head_of(self, pull: Pull) -> str:
        """Where the branch is by now, also of a merged one (go-gitea/gitea, services/convert/pull.go)."""
        is_there = pull.status != "open" and self.has_head(pull.head, pull.origin)
        return self.head_sha(pull) if is_there else self.noticed(pull)

    @route("GET", "/repos/{owner}/{repo}/git/refs/{ref}")
    def _get_ref(self, asked: Asked) -> tuple[int, Any]:
        found = re.fullmatch(r"pull/(\d+)/head", asked.values["ref"])
        if not found:
            raise self.refusal(404)
        ref = f"refs/{asked.values['ref']}"
        return 200, [{"ref": ref, "object": {"sha": self.noticed(self.pull(found[1]))}}]

    def _shown(self, pull: Pull) -> Any:
        repository, owner = {"full_name": self.path, "owner": {"login": self.OWNER}}, pull.origin.partition("/")[0]
        return {
            "number": pull.number,
            "html_url": f"{self.origin}/{self.path}/pulls/{pull.number}",
            "title": f"WIP: {pull.title}" if pull.draft else pull.title,
            "body": pull.body,
            "state": "open" if pull.status == "open" else "closed",
            "merged": pull.status == "merged",
            "draft": pull.draft,
            "labels": [{"name": name} for name in pull.labels],
            "assignees": [{"login": name} for name in pull.assignees],
            "milestone": self._milestone(pull.milestone),
            "requested_reviewers": [{"login": n} for n in pull.reviewers if "/" not in n and n not in pull.reviews],
            "requested_reviewers_teams": [{"name": n.partition("/")[2]} for n in pull.reviewers if "/" in n],
            "head": {
                "ref": self._ref_of(pull),
                "label": pull.head,
                "sha": self._head_of(pull),
                "repo_id": 2 if pull.fork else 3 if pull.origin else 1,
                **({"repo": {"full_name": pull.origin, "owner": {"login": owner}}} if pull.origin else {}),
            },
            "base": {
                "ref": pull.base,
                "label": pull.base,
                "sha": self.sha(pull.base),
                "repo_id": 1,
                "repo": repository,
            },
        }


class OldGiteaStub(GiteaStub):
    CONTRACT = "gitea-1.25"
    VERSION = "1.25.5"
    DO = "Do"
