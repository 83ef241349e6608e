"""Who merged what brought a version, and when, as the code host keeps it: Git alone does not.

On a squash merge the committer is the host itself, and the time of a commit is what its maker's clock said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.forges.base import Forge, Merged, ReadsMerges

__all__ = ["MergeReader"]


@dataclass(slots=True)
class MergeReader:
    """Asks a code host, for each commit once."""

    connect: Callable[[], Forge]
    _known: dict[str, Merged | None] = field(default_factory=dict)
    _host: ReadsMerges | None = None

    def merged(self, commit: str) -> Merged | None:
        """The merged pull request that brought a commit, None for one that was pushed.

        Raises:
            UsageError: the host keeps no pull requests.
            ForgeError: it refuses, or does not answer.
        """
        if commit not in self._known:
            self._known[commit] = self._reading().merged(commit)
        return self._known[commit]

    def _reading(self) -> ReadsMerges:
        if self._host is None:
            host = self.connect()
            if not isinstance(host, ReadsMerges):
                raise UsageError(
                    "Only a code host stores who merged, and this is plain Git",
                    hint="Give --forge and --api-url of the code host, or leave --ask-host out.",
                )
            self._host = host
        return self._host
