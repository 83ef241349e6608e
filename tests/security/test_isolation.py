"""Renderers run in namespaces of their own: no network, no other process, nothing left behind. And they render."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import time
from contextlib import suppress

import pytest

from gitops_ci import process
from gitops_ci.errors import ProgramError
from gitops_ci.rendering import isolation
from tests.support import CHECKOUT, missing
from tests.support.kubetools import kubernetes_tool

APP = {
    "kustomization.yaml": "resources: [a.yaml]\n",
    "a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
}
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
}


@pytest.fixture(autouse=True)
def tools(tmp_path_factory, monkeypatch):
    """kubectl, helm and what namespaces take, and nothing else, on PATH."""
    folder = tmp_path_factory.mktemp("tools")
    for name in ("kubectl", "helm", "unshare", "true", "sleep"):
        (folder / name).symlink_to(shutil.which(name) or kubernetes_tool(name))
    monkeypatch.setenv("PATH", str(folder))
    isolation._works.cache_clear()
    if not isolation.isolated(str(folder), network=False):
        missing("user namespaces are not allowed here")
    return folder


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


# What made renderers ask a server on loopback, where no proxy is used.
ASKING = {
    "openapi": {**APP, "kustomization.yaml": "resources: [a.yaml]\nopenapi: {{path: '{url}'}}\n"},
    "inline generator": {
        **APP,
        "kustomization.yaml": "generators:\n- |-\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n"
        "  metadata: {{name: x}}\n  files: ['{url}']\n",
    },
    "another case": {**APP, "kustomization.yaml": "Resources: ['{url}']\n"},
    "merge key": {**APP, "kustomization.yaml": "<<: {{resources: ['{url}']}}\n"},
    "transformer in a file": {
        **APP,
        "kustomization.yaml": "resources: [a.yaml]\ntransformers: [t.yaml]\n",
        "t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: x}}\npath: '{url}'\n",
    },
    "schema of values": {**CHART, "values.yaml": "a: 1\n", "values.schema.json": '{{"$ref": "{url}"}}'},
}


@pytest.mark.parametrize("way", ASKING)
def test_what_would_ask_a_server_is_not_rendered_where_there_are_no_namespaces(run, tmp_path, sink, monkeypatch, way):
    monkeypatch.setattr(isolation, "_works", lambda command: False)
    url = f"http://127.0.0.1:{sink.port}/x.yaml"
    write(tmp_path, {name: text.format(url=url) if "{url}" in text else text for name, text in ASKING[way].items()})
    run("validate", "--allow-empty")
    assert sink.connections == 0


def test_a_renderer_reaches_no_server_on_this_machine(tmp_path, sink):
    url = f"http://127.0.0.1:{sink.port}/x.yaml"
    write(tmp_path, {**APP, "kustomization.yaml": f"resources: [a.yaml]\nopenapi: {{path: '{url}'}}\n"})
    asked = []
    for network in (False, True):
        inside = isolation.isolated(str(tmp_path), network=network)
        with suppress(ProgramError):
            process.run(
                ["kubectl", "kustomize", str(tmp_path)], inside=inside, environment=process.reduced_environment()
            )
        asked.append(sink.connections > 0)
    assert asked == [False, True]


@pytest.mark.parametrize("files", [APP, CHART], ids=["kustomize", "helm"])
def test_it_renders_what_it_may_read(run, tmp_path, files):
    write(tmp_path / "app", files)
    os.chmod(tmp_path / "app", stat.S_IRWXU)
    ran = run("validate", "--output", "json")
    assert (ran.code, ran.document["summary"]["rendered"], ran.document["skipped"]) == (0, 1, [])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_root_renders_private_files_of_others(run, tmp_path):
    """As in a container that runs as root over the checkout of the runner's user: without namespaces then."""
    write(tmp_path / "app", APP)
    for path in (tmp_path / "app/a.yaml", tmp_path / "app/kustomization.yaml", tmp_path / "app", tmp_path):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.chown(path, 12345, 12345)
    ran = run("validate", "--output", "json")
    assert (ran.code, ran.document["summary"]["rendered"]) == (0, 1)


def test_programs_that_take_too_long_end_with_all_they_started(tmp_path, tools):
    inside = isolation.isolated(str(tmp_path), network=False)
    program = tmp_path / "slow"
    program.write_text(f"#!/bin/sh\n{tools}/sleep 987654 &\n{tools}/sleep 987654\n")
    program.chmod(0o755)
    with pytest.raises(ProgramError, match="slow did not finish"):
        process.run([str(program)], inside=inside, seconds=1)
    deadline = time.monotonic() + 10
    while _sleepers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _sleepers() == []


def _sleepers():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if b"987654" in file.read():
                    found.append(pid)
        except OSError:
            continue
    return found


def test_without_namespaces_it_renders_all_the_same(run, tmp_path, tools):
    write(tmp_path, APP)
    (tools / "unshare").unlink()
    (tools / "unshare").write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    (tools / "unshare").chmod(0o755)
    isolation._works.cache_clear()
    ran = run("validate", "--output", "json")
    assert (ran.code, ran.document["summary"]["rendered"]) == (0, 1)
    assert "unshare" not in ran.out + ran.err


def test_what_the_checkout_brings_as_unshare_is_not_started(run, tmp_path, tools, monkeypatch):
    write(tmp_path, APP)
    marker = tmp_path / "ran"
    write(tmp_path, {"bin/unshare": f"#!/bin/sh\n: > {marker}\n"})
    (tmp_path / "bin/unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    ran = run("validate", "--output", "json")
    assert (ran.code, ran.document["summary"]["rendered"]) == (0, 1)
    assert not marker.exists()


def test_no_program_of_this_user_reads_the_memory_of_this_process(tmp_path):
    """Also where there are no namespaces. PR_GET_DUMPABLE (3) is what the kernel asks before it lets others look."""
    code = (
        "import ctypes\nfrom gitops_ci.rendering.isolation import isolated\nprctl = ctypes.CDLL(None).prctl\n"
        f"print(prctl(3, 0, 0, 0, 0))\nisolated({str(tmp_path)!r}, network=False)\nprint(prctl(3, 0, 0, 0, 0))\n"
    )
    done = process.run([sys.executable, "-c", code], environment={"PYTHONPATH": str(CHECKOUT)})
    assert done.stdout.split() == [b"1", b"0"]


def test_errors_name_the_renderer(run, tmp_path):
    write(tmp_path, {**APP, "kustomization.yaml": "resources: [a.yaml]\npatches: [{patch: 'x: 1'}]\n"})
    ran = run("validate", "--output", "json")
    assert ran.code == 1
    assert "unshare" not in json.dumps(ran.document)
