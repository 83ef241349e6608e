"""Docker Compose: the `image` of every service, in files of Compose's own names.

Source: github.com/compose-spec/compose-spec, `05-services.md` (`image`) and `12-interpolation.md`: a tag may be a
variable with a default (`${TAG:-1.4}`), which is its environment's to set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import object_of
from gitops_ci.formats.document.scan import scan
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import MappingNode

ID = "compose"

_FILE_NAME = re.compile(r"(?:docker-)?compose(?:[._-][\w.-]+)?\.ya?ml|[\w.-]+\.(?:docker-)?compose\.ya?ml")


def is_compose(path: str) -> bool:
    """Whether a file has one of Compose's own names."""
    return bool(_FILE_NAME.fullmatch(PurePosixPath(path).name))


def find(source: ManifestText) -> Iterator[ImageSite]:
    for root in source.yaml.documents:
        services = root.get("services") if isinstance(root, MappingNode) and not object_of(root) else None
        if not isinstance(services, MappingNode) or not is_compose(source.path):
            continue
        for name, entry in source.entries(services).items():
            for site in scan(source, entry.value, format_id=ID, resource=f"service/{name}"):
                yield replace(site, default="")
