"""Bitbucket Pipelines. Source: support.atlassian.com "Variables and secrets"."""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, known, number

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if not env.get("BITBUCKET_BUILD_NUMBER"):
        return None
    url = env.get("BITBUCKET_GIT_HTTP_ORIGIN", "").replace("http://", "https://", 1)
    run = env.get("BITBUCKET_BUILD_NUMBER", "")
    return CiContext(
        provider="bitbucket",
        repository_url=url,
        commit=env.get("BITBUCKET_COMMIT", ""),
        branch=env.get("BITBUCKET_BRANCH", ""),
        git_tag=env.get("BITBUCKET_TAG", ""),
        pull_request=number(env.get("BITBUCKET_PR_ID")),
        run_url=f"{url}/pipelines/results/{run}" if url else "",
        bases=known(env.get("BITBUCKET_PR_DESTINATION_COMMIT")),
        run=run,
    )
