"""Gitea and Forgejo (codeberg.org).

Source: the swagger descriptions of Gitea 1.25 and 1.27. The merge request's field `Do` became `do` in 1.26; Forgejo
kept the old name. A draft is a title that begins with "WIP:". Titles hold 255 characters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from gitops_ci.errors import ForgeError
from gitops_ci.forges.api import Api, as_list, as_object, client_of, segment, texts
from gitops_ci.forges.base import (
    AutoMerge,
    CommitStatus,
    ForgeKind,
    Merged,
    MergeMethod,
    StatusState,
    owner_and_name,
    web_origin,
)
from gitops_ci.forges.merges import answer_or_none, name_of, seconds
from gitops_ci.forges.rest import Additions, RestForge, attempt, milestone_titled
from gitops_ci.forges.tokens import advice, refused
from gitops_ci.http import Http
from gitops_ci.model import Proposal, PullRequest
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret

__all__ = ["KIND", "Gitea"]

_STATUSES: Mapping[str, StatusState] = {
    "success": "success",
    "warning": "success",
    "skipped": "success",
    "error": "failure",
    "failure": "failure",
}
_WIP = re.compile(r"\s*(?:wip:|\[wip\])\s*", re.IGNORECASE)
_PAGE = 50  # the most that a page holds by default
_PAGES = 20


class Gitea(RestForge):
    """One repository."""

    TITLE_LIMIT: ClassVar[int] = 255 - len("WIP: ")

    def __init__(self, http: Http, owner: str, name: str, token: Secret | None) -> None:
        super().__init__(Api(http, "Gitea", explain=_explain, hint=lambda status, words: _hint(status, words, token)))
        self._owner, self._name = owner, name
        self._path = f"/repos/{owner}/{name}"
        self._fork = ""  # OWNER/NAME

    def use_fork(self, fork: RepoUrl) -> None:
        """As OpensAcross says."""
        self._fork = "/".join(owner_and_name(fork, "Gitea"))

    def default_branch(self) -> str:
        return str(as_object(self._api.get(self._path, f"looking for {self._owner}/{self._name}"))["default_branch"])

    def _pulls(self, *, head: str, base: str, every: bool) -> Iterable[PullRequest]:
        # There is no search by head: go through the list, newest first. Older servers ignore `base_branch`.
        for page in range(1, _PAGES + 1):
            answer = as_list(
                self._api.get(
                    f"{self._path}/pulls",
                    "looking for the pull request",
                    state="all" if every else "open",
                    base_branch=base,
                    page=page,
                    limit=_PAGE,
                )
            )
            for data in answer:
                if self._is_ours(data) and _branch(data["head"]) == head and data["base"]["ref"] == base:
                    yield _read(data)
            # A server may be set to shorter pages than were asked for: only an empty one is the last.
            if not answer:
                return

    def _is_ours(self, data: Any) -> bool:
        """Whether a pull request comes from the repository itself, or from the fork."""
        if not self._fork:
            return bool(data["head"].get("repo_id") == data["base"].get("repo_id"))
        return str((data["head"].get("repo") or {}).get("full_name")).casefold() == self._fork.casefold()

    def find_latest(self, *, head: str, base: str) -> PullRequest | None:
        # The open ones are few; the closed ones are read only as far as the newest match.
        if (found := self.find_open(head=head, base=base)) is not None:
            return found
        found = next(iter(self._pulls(head=head, base=base, every=True)), None)
        return replace(found, head_commit=self._merged_commit(found)) if found and found.status == "merged" else found

    def _merged_commit(self, pull_request: PullRequest) -> str:
        """What was merged: the pull request itself shows where its branch is by now."""
        path = f"{self._path}/git/refs/pull/{pull_request.number}/head"
        try:
            answer = as_list(self._api.get(path, "looking for the merged commit"))
        except ForgeError:
            return ""
        return str(as_object(answer[0]["object"])["sha"]) if answer else ""

    def statuses(self, commit: str) -> Iterable[CommitStatus]:
        path = f"{self._path}/commits/{segment(commit)}/statuses"
        for page in range(1, _PAGES + 1):
            doing = "reading commit statuses"
            found = as_list(self._api.get(path, doing, sort="recentupdate", page=page, limit=_PAGE))
            for one in found:
                by = str((one.get("creator") or {}).get("login", ""))
                yield CommitStatus(str(one["context"]), _STATUSES.get(str(one["status"]), "pending"), by)
            if not found:
                return

    def merged(self, commit: str) -> Merged | None:
        """As ReadsMerges says."""
        path = f"{self._path}/commits/{segment(commit)}/pull"
        answer = answer_or_none(self._api, path, "looking for who merged")
        if answer is None or not (one := as_object(answer)).get("merged"):
            return None
        return Merged(int(one["number"]), name_of(one.get("merged_by"), "login"), seconds(one.get("merged_at")))

    def _create(self, proposal: Proposal) -> PullRequest:
        body = {
            "title": _title(proposal, draft=proposal.draft),
            "body": proposal.body,
            "head": f"{self._fork.partition('/')[0]}:{proposal.head}" if self._fork else proposal.head,
            "base": proposal.base,
        }
        return _read(self._api.send("POST", f"{self._path}/pulls", "opening the pull request", body))

    def _exists(self, error: ForgeError) -> bool:
        return error.status == 409 and "already exist" in error.message

    def _rewrite(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        title = _title(proposal, draft=proposal.draft or pull_request.draft)
        return self._patch(pull_request, "updating the pull request", title=title, body=proposal.body)

    def _add(self, pull_request: PullRequest, missing: Additions) -> Additions:
        added = Additions()
        if missing.labels:
            added += self._label(pull_request, missing.labels)
        if missing.assignees:
            everybody = [*pull_request.assignees, *missing.assignees]
            added += attempt(
                lambda: self._patch(pull_request, "assigning the pull request", assignees=everybody),
                Additions(assignees=missing.assignees),
                f"Not assigned to {', '.join(missing.assignees)}",
            )
        # One by one: a single name that may not review makes the host refuse all of a request.
        for name in missing.reviewers:
            added += self._ask_for_review(pull_request, name)
        if missing.milestone:
            added += self._set_milestone(pull_request, missing.milestone)
        return added

    def _set_milestone(self, pull_request: PullRequest, title: str) -> Additions:
        path, doing = f"{self._path}/milestones", "looking for a milestone"
        found = as_list(self._api.get(path, doing, state="open", name=title))
        return milestone_titled(
            found, title, "id", lambda id_: self._patch(pull_request, "setting the milestone", milestone=id_)
        )

    def _label(self, pull_request: PullRequest, labels: tuple[str, ...]) -> Additions:
        path = f"{self._path}/issues/{pull_request.number}/labels"
        answer = self._api.send("POST", path, "adding labels", {"labels": list(labels)}, safe=True)
        present = {name.casefold() for name in texts(answer, "name")}
        unknown = tuple(label for label in labels if label.casefold() not in present)
        return Additions(
            labels=tuple(label for label in labels if label not in unknown),
            warnings=tuple(f"There is no label '{label}' in {self._owner}/{self._name}: make it" for label in unknown),
        )

    def _ask_for_review(self, pull_request: PullRequest, name: str) -> Additions:
        path = f"{self._path}/pulls/{pull_request.number}/requested_reviewers"
        body = {"team_reviewers" if "/" in name else "reviewers": [name.rpartition("/")[2]]}
        return attempt(
            lambda: self._api.send("POST", path, f"asking {name} for review", body, safe=True),
            Additions(reviewers=(name,)),
            f"{name} was not asked for review",
        )

    def _reviewed_by(self, pull_request: PullRequest) -> Collection[str]:
        path = f"{self._path}/pulls/{pull_request.number}/reviews"
        reviews = as_list(self._api.get(path, "reading reviews", limit=_PAGE))
        return [str((review.get("user") or {}).get("login", "")) for review in reviews]

    def _patch(self, pull_request: PullRequest, doing: str, **values: Any) -> PullRequest:
        path = f"{self._path}/pulls/{pull_request.number}"
        return _read(self._api.send("PATCH", path, doing, values, safe=True))

    def _close(self, pull_request: PullRequest) -> None:
        self._patch(pull_request, "closing the pull request", state="closed")

    def _comments(self, pull_request: PullRequest) -> Iterable[tuple[Any, str]]:
        comments = as_list(self._api.get(f"{self._path}/issues/{pull_request.number}/comments", "reading comments"))
        return [(comment["id"], str(comment.get("body") or "")) for comment in comments]

    def _say(self, pull_request: PullRequest, text: str, *, instead_of: Any | None) -> None:
        if instead_of is not None:
            path = f"{self._path}/issues/comments/{instead_of}"
            self._api.send("PATCH", path, "changing a comment", {"body": text}, safe=True)
        else:
            path = f"{self._path}/issues/{pull_request.number}/comments"
            self._api.send("POST", path, "commenting", {"body": text})

    def _method(self, wanted: AutoMerge) -> str:
        """The first method that the repository's settings allow."""
        doing = "asking how the repository merges"
        settings = as_object(self._api.get(self._path, doing))
        allowed = {name: word for flag, name, word in _METHODS if settings.get(flag, flag == "allow_merge_commits")}
        if not (words := wanted.choose(allowed)):
            raise self._api.no_method(wanted, doing)
        return words[0]

    def _merge(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        path, doing = f"{self._path}/pulls/{pull_request.number}", "looking whether the pull request can be merged"
        state = self._api.caught_up(
            lambda: as_object(self._api.get(path, doing)), lambda pull: str(pull["head"]["sha"]), wanted, doing
        )
        if state.get("merged"):
            return True
        version = str(as_object(self._api.get("/version", "asking for the version")).get("version", ""))
        body = {
            "do" if _says_do(version) else "Do": self._method(wanted),
            "merge_when_checks_succeed": True,
            # Whoever merges may have no right to a fork's branches.
            "delete_branch_after_merge": not self._fork,
            "head_commit_id": wanted.commit,
        }
        for pause in (1, 2, 4, 8, None):
            try:
                self._api.send("POST", f"{path}/merge", "asking to merge when the checks succeed", body)
            except ForgeError as error:
                if error.status == 409 and "already scheduled" in error.message.casefold():
                    return True
                # Right after a push, whether it can be merged is still being looked at.
                trying_helps = error.status == 405 and "try again" in error.message.casefold()
                if not trying_helps or pause is None or not self._api.http.pause(pause):
                    raise
            else:
                return True
        return False


def _branch(end: Any) -> str:
    """A head's branch. Once it is deleted, only the label names it (go-gitea/gitea, services/convert/pull.go)."""
    return str(end.get("label") or end["ref"]) if str(end["ref"]).startswith("refs/pull/") else str(end["ref"])


_METHODS: tuple[tuple[str, MergeMethod, str], ...] = (
    ("allow_merge_commits", "merge", "merge"),
    ("allow_rebase", "rebase", "rebase"),
    ("allow_fast_forward_only_merge", "fast-forward", "fast-forward-only"),
    ("allow_squash_merge", "squash", "squash"),
)


def _says_do(version: str) -> bool:
    """Whether the field is called `do`: Gitea from 1.26 on. Forgejo says `11.0.1+gitea-1.22.0`."""
    if "+gitea-" in version:
        return False
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= (1, 26)


def _title(proposal: Proposal, *, draft: bool) -> str:
    return f"WIP: {proposal.title}" if draft else proposal.title


def _read(data: Any) -> PullRequest:
    data = as_object(data)
    title = str(data["title"])
    marker = _WIP.match(title)
    owner = ((data["base"].get("repo") or {}).get("owner") or {}).get("login") or ""
    return PullRequest(
        number=data["number"],
        url=data["html_url"],
        head=_branch(data["head"]),
        base=data["base"]["ref"],
        title=title[marker.end() :] if marker else title,
        body=data.get("body") or "",
        labels=texts(data.get("labels"), "name"),
        status="merged" if data.get("merged") else "open" if data["state"] == "open" else "closed",
        draft=bool(data.get("draft") or marker),
        reviewers=(
            *texts(data.get("requested_reviewers"), "login"),
            *(f"{owner}/{name}" for name in texts(data.get("requested_reviewers_teams"), "name")),
        ),
        assignees=texts(data.get("assignees"), "login"),
        milestone=str((data.get("milestone") or {}).get("title", "")),
        head_commit=str(data["head"].get("sha") or ""),
    )


def _explain(body: Any) -> str:
    return "; ".join([str(body.get("message") or ""), *map(str, body.get("errors") or ())]).strip("; ")


def _hint(status: int, words: str, token: Secret | None) -> str:
    del words
    if status == 401:
        return refused(token, "gitea")
    if status in {403, 404}:
        usual = "The token needs the scopes write:repository and write:issue, its owner write access."
        return advice(token, "gitea") or usual
    return ""


def _connect(url: RepoUrl, token: Secret | None, api_url: str | None, *, deadline: float | None = None) -> Gitea:
    # Where it lies below a path of its host, that path comes before owner and name.
    owner, name = owner_and_name(url, "Gitea")
    below = url.path.removesuffix(f"{owner}/{name}").rstrip("/")
    api = api_url or f"{web_origin(url)}/{below}".rstrip("/") + "/api/v1"
    headers: dict[str, str | Secret] = {}
    if token:
        headers["Authorization"] = Secret(f"token {token.reveal()}")
    return Gitea(client_of(api, headers, deadline), owner, name, token)


KIND = ForgeKind(
    id="gitea",
    token_variables=("GITEA_TOKEN", "FORGEJO_TOKEN"),
    git_user="gitops-ci",  # any name: the token alone counts
    hosts=lambda host: host == "codeberg.org" or host.startswith(("gitea.", "forgejo.")),
    connect=_connect,
)
