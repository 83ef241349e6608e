"""The program on a machine that reaches nothing: from a folder of wheels, and by `make demo` on a fresh clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support import CHECKOUT, missing
from tests.support.documents import blocks
from tests.support.virtual_environments import quick_python
from tests.support.workspace import export_project, pip


def _pip_lines(page: str) -> list[str]:
    """The lines for pip that a page shows."""
    consoles = (block for block in blocks(page) if block.language == "console")
    return [command.line for block in consoles for command in block.commands if command.line.startswith("pip ")]


@pytest.fixture
def machine(tmp_path, tmp_path_factory):
    """A virtual environment of a machine that has pip's own settings and nothing else."""
    python = quick_python(tmp_path_factory, tmp_path / "python")
    subprocess.run([python / "python3", "-m", "venv", str(tmp_path / "venv")], check=True)
    kept = {key: value for key, value in os.environ.items() if key.startswith(("LC_", "SSL_"))}
    path = os.pathsep.join((str(python), str(tmp_path / "venv" / "bin"), os.environ["PATH"]))
    # What is installed is compiled where it is imported.
    return {**kept, "PATH": path, "HOME": str(tmp_path), "PIP_COMPILE": "0"}


def test_program_crosses_the_gap(package, machine, tmp_path):
    download, install = _pip_lines("docs/air-gapped.md")
    # What the package index would give, since no release is there.
    outside = machine | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": package.split()[-2]}
    _run(download, tmp_path, outside)
    inside = machine | {"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    _run(install, tmp_path, inside)
    assert _run("gitops-ci --version", tmp_path, inside).startswith("gitops-ci ")


def test_make_demo_installs_the_program_and_nothing_else(package, tested_versions, machine, tmp_path):
    """What `make demo` needs besides the program's own packages is what builds it."""
    if not shutil.which("make"):
        missing("make is not on PATH")
    wheels = tmp_path / "wheels"
    shutil.copytree(package.split()[-2], wheels)
    [builder] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["build-system"]["requires"]
    pip("download", "--constraint", str(tested_versions), "--dest", str(wheels), builder)
    project = export_project(tmp_path / "project")
    said = _run("make demo", project, machine | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)})
    assert "Run the same command again: nothing changes" in said
    assert "release: already up to date" in said
    assert "overlays/production/kustomization.yaml:5:13  1.4.1 -> 1.4.2" in said.partition("$ gitops-ci promote")[2]
    listed = _run(".venv/bin/pip list --format=freeze", project, machine)
    assert "pytest" not in listed
    assert "GitPython" in listed


def _run(line: str, folder: Path, environment: dict[str, str]) -> str:
    ran = subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
