"""Runs in this process reach the repositories of a Git server as files, by Git's own protocol but without HTTP.

Each command of git that speaks HTTP starts a helper that loads thirty libraries, and the server answers in Python: half
of what a run costs. What a flow makes of branches, commits and pull requests is the same without. The addresses stay
those of the server, and hooks and settings of the repositories hold. What is missing is the server's own: its list of
requests, and its faults. A run that it would not let in still asks it, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from gitops_ci.configrepo import git, repository
from gitops_ci.repourl import RepoUrl
from tests.support.git_http import GitServer

__all__ = ["directly"]


@contextmanager
def directly(server: GitServer) -> Iterator[None]:
    """Until the block ends, a run in this process that has the server's token asks it for nothing of Git."""
    made = git._environment

    def environment(
        remote: RepoUrl, more: Mapping[str, str], credentials: git.GitCredentials | None = None
    ) -> dict[str, str]:
        header = credentials.header().reveal().partition(": ")[2] if credentials else ""
        if not remote.text.startswith(f"{server.url}/") or not server.allows((header,)):
            return made(remote, more, credentials)
        # git-config(1), `url.<base>.insteadOf`. A path would be copied; a file:// address is fetched and pushed to.
        instead = {f"url.file://{server.root}/.insteadOf": f"{server.url}/"}
        return made(remote, {**more, **instead}, credentials) | {"GIT_ALLOW_PROTOCOL": "file"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(git, "_environment", environment)
        # Where upload-pack has nothing to cut off, git takes its end for a broken connection: no second try helps.
        patch.setattr(repository, "_PAUSES", ())
        yield
