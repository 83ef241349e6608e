"""AWS CodeBuild. Source: docs.aws.amazon.com "Environment variables in build environments".

It does not tell where the head of a pull request is from, so no pull request is trusted.
"""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, known, number

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if not env.get("CODEBUILD_BUILD_ID"):
        return None
    # `branch/NAME`, `tag/NAME`, `pr/NUMBER`; nothing where no webhook started the build.
    kind, _, name = env.get("CODEBUILD_WEBHOOK_TRIGGER", "").partition("/")
    head = env.get("CODEBUILD_WEBHOOK_HEAD_REF", "")
    of_request = kind == "pr" or env.get("CODEBUILD_WEBHOOK_EVENT", "").startswith("PULL_REQUEST")
    branch = head if of_request or not kind else name if kind == "branch" else ""
    is_tag = kind == "tag" or head.startswith("refs/tags/")
    return CiContext(
        provider="codebuild",
        repository_url=env.get("CODEBUILD_SOURCE_REPO_URL", ""),
        commit=env.get("CODEBUILD_RESOLVED_SOURCE_VERSION", ""),
        branch="" if is_tag else branch.removeprefix("refs/heads/"),
        git_tag=(name if kind == "tag" else head.removeprefix("refs/tags/")) if is_tag else "",
        pull_request=number(name) if kind == "pr" else None,
        run_url=env.get("CODEBUILD_BUILD_URL", ""),
        trusted=not of_request,
        event=env.get("CODEBUILD_WEBHOOK_EVENT", ""),
        bases=known(env.get("CODEBUILD_WEBHOOK_PREV_COMMIT")) if of_request else (),
        run=env.get("CODEBUILD_BUILD_NUMBER", ""),
        reads_checkout=not kind and not head,
    )
