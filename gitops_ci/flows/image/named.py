"""Which tags and digests the files of a config repository name, on all of its branches.

The files are searched as texts: no format has to understand a place for it to count, and too many found do no harm.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from gitops_ci.configrepo import ConfigRepo, GitCredentials
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.globs import Paths
from gitops_ci.model import Log
from gitops_ci.repourl import RepoUrl

__all__ = ["ConfigSource", "named_in"]


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """A config repository, and the account that reads it."""

    url: RepoUrl
    credentials: GitCredentials | None = None


def named_in(source: ConfigSource, words: Collection[str], log: Log) -> Mapping[str, str]:
    """The words that a file holds, each with the first place: `apps/shop.yaml:12 on main`.

    Raises:
        GitError: the repository cannot be read.
    """
    found: dict[str, str] = {}
    with ConfigRepo(source.url, source.credentials, log) as repo:
        for branch in repo.branches():
            snapshot = repo.fetch(branch)
            missing = [word for word in words if word not in found]
            paths = snapshot.search(missing, Paths()) if missing else []
            for path, data in snapshot.read_all(paths):
                text = data.decode("utf-8", "replace")
                for word in missing:
                    if word not in found and (place := _place(word, text)):
                        found[word] = f"{path}:{place} on {branch}"
    return found


def _place(word: str, text: str) -> int:
    """The line of a text that contains a word, 0 for none. `pr-12-alpine` contains `pr-12`; `pr-123` does not."""
    for hit in re.finditer(re.escape(word), text):
        before, after = text[hit.start() - 1 : hit.start()], text[hit.end() : hit.end() + 1]
        if not (before.isalnum() or after.isalnum()):
            return text.count("\n", 0, hit.start()) + 1
    return 0
