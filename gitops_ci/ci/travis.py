"""Travis CI. Source: docs.travis-ci.com "Default environment variables"."""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, number, remote

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if env.get("TRAVIS") != "true":
        return None
    request = number(env.get("TRAVIS_PULL_REQUEST"))
    tag = env.get("TRAVIS_TAG", "")
    # TRAVIS_BRANCH is the target of a pull request, and the tag in a build of a tag.
    branch = env.get("TRAVIS_PULL_REQUEST_BRANCH", "") if request else env.get("TRAVIS_BRANCH", "")
    slug = env.get("TRAVIS_REPO_SLUG", "")
    return CiContext(
        provider="travis",
        commit=env.get("TRAVIS_PULL_REQUEST_SHA") or env.get("TRAVIS_COMMIT", ""),
        branch="" if tag else branch,
        git_tag=tag,
        pull_request=request,
        run_url=env.get("TRAVIS_BUILD_WEB_URL", ""),
        trusted=request is None or (bool(slug) and env.get("TRAVIS_PULL_REQUEST_SLUG") == slug),
        event=env.get("TRAVIS_EVENT_TYPE", ""),
        bases=remote(env.get("TRAVIS_BRANCH", "")) if request else (),
        run=env.get("TRAVIS_BUILD_NUMBER", ""),
        scheduled=env.get("TRAVIS_EVENT_TYPE") == "cron",
    )
