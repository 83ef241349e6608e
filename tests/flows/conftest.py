"""The command line in this process, against real repositories."""

import json
import shutil
import textwrap
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from gitops_ci.cli import run_command_line
from tests.support.forge_hosts import KINDS
from tests.support.git_direct import directly
from tests.support.kubetools import kubernetes_tool
from tests.support.world import world_on


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)


@pytest.fixture
def run(capfd, monkeypatch, tmp_path):
    """Run `gitops-ci` with arguments in an empty folder; `environment` are variables for this run."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, environment: dict[str, str] | None = None) -> Ran:
        capfd.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (environment or {}).items():
                patch.setenv(name, value)
            code = run_command_line([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture
def git_server(request, git_server):
    """A Git server; runs in this process reach its repositories as files, except in a test marked `over_http`."""
    with nullcontext() if request.node.get_closest_marker("over_http") else directly(git_server):
        yield git_server


@pytest.fixture(params=[*KINDS, "git"])
def world(request, run, git_server):
    """A config repository on every kind of code host, and on plain Git."""
    from tests.flows.test_bump import FILES

    with world_on(request.param, run, git_server, FILES) as made:
        yield made


def _put(folder, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text))


@pytest.fixture
def tool(monkeypatch, tmp_path_factory):
    """Put kubectl or helm, and no other such program, on PATH."""

    def call(*names: str) -> None:
        folder = tmp_path_factory.mktemp("bin")
        for name in names:
            (folder / name).symlink_to(shutil.which(name) or kubernetes_tool(name))
        monkeypatch.setenv("PATH", str(folder))

    return call


@pytest.fixture
def tree(tmp_path):
    """Write files by path."""

    def call(files: dict[str, str]) -> None:
        for name, text in files.items():
            _put(tmp_path, name, text)

    return call
