"""Google Cloud Build. Source: cloud.google.com "Substituting variable values".

Substitutions are variables only where a step names them, or with `automapSubstitutions: true`.
"""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, is_same_repository, number, remote

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if not (env.get("PROJECT_ID") and env.get("BUILD_ID") and (env.get("COMMIT_SHA") or env.get("TRIGGER_NAME"))):
        return None
    request = number(env.get("_PR_NUMBER"))
    tag, head = env.get("TAG_NAME", ""), env.get("_HEAD_REPO_URL", "")
    repository = env.get("REPO_FULL_NAME", "")
    is_own = bool(repository) and is_same_repository(head, f"https://host/{repository}")
    build, project = env["BUILD_ID"], env["PROJECT_ID"]
    return CiContext(
        provider="cloud-build",
        commit=env.get("COMMIT_SHA", ""),
        branch="" if tag else env.get("_HEAD_BRANCH") or env.get("BRANCH_NAME", ""),
        git_tag=tag,
        pull_request=request,
        run_url=f"https://console.cloud.google.com/cloud-build/builds/{build}?project={project}",
        trusted=request is None or is_own,
        bases=remote(env.get("_BASE_BRANCH", "")) if request else (),
        run=build,
        reads_checkout=not (tag or request or env.get("BRANCH_NAME")),
    )
