"""Helm values, in files of any name: YAML that is not a Kubernetes object.

The shapes are those of public charts: `repository` and `tag`, with a `registry` or `global.imageRegistry` before it,
a `digest` beside it or inside the tag, one string, prefixed keys (`initImageTag`), nested and in lists. A file that
only sets a tag (`values-prod.yaml`) takes the image's name from the file it is laid over (`values.yaml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from gitops_ci.formats.document.key_names import words_of
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import object_of
from gitops_ci.formats.document.scan import scan
from gitops_ci.formats.document.variables import settings
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import MappingNode, Node

ID = "helm-values"

# Charts' own description, dependencies and CI systems name versions of other things; a bump is not for them.
_OTHERS = frozenset(
    {
        "Chart.yaml",
        "Chart.lock",
        "requirements.yaml",
        ".gitlab-ci.yml",
        ".gitops-ci.yaml",
        "package.json",
        "package-lock.json",
        "composer.json",
        "renovate.json",
        "tsconfig.json",
        "devcontainer.json",
    }
)
_VERSION = re.compile("version", re.IGNORECASE)
# The images of updatecli are what it watches: github.com/updatecli/updatecli, "Quick start" (`updatecli/updatecli.d`).
_OTHER_FOLDERS = frozenset({".github", ".gitea", ".forgejo", ".circleci", ".woodpecker", ".tekton", "updatecli.d"})


def find(source: ManifestText) -> Iterator[ImageSite]:
    path = PurePosixPath(source.path)
    if path.name in _OTHERS or not _OTHER_FOLDERS.isdisjoint(path.parts):
        return
    for root in source.yaml.documents:
        if not object_of(root):
            layers = f"values:{path.with_suffix('')}"
            yield from scan(source, root, format_id=ID, layers=layers)
            if _VERSION.search(source.text):
                yield from _versions(source, root, layers)


def _versions(source: ManifestText, root: Node | None, layers: str) -> Iterator[ImageSite]:
    """Versions under any key: they are images' where a git generator of an ApplicationSet reads the file."""
    if isinstance(root, MappingNode):
        for site in settings(source, root, format_id=ID, resource="", layers=layers):
            if words_of(site.keys[-1])[-1:] == ("version",):
                yield site
