"""Registries as some hosts run them: a real one behind a proxy that answers a kind of question in a way of its own."""

from __future__ import annotations

import json
from collections.abc import Callable

import requests

from tests.support.fault_proxy import Answer, Asked, Passed
from tests.support.registry_state import MANIFESTS

__all__ = [
    "IMMUTABLE",
    "absent_is_denied",
    "blob_head_says",
    "head_says",
    "lacks_manifest",
    "reads_are_denied",
    "tags_are_immutable",
    "takes_no_blob_in_one_piece",
]

Script = Callable[[Asked], Answer | Passed | None]
_READS = {"GET", "HEAD"}

# How hosts refuse to move a tag: status, code, message.
IMMUTABLE = {
    "ecr": (
        400,
        "TAG_INVALID",
        "The image tag '{tag}' already exists in the 'shop' repository and cannot be overwritten: it is immutable.",
    ),
    "harbor": (
        412,
        "PRECONDITION",
        "Failed to process request due to 'shop:{tag}' configured as immutable.",
    ),
    "acr": (405, "UNSUPPORTED", "The operation is disallowed on this registry, repository or image."),
    "gar": (
        400,
        "MANIFEST_INVALID",
        "cannot update tag {tag}. The repository has enabled tag immutability",
    ),
    "quay": (409, "TAG_IMMUTABLE", "tag {tag} is immutable and cannot be overwritten"),
    "gitlab": (403, "DENIED", "requested access to the resource is denied: the tag is protected"),
    "nexus": (400, "UNKNOWN", "Repository does not allow updating assets: docker-hosted"),
    "artifactory": (
        403,
        "DENIED",
        "Not enough permissions to overwrite artifact 'docker-local:shop/{tag}/manifest.json' (user 'ci' needs DELETE)",
    ),
    "a tag that is protected": (403, "DENIED", "The tag {tag} is protected by a rule of the project"),
    "no words, 400": (400, "UNKNOWN", ""),
    "no words, 405": (405, "", ""),
    "no words, 409": (409, "CONFLICT", "conflict"),
    "no words, 412": (412, "", ""),
    "no words, 422": (422, "UNKNOWN", "unprocessable"),
    "ghcr": (403, "DENIED", "tag {tag} cannot be overwritten: it belongs to an immutable release"),
}


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


def lacks_manifest(digest: str) -> Script:
    """An index was taken without one of its manifests, or a cleanup took that one away; until it is stored again."""
    stored: list[Asked] = []

    def script(asked: Asked) -> Answer | None:
        if not asked.path.endswith(f"/manifests/{digest}"):
            return None
        if asked.method == "PUT":
            stored.append(asked)
        return None if stored else Answer(404)

    return script


def reads_are_denied(status: int) -> Script:
    """An account that may push and not read (a deploy token of GitLab with `write_registry` alone)."""

    def script(asked: Asked) -> Answer | None:
        content = any(part in asked.path for part in ("/manifests/", "/blobs/sha256", "/tags/list"))
        return Answer(status) if asked.method in _READS and content else None

    return script


def tags_are_immutable(upstream: str, dialect: str) -> Script:
    """A tag that is there is never stored again."""
    status, code, message = IMMUTABLE[dialect]

    def script(asked: Asked) -> Answer | None:
        if asked.method != "PUT" or "/manifests/" not in asked.path or "sha256:" in asked.path:
            return None
        there = requests.head(f"http://{upstream}{asked.path}", headers={"Accept": MANIFESTS}, timeout=10)
        if there.status_code != 200:
            return None
        error = {"code": code, "message": message.format(tag=asked.path.rpartition("/")[2])}
        return Answer(status, {"Content-Type": "application/json"}, json.dumps({"errors": [error]}).encode())

    return script


def takes_no_blob_in_one_piece(status: int) -> Script:
    """A PUT with the bytes of a blob is refused; an upload is a PATCH and a PUT that ends it."""

    def script(asked: Asked) -> Answer | None:
        is_whole = asked.method == "PUT" and "/blobs/uploads/" in asked.path and asked.size > 0
        return Answer(status) if is_whole else None

    return script
