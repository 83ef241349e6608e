"""GitLab, on gitlab.com and self-managed, projects in groups and sub-groups.

Sources: docs.gitlab.com/api/merge_requests, /api/notes, /topics/git/commit (push options). Titles hold 255
characters, descriptions 1,048,576, notes 1,000,000. A draft is a title that begins with "Draft:".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from gitops_ci.errors import ForgeError
from gitops_ci.forges.api import Api, as_list, as_object, client_of, segment, texts
from gitops_ci.forges.base import AutoMerge, CommitStatus, ForgeKind, Merged, StatusState, web_origin
from gitops_ci.forges.gitlab_merging import Merging
from gitops_ci.forges.merges import answer_or_none, name_of, of_commit, seconds
from gitops_ci.forges.rest import Additions, RestForge, milestone_titled
from gitops_ci.forges.tokens import advice, is_job_token, refused
from gitops_ci.http import Http
from gitops_ci.model import Proposal, PullRequest
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret

__all__ = ["KIND", "GitLab", "push_options"]

_STATUSES: Mapping[str, StatusState] = {
    "success": "success",
    "skipped": "success",
    "failed": "failure",
    "canceled": "failure",
}
_DRAFT = re.compile(r"\s*(?:draft:|\[draft\]|\(draft\))\s*", re.IGNORECASE)


class GitLab(RestForge):
    """One project."""

    TITLE_LIMIT: ClassVar[int] = 255 - len("Draft: ")
    BODY_LIMIT: ClassVar[int] = 1_048_576
    COMMENT_LIMIT: ClassVar[int] = 1_000_000

    def __init__(self, http: Http, project: str, token: Secret | None, *, below: str = "") -> None:
        super().__init__(Api(http, "GitLab", explain=_explain, hint=lambda status, words: _hint(status, words, token)))
        self._project = project
        self._path = f"/projects/{segment(project)}"
        self._below = below  # GitLab's own path on its host
        self._fork = ""  # the whole path of a project
        self._numbers: dict[str, int] = {}  # of projects

    def use_fork(self, fork: RepoUrl) -> None:
        """As OpensAcross says."""
        self._fork = _project(fork, self._below)

    def _number(self, project: str) -> int:
        """The number that a project has here: requests across forks name projects by it."""
        if project not in self._numbers:
            answer = as_object(self._api.get(f"/projects/{segment(project)}", f"looking for {project}"))
            self._numbers[project] = int(answer["id"])
        return self._numbers[project]

    def default_branch(self) -> str:
        return str(as_object(self._api.get(self._path, f"looking for {self._project}")).get("default_branch") or "")

    def _pulls(self, *, head: str, base: str, every: bool) -> Iterable[PullRequest]:
        answer = self._api.get(
            f"{self._path}/merge_requests",
            "looking for the merge request",
            source_branch=head,
            target_branch=base,
            state="all" if every else "opened",
            order_by="created_at",
            sort="desc",
            per_page=100,
        )
        for data in as_list(answer):
            source = self._number(self._fork) if self._fork else data["target_project_id"]
            if data["source_project_id"] == source and data["source_branch"] == head and data["target_branch"] == base:
                yield _read(data)

    def statuses(self, commit: str) -> Iterable[CommitStatus]:
        # Without `all` each name is there once, as it is now.
        path = f"{self._path}/repository/commits/{segment(commit)}/statuses"
        for page in range(1, 11):
            found = as_list(self._api.get(path, "reading commit statuses", per_page=100, page=page))
            for one in found:
                by = str((one.get("author") or {}).get("username", ""))
                yield CommitStatus(str(one["name"]), _STATUSES.get(str(one["status"]), "pending"), by)
            if len(found) < 100:
                return

    def merged(self, commit: str) -> Merged | None:
        """As ReadsMerges says. `merged_by` is the older name of `merge_user`."""
        path = f"{self._path}/repository/commits/{segment(commit)}/merge_requests"
        listed = as_list(answer_or_none(self._api, path, "looking for who merged", per_page=100) or [])
        found = [one for one in listed if one.get("state") == "merged"]
        keys = ("merge_commit_sha", "squash_commit_sha", "sha")
        one = of_commit(found, commit, lambda request: [request.get(key) for key in keys])
        if one is None:
            return None
        by = name_of(one.get("merge_user") or one.get("merged_by"), "username")
        return Merged(int(one["iid"]), by, seconds(one.get("merged_at")))

    def _create(self, proposal: Proposal) -> PullRequest:
        body: dict[str, Any] = {
            "title": _title(proposal, draft=proposal.draft),
            "source_branch": proposal.head,
            "target_branch": proposal.base,
            "description": proposal.body,
            "remove_source_branch": True,
        }
        path = self._path
        if self._fork:
            # The request is made in the project that it comes from.
            path, body["target_project_id"] = f"/projects/{segment(self._fork)}", self._number(self._project)
        return _read(self._api.send("POST", f"{path}/merge_requests", "opening the merge request", body))

    def _exists(self, error: ForgeError) -> bool:
        return error.status == 409 and "already exists" in error.message

    def _rewrite(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        title = _title(proposal, draft=proposal.draft or pull_request.draft)
        return self._put(pull_request, "updating the merge request", title=title, description=proposal.body)

    def _add(self, pull_request: PullRequest, missing: Additions) -> Additions:
        added = Additions()
        if missing.labels:
            self._put(pull_request, "adding labels", add_labels=list(missing.labels))
            added += Additions(labels=missing.labels)
        if missing.assignees:
            before, now, warnings = self._set_people(pull_request, "assignee", missing.assignees)
            added += Additions(assignees=tuple(n for n in now.assignees if n not in before), warnings=warnings)
        if missing.reviewers:
            before, now, warnings = self._set_people(pull_request, "reviewer", missing.reviewers)
            added += Additions(reviewers=tuple(n for n in now.reviewers if n not in before), warnings=warnings)
        if missing.milestone:
            added += self._set_milestone(pull_request, missing.milestone)
        return added

    def _set_milestone(self, pull_request: PullRequest, title: str) -> Additions:
        """One of the project or, from GitLab 16.7 on, of a group above it."""
        doing = "looking for a milestone"
        where = {"title": title, "state": "active", "include_ancestors": "true"}
        found = as_list(self._api.get(f"{self._path}/milestones", doing, **where))
        return milestone_titled(
            found, title, "id", lambda id_: self._put(pull_request, "setting the milestone", milestone_id=id_)
        )

    def _set_people(
        self, pull_request: PullRequest, role: str, wanted: tuple[str, ...]
    ) -> tuple[tuple[str, ...], PullRequest, tuple[str, ...]]:
        """(Who had the role before, the merge request with whoever has it now, warnings for the rest).

        GitLab takes numbers, and replaces the whole list.
        """
        path = f"{self._path}/merge_requests/{pull_request.number}"
        present = as_object(self._api.get(path, f"reading who is {role}")).get(f"{role}s") or []
        found = {name: self._user(name) for name in wanted}
        numbers = [person["id"] for person in present] + [number for number in found.values() if number is not None]
        before = texts(present, "username")
        now = self._put(pull_request, f"setting the {role}s", **{f"{role}_ids": list(dict.fromkeys(numbers))})
        has_role = {name.casefold() for name in (now.reviewers if role == "reviewer" else now.assignees)}
        warnings = tuple(
            f"{name} is not {role}: "
            + ("GitLab knows no such user" if found[name] is None else "no access, or this edition allows only one")
            for name in wanted
            if name.casefold() not in has_role
        )
        return before, now, warnings

    def _user(self, name: str) -> int | None:
        users = as_list(self._api.get("/users", f"looking for {name}", username=name)) if "/" not in name else []
        return next((user["id"] for user in users if str(user.get("username")).casefold() == name.casefold()), None)

    def _put(self, pull_request: PullRequest, doing: str, **values: Any) -> PullRequest:
        path = f"{self._path}/merge_requests/{pull_request.number}"
        return _read(self._api.send("PUT", path, doing, values))

    def _close(self, pull_request: PullRequest) -> None:
        self._put(pull_request, "closing the merge request", state_event="close")

    def _comments(self, pull_request: PullRequest) -> Iterable[tuple[Any, str]]:
        path = f"{self._path}/merge_requests/{pull_request.number}/notes"
        for page in range(1, 11):
            notes = as_list(self._api.get(path, "reading comments", sort="asc", per_page=100, page=page))
            yield from ((note["id"], str(note.get("body") or "")) for note in notes if not note.get("system"))
            if len(notes) < 100:
                return

    def _say(self, pull_request: PullRequest, text: str, *, instead_of: Any | None) -> None:
        path = f"{self._path}/merge_requests/{pull_request.number}/notes"
        if instead_of is not None:
            self._api.send("PUT", f"{path}/{instead_of}", "changing a comment", {"body": text})
        else:
            self._api.send("POST", path, "commenting", {"body": text})

    def _merge(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        path = f"{self._path}/merge_requests/{pull_request.number}"
        return Merging(self._api, self._path, path, wanted).run()

    def push_options(self, proposal: Proposal, *, merge_when_green: bool = False) -> tuple[str, ...]:
        """As OpensByPush says."""
        options = push_options(proposal, merge_when_green=merge_when_green)
        # GitLab 16.6 and later (docs.gitlab.com/topics/git/commit, "Push options for merge requests").
        return (*options, f"merge_request.target_project={self._project}") if self._fork else options

    def opened_by_push(self, proposal: Proposal, said: str) -> PullRequest:
        """GitLab answers such a push with the merge request's address: `.../acme/config/-/merge_requests/7`."""
        address = rf"https?://[^\s/]+/\S*?{re.escape(self._project)}/-/merge_requests/(\d+)\b"
        found = re.search(address, said)
        return PullRequest(
            number=int(found[1]) if found else None,
            url=found[0] if found else "",
            head=proposal.head,
            base=proposal.base,
            title=proposal.title,
            body=proposal.body,
            labels=proposal.labels,
            state="opened",
            draft=proposal.draft,
            assignees=proposal.assignees,
        )


