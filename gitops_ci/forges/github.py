"""GitHub.com, GitHub Enterprise Cloud with data residency (*.ghe.com) and Enterprise Server.

Sources: docs.github.com/rest/pulls, /rest/issues. Titles hold 256 characters, bodies 65,536.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, ClassVar

from gitops_ci.errors import ForgeError
from gitops_ci.forges.api import as_list, as_object, client_of, segment, texts
from gitops_ci.forges.base import AutoMerge, CommitStatus, ForgeKind, Merged, StatusState, owner_and_name, web_origin
from gitops_ci.forges.github_api import GitHubApi
from gitops_ci.forges.github_commits import Commits
from gitops_ci.forges.github_merging import Merging
from gitops_ci.forges.merges import answer_or_none, name_of, of_commit, seconds
from gitops_ci.forges.rest import Additions, RestForge, attempt, milestone_titled
from gitops_ci.model import FileChange, Proposal, PullRequest
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret

__all__ = ["KIND", "GitHub"]

_STATUSES: Mapping[str, StatusState] = {"success": "success", "error": "failure", "failure": "failure"}
# What GitHub lets a required check pass with.
_CONCLUSIONS: Mapping[str, StatusState] = {"success": "success", "neutral": "success", "skipped": "success"}
_TO_DRAFT = """
mutation Draft($input: ConvertPullRequestToDraftInput!) {
  convertPullRequestToDraft(input: $input) { pullRequest { id } }
}"""
_NO_WORKFLOWS = (
    "It was opened with GITHUB_TOKEN, whose pull requests start no workflows: required checks would wait for ever. "
    "Use a token from actions/create-github-app-token."
)


class GitHub(RestForge):
    """One repository, `OWNER/NAME`."""

    TITLE_LIMIT: ClassVar[int] = 256

    def __init__(self, api: GitHubApi, owner: str, name: str) -> None:
        super().__init__(api)
        self._github = api
        self._is_name_known = False
        self._fork = ""  # OWNER/NAME
        self._take_name(owner, name)

    def _take_name(self, owner: str, name: str) -> None:
        self._owner, self._name = owner, name
        self._path = f"/repos/{owner}/{name}"

    def use_fork(self, fork: RepoUrl) -> None:
        """As OpensAcross says."""
        self._fork = "/".join(owner_and_name(fork, "GitHub"))

    @property
    def _heads(self) -> str:
        """The repository that pull requests come from, OWNER/NAME."""
        return self._fork or f"{self._owner}/{self._name}"

    @property
    def _commits(self) -> Commits:
        return Commits(self._github, self._heads)

    def default_branch(self) -> str:
        return str(as_object(self._api.get(self._path, f"looking for {self._owner}/{self._name}"))["default_branch"])

    def _pulls(self, *, head: str, base: str, every: bool) -> Iterable[PullRequest]:
        found = list(self._listed(head, base, every=every))
        # Git over ssh follows a rename or a transfer in silence, and the search below goes by the owner's name.
        return found if found or not self._has_new_name() else self._listed(head, base, every=every)

    def _has_new_name(self) -> bool:
        """Whether the repository has another name than the one that was asked for; from here on it is used."""
        if self._is_name_known:
            return False
        self._is_name_known = True
        before = self._owner, self._name, self._fork
        owner, name = self._full_name(f"{self._owner}/{self._name}").split("/", 1)
        self._take_name(owner, name)
        if self._fork:
            self._fork = self._full_name(self._fork)
        return (self._owner, self._name, self._fork) != before

    def _full_name(self, known: str) -> str:
        """The name that GitHub has for a repository by now, as it is known where only its case differs."""
        answer = as_object(self._api.get(f"/repos/{known}", f"looking for {known}"))
        found = str(answer["full_name"])
        return known if found.casefold() == known.casefold() else found

    def _listed(self, head: str, base: str, *, every: bool) -> Iterable[PullRequest]:
        answer = self._api.get(
            f"{self._path}/pulls",
            "looking for the pull request",
            head=f"{self._heads.partition('/')[0]}:{head}",
            base=base,
            state="all" if every else "open",
            sort="created",
            direction="desc",
            per_page=100,
        )
        # An unknown owner makes GitHub ignore `head` and answer with everybody's pull requests.
        for data in as_list(answer):
            # The repository's own name may have changed, and is the one that the base has in the same answer.
            wanted = self._fork or data["base"]["repo"]["full_name"]
            ours = str((data["head"].get("repo") or {}).get("full_name")).casefold() == wanted.casefold()
            if data["head"]["ref"] == head and data["base"]["ref"] == base and ours:
                yield _read(data)

    def _create(self, proposal: Proposal) -> PullRequest:
        body: dict[str, Any] = {
            "title": proposal.title,
            "head": proposal.head,
            "base": proposal.base,
            "body": proposal.body,
        }
        if self._fork:
            owner, _, name = self._fork.partition("/")
            body |= {"head": f"{owner}:{proposal.head}", "head_repo": name}
        if proposal.draft:
            body["draft"] = True
        answer = as_object(self._api.send("POST", f"{self._path}/pulls", "opening the pull request", body))
        by_workflow = (answer.get("user") or {}).get("login") == "github-actions[bot]"
        return replace(_read(answer), warnings=(_NO_WORKFLOWS,) if by_workflow else ())

    def _exists(self, error: ForgeError) -> bool:
        return error.status == 422 and "already exists" in error.message

    def _lags(self, error: ForgeError) -> bool:
        said = error.message.casefold()
        return error.status == 422 and ("head invalid" in said or "not all refs are readable" in said)

    def _rewrite(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        wanted = {"title": proposal.title, "body": proposal.body}
        path = f"{self._path}/pulls/{pull_request.number}"
        rewritten = _read(self._api.send("PATCH", path, "updating the pull request", wanted, safe=True))
        if not proposal.draft or rewritten.draft:
            return rewritten
        try:
            self._github.mutate(
                _TO_DRAFT, "making the pull request a draft", {"pullRequestId": rewritten.node_id}, safe=True
            )
        except ForgeError as error:
            return replace(rewritten, warnings=(f"It is not a draft: {error.message}",))
        return replace(rewritten, draft=True)

    def _add(self, pull_request: PullRequest, missing: Additions) -> Additions:
        number, added = pull_request.number, Additions()
        if missing.labels:
            path, body = f"{self._path}/issues/{number}/labels", {"labels": list(missing.labels)}
            self._api.send("POST", path, "adding labels", body, safe=True)
            added += Additions(labels=missing.labels)
        if missing.assignees:
            added += self._assign(number, missing.assignees)
        # One by one: a single name that may not review makes GitHub refuse all of a request.
        for name in missing.reviewers:
            added += self._ask_for_review(number, name)
        if missing.milestone:
            added += self._set_milestone(pull_request, missing.milestone)
        return added

    def _set_milestone(self, pull_request: PullRequest, title: str) -> Additions:
        def send(number: int) -> PullRequest:
            path = f"{self._path}/issues/{pull_request.number}"
            answer = as_object(self._api.send("PATCH", path, "setting the milestone", {"milestone": number}, safe=True))
            return replace(pull_request, milestone=str((answer.get("milestone") or {}).get("title", "")))

        return milestone_titled(self._milestones(), title, "number", send)

    def _milestones(self) -> Iterator[Any]:
        for page in count(1):
            found = as_list(
                self._api.get(
                    f"{self._path}/milestones", "looking for a milestone", state="open", per_page=100, page=page
                )
            )
            yield from found
            if len(found) < 100:
                return

    def _assign(self, number: int | None, people: tuple[str, ...]) -> Additions:
        path, body = f"{self._path}/issues/{number}/assignees", {"assignees": list(people)}
        answer = as_object(self._api.send("POST", path, "assigning the pull request", body, safe=True))
        # Whoever cannot be assigned is left out in silence.
        known = {login.casefold() for login in texts(answer.get("assignees"), "login")}
        refused = tuple(name for name in people if name.casefold() not in known)
        return Additions(
            assignees=tuple(name for name in people if name not in refused),
            warnings=tuple(f"{name} was not assigned: no access to the repository?" for name in refused),
        )

    def _ask_for_review(self, number: int | None, name: str) -> Additions:
        kind = "team_reviewers" if "/" in name else "reviewers"
        body = {kind: [name.rpartition("/")[2]]}
        path = f"{self._path}/pulls/{number}/requested_reviewers"
        return attempt(
            lambda: self._api.send("POST", path, f"asking {name} for review", body, safe=True),
            Additions(reviewers=(name,)),
            f"{name} was not asked for review",
        )

    def _reviewed_by(self, pull_request: PullRequest) -> Collection[str]:
        path = f"{self._path}/pulls/{pull_request.number}/reviews"
        reviews = as_list(self._api.get(path, "reading reviews", per_page=100))
        return [str((review.get("user") or {}).get("login", "")) for review in reviews]

    def _close(self, pull_request: PullRequest) -> None:
        path = f"{self._path}/pulls/{pull_request.number}"
        self._api.send("PATCH", path, "closing the pull request", {"state": "closed"}, safe=True)

    def _comments(self, pull_request: PullRequest) -> Iterable[tuple[Any, str]]:
        path = f"{self._path}/issues/{pull_request.number}/comments"
        for page in range(1, 11):
            comments = as_list(self._api.get(path, "reading comments", per_page=100, page=page))
            yield from ((comment["id"], str(comment.get("body") or "")) for comment in comments)
            if len(comments) < 100:
                return

    def _say(self, pull_request: PullRequest, text: str, *, instead_of: Any | None) -> None:
        if instead_of is not None:
            path = f"{self._path}/issues/comments/{instead_of}"
            self._api.send("PATCH", path, "changing a comment", {"body": text}, safe=True)
        else:
            path = f"{self._path}/issues/{pull_request.number}/comments"
            self._api.send("POST", path, "commenting", {"body": text})

    def _merge(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        return Merging(self._github, self._owner, self._name, pull_request.number or 0, wanted).run()

    def statuses(self, commit: str) -> Iterable[CommitStatus]:
        path, doing = f"{self._path}/commits/{segment(commit)}", "reading commit statuses"
        for page in range(1, 11):
            found = as_list(self._api.get(f"{path}/statuses", doing, per_page=100, page=page))
            for one in found:
                by = str((one.get("creator") or {}).get("login", ""))
                yield CommitStatus(str(one["context"]), _STATUSES.get(str(one["state"]), "pending"), by)
            if len(found) < 100:
                break
        # The last run of each check alone.
        answer = self._api.get(f"{path}/check-runs", "reading check runs", filter="latest", per_page=100)
        for run in as_list(as_object(answer)["check_runs"]):
            state = _CONCLUSIONS.get(str(run.get("conclusion")), "failure")
            app = str((run.get("app") or {}).get("slug", ""))
            yield CommitStatus(str(run["name"]), state if run["status"] == "completed" else "pending", app)

    def merged(self, commit: str) -> Merged | None:
        """As ReadsMerges says. The list does not tell who merged; the pull request does."""
        path, doing = f"{self._path}/commits/{segment(commit)}/pulls", "looking for who merged"
        listed = as_list(answer_or_none(self._api, path, doing, per_page=100) or [])
        found = [one for one in listed if one.get("merged_at")]
        one = of_commit(found, commit, lambda pull: (pull.get("merge_commit_sha"),))
        if one is None:
            return None
        whole = as_object(self._api.get(f"{self._path}/pulls/{one['number']}", doing))
        return Merged(int(one["number"]), name_of(whole.get("merged_by"), "login"), seconds(one["merged_at"]))

    def commit(self, *, branch: str, parent: str, message: str, files: tuple[FileChange, ...]) -> str:
        """As CommitsByApi says."""
        return self._commits.make(branch=branch, parent=parent, message=message, files=files)

    def merge(self, *, onto: str, other: str, tree: str, message: str) -> str:
        """As CommitsByApi says."""
        return self._commits.merge(onto=onto, other=other, tree=tree, message=message)


def _read(data: Any) -> PullRequest:
    data = as_object(data)
    teams = tuple(
        f"{owner}/{slug}" if (owner := (team.get("organization") or {}).get("login")) else str(slug)
        for team in data.get("requested_teams") or ()
        if (slug := team.get("slug"))
    )
    owner = data["base"]["repo"]["owner"]["login"]
    return PullRequest(
        number=data["number"],
        url=data["html_url"],
        head=data["head"]["ref"],
        base=data["base"]["ref"],
        title=data["title"],
        body=data.get("body") or "",
        labels=texts(data.get("labels"), "name"),
        node_id=data["node_id"],
        head_commit=data["head"]["sha"],
        status="merged" if data.get("merged_at") else "open" if data["state"] == "open" else "closed",
        draft=bool(data.get("draft")),
        reviewers=(
            *texts(data.get("requested_reviewers"), "login"),
            *(team if "/" in team else f"{owner}/{team}" for team in teams),
        ),
        assignees=texts(data.get("assignees"), "login"),
        milestone=str((data.get("milestone") or {}).get("title", "")),
    )


def _hosts(host: str) -> bool:
    return host.startswith("github.") or host.endswith(".ghe.com")


def _connect(url: RepoUrl, token: Secret | None, api_url: str | None, *, deadline: float | None = None) -> GitHub:
    api = (api_url or _usual_api(url)).rstrip("/")
    graphql = f"{api.removesuffix('/v3')}/graphql"
    headers: dict[str, str | Secret] = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    if token:
        headers["Authorization"] = Secret(f"Bearer {token.reveal()}")
    owner, name = owner_and_name(url, "GitHub")
    return GitHub(GitHubApi(client_of(api, headers, deadline), graphql, token), owner, name)


def _usual_api(url: RepoUrl) -> str:
    if url.code_host == "github.com" or url.code_host.endswith(".ghe.com"):
        return f"https://api.{url.code_host}"
    return f"{web_origin(url)}/api/v3"


KIND = ForgeKind(
    id="github",
    token_variables=("GITHUB_TOKEN", "GH_TOKEN"),
    git_user="x-access-token",
    hosts=_hosts,
    connect=_connect,
)
