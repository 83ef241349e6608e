"""Semaphore. Source: docs.semaphore.io "Environment variables"."""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, number, remote

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if env.get("SEMAPHORE") != "true":
        return None
    request = number(env.get("SEMAPHORE_GIT_PR_NUMBER"))
    tag = env.get("SEMAPHORE_GIT_TAG_NAME", "")
    branch = env.get("SEMAPHORE_GIT_PR_BRANCH", "") if request else env.get("SEMAPHORE_GIT_BRANCH", "")
    server, workflow = env.get("SEMAPHORE_ORGANIZATION_URL", ""), env.get("SEMAPHORE_WORKFLOW_ID", "")
    slug = env.get("SEMAPHORE_GIT_REPO_SLUG", "")
    return CiContext(
        provider="semaphore",
        repository_url=env.get("SEMAPHORE_GIT_URL", ""),
        commit=env.get("SEMAPHORE_GIT_PR_SHA") or env.get("SEMAPHORE_GIT_SHA", ""),
        branch="" if tag else branch,
        git_tag=tag,
        pull_request=request,
        run_url=f"{server}/workflows/{workflow}" if server and workflow else "",
        trusted=request is None or (bool(slug) and env.get("SEMAPHORE_GIT_PR_SLUG") == slug),
        bases=remote(env.get("SEMAPHORE_GIT_BRANCH", "")) if request else (),
        run=env.get("SEMAPHORE_WORKFLOW_NUMBER", ""),
        scheduled=env.get("SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE") == "true",
    )
