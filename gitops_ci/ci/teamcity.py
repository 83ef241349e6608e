"""TeamCity. Source: jetbrains.com/help/teamcity "Predefined build parameters".

Branch, tag and pull request are build parameters and no environment variables: the checkout tells them.
"""

from __future__ import annotations

from gitops_ci.ci.base import CiContext, Environ

__all__ = ["read"]


def read(env: Environ) -> CiContext | None:
    if not env.get("TEAMCITY_VERSION"):
        return None
    return CiContext(
        provider="teamcity",
        commit=env.get("BUILD_VCS_NUMBER", ""),
        run_url=env.get("BUILD_URL", ""),
        run=env.get("BUILD_NUMBER", ""),
        reads_checkout=True,
    )
