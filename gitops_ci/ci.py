"""What the CI provider tells: the one reader of its variables.

Sources: docs.github.com "Variables reference"; docs.gitlab.com "Predefined CI/CD variables"; Gitea/Forgejo Actions set
GitHub's names plus GITEA_ACTIONS/FORGEJO_ACTIONS; support.atlassian.com "Variables and secrets" (Bitbucket);
learn.microsoft.com "Predefined variables" (Azure Pipelines); jenkins.io "Using environment variables".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from gitops_ci.repourl import is_loopback

__all__ = ["CiContext", "commit_url", "detect", "own_code_host"]

Provider = Literal["github", "gitea", "gitlab", "bitbucket", "azure", "jenkins", "none"]


class CiContext(NamedTuple):
    """One pipeline run. Empty strings and None are "not told".

    `bases` are revisions that the change under review, or in a merge queue, is to be compared with, the nearest first.

    `trusted` is False where the code that runs comes from someone who may not push: a pull request from a fork.

    `run` is the number of the pipeline run, `started` when it began (RFC 3339), `scheduled` that a schedule started it.

    `trusted_commits` are the only ones whose checkout is trusted, for an event that anybody can start; () is any.
    """

    provider: Provider = "none"
    repository_url: str = ""
    commit: str = ""
    branch: str = ""
    git_tag: str = ""
    default_branch: str = ""
    pull_request: int | None = None
    run_url: str = ""
    actor: str = ""
    actor_email: str = ""
    trusted: bool = True
    event: str = ""
    bases: tuple[str, ...] = ()
    run: str = ""
    started: str = ""
    scheduled: bool = False
    trusted_commits: tuple[str, ...] = ()


def commit_url(context: CiContext) -> str:
    """Where a person can look at the commit; "" where the provider does not tell."""
    below = {"gitlab": "/-/commit/", "bitbucket": "/commits/", "jenkins": "", "none": ""}.get(
        context.provider, "/commit/"
    )
    is_known = below and context.commit and context.repository_url.startswith(("https://", "http://"))
    return f"{context.repository_url.removesuffix('.git')}{below}{context.commit}" if is_known else ""


def own_code_host(environ: Mapping[str, str], host: str) -> tuple[str, str | None]:
    """Kind and API address of the code host that this run is from, if `host` is that one; ("", None) if not.

    The address is told where it may be below a path. Loopback is a test's, and says nothing.
    """
    provider = detect(environ).provider
    variable = {"github": "GITHUB_SERVER_URL", "gitea": "GITHUB_SERVER_URL", "gitlab": "CI_SERVER_URL"}.get(provider)
    if variable is None or not host or is_loopback(host) or urlsplit(environ.get(variable, "")).hostname != host:
        return "", None
    api = urlsplit(environ.get("CI_API_V4_URL", "")) if provider == "gitlab" else urlsplit("")
    return provider, api.geturl() if api.scheme == "https" and api.hostname == host else None


def detect(environ: Mapping[str, str]) -> CiContext:
    """Read the context from the process's environment."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ)
    if environ.get("GITLAB_CI") == "true" or (environ.get("CI_SERVER_URL") and environ.get("CI_PROJECT_ID")):
        return _gitlab(environ)
    if environ.get("BITBUCKET_BUILD_NUMBER"):
        return _bitbucket(environ)
    if environ.get("TF_BUILD") == "True":
        return _azure(environ)
    if environ.get("JENKINS_URL") and environ.get("BUILD_NUMBER"):
        return _jenkins(environ)
    return CiContext()


def _github(env: Mapping[str, str]) -> CiContext:
    ours = any(env.get(name) == "true" for name in ("GITEA_ACTIONS", "FORGEJO_ACTIONS"))
    server, repository = env.get("GITHUB_SERVER_URL", ""), env.get("GITHUB_REPOSITORY", "")
    url = f"{server}/{repository}" if server and repository else ""
    name, event = env.get("GITHUB_EVENT_NAME", ""), _event(env.get("GITHUB_EVENT_PATH", ""))
    run = env.get("GITHUB_RUN_ID", "")
    actor = env.get("GITHUB_ACTOR", "")
    built = _github_follows(event) if name == "workflow_run" else _github_builds(env, name, event)
    return CiContext(
        provider="gitea" if ours else "github",
        repository_url=url,
        commit=built.commit,
        branch=built.branch,
        git_tag=built.tag,
        default_branch=(event.get("repository") or {}).get("default_branch") or "",
        pull_request=built.pull_request,
        run_url=f"{url}/actions/runs/{run}" if url and run else "",
        actor=actor,
        actor_email=f"{actor}@users.noreply.github.com" if actor and not ours else "",
        trusted=_github_trusts(name, event, repository, env.get("GITHUB_REF", "")),
        event=name,
        bases=_github_bases(name, event, "" if ours else env.get("GITHUB_SHA", "")),
        run=env.get("GITHUB_RUN_NUMBER", ""),
        scheduled=name == "schedule",
        trusted_commits=_github_trusted_commits(env, event),
    )


