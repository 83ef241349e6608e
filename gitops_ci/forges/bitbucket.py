"""Bitbucket Cloud (bitbucket.org).

Sources: developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests; support.atlassian.com "Access tokens",
"API tokens". It has no labels, no assignees and no merging by itself. People are known by `{uuid}` or account id.
A second pull request between the same branches cannot exist: creating it changes the first one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from gitops_ci.errors import ForgeError
from gitops_ci.forges.api import Api, as_list, as_object, client_of, segment, texts
from gitops_ci.forges.base import AutoMerge, CommitStatus, ForgeKind, Merged, StatusState, owner_and_name
from gitops_ci.forges.merges import answer_or_none, name_of, of_commit, seconds
from gitops_ci.forges.rest import Additions, RestForge, attempt, without_refused
from gitops_ci.forges.tokens import advice, refused
from gitops_ci.http import Http
from gitops_ci.model import Proposal, PullRequest
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret, basic_auth

__all__ = ["KIND", "Bitbucket"]

_PERSON = re.compile(r"\{[0-9a-fA-F-]{36}\}|[0-9a-zA-Z:-]{20,128}")
_STATUSES: Mapping[str, StatusState] = {"SUCCESSFUL": "success", "INPROGRESS": "pending"}
_STATES = ("OPEN", "MERGED", "DECLINED", "SUPERSEDED")


class Bitbucket(RestForge):
    """One repository of a workspace."""

    BODY_LIMIT: ClassVar[int] = 32_768
    COMMENT_LIMIT: ClassVar[int] = 32_768

    def __init__(self, http: Http, workspace: str, name: str, token: Secret | None) -> None:
        api = Api(http, "Bitbucket", explain=_explain, hint=lambda status, words: _hint(status, words, token))
        super().__init__(api)
        self._full_name = f"{workspace}/{name}"
        self._path = f"/repositories/{workspace}/{name}"

    def default_branch(self) -> str:
        answer = as_object(self._api.get(self._path, f"looking for {self._full_name}"))
        return str((answer.get("mainbranch") or {}).get("name") or "")

    def _pulls(self, *, head: str, base: str, every: bool) -> Iterable[PullRequest]:
        states = " OR ".join(f'state = "{state}"' for state in (_STATES if every else _STATES[:1]))
        # Quoted as JSON: the query language knows the same escapes.
        query = (
            f"source.branch.name = {json.dumps(head)} AND destination.branch.name = {json.dumps(base)} AND ({states})"
        )
        doing = "looking for the pull request"
        answer = self._api.get(f"{self._path}/pullrequests", doing, q=query, sort="-created_on", pagelen=50)
        for data in as_list(as_object(answer)["values"]):
            # Not by the name that was asked for: a repository that was renamed or moved answers with its new one.
            ours = (data["source"].get("repository") or {}).get("full_name") == data["destination"]["repository"][
                "full_name"
            ]
            if ours and data["source"]["branch"]["name"] == head and data["destination"]["branch"]["name"] == base:
                yield _read(data)

    def statuses(self, commit: str) -> Iterable[CommitStatus]:
        # A key has one status. Keys hold 40 characters and may be hashes: people know the name.
        path = f"{self._path}/commit/{segment(commit)}/statuses"
        answer = as_object(self._api.get(path, "reading build statuses", pagelen=100))
        for one in as_list(as_object(answer)["values"]):
            yield CommitStatus(str(one.get("name") or one["key"]), _STATUSES.get(str(one["state"]), "failure"))

    def merged(self, commit: str) -> Merged | None:
        """As ReadsMerges says. The workspace needs the app "Pull Request Commit Links"; the activity tells the rest."""
        path, doing = f"{self._path}/commit/{segment(commit)}/pullrequests", "looking for who merged"
        answer = answer_or_none(self._api, path, doing, pagelen=50)
        listed = as_list(as_object(answer).get("values") or []) if answer else []
        one = of_commit(
            [found for found in listed if found.get("state") == "MERGED"],
            commit,
            lambda pull: (name_of(pull.get("merge_commit"), "hash"),),
        )
        if one is None:
            return None
        number = int(one["id"])
        path = f"{self._path}/pullrequests/{number}/activity"
        for event in as_list(as_object(self._api.get(path, doing, pagelen=50)).get("values") or []):
            update = event.get("update") or {}
            if update.get("state") == "MERGED":
                by = name_of(update.get("author"), "nickname", "display_name")
                return Merged(number, by, seconds(update.get("date")))
        return Merged(number, "")

    def _create(self, proposal: Proposal) -> PullRequest:
        body = {
            "title": proposal.title,
            "description": proposal.body,
            "source": {"branch": {"name": proposal.head}},
            "destination": {"branch": {"name": proposal.base}},
            "close_source_branch": True,
            **({"draft": True} if proposal.draft else {}),
        }

        def post(people: Sequence[str]) -> PullRequest:
            wanted = {**body, "reviewers": [_person(name) for name in people]} if people else body
            return _read(self._api.send("POST", f"{self._path}/pullrequests", "opening the pull request", wanted))

        made = without_refused(self._default_reviewers(), post, _is_about_reviewers)
        return replace(made, warnings=())  # nobody asked for these: one who is gone, or opens it, is not news

    def _default_reviewers(self) -> tuple[str, ...]:
        """Whom the website adds by itself to a new pull request; the API does not."""
        try:
            doing = "looking for default reviewers"
            answer = as_object(self._api.get(f"{self._path}/effective-default-reviewers", doing, pagelen=100))
        except ForgeError:
            return ()
        return texts([default.get("user") for default in as_list(as_object(answer)["values"])], "uuid")

    def _exists(self, error: ForgeError) -> bool:
        del error
        return False

    def _rewrite(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        values: dict[str, Any] = {"title": proposal.title, "description": proposal.body}
        if proposal.draft and not pull_request.draft:
            values["draft"] = True
        return self._put(pull_request, (), "updating the pull request", **values)

    def _put(self, pull_request: PullRequest, more: tuple[str, ...], doing: str, **values: Any) -> PullRequest:
        # What a PUT leaves out is taken away: reviewers go along every time.
        path = f"{self._path}/pullrequests/{pull_request.number}"

        def put(people: Sequence[str]) -> PullRequest:
            reviewers = [_person(name) for name in (*people, *more)]
            return _read(
                self._api.send("PUT", path, doing, {"title": pull_request.title, "reviewers": reviewers, **values})
            )

        present = [name for name in pull_request.reviewers if name.startswith("{")]
        return without_refused(present, put, _is_about_reviewers)

    def _add(self, pull_request: PullRequest, missing: Additions) -> Additions:
        added = Additions(
            warnings=(
                *(("Bitbucket has no labels for pull requests",) if missing.labels else ()),
                *(("Bitbucket has no assignees for pull requests",) if missing.assignees else ()),
                *(("Bitbucket has no milestones for pull requests",) if missing.milestone else ()),
            )
        )
        for name in missing.reviewers:
            if _PERSON.fullmatch(name):
                added += self._ask_for_review(pull_request, added.reviewers, name)
            else:
                said = f"{name} was not asked for review: Bitbucket knows people by {{uuid}} or account id"
                added += Additions(warnings=(said,))
        return added

    def _ask_for_review(self, pull_request: PullRequest, asked: tuple[str, ...], name: str) -> Additions:
        return attempt(
            lambda: self._put(pull_request, (*asked, name), f"asking {name} for review"),
            Additions(reviewers=(name,)),
            f"{name} was not asked for review",
        )

    def _close(self, pull_request: PullRequest) -> None:
        path, doing = f"{self._path}/pullrequests/{pull_request.number}", "declining the pull request"
        if as_object(self._api.get(path, doing))["state"] == "OPEN":
            self._api.send("POST", f"{path}/decline", doing)

    def _comments(self, pull_request: PullRequest) -> Iterable[tuple[Any, str]]:
        path = f"{self._path}/pullrequests/{pull_request.number}/comments"
        for page in range(1, 11):
            answer = as_object(self._api.get(path, "reading comments", pagelen=100, page=page))
            for comment in as_list(as_object(answer)["values"]):
                if not comment.get("deleted"):
                    yield comment["id"], str((comment.get("content") or {}).get("raw") or "")
            if not answer.get("next"):
                return

    def _say(self, pull_request: PullRequest, text: str, *, instead_of: Any | None) -> None:
        path = f"{self._path}/pullrequests/{pull_request.number}/comments"
        body = {"content": {"raw": text}}
        if instead_of is not None:
            self._api.send("PUT", f"{path}/{instead_of}", "changing a comment", body)
        else:
            self._api.send("POST", path, "commenting", body)

    def _merge(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        del pull_request, wanted
        return False


def _read(data: Any) -> PullRequest:
    data = as_object(data)
    body = data.get("description")
    if body is None:
        body = (data.get("summary") or {}).get("raw")
    return PullRequest(
        number=data["id"],
        url=(data.get("links") or {}).get("html", {}).get("href", ""),
        head=data["source"]["branch"]["name"],
        base=data["destination"]["branch"]["name"],
        title=data["title"],
        body=body or "",
        status={"OPEN": "open", "MERGED": "merged"}.get(data["state"], "closed"),  # type: ignore[arg-type]
        draft=bool(data.get("draft")),
        head_commit=str((data["source"].get("commit") or {}).get("hash") or ""),
        # Both names of everybody, so that a reviewer is found again by the one that was given.
        reviewers=(*texts(data.get("reviewers"), "uuid"), *texts(data.get("reviewers"), "account_id")),
    )


def _is_about_reviewers(error: ForgeError) -> bool:
    return error.status == 400 and "reviewer" in error.words.casefold()


def _person(name: str) -> dict[str, str]:
    return {"uuid": name} if name.startswith("{") else {"account_id": name}


def _explain(body: Any) -> str:
    error = body["error"]
    fields = error.get("fields") or {}
    said = [error.get("message"), error.get("detail"), *(f"{name}: {why}" for name, why in fields.items())]
    return "; ".join(str(text) for text in said if text)


def _hint(status: int, words: str, token: Secret | None) -> str:
    del words
    usual = (
        "The token needs the scopes repository:write and pullrequest:write: a repository or workspace access token, or "
        "an API token written as EMAIL:TOKEN."
    )
    if status == 401:
        return refused(token, "bitbucket", usual)
    return (advice(token, "bitbucket") or usual) if status in {403, 404} else ""


def _connect(url: RepoUrl, token: Secret | None, api_url: str | None, *, deadline: float | None = None) -> Bitbucket:
    headers: dict[str, str | Secret] = {}
    if token:
        user, password = _sign_in(token)
        of_a_person = user != _ACCESS_TOKEN_USER
        email = token.reveal().partition(":")[0]
        headers["Authorization"] = basic_auth(email, password) if of_a_person else Secret(f"Bearer {password.reveal()}")
    workspace, name = owner_and_name(url, "Bitbucket")
    http = client_of(api_url or "https://api.bitbucket.org/2.0", headers, deadline)
    return Bitbucket(http, workspace, name, token)


_ACCESS_TOKEN_USER = "x-token-auth"  # noqa: S105 - a user's name


def _sign_in(token: Secret) -> tuple[str, Secret]:
    """An API token of a person comes as EMAIL:TOKEN, and git has a user name of its own for it."""
    email, colon, value = token.reveal().partition(":")
    return ("x-bitbucket-api-token-auth", Secret(value)) if colon and "@" in email else (_ACCESS_TOKEN_USER, token)


KIND = ForgeKind(
    id="bitbucket",
    token_variables=("BITBUCKET_TOKEN",),
    git_user=_ACCESS_TOKEN_USER,
    hosts=lambda host: host == "bitbucket.org",
    connect=_connect,
    sign_in=_sign_in,
)
