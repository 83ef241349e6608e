"""Annotations that Argo CD reads on any object: a misspelled one is ignored in silence.

Source: gitops-engine, pkg/sync/common/types.go and pkg/sync/hook; Argo CD documentation, Sync Options.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitops_ci.model import Finding
from gitops_ci.text import nearest
from gitops_ci.validation.lint.base import at
from gitops_ci.validation.manifests.documents import Document

__all__ = ["PREFIX", "unknown_annotations"]

PREFIX = "argocd.argoproj.io/"
_HOOKS = ("PreSync", "Sync", "PostSync", "Skip", "SyncFail", "PreDelete", "PostDelete")
_POLICIES = ("HookSucceeded", "HookFailed", "BeforeHookCreation")
_BOOLEAN = ("=true", "=false")
_OPTIONS = (
    *("Prune=confirm", "Delete=confirm"),
    *(
        f"{name}{value}"
        for name in (
            *("ApplyOutOfSyncOnly", "ClientSideApplyMigration", "CreateNamespace", "Delete", "FailOnSharedResource"),
            *("Force", "Prune", "PruneLast", "Replace", "RespectIgnoreDifferences", "ServerSideApply"),
            *("SkipDryRunOnMissingResource", "Validate"),
        )
        for value in _BOOLEAN
    ),
)
_LISTS: Mapping[str, tuple[str, ...]] = {
    "hook": _HOOKS,
    "hook-delete-policy": _POLICIES,
    "sync-options": _OPTIONS,
    "compare-options": (
        "IgnoreExtraneous",
        "IncludeMutationWebhook=true",
        "ServerSideDiff=true",
        "ServerSideDiff=false",
    ),
}


def unknown_annotations(document: Document) -> Iterator[Finding]:
    """Values of Argo CD's annotations that it does not know."""
    metadata = document.value.get("metadata")
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    for key, value in found.items() if isinstance(found, dict) else ():
        name = key.removeprefix(PREFIX) if isinstance(key, str) and key.startswith(PREFIX) else ""
        if not name or not isinstance(value, str):
            continue
        keys = ("metadata", "annotations", key)
        if name == "sync-wave" and not _is_integer(value):
            message = f"'{value}' is not an integer; Argo CD ignores it"
            yield at(document, keys, "gitops/argocd", message, severity="warning")
        for one in _unknown(name, value):
            near = nearest(one, _LISTS[name])
            hint = f"Did you mean '{near}'?" if near else f"Known: {', '.join(_LISTS[name][:7])}."
            message = f"Argo CD knows no {name.replace('-', ' ').removesuffix('s')} '{one}' and ignores it"
            yield at(document, keys, "gitops/argocd", message, hint=hint, severity="warning")


def _unknown(name: str, value: str) -> Iterator[str]:
    known = _LISTS.get(name)
    for part in value.split(",") if known else ():
        one = part.strip()
        if one and one not in known and "$" not in one and "{{" not in one:  # type: ignore[operator]
            yield one


def _is_integer(value: str) -> bool:
    return value.removeprefix("-").removeprefix("+").isdecimal() or "$" in value or "{{" in value
