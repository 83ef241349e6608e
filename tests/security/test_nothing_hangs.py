"""Programs that do not end: a signal and the deadline end them, in whatever thread they run, whatever they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gitops_ci import process
from gitops_ci.configrepo.git import GitDirectory
from gitops_ci.errors import GitError, Interrupted, ProgramError
from gitops_ci.repourl import RepoUrl

FOREVER = "sleep 600"  # a shell starts it: it holds the shell's output when that is gone


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Path]:
    """A folder with programs that hang, and note that they were started."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("kubectl", "kustomize", "helm"):
        program = folder / name
        program.write_text(
            f"#!/bin/sh\necho $$ >> {tmp_path}/started\n{FOREVER} &\necho $! >> {tmp_path}/sleeping\nwait\n"
        )
        program.chmod(0o755)
    yield folder
    for line in (tmp_path / "sleeping").read_text().splitlines() if (tmp_path / "sleeping").exists() else ():
        with suppress(ProcessLookupError):
            os.kill(int(line), signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_whose_renderers_hang(hanging: Path, tmp_path: Path, number: signal.Signals) -> None:
    tree = tmp_path / "tree"
    for name in "abcdef":
        (tree / name).mkdir(parents=True)
        (tree / name / "kustomization.yaml").write_text("resources: [a.yaml]\n")
        (tree / name / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n")
    child = subprocess.Popen(
        [sys.executable, "-m", "gitops_ci", "validate", "."],
        cwd=tree,
        env={**os.environ, "PATH": f"{hanging}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        while not (tmp_path / "started").exists():
            assert child.poll() is None, child.communicate()
            time.sleep(0.05)
        child.send_signal(number)
        # Each of six renderers may take two minutes: without the defense this is not over so soon.
        said, _ = child.communicate(timeout=60)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 130
    assert "Interrupted" in said
    assert "Traceback" not in said


def test_a_program_ends_with_the_time_limit_of_the_run() -> None:
    with process.time_limit(lambda: 0.3), pytest.raises(ProgramError, match="sh did not finish within 0 s"):
        process.run(["sh", "-c", f"{FOREVER} & wait"], seconds=500)


def test_the_time_limit_holds_in_other_threads() -> None:
    raised: list[Exception] = []

    def work() -> None:
        try:
            process.run(["sleep", "600"], seconds=500)
        except ProgramError as error:
            raised.append(error)

    with process.time_limit(lambda: 0.3):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(60)
    assert raised


def test_a_git_that_works_here_ends_with_the_time_limit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path)], check=True)
    git = GitDirectory(str(tmp_path), RepoUrl.parse("https://h.example/a/b"), None, {"alias.hang": f"!{FOREVER}"})
    with process.time_limit(lambda: 0.3), pytest.raises(GitError, match="did not finish before the deadline"):
        git.run("hang")


def test_after_a_signal_no_program_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_stopped", [])
    assert process.run(["true"]).code == 0
    process.stop()
    with pytest.raises(Interrupted):
        process.run(["sleep", "600"])


def test_what_a_program_reads_and_prints_over_a_long_time_is_whole() -> None:
    data = os.urandom(300_000)
    slow = "sleep 0.5; cat; sleep 0.5; cat /dev/null; echo end >&2"
    done = process.run(["sh", "-c", slow], stdin=data)
    assert (done.stdout, done.stderr.strip()) == (data, "end")
