"""scripts/try_host.py finds nothing wrong with a stub host, and says what is."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.support import CHECKOUT


def tried(world, git_server):
    [address] = [world.where[world.where.index("--config-repo") + 1]]
    options = [part for name in ("--forge", "--api-url") for part in (name, world.where[world.where.index(name) + 1])]
    return subprocess.run(
        [sys.executable, CHECKOUT / "scripts" / "try_host.py", address, *options],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "GITOPS_CI_TOKEN": git_server.token, "PYTHONPATH": str(CHECKOUT)},
    )


@pytest.mark.parametrize("world", ["github"], indirect=True)
def test_the_table_of_states_is_played_on_a_host(world, git_server):
    ran = tried(world, git_server)
    assert (ran.returncode, "WRONG" in ran.stdout) == (0, False), ran.stdout + ran.stderr
    assert ran.stdout.count("ok ") >= 12
    assert ran.stdout.endswith("0 differed\n")
    assert [pull.status for pull in world.stub.pulls if pull.status == "open"] == []
    assert world.repo.branches() == ["main"]


def test_what_differs_is_named(capsys):
    spec = importlib.util.spec_from_file_location("try_host", CHECKOUT / "scripts" / "try_host.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    host = script.Host("https://forge.example/a/b", [], ".")
    host.expect("one", (0, "changed"), (0, "changed"))
    host.expect("another", (0, "unchanged"), (0, "changed"))
    said = capsys.readouterr().out.splitlines()
    assert said == ["ok    one", "WRONG another: (0, 'unchanged'), not (0, 'changed')"]
    assert host.failed == ["another"]
