"""Azure DevOps Services (dev.azure.com, *.visualstudio.com) and Server.

Source: learn.microsoft.com/rest/api/azure/devops/git, api-version 7.1. Titles hold 400 characters, descriptions 4,000.
People are known by the id of their identity, a GUID. There are no assignees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import unquote

from gitops_ci.errors import ForgeError, UsageError
from gitops_ci.forges.api import Api, Fields, as_list, as_object, client_of, segment, texts
from gitops_ci.forges.base import AutoMerge, CommitStatus, ForgeKind, Merged, MergeMethod, StatusState, web_origin
from gitops_ci.forges.merges import name_of, seconds
from gitops_ci.forges.rest import Additions, RestForge, attempt
from gitops_ci.forges.tokens import advice, refused
from gitops_ci.http import Http
from gitops_ci.model import Proposal, PullRequest
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret, basic_auth

__all__ = ["KIND", "AzureDevOps"]

_VERSION = "7.1"
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MERGE_TYPES = "fa4e907d-c16b-4a4c-9dfa-4916e5d171ab"  # the policy's type, the same in every organization
_STRATEGIES: tuple[tuple[str, MergeMethod, str], ...] = (
    ("allowNoFastForward", "merge", "noFastForward"),
    ("allowRebase", "rebase", "rebase"),
    ("allowRebase", "fast-forward", "rebase"),  # "Rebase and fast-forward" in the website's words
    ("allowSquash", "squash", "squash"),
)
_STATUSES: Mapping[str, StatusState] = {
    "succeeded": "success",
    "notApplicable": "success",
    "failed": "failure",
    "error": "failure",
}
_STATUS = {"active": "open", "completed": "merged"}


class AzureDevOps(RestForge):
    """One repository of a project of an organization. `web` is its address in a browser."""

    TITLE_LIMIT: ClassVar[int] = 400
    BODY_LIMIT: ClassVar[int] = 4_000
    COMMENT_LIMIT: ClassVar[int] = 150_000  # in no reference; the server says so (runatlantis/atlantis pull/1585)

    def __init__(self, http: Http, path: str, web: str, token: Secret | None) -> None:
        api = Api(http, "Azure DevOps", explain=_explain, hint=lambda status, words: _hint(status, words, token))
        super().__init__(api)
        self._path = path
        self._web = web

    def default_branch(self) -> str:
        answer = as_object(self._get("", f"looking for {self._web}"))
        return str(answer.get("defaultBranch") or "").removeprefix("refs/heads/")

    def _pulls(self, *, head: str, base: str, every: bool) -> Iterable[PullRequest]:
        criteria = {
            "searchCriteria.sourceRefName": f"refs/heads/{head}",
            "searchCriteria.targetRefName": f"refs/heads/{base}",
            "searchCriteria.status": "all" if every else "active",
            "$top": 100,
        }
        answer = self._get("/pullrequests", "looking for the pull request", **criteria)
        found = [self._read(data) for data in _values(answer) if not data.get("forkSource")]
        matching = [p for p in found if (p.head, p.base) == (head, base)]
        return sorted(matching, key=lambda p: -(p.number or 0))

    def _whole(self, pull_request: PullRequest) -> PullRequest:
        # A search cuts descriptions to 400 characters, and labels come only when they are asked for.
        doing = "reading the pull request"
        whole = self._read(self._get(f"/pullrequests/{pull_request.number}", doing))
        labels = _values(self._get(f"/pullRequests/{pull_request.number}/labels", doing))
        return replace(whole, labels=texts([label for label in labels if label.get("active", True)], "name"))

    def statuses(self, commit: str) -> Iterable[CommitStatus]:
        path, doing = f"/commits/{segment(commit)}/statuses", "reading commit statuses"
        for one in _values(self._get(path, doing, latestOnly="true", top=1000)):
            context = as_object(one["context"])
            name = "/".join(filter(None, (str(context.get("genre") or ""), str(context["name"]))))
            by = str((one.get("createdBy") or {}).get("displayName", ""))
            yield CommitStatus(name, _STATUSES.get(str(one["state"]), "pending"), by)

    def merged(self, commit: str) -> Merged | None:
        """As ReadsMerges says: the one whose completion made the commit, else one that contains it."""
        kinds = ("lastMergeCommit", "commit")
        wanted = {"queries": [{"type": kind, "items": [commit]} for kind in kinds]}
        answer = as_object(self._send("POST", "/pullrequestquery", "looking for who merged", wanted, safe=True))
        for result in as_list(answer.get("results") or []):
            # By commit: there is one.
            for one in (pull for found in result.values() for pull in as_list(found)):
                if one.get("status") == "completed":
                    by = name_of(one.get("closedBy"), "displayName")
                    return Merged(int(one["pullRequestId"]), by, seconds(one.get("closedDate")))
        return None

    def _create(self, proposal: Proposal) -> PullRequest:
        body = {
            "title": proposal.title,
            "description": proposal.body,
            "sourceRefName": f"refs/heads/{proposal.head}",
            "targetRefName": f"refs/heads/{proposal.base}",
            "isDraft": proposal.draft,
        }
        return self._read(self._send("POST", "/pullrequests", "opening the pull request", body))

    def _exists(self, error: ForgeError) -> bool:
        return error.status == 409 and ("TF401179" in error.message or "already exists" in error.message)

    def _rewrite(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        values: dict[str, Any] = {"title": proposal.title, "description": proposal.body}
        if proposal.draft and not pull_request.draft:
            values["isDraft"] = True
        made = self._read(self._patch(pull_request, "updating the pull request", values))
        return replace(made, labels=pull_request.labels)

    def _add(self, pull_request: PullRequest, missing: Additions) -> Additions:
        added = Additions()
        if missing.assignees:
            added += Additions(warnings=("Azure DevOps has no assignees for pull requests",))
        if missing.milestone:
            added += Additions(warnings=("Azure DevOps has no milestones for pull requests",))
        for label in missing.labels:
            path = f"/pullRequests/{pull_request.number}/labels"
            self._send("POST", path, "adding labels", {"name": label}, safe=True)
            added += Additions(labels=(label,))
        for name in missing.reviewers:
            if _GUID.fullmatch(name):
                added += self._ask_for_review(pull_request, name)
            else:
                said = f"{name} was not asked for review: Azure DevOps knows people by the id of their identity"
                added += Additions(warnings=(said,))
        return added

    def _ask_for_review(self, pull_request: PullRequest, name: str) -> Additions:
        path = f"/pullRequests/{pull_request.number}/reviewers/{name}"
        return attempt(
            lambda: self._send("PUT", path, f"asking {name} for review", {"id": name, "vote": 0}),
            Additions(reviewers=(name,)),
            f"{name} was not asked for review",
        )

    def _close(self, pull_request: PullRequest) -> None:
        self._patch(pull_request, "abandoning the pull request", {"status": "abandoned"})

    def _comments(self, pull_request: PullRequest) -> Iterable[tuple[Any, str]]:
        for thread in _values(self._get(f"/pullRequests/{pull_request.number}/threads", "reading comments")):
            for comment in () if thread.get("isDeleted") else thread.get("comments") or ():
                if not comment.get("isDeleted"):
                    yield (thread["id"], comment["id"]), str(comment.get("content") or "")

    def _say(self, pull_request: PullRequest, text: str, *, instead_of: Any | None) -> None:
        path = f"/pullRequests/{pull_request.number}/threads"
        if instead_of is not None:
            thread, comment = instead_of
            where = f"{path}/{thread}/comments/{comment}"
            self._send("PATCH", where, "changing a comment", {"content": text}, safe=True)
        else:
            # Closed: an open thread would keep the pull request from completing where comments must be resolved.
            said = {"parentCommentId": 0, "content": text, "commentType": "text"}
            self._send("POST", path, "commenting", {"comments": [said], "status": "closed"})

    def _merge(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        # Auto-complete names no commit: it stays on, and waits for the policies of each new one.
        doing = "setting auto-complete"
        state = as_object(self._get(f"/pullrequests/{pull_request.number}", doing))
        if state["status"] == "completed" or state.get("autoCompleteSetBy"):
            return True
        values = {
            # Auto-complete acts in somebody's name: that of whoever opened it, which is this very token.
            "autoCompleteSetBy": {"id": state["createdBy"]["id"]},
            "completionOptions": {
                "deleteSourceBranch": True,
                "mergeStrategy": self._strategy(state, wanted),
                "transitionWorkItems": False,
            },
        }
        self._patch(pull_request, doing, values)
        return True

    def _strategy(self, state: Fields, wanted: AutoMerge) -> str:
        """The first strategy that the branch policy "Limit merge types" allows."""
        doing = "asking how the branch may be merged"
        params = {
            "repositoryId": state["repository"]["id"],
            "refName": state["targetRefName"],
            "policyType": _MERGE_TYPES,
            "api-version": _VERSION,
        }
        path = f"{self._path.partition('/_apis/')[0]}/_apis/git/policy/configurations"
        try:
            found = _values(self._api.get(path, doing, **params))
            limits = [policy["settings"] for policy in found if policy.get("isEnabled")]
        except ForgeError as error:
            if error.status not in {403, 404}:
                raise
            limits = []  # who may not read policies takes the usual one
        allowed = {name: word for flag, name, word in _STRATEGIES if all(limit.get(flag) for limit in limits)}
        if not (words := wanted.choose(allowed)):
            raise self._api.no_method(wanted, doing)
        return words[0]

    def _patch(self, pull_request: PullRequest, doing: str, values: dict[str, Any]) -> Any:
        return self._send("PATCH", f"/pullrequests/{pull_request.number}", doing, values, safe=True)

    def _get(self, path: str, doing: str, **params: str | int) -> Any:
        return self._api.get(f"{self._path}{path}", doing, **params, **{"api-version": _VERSION})

    def _send(self, method: str, path: str, doing: str, body: Any, *, safe: bool | None = None) -> Any:
        params = {"api-version": _VERSION}
        return self._api.send(method, f"{self._path}{path}", doing, body, params=params, safe=safe)

    def _read(self, data: Any) -> PullRequest:
        data = as_object(data)
        number = data["pullRequestId"]
        return PullRequest(
            number=number,
            url=f"{self._web}/pullrequest/{number}",
            head=data["sourceRefName"].removeprefix("refs/heads/"),
            base=data["targetRefName"].removeprefix("refs/heads/"),
            title=data["title"],
            body=data.get("description") or "",
            labels=texts(data.get("labels"), "name"),
            status=_STATUS.get(data["status"], "closed"),  # type: ignore[arg-type]
            draft=bool(data.get("isDraft")),
            head_commit=str((data.get("lastMergeSourceCommit") or {}).get("commitId") or ""),
            reviewers=texts(data.get("reviewers"), "id"),
        )


def _values(answer: Any) -> list[Any]:
    """A list, which the server wraps into an object with `count` and `value`."""
    return as_list(answer["value"] if isinstance(answer, dict) else answer)


def _explain(body: Any) -> str:
    return str(body["message"])


def _hint(status: int, words: str, token: Secret | None) -> str:
    del words
    usual = (
        "In a pipeline map System.AccessToken: `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`, and give the "
        "project's Build Service 'Contribute' and 'Contribute to pull requests' on the repository. Elsewhere use a "
        "personal access token with the scope Code (read and write)."
    )
    # Whoever may not come in is sent to the sign-in page, with a redirect or as a web page.
    if status in {203, 302, 401}:
        return refused(token, "azure-devops", usual)
    return (advice(token, "azure-devops") or usual) if status in {403, 404} else ""


def _places(url: RepoUrl) -> tuple[str, str, str, str]:
    """(Origin and path of the server, organization or collection, project, repository) from a clone address."""
    parts = [unquote(part) for part in url.path.split("/")]
    if url.host.endswith("ssh.dev.azure.com") or url.host == "vs-ssh.visualstudio.com":
        # git@ssh.dev.azure.com:v3/ORGANIZATION/PROJECT/REPOSITORY
        if len(parts) == 4:
            return "https://dev.azure.com", *parts[1:]  # type: ignore[return-value]
    elif "_git" in parts[:-1]:
        before, name = parts[: parts.index("_git")], parts[-1]
        if url.host.endswith(".visualstudio.com"):
            organization = url.host.split(".", maxsplit=1)[0]
            projects = [part for part in before if part != "DefaultCollection"]
            return "https://dev.azure.com", organization, projects[0] if projects else name, name
        # A project's first repository has its name, and its address leaves the project out.
        levels = 1 if url.host == "dev.azure.com" or len(before) == 1 else len(before) - 1
        below, rest = before[: levels - 1], before[levels - 1 :]
        project = rest[1] if len(rest) > 1 else name
        if rest:
            return "/".join([web_origin(url), *below]), rest[0], project, name
    raise UsageError(
        f"{url} names no repository on Azure DevOps",
        hint="Its address looks like https://dev.azure.com/ORGANIZATION/PROJECT/_git/REPOSITORY.",
    )


def _connect(url: RepoUrl, token: Secret | None, api_url: str | None, *, deadline: float | None = None) -> AzureDevOps:
    server, organization, project, name = _places(url)
    headers: dict[str, str | Secret] = {"Accept": "application/json"}
    if token:
        user, password = _sign_in(token)
        headers["Authorization"] = basic_auth(user, password) if user else Secret(f"Bearer {password.reveal()}")
    path = f"/{segment(organization)}/{segment(project)}/_apis/git/repositories/{segment(name)}"
    web = f"{server}/{segment(organization)}/{segment(project)}/_git/{segment(name)}"
    return AzureDevOps(client_of(api_url or server, headers, deadline), path, web, token)


def _sign_in(token: Secret) -> tuple[str, Secret]:
    """System.AccessToken is a JSON Web Token and goes as bearer, a personal access token as password."""
    return ("" if token.reveal().startswith("eyJ") else "gitops-ci"), token


KIND = ForgeKind(
    id="azure-devops",
    token_variables=("SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT"),
    git_user="gitops-ci",  # any name: the token alone counts
    hosts=lambda host: host in {"dev.azure.com", "ssh.dev.azure.com"} or host.endswith(".visualstudio.com"),
    connect=_connect,
    sign_in=_sign_in,
)
