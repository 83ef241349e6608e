"""A clone with nothing beside it: tests over other people's repositories are left out and counted, none is skipped."""

import os
import subprocess
import sys

import pytest

from tests.support.workspace import export_project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return export_project(tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize("workers", [0, 2])
def test_tests_over_repositories_of_others_are_left_out_and_counted(project, workers):
    command = [sys.executable, "-m", "pytest", "-n", str(workers), "tests/contract/test_corpus.py"]
    environment = os.environ | {"CI": "true"}
    ran = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    *_, last = ran.stdout.splitlines()
    assert "1 passed, 7 left out in" in last
    assert "skipped" not in ran.stdout
