"""What the command line names: paths of the repository."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gitops_ci.errors import UsageError
from gitops_ci.flows.checkout import repository_root

__all__ = ["paths_inside"]


def paths_inside(paths: Sequence[str]) -> tuple[str, ...]:
    """Paths as the repository has them, from its root. A removed file has a path, too.

    Raises:
        UsageError: one lies outside.
    """
    root = repository_root()
    found = []
    for path in paths:
        inside = os.path.relpath(os.path.abspath(path), root.path if root else os.getcwd()).replace(os.sep, "/")
        if inside == ".." or inside.startswith("../"):
            raise UsageError(f"{path} is outside of this repository", hint="Name files and folders of the checkout.")
        found.append(inside)
    return tuple(found)
