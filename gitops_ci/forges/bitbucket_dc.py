"""Bitbucket Data Center (once Server), 8.0 and later.

Source: developer.atlassian.com/server/bitbucket/rest. It has no labels and no assignees for pull requests. Whoever
changes one names the version that was read. Repositories are `PROJECT/name`, cloned from `/scm/PROJECT/name.git`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from gitops_ci.errors import ForgeError
from gitops_ci.forges.api import Api, as_list, as_object, client_of, segment
from gitops_ci.forges.base import AutoMerge, CommitStatus, ForgeKind, Merged, StatusState, owner_and_name, web_origin
from gitops_ci.forges.merges import answer_or_none, name_of
from gitops_ci.forges.rest import Additions, RestForge, attempt, without_refused
from gitops_ci.forges.tokens import advice, refused
from gitops_ci.http import Http
from gitops_ci.model import Proposal, PullRequest
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret

__all__ = ["KIND", "BitbucketDataCenter"]


class BitbucketDataCenter(RestForge):
    """One repository of a project (`KEY`) or a person (`~name`)."""

    BODY_LIMIT: ClassVar[int] = 32_768
    COMMENT_LIMIT: ClassVar[int] = 32_768

    def __init__(self, http: Http, project: str, name: str, token: Secret | None) -> None:
        api = Api(http, "Bitbucket", explain=_explain, hint=lambda status, words: _hint(status, words, token))
        super().__init__(api)
        self._project, self._name = project, name
        self._path = f"/api/latest/projects/{project}/repos/{name}"

    def default_branch(self) -> str:
        path, doing = f"{self._path}/branches/default", f"looking for {self._project}/{self._name}"
        answer = self._api.get(path, doing)
        return str(as_object(answer)["displayId"]) if answer else ""

    def _pulls(self, *, head: str, base: str, every: bool) -> Iterable[PullRequest]:
        start = 0
        for _ in range(10):
            answer = as_object(
                self._api.get(
                    f"{self._path}/pull-requests",
                    "looking for the pull request",
                    at=f"refs/heads/{head}",
                    direction="OUTGOING",
                    state="ALL" if every else "OPEN",
                    order="NEWEST",
                    start=start,
                    limit=100,
                )
            )
            for data in as_list(as_object(answer)["values"]):
                ends = data["fromRef"]["displayId"], data["toRef"]["displayId"]
                if ends == (head, base) and _repository(data["fromRef"]) == _repository(data["toRef"]):
                    yield _read(data)
            if answer.get("isLastPage", True):
                return
            start = answer["nextPageStart"]

    def statuses(self, commit: str) -> Iterable[CommitStatus]:
        start = 0
        for _ in range(10):
            path = f"/build-status/latest/commits/{segment(commit)}"
            doing = "reading build statuses"
            answer = as_object(self._api.get(path, doing, orderBy="NEWEST", start=start, limit=100))
            for one in as_list(as_object(answer)["values"]):
                yield CommitStatus(str(one.get("name") or one["key"]), _STATUSES.get(str(one["state"]), "pending"))
            if answer.get("isLastPage", True):
                return
            start = answer["nextPageStart"]

    def merged(self, commit: str) -> Merged | None:
        """As ReadsMerges says. Times are milliseconds."""
        doing = "looking for who merged"
        path = f"{self._path}/commits/{segment(commit)}/pull-requests"
        answer = answer_or_none(self._api, path, doing, limit=100)
        listed = as_list(as_object(answer).get("values") or []) if answer else []
        one = next((found for found in listed if found.get("state") == "MERGED"), None)
        if one is None:
            return None
        number = int(one["id"])
        path = f"{self._path}/pull-requests/{number}/activities"
        answer = as_object(self._api.get(path, doing, start=0, limit=100))
        merges = (event for event in as_list(answer.get("values") or []) if event.get("action") == "MERGED")
        merge = next(merges, None)
        by = name_of(merge.get("user"), "name", "displayName") if merge else ""
        return Merged(number, by, int(one.get("closedDate") or 0) // 1000)

    def _create(self, proposal: Proposal) -> PullRequest:
        body = {
            "title": proposal.title,
            "description": proposal.body,
            "fromRef": self._ref(proposal.head),
            "toRef": self._ref(proposal.base),
            **({"draft": True} if proposal.draft else {}),
        }
        return _read(self._api.send("POST", f"{self._path}/pull-requests", "opening the pull request", body))

    def _ref(self, branch: str) -> dict[str, Any]:
        repository = {"slug": self._name, "project": {"key": self._project}}
        return {"id": f"refs/heads/{branch}", "repository": repository}

    def _exists(self, error: ForgeError) -> bool:
        # Other conflicts: there is nothing to propose, or the repository is read-only.
        return error.status == 409 and "only one pull request may be open" in error.message.casefold()

    def _rewrite(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        values: dict[str, Any] = {"title": proposal.title, "description": proposal.body}
        if proposal.draft and not pull_request.draft:
            values["draft"] = True
        path, doing = self._pull(pull_request), "updating the pull request"
        for last in (False, False, True):
            current = as_object(self._api.get(path, doing))

            def put(people: Sequence[str]) -> PullRequest:
                nonlocal current
                reviewers = [{"user": {"name": name}} for name in people]
                body = {**values, "version": current["version"], "reviewers": reviewers}
                current = as_object(self._api.send("PUT", path, doing, body))
                return _read(current)

            try:
                # What a PUT leaves out is taken away: reviewers go along every time.
                present = [person["user"]["name"] for person in current.get("reviewers") or ()]
                return without_refused(present, put, _is_about_reviewers)
            except ForgeError as error:
                # Somebody changed it between our reading and our writing.
                if error.status != 409 or last:
                    raise
        raise AssertionError

    def _add(self, pull_request: PullRequest, missing: Additions) -> Additions:
        added = Additions(
            warnings=(
                *(("Bitbucket has no labels for pull requests",) if missing.labels else ()),
                *(("Bitbucket has no assignees for pull requests",) if missing.assignees else ()),
                *(("Bitbucket has no milestones for pull requests",) if missing.milestone else ()),
            )
        )
        for name in missing.reviewers:
            added += self._ask_for_review(pull_request, name)
        return added

    def _ask_for_review(self, pull_request: PullRequest, name: str) -> Additions:
        path, body = f"{self._pull(pull_request)}/participants", {"user": {"name": name}, "role": "REVIEWER"}
        return attempt(
            lambda: self._api.send("POST", path, f"asking {name} for review", body, safe=True),
            Additions(reviewers=(name,)),
            f"{name} was not asked for review",
        )

    def _close(self, pull_request: PullRequest) -> None:
        path, doing = self._pull(pull_request), "declining the pull request"
        fresh = as_object(self._api.get(path, doing))
        if fresh["state"] == "OPEN":
            self._api.send("POST", f"{path}/decline", doing, params={"version": fresh["version"]})

    def _comments(self, pull_request: PullRequest) -> Iterable[tuple[Any, str]]:
        start = 0
        for _ in range(10):
            path = f"{self._pull(pull_request)}/activities"
            answer = as_object(self._api.get(path, "reading comments", start=start, limit=100))
            for activity in as_list(as_object(answer)["values"]):
                if activity.get("action") == "COMMENTED" and (comment := activity.get("comment")):
                    yield (comment["id"], comment["version"]), str(comment.get("text") or "")
            if answer.get("isLastPage", True):
                return
            start = answer["nextPageStart"]

    def _say(self, pull_request: PullRequest, text: str, *, instead_of: Any | None) -> None:
        path = f"{self._pull(pull_request)}/comments"
        if instead_of is not None:
            number, version = instead_of
            self._api.send("PUT", f"{path}/{number}", "changing a comment", {"text": text, "version": version})
        else:
            self._api.send("POST", path, "commenting", {"text": text})

    def _merge(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        path, doing = self._pull(pull_request), "asking to merge when the checks pass"
        state = self._api.caught_up(
            lambda: as_object(self._api.get(path, doing)),
            lambda pull: str(pull["fromRef"]["latestCommit"]),
            wanted,
            doing,
        )
        if state["state"] == "MERGED" or self._merges_by_itself(path, wanted.commit):
            return True
        version = state["version"]
        # Servers without auto-merge (before 8.15) merge at once where no check objects, or name the checks that do.
        strategy = {} if wanted.method == "auto" else {"strategyId": _STRATEGIES[wanted.method]}
        self._api.send("POST", f"{path}/merge", doing, {"autoMerge": True, "version": version, **strategy})
        return True

    def _merges_by_itself(self, path: str, commit: str) -> bool:
        """Whether auto-merge is on for this commit: one for the commit before is about to be canceled."""
        try:
            asked = as_object(self._api.get(f"{path}/auto-merge", "looking for a request to merge"))
        except ForgeError as error:
            if error.status != 404:
                raise
            return False
        return asked.get("fromHash") in {None, commit}

    def _pull(self, pull_request: PullRequest) -> str:
        return f"{self._path}/pull-requests/{pull_request.number}"


# Without one the repository's default is taken.
_STATUSES: Mapping[str, StatusState] = {"SUCCESSFUL": "success", "FAILED": "failure", "CANCELLED": "failure"}
_STRATEGIES = {"merge": "no-ff", "squash": "squash", "rebase": "rebase-no-ff", "fast-forward": "ff-only"}


def _repository(ref: Any) -> tuple[str, str]:
    """Where a ref is, by the names that the repository has now."""
    return ref["repository"]["project"]["key"], ref["repository"]["slug"]


def _read(data: Any) -> PullRequest:
    data = as_object(data)
    links = (data.get("links") or {}).get("self") or [{}]
    return PullRequest(
        number=data["id"],
        url=str(links[0].get("href") or ""),
        head=data["fromRef"]["displayId"],
        base=data["toRef"]["displayId"],
        title=data["title"],
        body=data.get("description") or "",
        status={"OPEN": "open", "MERGED": "merged"}.get(data["state"], "closed"),  # type: ignore[arg-type]
        draft=bool(data.get("draft")),
        head_commit=str(data["fromRef"].get("latestCommit") or ""),
        reviewers=tuple(person["user"]["name"] for person in data.get("reviewers") or ()),
    )


def _is_about_reviewers(error: ForgeError) -> bool:
    return error.status == 409 and "reviewers" in error.words.casefold()


def _explain(body: Any) -> str:
    said = []
    for error in body["errors"]:
        vetoes = [veto.get("detailedMessage") or veto.get("summaryMessage") for veto in error.get("vetoes") or ()]
        said += [error.get("message"), *vetoes]
    return "; ".join(text for text in said if text)


def _hint(status: int, words: str, token: Secret | None) -> str:
    usual = "The token (an HTTP access token) needs the permission 'Repository write'."
    if status == 401:
        return refused(token, "bitbucket-dc", usual)
    if status == 409 and "merge" in words.casefold():
        return "Turn on auto-merge in the repository's settings (Bitbucket 8.15 and later), or merge by hand."
    return (advice(token, "bitbucket-dc") or usual) if status in {403, 404} else ""


def _connect(
    url: RepoUrl, token: Secret | None, api_url: str | None, *, deadline: float | None = None
) -> BitbucketDataCenter:
    project, name = owner_and_name(url, "Bitbucket")
    headers: dict[str, str | Secret] = {"X-Atlassian-Token": "no-check"}
    if token:
        headers["Authorization"] = Secret(f"Bearer {token.reveal()}")
    # `/scm/` may lie below a path of its host.
    below = url.path.removesuffix(f"{project}/{name}").strip("/").removesuffix("scm").strip("/")
    api = api_url or f"{web_origin(url)}/{below}".rstrip("/") + "/rest"
    return BitbucketDataCenter(client_of(api, headers, deadline), project, name, token)


KIND = ForgeKind(
    id="bitbucket-dc",
    token_variables=("BITBUCKET_TOKEN",),
    git_user="x-token-auth",
    hosts=lambda host: host.startswith(("bitbucket.", "stash.")) and host != "bitbucket.org",
    connect=_connect,
    sign_in=lambda token: ("", token),
)
