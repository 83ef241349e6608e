"""Drone. Source: docs.drone.io "Pipeline, environment, reference".

It does not tell where the head of a pull request is from, so no pull request is trusted.
"""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, number, remote

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if env.get("DRONE") != "true":
        return None
    request = number(env.get("DRONE_PULL_REQUEST"))
    tag = env.get("DRONE_TAG", "")
    source = env.get("DRONE_SOURCE_BRANCH") if request else env.get("DRONE_BRANCH")
    return CiContext(
        provider="drone",
        repository_url=env.get("DRONE_REPO_LINK") or env.get("DRONE_GIT_HTTP_URL", ""),
        commit=env.get("DRONE_COMMIT_SHA", ""),
        branch="" if tag else source or "",
        git_tag=tag,
        default_branch=env.get("DRONE_REPO_BRANCH", ""),
        pull_request=request,
        run_url=env.get("DRONE_BUILD_LINK", ""),
        actor=env.get("DRONE_COMMIT_AUTHOR_NAME") or env.get("DRONE_COMMIT_AUTHOR", ""),
        actor_email=env.get("DRONE_COMMIT_AUTHOR_EMAIL", ""),
        trusted=request is None and env.get("DRONE_BUILD_EVENT") != "pull_request",
        event=env.get("DRONE_BUILD_EVENT", ""),
        bases=remote(env.get("DRONE_TARGET_BRANCH", "")) if request else (),
        run=env.get("DRONE_BUILD_NUMBER", ""),
        scheduled=env.get("DRONE_BUILD_EVENT") == "cron",
    )
