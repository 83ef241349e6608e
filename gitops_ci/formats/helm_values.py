"""Helm values, in files of any name: YAML that is no Kubernetes object.

The shapes are those of public charts: `repository` and `tag`, with a `registry` or `global.imageRegistry` before it,
a `digest` beside it or inside the tag, one string, prefixed keys (`initImageTag`), nested and in lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from gitops_ci.formats.scan import object_of, scan
from gitops_ci.formats.source import Source
from gitops_ci.model import ImageSite

ID = "helm-values"


def find(source: Source) -> Iterator[ImageSite]:
    if PurePosixPath(source.path).suffix not in {".yaml", ".yml"}:
        return
    for root in source.yaml.documents:
        if not object_of(root):
            yield from scan(source, root, format_id=ID)
