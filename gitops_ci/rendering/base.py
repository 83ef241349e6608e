"""What rendering is asked and what it answers."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gitops_ci import process
from gitops_ci.rendering.isolation import isolated
from gitops_ci.variables import inherited

__all__ = ["BuildError", "Renderer", "Settings", "Tree", "Unit", "join", "output"]

_LARGEST = 8 * 1024 * 1024
# Whatever a description manages to name, nothing is fetched: Git takes no protocol, and the proxy is not there.
_NO_NETWORK = {
    "GIT_ALLOW_PROTOCOL": "none",
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:1"),
}
# Kustomize hands the reference of a base to git as it is. Where it is an option, `--upload-pack=PROGRAM` runs a program
# of this machine for a repository in a folder, and nothing for one on a host.
_PROTOCOLS = "http:https:ssh"


@dataclass(frozen=True, slots=True)
class BuildError:
    """Something wrong with a unit's own description; `rule` is the name after `gitops/`."""

    rule: str
    path: str
    line: int
    column: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is rendered together: a kustomization or a chart.

    `file` describes it, `sources` are the files it is made of, `patches` those of them that are no manifests of their
    own. `remote` says what it would have to fetch. `inner` units are part of another one and need no rendering.
    """

    renderer: str
    file: str
    folder: str
    sources: frozenset[str] = frozenset()
    patches: frozenset[str] = frozenset()
    remote: tuple[str, ...] = ()
    problems: tuple[BuildError, ...] = ()
    inner: bool = False
    skip: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """How units are rendered. `kubernetes_version` is told to charts; `allow_remote` lets a program fetch."""

    kubernetes_version: str = ""
    allow_remote: bool = False
    values: tuple[str, ...] = ()

    def environment(self) -> Mapping[str, str]:
        """The variables a renderer sees: what it renders may be a stranger's, so none of them is a secret.

        To fetch what is private takes credentials in files: of git, of helm, or an ssh agent.
        """
        if self.allow_remote:
            return inherited() | {"GIT_ALLOW_PROTOCOL": _PROTOCOLS, "GIT_TERMINAL_PROMPT": "0"}
        return process.reduced_environment() | _NO_NETWORK


@dataclass
class Tree:
    """Files by path with `/`, relative to where the command runs; read once, links that lead outside are not."""

    texts: dict[str, str | None] = field(default_factory=dict)
    root: str = "."

    def text(self, path: str) -> str | None:
        """A file's text, None when it cannot be read as UTF-8, is too large, or lies outside."""
        if path not in self.texts:
            self.texts[path] = self._read(path)
        return self.texts[path]

    def exists(self, path: str) -> bool:
        return self.texts.get(path) is not None or os.path.exists(os.path.join(self.root, path))

    def is_folder(self, path: str) -> bool:
        return os.path.isdir(os.path.join(self.root, path))

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(os.path.join(self.root, folder)))
        except OSError:
            return []

    def leads_out(self, folder: str) -> bool:
        """Whether a link somewhere in a folder leads out of it: a program that follows it reads foreign files."""
        inside = os.path.realpath(os.path.join(self.root, folder))
        for at, names, leaves in os.walk(inside):
            for name in (*names, *leaves):
                full = os.path.join(at, name)
                if os.path.islink(full) and not os.path.realpath(full).startswith(f"{inside}{os.sep}"):
                    return True
        return False

    def _read(self, path: str) -> str | None:
        full = os.path.join(self.root, path)
        try:
            if os.path.islink(full) or os.path.getsize(full) > _LARGEST:
                return None
            with open(full, encoding="utf-8", newline="") as file:
                return file.read()
        except (OSError, UnicodeDecodeError):
            return None


class Renderer(Protocol):
    """A program that renders units, and what it takes for one."""

    INSTALL: str

    def units(self, files: Iterable[str], tree: Tree) -> Sequence[Unit]:
        """The units that the given files describe."""

    def program(self) -> str | None:
        """The path of the program, None when it is not there."""

    def render(self, unit: Unit, program: str, tree: Tree, settings: Settings) -> str:
        """The rendered manifests.

        Raises:
            ProgramError: the program refused; its words are in the message.
        """

    def source(self, unit: Unit, document: str) -> str | None:
        """The file that one rendered document says it came from, None when it does not say."""


def join(folder: str, path: str) -> str:
    """A path below a folder, as one that a person would write."""
    return posixpath.normpath(posixpath.join(folder, path))


def output(argv: Sequence[str], tree: Tree, settings: Settings, install: str) -> str:
    """What a renderer prints that is started in the tree's folder, apart from everything else.

    Raises:
        ProgramError: it is missing, or refused.
    """
    done = process.run(
        argv,
        inside=isolated(tree.root, network=settings.allow_remote),
        cwd=tree.root,
        environment=settings.environment(),
        install=install,
    )
    return done.stdout.decode("utf-8", "replace")
