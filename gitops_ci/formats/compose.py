"""Docker Compose: the `image` and the build arguments of every service, in files of Compose's own names.

Source: github.com/compose-spec/compose-spec, `05-services.md` (`image`) and `12-interpolation.md`: a tag may be a
variable with a default (`${TAG:-1.4}`), which is its environment's to set.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from gitops_ci.formats.document.image_fields import one_string, text_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import NodeContext, object_of
from gitops_ci.formats.document.scan import scan, site
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import MappingNode, Node

ID = "compose"

_FILE_NAME = re.compile(r"(?:docker-)?compose(?:[._-][\w.-]+)?\.ya?ml|[\w.-]+\.(?:docker-)?compose\.ya?ml")


def is_compose(path: str) -> bool:
    """Whether a file has one of Compose's own names."""
    return bool(_FILE_NAME.fullmatch(posixpath.basename(path)))


def find(source: ManifestText) -> Iterator[ImageSite]:
    for root in source.yaml.documents:
        services = root.get("services") if isinstance(root, MappingNode) and not object_of(root) else None
        if not isinstance(services, MappingNode) or not is_compose(source.path):
            continue
        for name, entry in source.entries(services).items():
            resource = f"service/{name}"
            for found in scan(source, entry.value, format_id=ID, resource=resource):
                yield replace(found, default="")
            yield from _build_arguments(source, entry.value, resource)


def _build_arguments(source: ManifestText, service: Node | None, resource: str) -> Iterator[ImageSite]:
    """`args: {BASE: ghcr.io/acme/base:1.4.1}` under `build`: whole references, whatever the argument's name.

    The form of a list, `- BASE=ghcr.io/…`, is read wherever arguments are.
    """
    build = service.get("build") if isinstance(service, MappingNode) else None
    args = build.get("args") if isinstance(build, MappingNode) else None
    if not isinstance(args, MappingNode):
        return
    place = NodeContext(args, key="args", resource=resource)
    for entry in source.entries(args).values():
        for found in one_string(source, entry) if "/" in text_of(entry) else ():
            if found.image.tag or found.image.digest or found.variable:
                yield site(source, found, place, format_id=ID)
