"""The environments that jobs make in these tests hold what pip installs, although pip installs the same only once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from gitops_ci import __version__

PACKAGE = f"gitops-ci=={__version__}"


def _run(programs: Path, package: str, line: str) -> subprocess.CompletedProcess[str]:
    folder = package.split()[-2]
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_COMPILE": "0",
        "PIP_FIND_LINKS": f"file://{folder}",
    }
    return subprocess.run(["sh", "-ec", line], env=environment, capture_output=True, text=True, check=False)


def test_each_environment_has_the_packages_and_its_own_programs(runner_programs, package, tmp_path):
    for folder in (tmp_path / "one", tmp_path / "two"):
        ran = _run(runner_programs, package, f"python3 -m venv {folder}; {folder}/bin/pip install --quiet {PACKAGE}")
        assert ran.returncode == 0, ran.stderr
        program = folder / "bin" / "gitops-ci"
        assert program.read_text().partition("\n")[0] == f"#!{folder}/bin/python"
        assert _run(runner_programs, package, f"{program} --version").stdout == f"gitops-ci {__version__}\n"
    assert "GitPython" in _run(runner_programs, package, f"{tmp_path}/two/bin/pip list").stdout


def test_other_words_install_other_packages(runner_programs, package, tmp_path):
    lines = f"""
        python3 -I -m venv --without-pip {tmp_path}/venv
        for name in semver click; do
          echo "$name" > {tmp_path}/list
          python3 -I -m pip --quiet --python {tmp_path}/venv/bin/python install --requirement {tmp_path}/list
          ls {tmp_path}/venv/lib/*/site-packages | grep -v dist-info
          echo .
        done
    """
    ran = _run(runner_programs, package, lines)
    assert ran.stdout.split() == ["semver", ".", "click", "semver", "."], ran.stderr


def test_what_pip_refuses_is_refused_each_time(runner_programs, package, tmp_path):
    assert _run(runner_programs, package, f"python3 -m venv {tmp_path}").returncode == 0
    for _ in range(2):
        ran = _run(runner_programs, package, f"{tmp_path}/bin/pip install --quiet left-pad-of-nobody")
        assert ran.returncode != 0
        assert "No matching distribution found" in ran.stderr
