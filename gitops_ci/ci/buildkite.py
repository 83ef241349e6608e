"""Buildkite. Source: buildkite.com/docs "Environment variables"."""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, is_same_repository, number, remote

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if env.get("BUILDKITE") != "true":
        return None
    repository, head = env.get("BUILDKITE_REPO", ""), env.get("BUILDKITE_PULL_REQUEST_REPO", "")
    request = number(env.get("BUILDKITE_PULL_REQUEST"))
    tag, commit = env.get("BUILDKITE_TAG", ""), env.get("BUILDKITE_COMMIT", "")
    return CiContext(
        provider="buildkite",
        repository_url=repository,
        commit="" if commit == "HEAD" else commit,
        branch="" if tag else env.get("BUILDKITE_BRANCH", ""),
        git_tag=tag,
        default_branch=env.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH", ""),
        pull_request=request,
        run_url=env.get("BUILDKITE_BUILD_URL", ""),
        actor=env.get("BUILDKITE_BUILD_CREATOR", ""),
        actor_email=env.get("BUILDKITE_BUILD_CREATOR_EMAIL", ""),
        trusted=request is None or is_same_repository(repository, head),
        event=env.get("BUILDKITE_SOURCE", ""),
        bases=remote(env.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "")) if request else (),
        run=env.get("BUILDKITE_BUILD_NUMBER", ""),
        scheduled=env.get("BUILDKITE_SOURCE") == "schedule",
    )
