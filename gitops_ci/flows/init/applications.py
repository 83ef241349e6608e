"""The applications of a repository: one for each Dockerfile, with a name, an image and Git tags of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from gitops_ci.dataclass import dataclass

__all__ = ["Application", "applications", "is_for_releases"]

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Dockerfiles in such folders build what tests, examples and developers use.
_ASIDE = re.compile(r"(?:^|/)(?:\.[^/]+|tests?|e2e|testdata|examples?|docs|hack|fixtures)/")
_HUB = frozenset({"docker.io", "index.docker.io"})


@dataclass(frozen=True, slots=True)
class Application:
    """What one job builds and releases. `name` and `prefix` are empty where the repository has one application."""

    dockerfile: str = "Dockerfile"
    name: str = ""

    @property
    def prefix(self) -> str:
        """What its Git tags begin with, before `v1.4.2`."""
        return f"{self.name}-" if self.name else ""

    @property
    def context(self) -> str:
        """The arguments of `docker build`."""
        folder, _, file = self.dockerfile.rpartition("/")
        return (folder or ".") if file == "Dockerfile" else f"--file {self.dockerfile} {folder or '.'}"

    @property
    def folder(self) -> str:
        """The folder whose changes release it; '' for the root, and for names that mean something to a shell."""
        folder = self.dockerfile.rpartition("/")[0]
        return folder if folder and _WORD.fullmatch(folder.replace("/", "")) else ""

    def image(self, base: str, registry: str) -> str:
        """Its image below that of the repository; Docker Hub has no names with more than two parts."""
        if not self.name or base.rpartition("/")[2] == self.name:
            return base
        return f"{base}{'-' if registry in _HUB else '/'}{self.name}"


def is_for_releases(dockerfile: str) -> bool:
    return not _ASIDE.search(dockerfile)


def applications(dockerfiles: Sequence[str], repository: str) -> tuple[Application, ...]:
    """One for each Dockerfile; that at the root has the name of the repository."""
    if len(dockerfiles) <= 1:
        return tuple(map(Application, dockerfiles))
    short = {path: _word(path.split("/")[-2] if "/" in path else repository) for path in dockerfiles}
    used = Counter(short.values())
    found = []
    for path in dockerfiles:
        name = short[path]
        found.append(Application(path, name if used[name] == 1 else _word(path.rpartition("/")[0] or repository)))
    return tuple(found)


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "app"
