"""What the CI provider tells: the one reader of its variables. One module per provider."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ci.ci.base import CiContext, Reader
from gitops_ci.lazy import LazyModules

__all__ = ["PROVIDERS", "CiContext", "commit_url", "compare_url", "detect", "own_code_host"]

PROVIDERS: Mapping[str, Reader] = LazyModules(
    "ci",
    {
        "github": "github:read",
        "woodpecker": "woodpecker:read",
        "gitlab": "gitlab:read",
        "bitbucket": "bitbucket:read",
        "azure": "azure:read",
        "circleci": "circleci:read",
        "drone": "drone:read",
        "buildkite": "buildkite:read",
        "travis": "travis:read",
        "codebuild": "codebuild:read",
        "semaphore": "semaphore:read",
        "teamcity": "teamcity:read",
        "jenkins": "jenkins:read",
        "cloud-build": "cloud_build:read",
        "argo-workflows": "argo_workflows:read",
    },
)
# In the order in which they are asked: a provider that also sets another one's variables stands before it. A provider
# sets one of these variables; the module of a provider that set none is not loaded.
_MARKS: Mapping[str, tuple[str, ...]] = {
    "github": ("GITHUB_ACTIONS",),
    "woodpecker": ("CI_SYSTEM_NAME", "CI"),
    "gitlab": ("GITLAB_CI", "CI_PROJECT_ID"),
    "bitbucket": ("BITBUCKET_BUILD_NUMBER",),
    "azure": ("TF_BUILD",),
    "circleci": ("CIRCLECI",),
    "drone": ("DRONE",),
    "buildkite": ("BUILDKITE",),
    "travis": ("TRAVIS",),
    "codebuild": ("CODEBUILD_BUILD_ID",),
    "semaphore": ("SEMAPHORE",),
    "teamcity": ("TEAMCITY_VERSION",),
    "jenkins": ("JENKINS_URL",),
    "cloud-build": ("PROJECT_ID",),
    "argo-workflows": ("ARGO_NODE_ID", "ARGO_TEMPLATE"),
}
# Where the page of a comparison is, below the page of its repository.
_COMPARISONS = {
    "github": "/compare/{old}...{new}",
    "gitea": "/compare/{old}...{new}",
    "gitlab": "/-/compare/{old}...{new}",
    "bitbucket": "/branches/compare/{new}%0D{old}",
}
# Where the page of a commit is, below the page of its repository.
_COMMITS = {
    "github": "/commit/",
    "gitea": "/commit/",
    "azure": "/commit/",
    "gitlab": "/-/commit/",
    "bitbucket": "/commits/",
}


def commit_url(context: CiContext) -> str:
    """Where a person can look at the commit; "" where the provider does not tell."""
    below = _COMMITS.get(context.provider, "")
    is_known = below and context.commit and context.repository_url.startswith(("https://", "http://"))
    return f"{context.repository_url.removesuffix('.git')}{below}{context.commit}" if is_known else ""


def compare_url(context: CiContext) -> str:
    """Where a person can look at what lies between two revisions, with `{old}` and `{new}` in their places.

    "" where the provider does not tell, or has no such page for what may be a tag or a commit.
    """
    between = _COMPARISONS.get(context.provider, "")
    is_known = between and context.repository_url.startswith(("https://", "http://"))
    return f"{context.repository_url.removesuffix('.git')}{between}" if is_known else ""


def own_code_host(environ: Mapping[str, str], host: str) -> tuple[str, str | None]:
    """Kind and API address of the code host that this run is from, if `host` is that one; ("", None) if not.

    The address is told where it may be below a path. Loopback is a test's, and says nothing.
    """
    from urllib.parse import urlsplit

    from gitops_ci.repourl import is_loopback

    provider = detect(environ).provider
    variable = {"github": "GITHUB_SERVER_URL", "gitea": "GITHUB_SERVER_URL", "gitlab": "CI_SERVER_URL"}.get(provider)
    if variable is None or not host or is_loopback(host) or urlsplit(environ.get(variable, "")).hostname != host:
        return "", None
    api = urlsplit(environ.get("CI_API_V4_URL", "")) if provider == "gitlab" else urlsplit("")
    return provider, api.geturl() if api.scheme == "https" and api.hostname == host else None


def detect(environ: Mapping[str, str]) -> CiContext:
    """Read the context from the process's environment."""
    for name, marks in _MARKS.items():
        if any(environ.get(mark) for mark in marks) and (context := PROVIDERS[name](environ)):
            return context
    return CiContext()
