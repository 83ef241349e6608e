"""A checked-out application repository, as a CI job finds it, and the project as its users get it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support import CHECKOUT

__all__ = ["build_wheel", "export_project", "git", "make_checkout", "pip"]

_IDENTITY = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_AUTHOR_DATE": "@1767225600 +0000"}
_IDENTITY |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in _IDENTITY.items()}


def make_checkout(folder: Path, files: Mapping[str, str], *, origin: str, tag: str = "") -> Path:
    """A working tree on `main` with a commit of `files` and what else lies there, an `origin`, a tag at the commit."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "--quiet", "--initial-branch=main")
    if origin:
        git(folder, "remote", "add", "origin", origin)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=Files")
    if tag:
        git(folder, "tag", tag)
    return folder


def export_project(folder: Path, *, without: str = ":") -> Path:
    """Copy what a clone of this project would have, uncommitted changes included, and nothing that Git ignores.

    Paths that begin with `without` are left out.
    """
    listed = git(CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        source, target = CHECKOUT / name, folder / name
        if source.is_file() and not name.startswith(without):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


def build_wheel(project: Path, folder: Path) -> Path:
    """Build a project's wheel, the only file of `folder`, with the build backend that is installed here."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(project))
    [built] = folder.iterdir()
    return built


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def git(folder: Path, *args: str) -> str:
    """Run git in a working tree; what it printed."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **_IDENTITY}
    return subprocess.run(["git", *args], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout
