"""The build environment of an Application: variables that its paths, parameters, labels and images may have.

Source: argo-cd 3.6 (reposerver/repository/repository.go, newEnv; pkg/apis/application/v1alpha1, Env.Envsubst).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitops_ci.rendering.documents import dig, text_of

__all__ = ["build_environment", "filled_in"]

_COMMIT = "0" * 40  # which one it will be nobody knows
# As os.Expand of Go reads them.
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[^{}$]*)\}|(?P<special>[*#$@!?\-0-9])|(?P<plain>[A-Za-z_][A-Za-z0-9_]*))")


def build_environment(application: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, str]:
    """The variables of one source of an Application."""
    spec = application.get("spec")
    return {
        "ARGOCD_APP_NAME": text_of(dig(application, "metadata", "name")),
        "ARGOCD_APP_NAMESPACE": text_of(dig(spec, "destination", "namespace")),
        "ARGOCD_APP_PROJECT_NAME": text_of(dig(spec, "project")),
        "ARGOCD_APP_REVISION": _COMMIT,
        "ARGOCD_APP_REVISION_SHORT": _COMMIT[:7],
        "ARGOCD_APP_REVISION_SHORT_8": _COMMIT[:8],
        "ARGOCD_APP_SOURCE_REPO_URL": text_of(source.get("repoURL")),
        "ARGOCD_APP_SOURCE_PATH": text_of(source.get("path")),
        "ARGOCD_APP_SOURCE_TARGET_REVISION": text_of(source.get("targetRevision")),
    }


def filled_in(text: str, environment: Mapping[str, str]) -> str:
    """A text with its variables; one that is unknown is empty, and two dollars are one."""

    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["special"] or match["plain"] or ""
        return "$" if name == "$" else environment.get(name, "")

    return _VARIABLE.sub(value, text) if "$" in text else text
