"""TeamCity. Source: jetbrains.com/help/teamcity "Predefined build parameters".

Branch, tag and pull request are parameters of the build and no environment variables: TeamCity writes them into a file,
which a file of properties names. Without it, the checkout tells branch and tag. A pull request is never trusted: the
parameters do not tell for certain that its head is in the same repository.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gitops_ci.ci.base import CiContext, Environ, number, remote

__all__ = ["read"]

_VCS_BRANCH = "teamcity.build.vcs.branch."
_HEADS, _TAGS = "refs/heads/", "refs/tags/"


def read(env: Environ) -> CiContext | None:
    if not env.get("TEAMCITY_VERSION"):
        return None
    build = _properties(env.get("TEAMCITY_BUILD_PROPERTIES_FILE", ""))
    parameters = _properties(build.get("teamcity.configuration.properties.file", ""))
    built = {ref for name, ref in parameters.items() if name.startswith(_VCS_BRANCH)}
    ref = next(iter(built)) if len(built) == 1 else ""
    request = number(parameters.get("teamcity.pullRequest.number"))
    of_request = request is not None or any(_is_request(one) for one in built)
    tag = "" if of_request else _below(_TAGS, ref)
    branch = parameters.get("teamcity.pullRequest.source.branch", "") if of_request else _below(_HEADS, ref)
    return CiContext(
        provider="teamcity",
        repository_url=parameters.get("vcsroot.url", ""),
        commit=env.get("BUILD_VCS_NUMBER", ""),
        branch=branch,
        git_tag=tag,
        pull_request=request,
        run_url=env.get("BUILD_URL", ""),
        actor=parameters.get("teamcity.build.triggeredBy.username", ""),
        trusted=not of_request,
        bases=remote(parameters.get("teamcity.pullRequest.target.branch", "")) if of_request else (),
        run=env.get("BUILD_NUMBER", ""),
        reads_checkout=not (tag or branch or of_request),
    )


def _is_request(ref: str) -> bool:
    """Whether a full ref is neither a branch nor a tag: each code host keeps pull requests below a name of its own."""
    return ref.startswith("refs/") and not ref.startswith((_HEADS, _TAGS))


def _below(folder: str, ref: str) -> str:
    return ref.removeprefix(folder) if ref.startswith(folder) else ""


def _properties(path: str) -> Mapping[str, str]:
    """A file of Java's properties, one `name=value` per line; nothing where it cannot be read."""
    if not path:
        return {}
    try:
        with open(path, encoding="latin-1") as file:
            lines = [line.strip().partition("=") for line in file if not line.startswith("#")]
    except OSError:
        return {}
    return {_plain(name): _plain(value) for name, _, value in lines}


def _plain(text: str) -> str:
    return re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", lambda found: _character(found[1]), text)


def _character(escaped: str) -> str:
    if len(escaped) > 1:
        return bytes.fromhex(escaped[1:]).decode("utf-16-be", "replace")
    return {"n": "\n", "t": "\t", "r": "\r"}.get(escaped, escaped)