def push_options(proposal: Proposal, *, merge_when_green: bool = False) -> tuple[str, ...]:
    """Options of `git push` that make GitLab open the merge request, for tokens that may push but not use the API.

    Values have no line breaks there, so only the first line of the description goes along; reviewers cannot be named.
    """
    summary = proposal.body.strip().partition("\n")[0]
    title = _title(proposal, draft=proposal.draft)
    options = [
        "merge_request.create",
        "merge_request.remove_source_branch",
        f"merge_request.target={_flat(proposal.base)}",
        f"merge_request.title={_flat(title)}",
        *([f"merge_request.description={_flat(summary)}"] if summary else []),
        *(f"merge_request.label={_flat(label)}" for label in proposal.labels),
        *(f"merge_request.assign={_flat(name)}" for name in proposal.assignees),
        *([f"merge_request.milestone={_flat(proposal.milestone)}"] if proposal.milestone else []),
        *(["merge_request.auto_merge"] if merge_when_green else []),
    ]
    return tuple(options)


def _flat(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _title(proposal: Proposal, *, draft: bool) -> str:
    return f"Draft: {proposal.title}" if draft else proposal.title


def _read(data: Any) -> PullRequest:
    data = as_object(data)
    title, state = str(data["title"] or ""), data["state"]
    marker = _DRAFT.match(title) if data.get("draft") else None
    return PullRequest(
        number=data["iid"],
        url=str(data.get("web_url") or ""),
        head=data["source_branch"],
        base=data["target_branch"],
        title=title[marker.end() :] if marker else title,
        body=data.get("description") or "",
        labels=tuple(map(str, data.get("labels") or ())),
        status="merged" if state == "merged" else "closed" if state == "closed" else "open",
        draft=bool(data.get("draft")),
        reviewers=texts(data.get("reviewers"), "username"),
        assignees=texts(data.get("assignees"), "username"),
        milestone=str((data.get("milestone") or {}).get("title", "")),
        head_commit=str(data.get("sha") or ""),
    )


def _explain(body: Any) -> str:
    """`message` is a text, a list, or lists by field; OAuth and routing errors say `error` instead."""
    message = body.get("message") or body.get("error_description") or body.get("error") or ""
    if isinstance(message, dict):
        return "; ".join(f"{field}: {', '.join(map(str, reasons))}" for field, reasons in message.items())
    return "; ".join(map(str, message)) if isinstance(message, list) else str(message)


def _hint(status: int, words: str, token: Secret | None) -> str:
    if status == 401:
        return refused(token, "gitlab")
    if status in {403, 404}:
        return advice(token, "gitlab") or "The token needs the scope `api` and the role Developer in the project."
    if "no pipeline started" in words:
        return (
            "Let a pipeline run for merge requests, or turn on 'Pipelines must succeed' in the project's merge request "
            "settings."
        )
    if "it was taken back" in words:
        return "GitLab is still busy with the push: run the command again."
    if status in {405, 409, 422} and "its status is" in words:
        return "What blocks it shows in the merge request; see that a pipeline runs for merge requests."
    return ""


def _connect(url: RepoUrl, token: Secret | None, api_url: str | None, *, deadline: float | None = None) -> GitLab:
    api = (api_url or f"{web_origin(url)}/api/v4").rstrip("/")
    headers: dict[str, str | Secret] = {}
    if token:
        headers["JOB-TOKEN" if is_job_token(token) else "PRIVATE-TOKEN"] = token
    below = urlsplit(api).path.removesuffix("/api/v4").strip("/")
    return GitLab(client_of(api, headers, deadline), _project(url, below), token, below=below)


def _project(url: RepoUrl, below: str) -> str:
    """The path of a project. Where GitLab lies below a path of its host, that is part of the address too."""
    return url.path.removeprefix(f"{below}/") if below else url.path


def _sign_in(token: Secret) -> tuple[str, Secret]:
    return ("gitlab-ci-token" if is_job_token(token) else "oauth2"), token


KIND = ForgeKind(
    id="gitlab",
    token_variables=("GITLAB_TOKEN", "CI_JOB_TOKEN"),
    git_user="oauth2",
    hosts=lambda host: host.startswith("gitlab."),
    connect=_connect,
    sign_in=_sign_in,
)
