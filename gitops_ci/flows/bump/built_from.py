"""What the kustomizations of a selection build from, in a repository that is too large to be read whole."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from gitops_ci.configrepo import Selection, Snapshot
from gitops_ci.errors import UsageError
from gitops_ci.flows.globs import Paths
from gitops_ci.known_files import KUSTOMIZATIONS

__all__ = ["built_from"]

_WORD = re.compile(r"[\w./@+-]+")
_MOST = 500  # folders: more are not what one environment builds


def built_from(snapshot: Snapshot, selection: Selection) -> Paths | None:
    """The files outside of a selection that its kustomizations lead to, through all levels; None without any."""
    found: dict[str, None] = {}
    new = [path for path in snapshot.paths(selection) if posixpath.basename(path) in KUSTOMIZATIONS]
    while new and len(found) < _MOST:
        reached = dict.fromkeys(
            glob for path, data in snapshot.read_all(new) for glob in _reached(path, data, snapshot, selection)
        )
        reached = {glob: None for glob in reached if glob not in found}
        found |= reached
        folders = [posixpath.dirname(glob) for glob in reached if glob.endswith("/*")]
        new = [posixpath.join(folder, name) for folder in folders for name in KUSTOMIZATIONS]
    return Paths(tuple(found)) if found else None


def _reached(path: str, data: bytes, snapshot: Snapshot, selection: Selection) -> Iterator[str]:
    """The files, and the folders as `FOLDER/*`, that the words of a kustomization are the paths of."""
    words = dict.fromkeys(_WORD.findall(data.decode("utf-8", "replace")))
    for word in (word for word in words if "/" in word or "." in word):
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), word))
        if place.startswith("..") or place in {".", "/"} or selection.matches(place):
            continue
        try:
            entry = snapshot.entry(place)
        except UsageError:
            continue  # no path of a repository
        if entry and (entry.is_file or entry.is_folder):
            yield f"{place}/*" if entry.is_folder else place
