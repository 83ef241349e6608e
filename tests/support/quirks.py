"""Registries as some hosts run them: a real one behind a proxy that answers a kind of question in a way of its own."""

from __future__ import annotations

from collections.abc import Callable

import requests

from tests.support.fault_proxy import Answer, Asked
from tests.support.registry_state import MANIFESTS

__all__ = ["absent_is_denied", "blob_head_says", "head_says", "reads_are_denied"]

Script = Callable[[Asked], Answer | None]
_READS = {"GET", "HEAD"}


def head_says(status: int) -> Script:
    """HEAD of a manifest has one answer, be it there or not (404: Nexus behind a proxy; 405: Artifact Registry)."""
    return lambda asked: Answer(status) if asked.method == "HEAD" and "/manifests/" in asked.path else None


def blob_head_says(status: int) -> Script:
    """HEAD of a blob has one answer (403: a store that may not be listed)."""
    return lambda asked: Answer(status) if asked.method == "HEAD" and "/blobs/" in asked.path else None


def absent_is_denied(upstream: str, status: int, *, first_only: bool) -> Script:
    """A manifest that is not there is denied (Artifactory's virtual repositories).

    `first_only`: only as long as the repository holds nothing; then its tags cannot be listed either.
    """

    def script(asked: Asked) -> Answer | None:
        reads = "/manifests/" in asked.path or (first_only and "/tags/list" in asked.path)
        if asked.method not in _READS or not reads:
            return None
        name = asked.path.removeprefix("/v2/").rpartition("/")[0].rpartition("/")[0]
        path = f"/v2/{name}/tags/list" if first_only else asked.path
        there = requests.get(f"http://{upstream}{path}", headers={"Accept": MANIFESTS}, timeout=10)
        return Answer(status) if there.status_code == 404 else None

    return script


def reads_are_denied(status: int) -> Script:
    """An account that may push and not read (a deploy token of GitLab with `write_registry` alone)."""

    def script(asked: Asked) -> Answer | None:
        content = any(part in asked.path for part in ("/manifests/", "/blobs/sha256", "/tags/list"))
        return Answer(status) if asked.method in _READS and content else None

    return script