class _Built(NamedTuple):
    """What a run of GitHub builds."""

    commit: str
    branch: str
    tag: str
    pull_request: int | None


def _github_builds(env: Mapping[str, str], name: str, event: Mapping[str, Any]) -> _Built:
    request = event.get("pull_request") or {}
    ref, is_tag = env.get("GITHUB_REF_NAME", ""), env.get("GITHUB_REF_TYPE") == "tag"
    of_request = name.startswith("pull_request")
    return _Built(
        # On a pull request GITHUB_SHA is a merge commit that nobody finds again: the head is what was built.
        commit=(request.get("head") or {}).get("sha") or env.get("GITHUB_SHA", ""),
        branch=env.get("GITHUB_HEAD_REF", "") if of_request else "" if is_tag else ref,
        tag=ref if is_tag else "",
        pull_request=_number(request.get("number") or (event.get("number") if of_request else None)),
    )


def _github_follows(event: Mapping[str, Any]) -> _Built:
    """What the run before this one built: GITHUB_SHA and GITHUB_REF are those of the default branch here.

    A run for a pull request without a number is one of no branch: its head may have the name of a branch here.
    """
    before = event.get("workflow_run") or {}
    requests = before.get("pull_requests") or ()
    of_request = str(before.get("event", "")).startswith("pull_request")
    number = _number(requests[0].get("number")) if of_request and requests else None
    branch = before.get("head_branch") or ""
    return _Built(before.get("head_sha") or "", "" if of_request and number is None else branch, "", number)


def _github_trusted_commits(env: Mapping[str, str], event: Mapping[str, Any]) -> tuple[str, ...]:
    """The default branch's commit for an event of an issue, a comment, another run or a program outside.

    A workflow may check something else out then: the pull request of a comment. What is pushed, scheduled or
    started by hand is chosen by who may push, and `pull_request…` is decided by its head.
    """
    name = env.get("GITHUB_EVENT_NAME", "")
    chosen = name in _CHOSEN_BY_WRITERS or name.startswith(("pull_request", "deployment"))
    followed = (event.get("workflow_run") or {}).get("head_sha")  # of this repository, or the event is not trusted
    return () if chosen else _known(env.get("GITHUB_SHA"), followed)


_CHOSEN_BY_WRITERS = frozenset({"", "create", "merge_group", "push", "release", "schedule", "workflow_dispatch"})


def _github_bases(name: str, event: Mapping[str, Any], merge: str) -> tuple[str, ...]:
    """Where a change begins. `merge` is what GitHub made of a pull request and its target: its first parent is that."""
    if name == "merge_group":
        return _known((event.get("merge_group") or {}).get("base_sha"))
    target = ((event.get("pull_request") or {}).get("base") or {}).get("sha")
    if name == "pull_request":
        return _known(f"{merge}^1" if merge else "", target)
    return _known(target)


def _github_trusts(name: str, event: Mapping[str, Any], repository: str, ref: str) -> bool:
    """Whether the code of the event lies in this repository: what `pull_request` says of its head.

    `pull_request_target` and `workflow_run` have secrets also where a fork started them. The first is never trusted,
    since its very purpose is to run for forks; the second where the run it follows was of this repository.
    """
    if name == "workflow_run":
        head = (event.get("workflow_run") or {}).get("head_repository") or {}
    elif name.startswith("pull_request"):
        head = ((event.get("pull_request") or {}).get("head") or {}).get("repo") or {}
    elif name.startswith("deployment"):
        # Made for a branch or a tag of this repository, or for a bare commit, which a fork may have.
        return ref.startswith(("refs/heads/", "refs/tags/"))
    else:
        return True
    return name != "pull_request_target" and bool(repository) and head.get("full_name") == repository


