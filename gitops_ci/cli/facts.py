"""What is known about the build: from the CI system, else from the Git checkout around us."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING

from gitops_ci.errors import ProgramError
from gitops_ci.quantities import whole_number

if TYPE_CHECKING:
    from gitops_ci.ci import CiContext

if TYPE_CHECKING:
    from gitops_ci.tags import BuildFacts, GitTagRule

__all__ = ["build_facts", "default_branch", "git_tags", "origin_url"]


def build_facts(
    context: CiContext, version: str | None, *, tag_rule: GitTagRule | None = None, dated_by: str | None = None
) -> BuildFacts:
    """The build as the CI system describes it; outside of one, as the Git checkout around us does.

    `dated_by` is `commit` or `run`, None for the run where a timetable started it, and for the commit elsewhere.
    """
    from gitops_ci.tags import BuildFacts, GitTagRule

    rule = tag_rule or GitTagRule()
    commit, branch, tag = context.commit, context.branch, context.git_tag
    if context.provider == "none" or context.reads_checkout:
        commit = commit or next(iter(_git("rev-parse", "--verify", "--quiet", "HEAD")), "")
        branch = branch or next(iter(_git("symbolic-ref", "--short", "--quiet", "HEAD")), "")
        tag = tag or ("" if branch else _tag_of_head(rule))
    by_run = dated_by == "run" or (dated_by is None and context.scheduled)
    return BuildFacts(
        version=version,
        branch=branch or None,
        commit=commit or None,
        pull_request=context.pull_request,
        is_default_branch=bool(branch) and branch == context.default_branch,
        tag=tag or None,
        trusted=context.trusted,
        moment=_moment(context.started if by_run else None, commit),
        run=context.run,
        tag_rule=rule,
    )


def _tag_of_head(rule: GitTagRule) -> str:
    """The Git tag that is checked out, as by a CI system that is not known here; '' where several are versions."""
    versions = [tag for tag in _git("tag", "--points-at", "HEAD") if rule.version_in(tag)]
    return versions[0] if len(versions) == 1 else ""


def git_tags() -> tuple[str, ...]:
    """The tags of the Git checkout we are in. CI systems often fetch none, so they are never the whole truth."""
    return _git("tag", "--list")


def origin_url() -> str:
    """The address of the Git checkout's `origin`, or ''."""
    return next(iter(_git("remote", "get-url", "origin")), "")


def default_branch() -> str:
    """The branch that a clone of `origin` checked out first, or ''."""
    return next(iter(_git("symbolic-ref", "--short", "--quiet", "refs/remotes/origin/HEAD")), "").removeprefix(
        "origin/"
    )


def _moment(started: str | None, commit: str) -> float:
    """When the build is from: where `started` is None the same for every run of one commit that can be read.

    SOURCE_DATE_EPOCH goes before both (reproducible-builds.org/specs/source-date-epoch).
    """
    if (epoch := whole_number(os.environ.get("SOURCE_DATE_EPOCH", ""))) is not None:
        return float(epoch)
    if started is not None:
        candidates: tuple[str, ...] = (started,)
    else:
        # The commit that is built may not be the one that is checked out.
        is_id = bool(commit) and set(commit) <= set("0123456789abcdef")
        own = _git("log", "-1", "--format=%cI", commit) if is_id else ()
        candidates = (os.environ.get("CI_COMMIT_TIMESTAMP", ""), *own, *_git("log", "-1", "--format=%cI"))
    for text in candidates:
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            continue
    return time.time()


def _git(*arguments: str) -> tuple[str, ...]:
    """The lines that git prints about the checkout we are in; none where there is no git or no checkout."""
    from gitops_ci.checkout import checkout_git, may_be_around

    if not may_be_around():
        return ()
    try:
        said = checkout_git(*arguments, seconds=20, allowed=frozenset({0, 1, 128, 129}))
    except ProgramError:
        return ()
    return tuple(said.stdout.decode("utf-8", "replace").splitlines()) if said.code == 0 else ()
