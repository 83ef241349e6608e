"""A stub GitHub: REST held against its contract, GraphQL run by a real engine over the types that the program uses."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, graphql_sync

from tests.support.contract_file import CONTRACTS, read_graphql
from tests.support.forge_stub import Asked, ForgeStub, Pull, Refused, route

__all__ = ["ApiCommit", "GitHubStub"]


@dataclass(frozen=True)
class ApiCommit:
    """A commit that was made through the API."""

    branch: str
    parent: str
    message: str
    files: Mapping[str, bytes]


class GitHubStub(ForgeStub):
    """GitHub Enterprise Server's addresses: REST at `/api/v3`, GraphQL at `/api/graphql`.

    `status` is what GraphQL's mergeStateStatus says. `on_commit` makes a commit of the API real, `on_merge` one with a
    tree and parents.
    """

    CONTRACT = "github"
    PREFIX = "/api/v3"

    def __init__(self, branch_exists: Callable[[str], bool] | None = None, *, token: str = "stub-token-0123") -> None:
        super().__init__(branch_exists, token=token)
        self.on_commit: Callable[[ApiCommit], str] | None = None
        self.on_merge: Callable[[str, list[str], str], str] | None = None
        self.status = "CLEAN"
        self.auto_merge_allowed = True
        self.methods = {"merge", "squash", "rebase"}
        self.teams = ["sre"]
        self.has_queue = False
        self.linear = False  # a ruleset of the base branch wants a linear history
        self.may_triage = True
        self.former = ""  # what the repository was called once
        self.refs: dict[str, str] = {}
        self.commits: dict[str, ApiCommit] = {}

    def authorized(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {self.token}"

    def refusal(self, status: int, words: str = "", errors: list[Any] | None = None) -> Refused:
        usual = {401: "Bad credentials", 404: "Not Found", 422: "Validation Failed"}
        body: dict[str, Any] = {"message": words or usual.get(status, "No"), "documentation_url": "https://docs"}
        return Refused(status, {**body, "errors": errors} if errors else body)

    def sha(self, branch: str) -> str:
        return self.refs.get(branch) or super().sha(branch)

    # GraphQL lies beside the REST prefix.

    def _serve(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any, Any]:
        old = f"{self.PREFIX}/repos/{self.former}"
        if self.former and (target + "/").replace("?", "/").startswith(f"{old}/"):
            # docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
            moved = self.origin + target.replace(old, f"{self.PREFIX}/repos/{self.path}", 1)
            return (301 if method == "GET" else 307), {"message": "Moved Permanently"}, {"Location": moved}
        return super()._serve(method, target, headers, body)

    def _answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        if path != "/api/graphql":
            return super()._answer(method, path, query, headers, body)
        if method != "POST" or query:
            return self._problem(f"{method} {path}", "GraphQL is asked by POST")
        if not self.authorized(headers):
            return 401, {"message": "Bad credentials"}
        return self._graphql(body)

    def _graphql(self, body: bytes) -> tuple[int, Any]:
        import json

        asked = json.loads(body)
        root = {
            "repository": self._repository,
            "enablePullRequestAutoMerge": self._enable_auto_merge,
            "convertPullRequestToDraft": self._to_draft,
            "enqueuePullRequest": self._enqueue,
            "createCommitOnBranch": self._create_commit,
        }
        types = read_graphql(CONTRACTS / "github.graphql")
        result = graphql_sync(types, asked["query"], root_value=root, variable_values=asked.get("variables"))
        errors = []
        for error in result.errors or ():
            kind = getattr(error, "kind", "") or getattr(error.original_error, "kind", "")
            if not kind:  # not a refusal of ours: the document or its variables are wrong
                return self._problem("POST /api/graphql", error.message)
            errors.append({"type": kind, "path": error.path, "message": error.message})
        return 200, {"data": result.data, **({"errors": errors} if errors else {})}

    def _repository(self, info: Any, owner: str, name: str, **_: Any) -> Any:
        if f"{owner}/{name}" not in {self.path, self.former}:  # GraphQL follows renames by itself
            raise _Trouble("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return {
            "autoMergeAllowed": self.auto_merge_allowed,
            "mergeCommitAllowed": "merge" in self.methods,
            "rebaseMergeAllowed": "rebase" in self.methods,
            "squashMergeAllowed": "squash" in self.methods,
            "pullRequest": lambda info, number: self._pull_node(self.pull(number)),
        }

    def _pull_node(self, pull: Pull) -> Any:
        return {
            "id": f"PR_{pull.number}",
            "merged": pull.status == "merged",
            "headRefOid": self.noticed(pull),
            "mergeStateStatus": "DRAFT" if pull.draft else self.status,
            "isInMergeQueue": pull.auto_merge == "queue",
            "isMergeQueueEnabled": self.has_queue,
            "autoMergeRequest": {"enabledAt": "2026-01-01T00:00:00Z"} if pull.auto_merge not in {"", "queue"} else None,
        }

    def on_push(self, pull: Pull) -> None:
        pull.auto_merge = "" if pull.auto_merge == "queue" else pull.auto_merge

    def _by_node(self, node: str) -> Pull:
        return self.pull(node.removeprefix("PR_"))

    def _enable_auto_merge(self, info: Any, input: Any) -> Any:  # noqa: A002 - GraphQL's name
        pull = self._by_node(input["pullRequestId"])
        method = input["mergeMethod"].lower()
        if method not in self.methods:
            raise _Trouble("UNPROCESSABLE", f"Merge method {method} merging is not allowed on this repository")
        if self.linear and method == "merge":
            raise _Trouble("UNPROCESSABLE", "Merge commits are not allowed on this branch")  # runatlantis/atlantis 1176
        if not self.auto_merge_allowed:
            raise _Trouble("UNPROCESSABLE", "Auto merge is not allowed for this repository")
        if pull.draft:
            raise _Trouble("UNPROCESSABLE", "Pull request Pull request is in draft status")
        if self.status in {"CLEAN", "UNSTABLE", "HAS_HOOKS"}:
            raise _Trouble("UNPROCESSABLE", f"Pull request Pull request is in {self.status.lower()} status")
        if input.get("expectedHeadOid") not in {None, self.noticed(pull)}:
            raise _Trouble("UNPROCESSABLE", "Expected head sha didn't match current head ref.")
        pull.auto_merge = method
        return {"pullRequest": self._pull_node(pull)}

    def _enqueue(self, info: Any, input: Any) -> Any:  # noqa: A002
        pull = self._by_node(input["pullRequestId"])
        if input.get("expectedHeadOid") != self.noticed(pull):
            raise _Trouble("UNPROCESSABLE", "Expected head sha didn't match current head ref.")
        pull.auto_merge = "queue"
        return {"mergeQueueEntry": {"id": f"MQE_{pull.number}"}}

    def _to_draft(self, info: Any, input: Any) -> Any:  # noqa: A002
        pull = self._by_node(input["pullRequestId"])
        pull.draft = True
        return {"pullRequest": self._pull_node(pull)}

    def _create_commit(self, info: Any, input: Any) -> Any:  # noqa: A002
        branch = input["branch"]["branchName"]
        if input["branch"]["repositoryNameWithOwner"] != (self.fork or self.path) or branch not in self.refs:
            raise _Trouble("NOT_FOUND", f"Could not resolve to a branch '{branch}'")
        if self.refs[branch] != input["expectedHeadOid"]:
            raise self.stale(input["expectedHeadOid"])
        files = {a["path"]: base64.b64decode(a["contents"], validate=True) for a in input["fileChanges"]["additions"]}
        message = "\n\n".join(filter(None, (input["message"]["headline"], input["message"].get("body"))))
        commit = ApiCommit(branch, self.refs[branch], message, files)
        made_up = hashlib.sha1(repr((commit.parent, message, sorted(files.items()))).encode()).hexdigest()
        sha = self.on_commit(commit) if self.on_commit else made_up
        self.commits[sha], self.refs[branch] = commit, sha
        return {"commit": {"oid": sha}}

    def stale(self, expected: str = "") -> Exception:
        """What a commit is refused with whose branch has moved on."""
        return _Trouble("STALE_DATA", f'Expected branch to point to "{expected}" but it did not.')

    # REST.

    @route("GET", "/repos/{owner}/{repo}/commits/{ref}/statuses")
    def _list_statuses(self, asked: Asked) -> tuple[int, Any]:
        size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        found = [one for one in self.statuses_of(asked.values["ref"]) if not one[2].endswith("-app")]
        return 200, [
            {"context": context, "state": state, "creator": {"login": by}}
            for context, state, by in found[(page - 1) * size : page * size]
        ]

    @route("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls")
    def _list_pulls_of_commit(self, asked: Asked) -> tuple[int, Any]:
        commit = asked.values["commit_sha"]
        merged = [
            {"number": number, "merged_at": time, "merge_commit_sha": commit}
            for number, _, time in self.merges_of(commit)
        ]
        # Another one contains the commit as well, and is open.
        return 200, [{"number": 99, "merged_at": None, "merge_commit_sha": "f" * 40}, *merged] if merged else []

    @route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}")
    def _get_merged(self, asked: Asked) -> tuple[int, Any]:
        wanted = int(asked.values["pull_number"])
        found = [one for listed in self.merges.values() for one in listed if one[0] == wanted]
        if not found:
            raise self.refusal(404)
        number, by, time = found[0]
        return 200, {"number": number, "merged_at": time, "merged_by": {"login": by} if by else None}

    @route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs")
    def _list_check_runs(self, asked: Asked) -> tuple[int, Any]:
        found = dict[str, Any]()  # the last one of each name
        for name, state, by in self.statuses_of(asked.values["ref"]):
            if by.endswith("-app"):
                done = {"status": "completed", "conclusion": state}
                running = {"status": "in_progress", "conclusion": None}
                found.setdefault(name, {"name": name, "app": {"slug": by}, **(running if state == "pending" else done)})
        return 200, {"total_count": len(found), "check_runs": list(found.values())}

    @route("GET", "/repos/{owner}/{repo}")
    def _get_repository(self, asked: Asked) -> tuple[int, Any]:
        if self.fork and f"{asked.values['owner']}/{asked.values['repo']}" == self.fork:
            return 200, {"full_name": self.fork, "default_branch": self.default_branch}
        self._check_repository(asked)
        return 200, {"full_name": self.path, "default_branch": self.default_branch}

    @route("GET", "/repos/{owner}/{repo}/pulls")
    def _list_pulls(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        state = asked.query.get("state", "open")
        found = [p for p in self.pulls if state == "all" or (p.status == "open") == (state == "open")]
        owner, _, head = asked.query.get("head", "").partition(":")
        if head and owner in {self.OWNER, self.fork.partition("/")[0]} - {""}:
            # As GitHub does: it goes by the owner alone, and a filter that it cannot resolve is not a filter.
            found = [p for p in found if p.head == head and self._from(p).partition("/")[0] == owner]
        elif head and owner == self.former.partition("/")[0]:
            found = []
        if base := asked.query.get("base"):
            found = [p for p in found if p.base == base]
        return 200, [self._shown(p) for p in self.listed(found)]

    @route("POST", "/repos/{owner}/{repo}/pulls")
    def _create_pull(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        body = asked.body
        base, (head, origin) = body["base"], self._named_head(body)
        if not body.get("title"):
            raise self.refusal(422, errors=[{"resource": "PullRequest", "field": "title", "code": "missing_field"}])
        for field, is_there in (("head", self.has_head(head, origin)), ("base", self.branch_exists(base))):
            if not is_there:
                raise self.refusal(422, errors=[{"resource": "PullRequest", "field": field, "code": "invalid"}])
        if self.duplicate(head, base, origin):
            words = f"A pull request already exists for {(origin or self.path).partition('/')[0]}:{head}."
            raise self.refusal(422, errors=[{"resource": "PullRequest", "code": "custom", "message": words}])
        pull = self.add_pull(head, base, title=body["title"], body=body.get("body") or "", author=self.author)
        pull.draft, pull.origin = body.get("draft", False), origin
        return 201, self._shown(pull)

    def _named_head(self, body: Any) -> tuple[str, str]:
        """The branch that a new pull request comes from, and its fork.

        A fork is named by its owner. Of two repositories of one owner, `head_repo` says which is meant
        (docs.github.com/rest/pulls/pulls#create-a-pull-request).
        """
        owner, colon, branch = body["head"].rpartition(":")
        if not colon or (owner == self.OWNER and body.get("head_repo", self.NAME) == self.NAME):
            return branch, ""
        if self.fork and self.fork == f"{owner}/{body.get('head_repo') or self.fork.partition('/')[2]}":
            return branch, self.fork
        raise self.refusal(422, errors=[{"resource": "PullRequest", "field": "head", "code": "invalid"}])

    def _from(self, pull: Pull) -> str:
        """The repository that a pull request comes from."""
        return f"stranger/{self.NAME}" if pull.fork else pull.origin or self.path

    @route("PATCH", "/repos/{owner}/{repo}/pulls/{pull_number}")
    def _update_pull(self, asked: Asked) -> tuple[int, Any]:
        self._check_repository(asked)
        pull = self.pull(asked.values["pull_number"])
        pull.title, pull.body = asked.body.get("title", pull.title), asked.body.get("body", pull.body)
        if pull.status != "merged":
            pull.status = asked.body.get("state", pull.status)
        return 200, self._shown(pull)

    @route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels")
    def _add_labels(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["issue_number"])
        pull.labels += [name for name in asked.body["labels"] if name not in pull.labels]
        return 200, [{"name": name} for name in pull.labels]

    @route("GET", "/repos/{owner}/{repo}/milestones")
    def _list_milestones(self, asked: Asked) -> tuple[int, Any]:
        size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        return 200, [self._milestone(title) for title in self.milestones[(page - 1) * size : page * size]]

    def _milestone(self, title: str) -> Any:
        return {"number": self.milestones.index(title) + 1, "title": title} if title else None

    @route("PATCH", "/repos/{owner}/{repo}/issues/{issue_number}")
    def _update_issue(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["issue_number"])
        if self.may_triage:
            pull.milestone = self.milestones[asked.body["milestone"] - 1]
        return 200, {"number": pull.number, "milestone": self._milestone(pull.milestone)}

    @route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/assignees")
    def _add_assignees(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["issue_number"])
        # GitHub leaves out in silence whoever cannot be assigned.
        pull.assignees += [n for n in asked.body["assignees"] if n in self.people and n not in pull.assignees]
        return 201, {"number": pull.number, "assignees": [{"login": name} for name in pull.assignees]}

    @route("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers")
    def _ask_reviewers(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["pull_number"])
        people, teams = asked.body.get("reviewers", []), asked.body.get("team_reviewers", [])
        if pull.author in people:
            raise self.refusal(422, "Review cannot be requested from pull request author.")
        if not set(people) <= set(self.people) or not set(teams) <= set(self.teams):
            words = "Reviews may only be requested from collaborators."
            raise self.refusal(422, f"{words} One or more of the users or teams you specified is not a collaborator")
        wanted = [*people, *(f"{self.OWNER}/{team}" for team in teams)]
        pull.reviewers += [name for name in wanted if name not in pull.reviewers]
        return 201, self._shown(pull)

    @route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews")
    def _list_reviews(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["pull_number"])
        return 200, [{"user": {"login": name}, "state": "APPROVED"} for name in pull.reviews]

    @route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments")
    def _list_comments(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["issue_number"])
        size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        comments = list(pull.comments.items())[(page - 1) * size : page * size]
        return 200, [{"id": number, "body": text} for number, text in comments]

    @route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments")
    def _create_comment(self, asked: Asked) -> tuple[int, Any]:
        number = self.add_comment(self.pull(asked.values["issue_number"]), asked.body["body"])
        return 201, {"id": number, "body": asked.body["body"]}

    @route("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}")
    def _update_comment(self, asked: Asked) -> tuple[int, Any]:
        number = int(asked.values["comment_id"])
        pull = next((p for p in self.pulls if number in p.comments), None)
        if pull is None:
            raise self.refusal(404)
        pull.comments[number] = asked.body["body"]
        return 200, {"id": number, "body": asked.body["body"]}

    @route("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/merge")
    def _merge(self, asked: Asked) -> tuple[int, Any]:
        pull = self.pull(asked.values["pull_number"])
        if asked.body["sha"] != self.noticed(pull):
            raise self.refusal(409, "Head branch was modified. Review and try the merge again.")
        if pull.status != "open" or self.status not in {"CLEAN", "HAS_HOOKS", "UNSTABLE"} or pull.draft:
            raise self.refusal(405, "Pull Request is not mergeable")
        if self.has_queue:
            raise self.refusal(405, "Changes must be made through the merge queue")
        if self.linear and asked.body["merge_method"] == "merge":
            raise self.refusal(405, "This branch must not contain merge commits.")
        if asked.body["merge_method"] not in self.methods:
            raise self.refusal(405, f"{asked.body['merge_method']} merges are not allowed on this repository.")
        pull.status, pull.auto_merge = "merged", ""
        return 200, {"sha": self.head_sha(pull), "merged": True, "message": "Pull Request successfully merged"}

    @route("GET", "/repos/{owner}/{repo}/git/ref/{ref}")
    def _get_ref(self, asked: Asked) -> tuple[int, Any]:
        branch = asked.values["ref"].removeprefix("heads/")
        if branch not in self.refs:
            raise self.refusal(404)
        return 200, self._ref(branch)

    @route("POST", "/repos/{owner}/{repo}/git/refs")
    def _create_ref(self, asked: Asked) -> tuple[int, Any]:
        branch = asked.body["ref"].removeprefix("refs/heads/")
        if branch in self.refs:
            raise self.refusal(422, "Reference already exists")
        self.refs[branch] = asked.body["sha"]
        return 201, self._ref(branch)

    @route("POST", "/repos/{owner}/{repo}/git/commits")
    def _create_git_commit(self, asked: Asked) -> tuple[int, Any]:
        message, parents, tree = asked.body["message"], asked.body["parents"], asked.body["tree"]
        made_up = hashlib.sha1(repr((tree, parents, message)).encode()).hexdigest()
        sha = self.on_merge(tree, parents, message) if self.on_merge else made_up
        return 201, {"sha": sha, "message": message, "parents": [{"sha": parent} for parent in parents]}

    @route("GET", "/repos/{owner}/{repo}/git/commits/{commit_sha}")
    def _get_commit(self, asked: Asked) -> tuple[int, Any]:
        sha = asked.values["commit_sha"]
        if sha not in self.commits:
            raise self.refusal(404)
        commit = self.commits[sha]
        return 200, {"sha": sha, "message": commit.message, "parents": [{"sha": commit.parent}]}

    def _ref(self, branch: str) -> Any:
        return {"ref": f"refs/heads/{branch}", "object": {"sha": self.refs[branch]}}

    def _check_repository(self, asked: Asked) -> None:
        if f"{asked.values['owner']}/{asked.values['repo']}" != self.path:
            raise self.refusal(404)

    def _shown(self, pull: Pull) -> Any:
        return {
            "number": pull.number,
            "node_id": f"PR_{pull.number}",
            "html_url": f"{self.origin}/{self.path}/pull/{pull.number}",
            "title": pull.title,
            "body": pull.body or None,
            "state": "open" if pull.status == "open" else "closed",
            "merged_at": "2026-01-01T00:00:00Z" if pull.status == "merged" else None,
            "draft": pull.draft,
            "labels": [{"name": name} for name in pull.labels],
            "assignees": [{"login": name} for name in pull.assignees],
            "milestone": self._milestone(pull.milestone),
            "requested_reviewers": [{"login": n} for n in pull.reviewers if "/" not in n and n not in pull.reviews],
            "requested_teams": [{"slug": n.partition("/")[2]} for n in pull.reviewers if "/" in n],
            "user": {"login": pull.author},
            "head": self._end(pull.head, self._from(pull), self.noticed(pull)),
            "base": self._end(pull.base, self.path, self.sha(pull.base)),
        }

    def _end(self, branch: str, name: str, commit: str) -> Any:
        repository = {"full_name": name, "owner": {"login": name.partition("/")[0]}}
        return {"ref": branch, "sha": commit, "repo": repository}


class _Trouble(GraphQLError):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
