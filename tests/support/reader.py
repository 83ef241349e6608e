"""A reader of the documentation who types every command: two repositories, a code host, a registry, one shell.

Only addresses differ from what the pages show. They are replaced on the way in and put back on the way out:
`https://github.com` (or gitlab.com) is a real Git server with a code host's API beside it, `ghcr.io` and
`registry.example.com` are real registries where a page pushes.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitops_ci.cli import run_command_line
from tests.support.documents import Block, matches
from tests.support.forge_stub import ForgeStub
from tests.support.git_http import GitServer
from tests.support.git_repo import BareRepo, commit_files, make_repo
from tests.support.kubetools import kubernetes_tool
from tests.support.workspace import git, make_checkout

__all__ = ["Reader"]

_APPLICATION = {"Dockerfile": "FROM scratch\nCOPY app /app\n", "app": "the application\n"}

# What only a shell can do; everything else is typed as words.
_SHELL = re.compile(r"[|<>;&`*]|\$\(")


@dataclass
class Reader:
    """Someone in the folder `shop`, the application's checkout; `shop-config` is on the code host."""

    home: Path
    server: GitServer
    forge: ForgeStub
    host: str
    registries: Mapping[str, str]
    elsewhere: Callable[[str], bool]
    environment: dict[str, str] = field(default_factory=dict)
    code: int = 0

    def __post_init__(self) -> None:
        self.folder = make_checkout(self.home / "shop", _APPLICATION, origin=f"{self.host}/acme/shop.git")
        self.config = make_repo(self.server.root / f"{self.forge.path}.git", {})
        self.forge.branch_exists = lambda branch: branch in self.config.branches()
        programs = self.home / "bin"
        programs.mkdir()
        for name, call in {"gitops-ci": "-m gitops_ci", "pip": "-m pip", "python3": ""}.items():
            (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {call} "$@"\n')
            (programs / name).chmod(0o755)
        (programs / "kubectl").symlink_to(kubernetes_tool("kubectl"))
        self.environment |= {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "GITOPS_CI_TOKEN": self.forge.token,
        }
        # What a public address would tell by itself.
        kind = "gitlab" if "gitlab" in self.host else "github"
        self._addresses = {"GITOPS_CI_FORGE": kind, "GITOPS_CI_API_URL": self.forge.api_url}

    def local(self, text: str) -> str:
        """A page's text with the addresses of here."""
        text = text.replace(f"{self.host}/{self.forge.path}", f"{self.server.url}/{self.forge.path}")
        for public, here in self.registries.items():
            text = re.sub(rf"\b{re.escape(public)}\b", here, text)
        return text

    def public(self, text: str) -> str:
        """What was printed here, with the addresses of the pages."""
        for here in (self.server.url, self.forge.origin):
            text = text.replace(here, self.host)
        for public, here in self.registries.items():
            text = text.replace(here, public).replace(here.replace(":", "-"), public)
        return text.replace(str(self.home), "~")

    def write(self, block: Block) -> None:
        """Put a file of a page where the page says it is."""
        assert block.file is not None
        repository, path = block.file
        text = self.local(block.text)
        if repository == "shop-config":
            commit_files(self.config, {path: text}, message=f"Write {path}")
            return
        target = self.home / "shop" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        git(self.home / "shop", "add", path)
        git(self.home / "shop", "commit", "--quiet", "--allow-empty", "--message", f"Write {path}")

    def take(self, files: Mapping[str, str]) -> None:
        """The config repository as it is when a page begins."""
        commit_files(self.config, {path: self.local(text) for path, text in files.items()}, message="Begin")

    def type(self, block: Block) -> None:
        """Type a console block's commands; what each prints has to be what the block shows."""
        for command in block.commands:
            if self.elsewhere(command.line):
                continue
            printed = self.public(self.run(command.line))
            if not matches(command.shown, printed):
                pytest.fail(f"{block}\n$ {command.line}\nshown:\n{command.shown}\nprinted:\n{printed}", pytrace=False)
        assert self.code == 0, f"{block}: the last command failed ({self.code}) and no `$ echo $?` says so"

    def run(self, line: str) -> str:
        """What a line prints, both streams as a terminal would mix them; `code` is then its exit code."""
        if not line.startswith("gitops-ci init"):  # reaches no network, and judges an address by its host
            line = self.local(line)
        words = [] if _SHELL.search(line) else shlex.split(line, comments=True)
        if words == ["echo", "$?"]:
            said, self.code = f"{self.code}\n", 0
            return said
        assert self.code == 0, f"the command before {line!r} failed ({self.code}) and no `$ echo $?` says so"
        if words[:1] == ["export"]:
            self.environment |= dict(word.split("=", 1) for word in words[1:])
            return ""
        if words[:1] == ["cd"]:
            self.folder = (self.folder / words[1]).resolve()
            return ""
        own: dict[str, str] = {}
        while words and re.match(r"[A-Z_]+=", words[0]):
            name, _, own[name] = words.pop(0).partition("=")
        if words[:1] == ["gitops-ci"]:
            return self._ours(words[1:], own)
        ran = subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.environment | self._addresses | {"LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.code = ran.returncode
        return ran.stdout

    def _ours(self, words: list[str], own: Mapping[str, str]) -> str:
        """In this process: a page has tens of commands."""
        output = io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
        ):
            known = {} if words[:1] == ["config"] else self._addresses
            for name, value in (self.environment | known | own).items():
                patch.setenv(name, value)
            self.code = run_command_line(words)
        return output.getvalue()

    def history(self, repo: BareRepo | None = None) -> str:
        """Every change on every branch of the config repository, as a diff."""
        return self.public((repo or self.config).git("log", "--all", "-p", "--format=%s", "--no-color"))
