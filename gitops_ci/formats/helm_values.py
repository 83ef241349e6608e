"""Helm values, in files of any name: YAML that is no Kubernetes object.

The shapes are those of public charts: `repository` and `tag`, with a `registry` or `global.imageRegistry` before it,
a `digest` beside it or inside the tag, one string, prefixed keys (`initImageTag`), nested and in lists. A file that
only sets a tag (`values-prod.yaml`) takes the image's name from the file it is laid over (`values.yaml`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import object_of
from gitops_ci.formats.document.scan import scan
from gitops_ci.model import ImageSite

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
_OTHER_FOLDERS = frozenset({".github", ".gitea", ".forgejo", ".circleci", ".woodpecker", ".tekton"})


def find(source: ManifestText) -> Iterator[ImageSite]:
    path = PurePosixPath(source.path)
    if path.name in _OTHERS or not _OTHER_FOLDERS.isdisjoint(path.parts):
        return
    for root in source.yaml.documents:
        if not object_of(root):
            yield from scan(source, root, format_id=ID, layers=f"values:{path.with_suffix('')}")
