"""What the next step reads is written whatever becomes of the streams, and a machine without room is not a bug."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.git_repo import make_repo

PROGRAM = [sys.executable, "-m", "gitops_ci"]
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"


@dataclass(frozen=True)
class Ran:
    code: int
    err: str


@dataclass(frozen=True)
class Folder:
    """A folder with a sound manifest, a config repository beside it, and the files that a GitHub job reads back."""

    path: Path

    def run(self, *arguments: str, redirected: str = "", limit: Callable[[], None] | None = None, **more: str) -> Ran:
        """Run the program with a shell's redirections; `$PROGRAM` is what it redirects."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB", "CI"))}
        environment |= {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(self.path / "outputs"), **more}
        if limit is not None:
            # Where a file may not grow, Python leaves half a .pyc, at which every later start would fail.
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        script = f'set -o pipefail; "$@" {redirected or "> /dev/null"}'
        done = subprocess.run(
            ["bash", "-c", script, "bash", *PROGRAM, *arguments],
            cwd=self.path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=limit,
            text=True,
            check=False,
            timeout=120,
        )
        return Ran(done.returncode, done.stderr)

    def bump(self, redirected: str, **options: Callable[[], None]) -> Ran:
        repository = f"file://{self.path}/config.git"
        reference, report = "ghcr.io/acme/shop:1.4.2", f"json={self.path}/report.json"
        arguments = ("bump", reference, "--config-repo", repository, "--mode", "push", "--report", report)
        return self.run(*arguments, redirected=redirected, limit=options.get("limit"))

    @property
    def pushed(self) -> bool:
        shown = subprocess.run(
            ["git", "-C", str(self.path / "config.git"), "show", "main:values.yaml"], capture_output=True, check=True
        )
        return b"1.4.2" in shown.stdout

    def output(self, name: str) -> str:
        """An output as the runner reads it."""
        found = re.search(rf"^{name}<<(\S+)\n(.*)\n\1$", (self.path / "outputs").read_text(), re.MULTILINE)
        return found[2] if found else ""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "a.yaml").write_text(MANIFEST)
    make_repo(tmp_path / "config.git", {"values.yaml": "image:\n  repository: ghcr.io/acme/shop\n  tag: 1.4.1\n"})
    return Folder(tmp_path)


GONE = {
    "reader gone": "| true",
    "closed": ">&-",
    "both closed": ">&- 2>&-",
    "all closed": "<&- >&- 2>&-",
    "stderr closed": "2>&- > /dev/null",
    "stderr full": "2> /dev/full > /dev/null",
}


@pytest.mark.parametrize("redirected", GONE.values(), ids=GONE)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_stream_that_nobody_reads_changes_nothing_of_a_check(folder: Folder, redirected: str, form: str) -> None:
    ran = folder.run("validate", "good", "--output", form, "--report", "json=g.json", redirected=redirected)
    assert ran.code == 0
    assert json.loads((folder.path / "g.json").read_text())["exit_code"] == 0
    assert folder.output("findings") == "0"
    assert "Traceback" not in ran.err
    assert "bug" not in ran.err


@pytest.mark.parametrize("redirected", GONE.values(), ids=GONE)
def test_a_stream_that_nobody_reads_changes_nothing_of_a_bump(folder: Folder, redirected: str) -> None:
    ran = folder.bump(redirected)
    assert (ran.code, folder.pushed) == (0, True)
    assert json.loads((folder.path / "report.json").read_text())["status"] == "changed"
    assert folder.output("status") == "changed"


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_full_stdout_is_an_error_of_one_line_after_everything_else(folder: Folder, form: str) -> None:
    ran = folder.run("validate", "good", "--output", form, "--report", "json=g.json", redirected="> /dev/full")
    assert ran.code == 2
    assert "cannot be written to standard output: No space left on device" in ran.err
    assert "Traceback" not in ran.err
    assert json.loads((folder.path / "g.json").read_text())["exit_code"] == 0
    assert folder.output("status") == "unchanged"


def test_a_full_stdout_does_not_hide_that_the_change_landed(folder: Folder) -> None:
    ran = folder.bump("> /dev/full")
    assert (ran.code, folder.pushed) == (2, True)
    assert "pushed" in ran.err
    assert folder.output("status") == "changed"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["bump", "--help"], ["config", "schema"]])
@pytest.mark.parametrize("redirected", ["| true", ">&-", ">&- 2>&-"])
def test_what_only_prints_has_no_trouble_with_a_reader_that_went_away(
    folder: Folder, arguments: list[str], redirected: str
) -> None:
    ran = folder.run(*arguments, redirected=redirected)
    assert ran == Ran(0, "")


def test_a_report_that_cannot_be_written_does_not_stop_the_others(folder: Folder) -> None:
    reports = ("--report", "json=/dev/full", "--report", "junit=j.xml")
    ran = folder.run("validate", "good", *reports)
    assert ran.code == 2
    assert "/dev/full cannot be written" in ran.err
    assert (folder.path / "j.xml").exists()
    assert folder.output("status") == "unchanged"


def test_outputs_that_cannot_be_written_are_no_bug(folder: Folder) -> None:
    ran = folder.run("validate", "good", "--report", "json=g.json", GITHUB_OUTPUT="/dev/full")
    assert ran.code == 2
    assert "/dev/full cannot be written: No space left on device" in ran.err
    assert (folder.path / "g.json").exists()


@pytest.mark.parametrize("size", [16, 128, 256])
def test_a_full_disk_is_an_error_of_git_and_nothing_is_pushed(folder: Folder, size: int) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    ran = folder.bump("> /dev/null", limit=limit)
    assert "bug" not in ran.err
    assert "Traceback" not in ran.err
    assert ran.code in {2, 5, 7}
    assert not folder.pushed


@pytest.mark.parametrize("files", [5, 8, 10, 12])
def test_few_file_descriptors_are_no_bug(folder: Folder, files: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    ran = folder.bump("> /dev/null", limit=limit)
    assert "bug" not in ran.err
    assert "is not installed" not in ran.err
    assert (ran.code == 0) == folder.pushed


def test_a_path_is_the_same_text_in_every_locale(folder: Folder) -> None:
    (folder.path / "bä.yaml").write_text(MANIFEST.replace("name: a", "name: B_"))
    locales = ({"LC_ALL": "C.UTF-8"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    reports = []
    for locale in locales:
        assert folder.run("validate", "bä.yaml", "--report", "json=report.json", **locale).code == 1
        reports.append((folder.path / "report.json").read_bytes())
    assert json.loads(reports[0])["findings"][0]["path"] == "bä.yaml"
    assert reports[1] == reports[0]
