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

ID = "fleet"


def find(source: ManifestText) -> Iterator[ImageSite]:
    path = PurePosixPath(source.path)
    for root in source.yaml.documents:
        what = object_of(root)
        if what and what.group == "fleet.cattle.io":
            yield from scan(source, root, format_id=ID)
        elif what is None and path.name in FLEET:
            yield from scan(source, root, format_id=ID, resource=f"Fleet/{path.parent}")
