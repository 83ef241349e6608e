"""The wheel that users install: the whole package and nothing else, with what the project says of itself."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest

from gitops_ci import __version__
from gitops_ci.project import HOME
from tests.support.workspace import build_wheel, export_project


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """(the project as a clone has it, its wheel)"""
    project = export_project(tmp_path_factory.mktemp("project"))
    return project, zipfile.ZipFile(build_wheel(project, tmp_path_factory.mktemp("wheel")))


def test_wheel_holds_the_whole_package_and_nothing_else(wheel):
    project, archive = wheel
    package = {path.relative_to(project).as_posix() for path in (project / "gitops_ci").rglob("*") if path.is_file()}
    names = set(archive.namelist())
    assert "gitops_ci/py.typed" in package
    assert package == {name for name in names if not name.startswith(f"gitops_ci-{__version__}.dist-info/")}


def test_wheel_says_what_it_is(wheel):
    _, archive = wheel
    info = f"gitops_ci-{__version__}.dist-info"
    metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert (metadata["Name"], metadata["Version"]) == ("gitops-ci", __version__)
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_payload().startswith("# gitops-ci")
    assert "gitops-ci=gitops_ci.__main__:main" in archive.read(f"{info}/entry_points.txt").decode()
    assert any(name.startswith(f"{info}/") and "LICENSE" in name for name in archive.namelist())


def test_wheel_has_addresses_and_authors(wheel):
    _, archive = wheel
    metadata = Parser().parsestr(archive.read(f"gitops_ci-{__version__}.dist-info/METADATA").decode())
    addresses = dict(entry.split(", ", 1) for entry in metadata.get_all("Project-URL"))
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Source"} == addresses.keys()
    assert all(address.startswith(HOME) for address in addresses.values())
    assert metadata["Author"] or metadata["Author-email"]


def test_program_runs_from_the_wheel_alone(wheel):
    _, archive = wheel
    # A wheel is importable as it is: nothing of the checkout is on the path.
    code = f"import sys; sys.path.insert(0, {archive.filename!r}); sys.argv = ['gitops-ci', '--version']\n"
    code += "import gitops_ci.__main__ as m; assert '.whl' in m.__file__; m.main()"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert run.stdout == f"gitops-ci {__version__}\n", run.stderr
