"""What a YAML file is, told by its place and name: only what should be a manifest is checked as one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitops_ci.known_files import KUSTOMIZATIONS
from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation.kinds import KINDS

__all__ = ["may_be_manifest", "why_no_document", "why_no_manifest"]

_NAMES: tuple[tuple[str, str], ...] = (
    (r"(.*/)?Chart\.(ya?ml|lock)|(.*/)?requirements\.(yaml|lock)", "a Helm chart's description"),
    (r"(.*/)?[^/]*values[^/]*\.ya?ml", "Helm values"),
    (r"(.*/)?fleet\.ya?ml", "a Fleet bundle's description"),
    (r"(.*/)?(docker-)?compose[^/]*\.ya?ml", "a Compose file"),
    (
        r"(.*/)?(\.gitlab-ci|\.travis|\.pre-commit-[a-z]+|\.golangci|\.goreleaser|\.gitops-ci)[^/]*\.ya?ml",
        "a tool's settings",
    ),
    (
        r"(.*/)?(azure-pipelines|bitbucket-pipelines|cloudbuild|skaffold|mkdocs|codecov|buildspec|appveyor)[^/]*\.ya?ml",
        "a tool's settings",
    ),
    (r"(.*/)?(\.github|\.circleci|\.gitlab|\.vscode|\.devcontainer|node_modules|\.git)/.*", "a tool's settings"),
    (
        r"(.*/)?(Taskfile|Tiltfile|helmfile|lefthook|dependabot|renovate|artifacthub-[a-z]+|ct|cr)\.ya?ml",
        "a tool's settings",
    ),
    (r"(.*/)?(pnpm-lock|package-lock|openapi|swagger)\.(ya?ml|json)", "a tool's settings"),
    (r"(.*/)?package\.json|(.*/)?tsconfig[^/]*\.json|(.*/)?[^/]*\.schema\.json", "a tool's settings"),
)
# What says of itself that it is a Kubernetes object is one, whatever its file is called.
_API_VERSION = lazy_pattern(r"^[\"']?apiVersion[\"']?:|^[ \t]*[{,]\s*\"apiVersion\"", re.MULTILINE)
_KIND = lazy_pattern(r"^[\"']?kind[\"']?:|^[ \t]*(?:[{,]\s*)?\"kind\"", re.MULTILINE)
_KIND_ANYWHERE = lazy_pattern(r"\bkind[\"']?\s*:")
_TEMPLATE_FOLDER = lazy_pattern(r"(?:^|/)templates/")


def why_no_manifest(path: str, text: str) -> str | None:
    """What a whole file is instead of a manifest, None when it should be one."""
    if "{{" in text and _TEMPLATE_FOLDER.search(path):
        return "a Helm template"
    if _API_VERSION.search(text) and _KIND.search(text):
        return None
    return next((what for pattern, what in _NAMES if re.fullmatch(pattern, path)), None)


def may_be_manifest(text: str) -> bool:
    """Whether a text that cannot be read was to be a manifest: it has the words of one."""
    return "apiVersion" in text or _KIND_ANYWHERE.search(text) is not None


def why_no_document(path: str, value: Any) -> str | None:
    """What one document is instead of a Kubernetes object, None when it is (or should be) one."""
    name = path.rpartition("/")[2]
    if isinstance(value, list):
        return _list_kind(value)
    if not isinstance(value, Mapping):
        return None if value else "empty"
    if name in KUSTOMIZATIONS and "metadata" not in value:
        return "a kustomization"
    if "apiVersion" in value or "kind" in value:
        return _client_side(value)
    if _has_a_name(value.get("metadata")) and ("spec" in value or "data" in value):
        return None
    return "no Kubernetes object: it has neither apiVersion nor kind"


def _has_a_name(metadata: Any) -> bool:
    """Whether it may be the metadata of an object; resources of Omni and Talos have an `id` and a `type`."""
    return not isinstance(metadata, Mapping) or "id" not in metadata or "type" not in metadata


def _client_side(value: Mapping[str, Any]) -> str | None:
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(kind, str | None) or isinstance(api_version, list | dict):
        return None
    if (
        kind is None
        and api_version in {"v1", "v2"}
        and "name" in value
        and "version" in value
        and "metadata" not in value
    ):
        return "a Helm chart's description"
    if api_version == "v1" and kind == "Config" and "clusters" in value:
        return "a kubeconfig"
    if api_version == "v1alpha1" and kind is not None and kind.endswith("Config") and "metadata" not in value:
        return "a document of Talos' machine configuration"
    if api_version is None and kind is not None and _is_no_kind(kind, value):
        return f"no Kubernetes object: it has no apiVersion, and kind '{kind}' is no kind of Kubernetes"
    if kind is None and not isinstance(api_version, str | None):
        return "no Kubernetes object: its apiVersion is not a string, and it has no kind"
    if kind in {"Kustomization", "Component"} and str(api_version or "kustomize.config.k8s.io").startswith(
        "kustomize.config"
    ):
        return "a kustomization"
    return None


def _is_no_kind(kind: str, value: Mapping[str, Any]) -> bool:
    """Whether a kind without an apiVersion is another program's, as Drone's are, and those of Omni's templates."""
    if kind[:1].islower():
        return True
    return not value.keys() & {"metadata", "items"} and all(kind != known for _, known in KINDS)


def _list_kind(value: list[Any]) -> str | None:
    items = [item for item in value if isinstance(item, Mapping)]
    if items and all("op" in item and "path" in item for item in items):
        return "a JSON patch"
    if any("apiVersion" in item and "kind" in item for item in items):
        return None
    return "no Kubernetes object: a list"
