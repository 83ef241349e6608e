"""GitHub Actions, and Gitea and Forgejo Actions, which set the same names.

Source: docs.github.com "Variables reference". Gitea and Forgejo also set GITEA_ACTIONS and FORGEJO_ACTIONS.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from gitops_ci.ci.base import CiContext, Environ, known, number

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if env.get("GITHUB_ACTIONS") != "true":
        return None
    ours = any(env.get(name) == "true" for name in ("GITEA_ACTIONS", "FORGEJO_ACTIONS"))
    server, repository = env.get("GITHUB_SERVER_URL", "").rstrip("/"), env.get("GITHUB_REPOSITORY", "")
    url = f"{server}/{repository}" if server and repository else ""
    name, event = env.get("GITHUB_EVENT_NAME", ""), _event(env.get("GITHUB_EVENT_PATH", ""))
    run = env.get("GITHUB_RUN_ID", "")
    actor = env.get("GITHUB_ACTOR", "")
    about = _part(event, "repository")
    built = _github_follows(event) if name == "workflow_run" else _github_builds(env, name, event)
    return CiContext(
        provider="gitea" if ours else "github",
        repository_url=url,
        commit=built.commit,
        branch=built.branch,
        git_tag=built.tag,
        default_branch=_text(about, "default_branch"),
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
        project_title=_text(about, "name") or repository.rpartition("/")[2],
        project_description=_text(about, "description"),
        project_license=_license(_part(about, "license")),
    )


def _license(told: Mapping[str, Any]) -> str:
    """The SPDX identifier of a license; GitHub tells NOASSERTION where it does not know the text."""
    found = _text(told, "spdx_id")
    return found if found != "NOASSERTION" else ""


class _Built(NamedTuple):
    """What a run of GitHub builds."""

    commit: str
    branch: str
    tag: str
    pull_request: int | None


def _github_builds(env: Environ, name: str, event: Mapping[str, Any]) -> _Built:
    request = _part(event, "pull_request")
    ref, is_tag = env.get("GITHUB_REF_NAME", ""), env.get("GITHUB_REF_TYPE") == "tag"
    of_request = name.startswith("pull_request")
    return _Built(
        # On a pull request GITHUB_SHA is a merge commit that nobody finds again: the head is what was built.
        commit=_text(_part(request, "head"), "sha") or env.get("GITHUB_SHA", ""),
        branch=env.get("GITHUB_HEAD_REF", "") if of_request else "" if is_tag else ref,
        tag=ref if is_tag else "",
        pull_request=number(request.get("number") or (event.get("number") if of_request else None)),
    )


def _github_follows(event: Mapping[str, Any]) -> _Built:
    """What the run before this one built: GITHUB_SHA and GITHUB_REF are those of the default branch here.

    A run for a pull request without a number is one of no branch: its head may have the name of a branch here.
    """
    before = _part(event, "workflow_run")
    requests = before.get("pull_requests")
    first = requests[0] if isinstance(requests, list) and requests else None
    of_request = _text(before, "event").startswith("pull_request")
    request = number(first.get("number")) if of_request and isinstance(first, dict) else None
    branch = _text(before, "head_branch")
    return _Built(_text(before, "head_sha"), "" if of_request and request is None else branch, "", request)


def _github_trusted_commits(env: Environ, event: Mapping[str, Any]) -> tuple[str, ...]:
    """The default branch's commit for an event of an issue, a comment, another run or a program outside.

    A workflow may check something else out then: the pull request of a comment. What is pushed, scheduled or
    started by hand is chosen by who may push, and `pull_request…` is decided by its head.
    """
    name = env.get("GITHUB_EVENT_NAME", "")
    chosen = name in _CHOSEN_BY_WRITERS or name.startswith(("pull_request", "deployment"))
    followed = _part(event, "workflow_run").get("head_sha")  # of this repository, or the event is not trusted
    return () if chosen else known(env.get("GITHUB_SHA"), followed)


_CHOSEN_BY_WRITERS = frozenset({"", "create", "merge_group", "push", "release", "schedule", "workflow_dispatch"})


def _github_bases(name: str, event: Mapping[str, Any], merge: str) -> tuple[str, ...]:
    """Where a change begins. `merge` is what GitHub made of a pull request and its target: its first parent is that."""
    if name == "merge_group":
        return known(_part(event, "merge_group").get("base_sha"))
    target = _part(event, "pull_request", "base").get("sha")
    if name == "pull_request":
        return known(f"{merge}^1" if merge else "", target)
    return known(target)


def _github_trusts(name: str, event: Mapping[str, Any], repository: str, ref: str) -> bool:
    """Whether the code of the event lies in this repository: what `pull_request` says of its head.

    `pull_request_target` and `workflow_run` have secrets also where a fork started them. The first is never trusted,
    since its very purpose is to run for forks; the second where the run it follows was of this repository.
    """
    if name == "workflow_run":
        head = _part(event, "workflow_run", "head_repository")
    elif name.startswith("pull_request"):
        head = _part(event, "pull_request", "head", "repo")
    elif name.startswith("deployment"):
        # Made for a branch or a tag of this repository, or for a bare commit, which a fork may have.
        return ref.startswith(("refs/heads/", "refs/tags/"))
    else:
        return True
    return name != "pull_request_target" and bool(repository) and head.get("full_name") == repository


def _event(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            event = json.load(file)
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def _part(event: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """An object inside of an event; an empty one where there is none, or something else. act's users write events."""
    for name in path:
        inner = event.get(name)
        event = inner if isinstance(inner, dict) else {}
    return event


def _text(part: Mapping[str, Any], name: str) -> str:
    found = part.get(name)
    return found if isinstance(found, str) else ""
