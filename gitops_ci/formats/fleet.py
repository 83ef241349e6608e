"""Rancher Fleet: `fleet.yaml`, whose `targetCustomizations` are laid over its `helm.values`; Bundle resources.

Source: fleet.rancher.io/ref-fleet-yaml. A customization often sets a tag alone: the image's name is that of the same
keys in the values above. GitRepo objects name repositories of Git, not images.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import object_of
from gitops_ci.formats.document.scan import scan
from gitops_ci.known_files import FLEET
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import MappingNode, Node, SequenceNode

ID = "fleet"


def find(source: ManifestText) -> Iterator[ImageSite]:
    for root in source.yaml.documents:
        what = object_of(root)
        if what and what.group == "fleet.cattle.io":
            yield from scan(source, root, format_id=ID)
        elif bundle := bundle_of(source.path, root):
            yield from scan(source, root, format_id=ID, resource=bundle)


def bundle_of(path: str, root: Node | None) -> str:
    """What a `fleet.yaml` describes, or options of another name (`spec.bundles[].options` of a GitRepo); else ''."""
    if not isinstance(root, MappingNode) or object_of(root):
        return ""
    name = PurePosixPath(path)
    if name.name in FLEET:
        return f"Fleet/{name.parent}"
    return f"Fleet/{name}" if isinstance(root.get("targetCustomizations"), SequenceNode) else ""
