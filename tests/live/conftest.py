"""Fixtures of tests that run the shipped files on real CI engines."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.support import missing
from tests.support.services import Unavailable, program
from tests.support.workspace import build_wheel, export_project, pip


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
def tested_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Constraints for pip: the versions that these tests run with, not those that are the newest today."""
    file = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    file.write_text("".join(f"{one.name}=={one.version}\n" for one in distributions() if one.name != "gitops-ci"))
    return file


@pytest.fixture(scope="session")
def package(project: Path, tested_versions: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pip installs in a job: this project's wheel and all that it needs, from a folder, as behind an air gap."""
    folder = tmp_path_factory.mktemp("wheels")
    built = build_wheel(project, folder)
    options = ("--only-binary=:all:", "--constraint", str(tested_versions), "--dest", str(folder))
    pip("download", *options, str(built))
    return f"--no-index --find-links {folder} gitops-ci"
