"""CircleCI. Source: circleci.com/docs "Project values and variables", built-in environment variables."""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, number

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if env.get("CIRCLECI") != "true":
        return None
    tag, branch = env.get("CIRCLE_TAG", ""), env.get("CIRCLE_BRANCH", "")
    # The branch of a fork's pull request is `pull/NUMBER`; the two variables are set for those alone.
    of_fork = branch.startswith("pull/") or bool(env.get("CIRCLE_PR_USERNAME") or env.get("CIRCLE_PR_REPONAME"))
    request = env.get("CIRCLE_PR_NUMBER") or env.get("CIRCLE_PULL_REQUEST", "").rpartition("/")[2]
    return CiContext(
        provider="circleci",
        repository_url=env.get("CIRCLE_REPOSITORY_URL", ""),
        commit=env.get("CIRCLE_SHA1", ""),
        branch="" if tag else branch,
        git_tag=tag,
        pull_request=number(request or (branch.removeprefix("pull/") if of_fork else "")),
        run_url=env.get("CIRCLE_BUILD_URL", ""),
        actor=env.get("CIRCLE_USERNAME", ""),
        trusted=not of_fork,
        run=env.get("CIRCLE_BUILD_NUM", ""),
    )
