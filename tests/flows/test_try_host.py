"""scripts/try_host.py finds nothing wrong with a stub host, and says what is."""

import importlib.util
import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

import pytest

from gitops_ci.cli import run_command_line
from tests.support import CHECKOUT


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("try_host", CHECKOUT / "scripts" / "try_host.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture
def in_this_process(script, monkeypatch):
    """The script's runs of the program are runs in this process: to start it takes longer than what it then does."""

    def run(command, **options):
        if command[:3] != [sys.executable, "-m", "gitops_ci"]:
            return subprocess.run(command, **options)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run_command_line(command[3:])
        return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())

    monkeypatch.setattr(script, "subprocess", SimpleNamespace(run=run))


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("world", ["github"], indirect=True)
def test_the_table_of_states_is_played_on_a_host(world, git_server, script, monkeypatch, capfd):
    where = dict(zip(world.where[::2], world.where[1::2], strict=True))
    options = [part for name in ("--forge", "--api-url") for part in (name, where[name])]
    monkeypatch.setattr("sys.argv", ["try_host.py", where["--config-repo"], *options])
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setenv("GITOPS_CI_TOKEN", git_server.token)
    code = script.main()
    out, err = capfd.readouterr()
    assert (code, "WRONG" in out) == (0, False), out + err
    assert out.count("ok ") >= 12
    assert out.endswith("0 differed\n")
    assert [pull.status for pull in world.stub.pulls if pull.status == "open"] == []
    assert world.repo.branches() == ["main"]


def test_it_is_a_program():
    ran = subprocess.run(
        [sys.executable, CHECKOUT / "scripts" / "try_host.py", "--help"], capture_output=True, text=True
    )
    assert (ran.returncode, "https address of an empty repository" in ran.stdout) == (0, True), ran.stderr


def test_what_differs_is_named(script, capsys):
    host = script.Host("https://forge.example/a/b", [], ".")
    host.expect("one", (0, "changed"), (0, "changed"))
    host.expect("another", (0, "unchanged"), (0, "changed"))
    said = capsys.readouterr().out.splitlines()
    assert said == ["ok    one", "WRONG another: (0, 'unchanged'), not (0, 'changed')"]
    assert host.failed == ["another"]
