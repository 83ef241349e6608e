"""What a registry holds, asked without any code of the project."""

from __future__ import annotations

import hashlib
from typing import Any

import requests

__all__ = ["MANIFESTS", "catalog", "manifest", "pulled", "size_of", "tags"]

MANIFESTS = ", ".join(
    f"application/vnd.{kind}"
    for kind in (
        "oci.image.index.v1+json",
        "oci.image.manifest.v1+json",
        "docker.distribution.manifest.list.v2+json",
        "docker.distribution.manifest.v2+json",
    )
)


def tags(repository: str) -> dict[str, str]:
    """Every tag of `host/name` with its digest."""
    host, _, name = repository.partition("/")
    found = requests.get(f"http://{host}/v2/{name}/tags/list", timeout=10).json().get("tags") or ()
    return {tag: _digest(host, name, tag) for tag in found}


def catalog(host: str) -> list[str]:
    """The repositories that hold anything."""
    return requests.get(f"http://{host}/v2/_catalog", timeout=10).json()["repositories"]


def manifest(repository: str, reference: str) -> dict[str, Any]:
    host, _, name = repository.partition("/")
    return _get(f"http://{host}/v2/{name}/manifests/{reference}").json()


def pulled(repository: str, reference: str) -> set[str]:
    """Fetch a whole image, all platforms, and check every byte; the digests of all that it is made of."""
    host, _, name = repository.partition("/")
    found = manifest(repository, reference)
    parts = {_digest(host, name, reference)}
    for child in found.get("manifests", ()):
        parts |= pulled(repository, child["digest"])
    for blob in [*([found["config"]] if "config" in found else []), *found.get("layers", ())]:
        content = _get(f"http://{host}/v2/{name}/blobs/{blob['digest']}").content
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == blob["digest"]
        parts.add(blob["digest"])
    return parts


def size_of(repository: str, reference: str) -> int:
    """The bytes of a whole image, each part once, as the registry serves them."""
    host, _, name = repository.partition("/")
    addresses = (
        [f"http://{host}/v2/{name}/{kind}/{digest}" for kind in ("manifests", "blobs")]
        for digest in pulled(repository, reference)
    )
    return sum(len(_first(*one).content) for one in addresses)


def _first(*addresses: str) -> requests.Response:
    answers = (requests.get(address, headers={"Accept": MANIFESTS}, timeout=10) for address in addresses)
    return next(answer for answer in answers if answer.ok)


def _digest(host: str, name: str, reference: str) -> str:
    answer = requests.head(f"http://{host}/v2/{name}/manifests/{reference}", headers={"Accept": MANIFESTS}, timeout=10)
    answer.raise_for_status()
    return answer.headers["Docker-Content-Digest"]


def _get(url: str) -> requests.Response:
    answer = requests.get(url, headers={"Accept": MANIFESTS}, timeout=30)
    answer.raise_for_status()
    return answer
