"""Fixtures of tests that run the shipped files on real CI engines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import missing
from tests.support.services import Unavailable, program
from tests.support.workspace import export_project


@pytest.fixture(scope="session")
def docker_cli(engine: str) -> str:
    """The URL of an Engine, for jobs that run `docker build`: the program is there too."""
    try:
        program("docker")
    except Unavailable as absent:
        missing(str(absent))
    return engine


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as a clone has it."""
    return export_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def runner_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a CI runner that keeps its caches from job to job."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture(scope="session")
def package(project: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pip installs in a job: this project's wheel and all that it needs, from a folder, as behind an air gap."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    _run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(project)])
    [built] = folder.iterdir()
    _run([*pip, "download", "--only-binary=:all:", "--dest", str(folder), str(built)])
    return f"--no-index --find-links {folder} gitops-ci"


def _run(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
