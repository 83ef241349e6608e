"""Make a bare repository out of files, for the demo: the other side of what `ConfigRepo` talks to."""

from __future__ import annotations

import os
from collections.abc import Mapping

from gitops_ci.configrepo.commits import Identity, first_commit
from gitops_ci.configrepo.git import GitDirectory, check_branch
from gitops_ci.repourl import RepoUrl

__all__ = ["create_repository"]


def create_repository(path: str, files: Mapping[str, bytes], *, branch: str, message: str, author: Identity) -> RepoUrl:
    """Create the folder `path` as a bare repository whose `branch` holds `files`, and return its address."""
    os.makedirs(path)
    url = RepoUrl.parse(path)
    git = GitDirectory(path, url, None)
    try:
        git.create()
        git.checked("Naming the branch", "symbolic-ref", "HEAD", f"refs/heads/{check_branch(branch)}")
        commit = first_commit(git, files, message, author)
        git.checked("Creating the branch", "update-ref", f"refs/heads/{branch}", commit)
    finally:
        git.close()
    return url
