"""GitLab CI. Source: docs.gitlab.com "Predefined CI/CD variables"."""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, known, number

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if env.get("GITLAB_CI") != "true" and not (env.get("CI_SERVER_URL") and env.get("CI_PROJECT_ID")):
        return None
    request = number(env.get("CI_MERGE_REQUEST_IID"))
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
        bases=known(env.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"), env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA")),
        run=env.get("CI_PIPELINE_IID", ""),
        started=env.get("CI_PIPELINE_CREATED_AT", ""),
        scheduled=env.get("CI_PIPELINE_SOURCE") == "schedule",
        project_title=env.get("CI_PROJECT_NAME", ""),
        project_description=env.get("CI_PROJECT_DESCRIPTION", ""),
    )
