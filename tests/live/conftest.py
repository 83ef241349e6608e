"""Fixtures of tests that run the shipped files on real CI engines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from tests.support import CHECKOUT, missing
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.layouts import LayoutWriter
from tests.support.once import once
from tests.support.services import Unavailable, program
from tests.support.signing import KeyPair
from tests.support.sigstore_instance import Instance
from tests.support.virtual_environments import quick_python
from tests.support.workspace import build_wheel, export_project, pip

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def proxy(registry: str) -> Iterator[FaultProxy]:
    """A proxy before the open registry, for the tests of one file."""
    with fault_proxy(registry) as running:
        yield running


@pytest.fixture
def quiet_proxy(proxy: FaultProxy) -> Iterator[None]:
    """What a test told the proxy ends with the test."""
    yield
    proxy.clear()


@pytest.fixture
def name() -> str:
    """A repository that no other test of the run uses."""
    return f"shops/shop-{next(_numbers)}"


@pytest.fixture
def digest(run: Callable[..., Any], repository: str, tmp_path: Path) -> str:
    """An image in the registry, as 1.5.0; the file of the test has `run` and `repository`."""
    digest = LayoutWriter(tmp_path / "build").simple("x", [{"a": b"1"}])
    assert run("image", "push", "oci:build", "--to", f"{repository}:1.5.0").code == 0
    return digest


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """The keys of whom a rule names."""
    return KeyPair.make(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """The keys of somebody else."""
    return KeyPair.make(tmp_path_factory.mktemp("theirs"))


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """A sigstore instance of the tests' own."""
    return Instance(tmp_path_factory.mktemp("sigstore"))


@pytest.fixture(scope="module")
def root(sigstore: Instance) -> Path:
    """Its trusted root."""
    return sigstore.trusted_root()


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
    """This project as a clone has it, without its tests: act copies all of it, twice for each step."""
    return once(tmp_path_factory, "project", lambda folder: export_project(folder, without="tests/"))


@pytest.fixture(scope="session")
def runner_home(locked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a CI runner, whose pip takes packages from a folder and leaves compiling to their first use."""
    home = tmp_path_factory.mktemp("runner")
    settings = home / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[global]\nno-index = true\nfind-links = {locked}\n[install]\ncompile = no\n")
    return home


@pytest.fixture(scope="session")
def runner_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `python3` whose pip installs the same once in a run, for jobs that are no test of pip."""
    return quick_python(tmp_path_factory, tmp_path_factory.mktemp("runner-programs"))


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages that the action installs, in the versions and with the hashes of its lock files."""
    options = (
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        *("--requirement", str(CHECKOUT / "gitops_ci" / "requirements.txt")),
        *("--requirement", str(CHECKOUT / "gitops_ci" / "requirements-cel.txt")),
    )
    return once(tmp_path_factory, "locked", lambda folder: pip("download", *options, "--dest", str(folder)))


@pytest.fixture(scope="session")
def tested_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Constraints for pip: the versions that these tests run with, not those that are the newest today."""
    file = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    file.write_text("".join(f"{one.name}=={one.version}\n" for one in distributions() if one.name != "gitops-ci"))
    return file


@pytest.fixture(scope="session")
def package(project: Path, tested_versions: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pip installs in a job: this project's wheel and all that it needs, from a folder, as behind an air gap."""

    def make(folder: Path) -> None:
        built = build_wheel(project, folder)
        options = ("--only-binary=:all:", "--constraint", str(tested_versions), "--dest", str(folder))
        pip("download", *options, str(built))

    return f"--no-index --find-links {once(tmp_path_factory, 'wheels', make)} gitops-ci"