def _gitlab(env: Mapping[str, str]) -> CiContext:
    request = _number(env.get("CI_MERGE_REQUEST_IID"))
    return CiContext(
        provider="gitlab",
        repository_url=env.get("CI_PROJECT_URL", ""),
        commit=env.get("CI_COMMIT_SHA", ""),
        branch=env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or env.get("CI_COMMIT_BRANCH", ""),
        git_tag=env.get("CI_COMMIT_TAG", ""),
        default_branch=env.get("CI_DEFAULT_BRANCH", ""),
        pull_request=request,
        run_url=env.get("CI_JOB_URL") or env.get("CI_PIPELINE_URL", ""),
        actor=env.get("GITLAB_USER_NAME", ""),
        actor_email=env.get("GITLAB_USER_EMAIL", ""),
        trusted=request is None
        or env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "") == env.get("CI_MERGE_REQUEST_PROJECT_ID", ""),
        event=env.get("CI_PIPELINE_SOURCE", ""),
        # The first is told where the job runs on what the merge would make, as in a merge train.
        bases=_known(env.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"), env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA")),
        run=env.get("CI_PIPELINE_IID", ""),
        started=env.get("CI_PIPELINE_CREATED_AT", ""),
        scheduled=env.get("CI_PIPELINE_SOURCE") == "schedule",
    )


def _bitbucket(env: Mapping[str, str]) -> CiContext:
    url = env.get("BITBUCKET_GIT_HTTP_ORIGIN", "").replace("http://", "https://", 1)
    number = env.get("BITBUCKET_BUILD_NUMBER", "")
    return CiContext(
        provider="bitbucket",
        repository_url=url,
        commit=env.get("BITBUCKET_COMMIT", ""),
        branch=env.get("BITBUCKET_BRANCH", ""),
        git_tag=env.get("BITBUCKET_TAG", ""),
        pull_request=_number(env.get("BITBUCKET_PR_ID")),
        run_url=f"{url}/pipelines/results/{number}" if url else "",
        bases=_known(env.get("BITBUCKET_PR_DESTINATION_COMMIT")),
        run=number,
    )


def _azure(env: Mapping[str, str]) -> CiContext:
    ref = env.get("BUILD_SOURCEBRANCH", "")
    request = env.get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER") or env.get("SYSTEM_PULLREQUEST_PULLREQUESTID")
    branch = env.get("SYSTEM_PULLREQUEST_SOURCEBRANCH", "") if request else ref
    base, project = env.get("SYSTEM_COLLECTIONURI", ""), env.get("SYSTEM_TEAMPROJECT", "")
    return CiContext(
        provider="azure",
        repository_url=env.get("BUILD_REPOSITORY_URI", ""),
        commit=env.get("SYSTEM_PULLREQUEST_SOURCECOMMITID") or env.get("BUILD_SOURCEVERSION", ""),
        branch=branch.removeprefix("refs/heads/") if branch.startswith("refs/heads/") else "",
        git_tag=ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else "",
        pull_request=_number(request),
        run_url=f"{base}{project}/_build/results?buildId={env.get('BUILD_BUILDID', '')}" if base and project else "",
        actor=env.get("BUILD_REQUESTEDFOR", ""),
        actor_email=env.get("BUILD_REQUESTEDFOREMAIL", ""),
        trusted=env.get("SYSTEM_PULLREQUEST_ISFORK", "False") != "True",
        bases=_remote(env.get("SYSTEM_PULLREQUEST_TARGETBRANCH", "").removeprefix("refs/heads/")),
        run=env.get("BUILD_BUILDID", ""),
        started=env.get("SYSTEM_PIPELINESTARTTIME", ""),
        scheduled=env.get("BUILD_REASON") == "Schedule",
    )


def _jenkins(env: Mapping[str, str]) -> CiContext:
    return CiContext(
        provider="jenkins",
        repository_url=env.get("GIT_URL", ""),
        commit=env.get("GIT_COMMIT", ""),
        branch=env.get("CHANGE_BRANCH") or env.get("BRANCH_NAME") or env.get("GIT_BRANCH", "").removeprefix("origin/"),
        git_tag=env.get("TAG_NAME", ""),
        pull_request=_number(env.get("CHANGE_ID")),
        run_url=env.get("BUILD_URL", ""),
        actor=env.get("BUILD_USER", ""),
        trusted=not env.get("CHANGE_FORK"),
        bases=_remote(env.get("CHANGE_TARGET", "")),
        run=env.get("BUILD_NUMBER", ""),
    )


def _known(*revisions: object) -> tuple[str, ...]:
    return tuple(revision for revision in revisions if isinstance(revision, str) and revision)


def _remote(branch: str) -> tuple[str, ...]:
    return (f"origin/{branch}",) if branch else ()


def _event(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            event = json.load(file)
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def _number(text: object) -> int | None:
    return int(str(text)) if str(text or "").isdigit() else None
