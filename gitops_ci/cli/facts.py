"""What is known about the build: from the CI system, else from the Git checkout around us."""

from __future__ import annotations

import os
import time
from datetime import datetime

from gitops_ci.ci import CiContext
from gitops_ci.errors import ProgramError
from gitops_ci.tags import BuildFacts

__all__ = ["build_facts", "git_tags", "origin_url"]


def build_facts(context: CiContext, version: str | None) -> BuildFacts:
    """The build as the CI system describes it; outside of one, as the Git checkout around us does."""
    commit, branch, tag = context.commit, context.branch, context.git_tag
    if context.provider == "none":
        commit = commit or next(iter(_git("rev-parse", "--verify", "--quiet", "HEAD")), "")
        branch = branch or next(iter(_git("symbolic-ref", "--short", "--quiet", "HEAD")), "")
    return BuildFacts(
        version=version,
        branch=branch or None,
        commit=commit or None,
        pull_request=context.pull_request,
        is_default_branch=bool(branch) and branch == context.default_branch,
        tag=tag or None,
        trusted=context.trusted,
        moment=_moment(),
    )


def git_tags() -> tuple[str, ...]:
    """The tags of the Git checkout we are in. CI systems often fetch none, so they are never the whole truth."""
    return _git("tag", "--list")


def origin_url() -> str:
    """The address of the Git checkout's `origin`, or ''."""
    return next(iter(_git("remote", "get-url", "origin")), "")


def _moment() -> float:
    """When the build is from: the same for every run of one commit wherever that can be known."""
    if (epoch := os.environ.get("SOURCE_DATE_EPOCH", "")).isdigit():
        return float(epoch)
    for told in (os.environ.get("CI_COMMIT_TIMESTAMP", ""), *_git("log", "-1", "--format=%cI")):
        try:
            return datetime.fromisoformat(told).timestamp()
        except ValueError:
            continue
    return time.time()


def _git(*arguments: str) -> tuple[str, ...]:
    """The lines that git prints about the checkout we are in; none where there is no git or no checkout."""
    from gitops_ci.checkout import checkout_git

    try:
        said = checkout_git(*arguments, seconds=20, allowed=frozenset({0, 1, 128, 129}))
    except ProgramError:
        return ()
    return tuple(said.stdout.decode("utf-8", "replace").splitlines()) if said.code == 0 else ()
