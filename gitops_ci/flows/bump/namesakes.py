"""Untouched files beside edited ones that may hold an object of a name which the edit brings."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gitops_ci.configrepo import Snapshot
from gitops_ci.flows.bump.gate_settings import GateSettings
from gitops_ci.flows.globs import Paths, is_manifest
from gitops_ci.flows.validate.left_out import is_walked
from gitops_ci.known_files import CHART, FLEET, KUSTOMIZATIONS

__all__ = ["namesakes"]

_NAME = re.compile(r"\bname[\"']?:\s*[\"']?([^\s\"',{}\[\]]+)")
_DESCRIBING = (*KUSTOMIZATIONS, CHART, *FLEET)


def namesakes(
    after: Mapping[str, str], before: Mapping[str, str], snapshot: Snapshot, selection: Paths, settings: GateSettings
) -> tuple[tuple[str, str], ...]:
    """Path and text of manifests that lie in one folder with a file in which a name is new.

    Nearly every edit leaves all names as they are, and nothing is read.
    """
    new = {path: set(_NAME.findall(text)) - set(_NAME.findall(before.get(path, ""))) for path, text in after.items()}
    names = set[str]().union(*new.values())
    if not names:
        return ()
    folders = {_folder(path) for path, own in new.items() if own}
    paths = [path for path in snapshot.paths(selection) if _folder(path) in folders]
    # What a description in the folder makes of its files is rendered.
    folders -= {_folder(path) for path in paths if path.rpartition("/")[2] in _DESCRIBING}
    wanted = [
        path
        for path in paths
        if _folder(path) in folders
        and path not in after
        and is_manifest(path)
        and is_walked(path)
        and not settings.is_excluded(path)
    ]
    texts = ((path, data.decode("utf-8", "replace")) for path, data in snapshot.read_all(wanted))
    return tuple((path, text) for path, text in texts if any(name in text for name in names))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
