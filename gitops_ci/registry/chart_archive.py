"""A packaged Helm chart (`shop-1.5.0.tgz`) as the OCI artifact that `helm push` makes of it.

Sources: helm.sh/docs/topics/registries; github.com/helm/helm, `pkg/registry` (`Push`, `generateOCIAnnotations`) and
`pkg/chart/metadata.go` for the fields of the config and their order. Unlike Helm, this manifest has no date of its own:
the same archive always gets the same digest.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from gitops_ci.errors import RegistryError
from gitops_ci.known_files import CHART
from gitops_ci.registry.base import CHUNK, OCI_MANIFEST, Blob, Descriptor, Manifest, digest_of
from gitops_ci.registry.files import unreadable
from gitops_ci.registry.image_config import CHART_CONFIG
from gitops_ci.registry.tar import Tar
from gitops_ci.yamltext import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, YamlError, read

__all__ = ["ChartArchive", "chart_metadata"]

_CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_PROVENANCE = "application/vnd.cncf.helm.chart.provenance.v1.prov"
_LARGEST = 1 << 20  # bytes of a Chart.yaml
_MOST_VALUES = 10_000  # of a Chart.yaml, with what its aliases repeat
_GZIP = b"\x1f\x8b"
# The fields of Chart.yaml in the order in which Helm writes them; those without a value are left out.
_FIELDS = (
    *("name", "home", "sources", "version", "description", "keywords", "maintainers", "icon", "apiVersion"),
    *("condition", "tags", "appVersion", "deprecated", "annotations", "kubeVersion", "dependencies", "type"),
)
_ITEMS = {
    "maintainers": ("name", "email", "url"),
    "dependencies": ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"),
}
_ALWAYS = frozenset({"repository"})  # of a dependency
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
# What Helm annotates by itself, whatever the chart's own annotations say.
_FIXED = frozenset({"org.opencontainers.image.title", "org.opencontainers.image.version"})
_PACKAGE = "Make it with 'helm package DIR'."


class ChartArchive:
    """A chart with its manifest, as a place that one artifact is read from."""

    def __init__(self, path: str) -> None:
        """Raises RegistryError for a file that is not a packaged chart."""
        self.name = f"chart:{path}"
        metadata = chart_metadata(path)
        config = _json({key: _ordered(key, metadata[key]) for key in _FIELDS if metadata.get(key)})
        self._blobs = {digest_of(config): lambda: iter((config,))}
        layers = [self._layer(_CONTENT, path)]
        if os.path.isfile(f"{path}.prov"):
            layers.append(self._layer(_PROVENANCE, f"{path}.prov"))
        content = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": CHART_CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": sorted(layers, key=lambda layer: str(layer["digest"])),
            "annotations": _annotations(metadata),
        }
        self.root = Manifest(_json(content))

    def manifest(self, reference: str) -> Manifest | None:
        return self.root if reference == self.root.digest else None

    def blob(self, descriptor: Descriptor) -> Blob:
        return Blob(descriptor, self._blobs[descriptor.digest], self.name)

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        del digest
        return ()

    def close(self) -> None:
        """Nothing is held open."""

    def _layer(self, media_type: str, path: str) -> dict[str, Any]:
        hashing, size = hashlib.sha256(), 0
        for chunk in _chunks(path):
            hashing.update(chunk)
            size += len(chunk)
        digest = f"sha256:{hashing.hexdigest()}"
        self._blobs[digest] = partial(_chunks, path)
        return {"mediaType": media_type, "digest": digest, "size": size}


def chart_metadata(path: str) -> dict[str, Any]:
    """What the Chart.yaml in a packaged chart says; `name` and `version` are there.

    Raises:
        RegistryError: the file is not a packaged chart.
    """
    if os.path.isdir(path):
        raise RegistryError(f"{path} is a folder, not a packaged chart", hint=f"{_PACKAGE} Then push its archive.")
    if next(_chunks(path), b"")[:2] != _GZIP:
        raise RegistryError(f"{path} is not a packaged chart: it is not compressed with gzip", hint=_PACKAGE)
    with closing(Tar(path)) as archive:
        name = next((name for name in archive.names() if name.count("/") == 1 and name.endswith(f"/{CHART}")), "")
        if not name or (archive.size(name) or 0) > _LARGEST:
            raise RegistryError(f"{path} is not a packaged chart: it has no {CHART}", hint=_PACKAGE)
        content = b"".join(archive.chunks(name))
    try:
        documents = read(content.decode()).documents
        found = _value(documents[0], [_MOST_VALUES]) if documents and documents[0] else None
    except (UnicodeDecodeError, YamlError, RecursionError) as error:
        raise RegistryError(f"{path}: its {CHART} cannot be read: {error}", hint="Correct it.") from None
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in ("name", "version")):
        raise RegistryError(f"{path}: its {CHART} has no name or no version", hint=_PACKAGE)
    return found


def _annotations(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The annotations of the manifest: what Helm takes from the chart, and the chart's own."""
    people = [one for one in _list(metadata.get("maintainers")) if isinstance(one, dict)]
    known = {
        "title": metadata["name"],
        "version": metadata["version"],
        "description": metadata.get("description"),
        "url": metadata.get("home"),
        "source": next(iter(_list(metadata.get("sources"))), None),
        "authors": ", ".join(
            f"{one.get('name') or ''} ({one['email']})" if one.get("email") else str(one.get("name") or "")
            for one in people
        ),
    }
    found = {f"org.opencontainers.image.{key}": str(value) for key, value in known.items() if value}
    own = metadata.get("annotations")
    own = own if isinstance(own, dict) else {}
    return found | {str(key): str(value) for key, value in own.items() if key not in _FIXED and value is not None}


def _ordered(field: str, value: Any) -> Any:
    """A field of Chart.yaml with its keys in the order in which Helm writes them."""
    if keys := _ITEMS.get(field):
        items = (one for one in _list(value) if isinstance(one, dict))
        return [{key: one.get(key) or "" for key in keys if one.get(key) or key in _ALWAYS} for one in items]
    return dict(sorted(value.items())) if isinstance(value, dict) else value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _value(node: Node, budget: list[int]) -> Any:
    """Texts as they are written, since Helm's fields are texts; `true` and `false` without quotes are not texts.

    Raises:
        YamlError: it has more values than `budget`, once its aliases are followed.
    """
    budget[0] -= 1
    if budget[0] < 0:
        raise YamlError("more values than any chart describes", 1)
    if isinstance(node, AliasNode):
        return _value(node.target, budget)
    if isinstance(node, MappingNode):
        return {key.value: _value(value, budget) for key, value in node.pairs if isinstance(key, ScalarNode)}
    if isinstance(node, SequenceNode):
        return [_value(item, budget) for item in node.items]
    return node.value if node.style else _WORDS.get(node.value, node.value)


def _json(value: Any) -> bytes:
    """JSON as Go writes it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def _chunks(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise unreadable(path, error) from None
