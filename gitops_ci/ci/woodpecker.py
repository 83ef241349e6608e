"""Woodpecker. Source: woodpecker-ci.org "Environment variables".

It does not tell where the head of a pull request is from, so no pull request is trusted.
"""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, number, remote

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if env.get("CI") != "woodpecker" and env.get("CI_SYSTEM_NAME") != "woodpecker":
        return None
    event = env.get("CI_PIPELINE_EVENT", "")
    request = number(env.get("CI_COMMIT_PULL_REQUEST"))
    of_request = request is not None or event.startswith("pull_request")
    tag = env.get("CI_COMMIT_TAG", "")
    branch = env.get("CI_COMMIT_SOURCE_BRANCH", "") if of_request else env.get("CI_COMMIT_BRANCH", "")
    return CiContext(
        provider="woodpecker",
        repository_url=env.get("CI_REPO_URL") or env.get("CI_REPO_CLONE_URL", ""),
        commit=env.get("CI_COMMIT_SHA", ""),
        branch="" if tag else branch,
        git_tag=tag,
        default_branch=env.get("CI_REPO_DEFAULT_BRANCH", ""),
        pull_request=request,
        run_url=env.get("CI_PIPELINE_URL", ""),
        actor=env.get("CI_COMMIT_AUTHOR", ""),
        actor_email=env.get("CI_COMMIT_AUTHOR_EMAIL", ""),
        trusted=not of_request,
        event=event,
        bases=remote(env.get("CI_COMMIT_TARGET_BRANCH", "")) if of_request else (),
        run=env.get("CI_PIPELINE_NUMBER", ""),
        scheduled=event == "cron",
    )
