"""The CustomResourceDefinitions of a config repository, as far as some texts have objects of their groups."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import UsageError
from gitops_ci.flows.globs import Paths, is_manifest

__all__ = ["definitions_for"]

_KIND = "CustomResourceDefinition"
_GROUP = re.compile(r"[\"']?apiVersion[\"']?:\s*[\"']?([a-z0-9.-]+\.[a-z0-9.-]+)/v", re.ASCII)


def definitions_for(texts: Iterable[str], snapshot: Snapshot, selection: Paths) -> tuple[tuple[str, str], ...]:
    """Path and text of the files that define a kind of one of the groups.

    Of a snapshot that is read piece by piece, only the selection is looked into: it is here already.
    """
    groups = sorted({group for text in texts for group in _GROUP.findall(text)})
    if not groups:
        return ()
    where = selection if snapshot.is_sparse else Paths()
    found = []
    for path in filter(is_manifest, snapshot.search([_KIND], where)):
        try:
            text = (snapshot.read(path) or b"").decode("utf-8", "replace")
        except UsageError:
            continue  # a name that is never read
        if any(group in text for group in groups):
            found.append((path, text))
    return tuple(found)
