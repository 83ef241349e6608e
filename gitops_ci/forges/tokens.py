"""Tokens known by how they begin, and what each can and cannot do to a config repository.

Sources: docs.github.com "About authentication to GitHub" (token formats) and "Automatic token authentication";
docs.gitlab.com "GitLab token overview" and "CI/CD job token".
"""

from __future__ import annotations

from gitops_ci.secret import Secret

__all__ = ["JobToken", "advice", "is_job_token", "refused"]

_APP = "actions/create-github-app-token with `owner`, `repositories` and the permissions contents and pull-requests"
_ADVICE = {
    "ghs_": "This is a workflow's GITHUB_TOKEN or an app's token. GITHUB_TOKEN reaches only the repository it runs in: "
    f"for another one make a token with {_APP}. In its own repository give the job `permissions:` contents: write and "
    "pull-requests: write.",
    "ghp_": "This classic token needs the scope `repo`, and its owner write access to the repository.",
    "github_pat_": "This fine-grained token needs the repository selected, with read and write for Contents and Pull "
    "requests.",
    "gho_": "This OAuth token needs the scope `repo`.",
    "ghu_": "The app behind this token must be installed on the repository, with contents and pull-requests: write.",
    "glpat-": "This access token needs the scope `api` and the role Developer in the project, or Maintainer where its "
    "branches are protected.",
    "glcbt-": "This is a job's CI_JOB_TOKEN, which cannot open merge requests: set GITOPS_CI_TOKEN to a project or "
    "group access token with the scope `api`.",
    "gldt-": "This is a deploy token, which cannot use the API: set GITOPS_CI_TOKEN to a project or group access token "
    "with the scope `api`.",
}
_HOST_OF = {"gh": "github", "github_pat_": "github", "gl": "gitlab"}


class JobToken(Secret):
    """GitLab's CI_JOB_TOKEN, known by the variable that it came from: before 16.9 it does not show what it is."""

    __slots__ = ()


def advice(token: Secret | None, forge: str) -> str:
    """What to do about a refusal to this token on this kind of host."""
    if not token:
        return "Set GITOPS_CI_TOKEN to a token that may write to the repository and open pull requests."
    prefix = "glcbt-" if isinstance(token, JobToken) else _prefix(token.reveal())
    meant_for = next((host for start, host in _HOST_OF.items() if prefix.startswith(start)), forge)
    if meant_for != forge:
        return f"This token looks like one of {meant_for}: set GITOPS_CI_TOKEN to one for this host."
    return _ADVICE.get(prefix, "")


def refused(token: Secret | None, forge: str, usual: str = "") -> str:
    """What to do where a host does not know who asks; `usual` where the token does not show its kind."""
    if not token:
        return f"No token is set. {advice(token, forge)}"
    return f"The token is wrong, has expired or was revoked. {advice(token, forge) or usual}".rstrip()


def is_job_token(token: Secret) -> bool:
    """Whether this is GitLab's CI_JOB_TOKEN, as far as it shows it."""
    return isinstance(token, JobToken) or _prefix(token.reveal()) == "glcbt-"


def _prefix(value: str) -> str:
    """How a token of a known kind begins. A GitLab instance may put a word of its own and a hyphen before it."""
    for known in _ADVICE:
        if value.startswith(known) or (known.startswith("gl") and f"-{known}" in value[:60]):
            return known
    return ""
