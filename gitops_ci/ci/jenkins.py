"""Jenkins. Source: jenkins.io "Using environment variables"."""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, number, remote

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if not (env.get("JENKINS_URL") and env.get("BUILD_NUMBER")):
        return None
    return CiContext(
        provider="jenkins",
        repository_url=env.get("GIT_URL", ""),
        commit=env.get("GIT_COMMIT", ""),
        branch=env.get("CHANGE_BRANCH") or env.get("BRANCH_NAME") or env.get("GIT_BRANCH", "").removeprefix("origin/"),
        git_tag=env.get("TAG_NAME", ""),
        pull_request=number(env.get("CHANGE_ID")),
        run_url=env.get("BUILD_URL", ""),
        actor=env.get("BUILD_USER", ""),
        trusted=not env.get("CHANGE_FORK"),
        bases=remote(env.get("CHANGE_TARGET", "")),
        run=env.get("BUILD_NUMBER", ""),
    )
