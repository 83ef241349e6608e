"""A chart's own `appVersion`, the tag of its images where the values name none; edited only when asked for.

Source: helm.sh/docs/topics/charts, "The Chart.yaml File". The image is named by the `values.yaml` beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from gitops_ci.formats.document.image_fields import NAMELESS, version_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.known_files import CHART
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import MappingNode

ID = "helm-chart"


def find(source: ManifestText) -> Iterator[ImageSite]:
    path = PurePosixPath(source.path)
    for root in source.yaml.documents if path.name == CHART else ():
        entry = source.entries(root).get("appVersion") if isinstance(root, MappingNode) else None
        field = source.field("tag", entry) if entry else None
        read = version_of(field.text) if field else None
        if field and read and isinstance(root, MappingNode):
            image = NAMELESS.with_version(tag=read[0], digest=read[1])
            yield ImageSite(ID, source.path, f"Chart/{root.text('name')}", image, (field,), layers=layer(path))


def layer(path: PurePosixPath) -> str:
    """The chart that a Chart.yaml or its values.yaml belongs to."""
    return f"chart:{path.parent}"
