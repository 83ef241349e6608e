"""Azure Pipelines. Source: learn.microsoft.com "Predefined variables"."""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ, number, remote

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if env.get("TF_BUILD") != "True":
        return None
    ref = env.get("BUILD_SOURCEBRANCH", "")
    request = env.get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER") or env.get("SYSTEM_PULLREQUEST_PULLREQUESTID")
    branch = env.get("SYSTEM_PULLREQUEST_SOURCEBRANCH", "") if request else ref
    base, project = env.get("SYSTEM_COLLECTIONURI", ""), env.get("SYSTEM_TEAMPROJECT", "")
    return CiContext(
        provider="azure",
        repository_url=env.get("BUILD_REPOSITORY_URI", ""),
        commit=env.get("SYSTEM_PULLREQUEST_SOURCECOMMITID") or env.get("BUILD_SOURCEVERSION", ""),
        branch=branch.removeprefix("refs/heads/") if branch.startswith("refs/heads/") else "",
        git_tag=ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else "",
        pull_request=number(request),
        run_url=f"{base}{project}/_build/results?buildId={env.get('BUILD_BUILDID', '')}" if base and project else "",
        actor=env.get("BUILD_REQUESTEDFOR", ""),
        actor_email=env.get("BUILD_REQUESTEDFOREMAIL", ""),
        trusted=env.get("SYSTEM_PULLREQUEST_ISFORK", "False") != "True",
        bases=remote(env.get("SYSTEM_PULLREQUEST_TARGETBRANCH", "").removeprefix("refs/heads/")),
        run=env.get("BUILD_BUILDID", ""),
        started=env.get("SYSTEM_PIPELINESTARTTIME", ""),
        scheduled=env.get("BUILD_REASON") == "Schedule",
    )
