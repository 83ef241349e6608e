"""`diff` asks nobody: with all sockets refused the result is the same, and no address in a repository is asked."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.test_diff import APPLICATION, CHART, DEPLOYMENT, FLUX, FOLDER, ORIGIN, lay, programs  # noqa: F401
from tests.support.workspace import make_checkout

pytestmark = pytest.mark.usefixtures("programs")
ROOT = Path(__file__).resolve().parents[2]
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: x}}
spec:
  interval: 1m
  chart: {{spec: {{chart: {chart}, version: 1.0.0, sourceRef: {{kind: {kind}, name: {source}}}}}}}
  values: {{tag: "{tag}"}}
"""


def every_operator(tag: str, server: str) -> dict[str, str]:
    """Units of all kinds that are here, and beside them all that names a server."""
    source = (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n"
        f"metadata: {{name: flux-system, namespace: flux-system}}\nspec: {{url: {ORIGIN}}}\n"
    )
    elsewhere = APPLICATION.format(name="far", tag=tag).replace(
        "https://git.example/acme/config.git", f"{server}/a.git"
    )
    chart = f"  source:\n    repoURL: {server}\n    chart: far\n    targetRevision: {tag}\n"
    sets = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "far", "namespace": "argocd"},
        "spec": {
            "generators": [
                {"scmProvider": {"github": {"organization": "acme", "api": server}}},
                {"pullRequest": {"gitea": {"owner": "acme", "repo": tag, "api": server}}},
            ],
            "template": {"metadata": {"name": "x"}, "spec": {}},
        },
    }
    dependency = f"dependencies: [{{name: far, version: 1.0.0, repository: {server}/charts}}]\n"
    schema = f"# yaml-language-server: $schema={server}/schema.json\n"
    return {
        **FOLDER,
        **CHART,
        "app/d.yaml": schema + DEPLOYMENT.format(tag=tag),
        "argo/a.yaml": APPLICATION.format(name="a", tag=tag),
        "argo/far.yaml": elsewhere,
        "argo/chart.yaml": APPLICATION.format(name="chart", tag=tag).partition("  source:")[0] + chart,
        "argo/set.json": json.dumps(sets),
        "flux/source.yaml": source,
        "flux/apps.yaml": FLUX.replace("tag: 1.0.0", f"tag: {tag}"),
        "flux/near.yaml": RELEASE.format(
            name="near", chart="./charts/web", kind="GitRepository", source="flux-system", tag=tag
        ),
        "flux/far.yaml": RELEASE.format(name="far", chart="far", kind="HelmRepository", source="far", tag=tag),
        "flux/repository.yaml": "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\n"
        f"metadata: {{name: far, namespace: x}}\nspec: {{interval: 1m, url: {server}}}\n",
        "apps/d.yaml": DEPLOYMENT.format(tag="${tag}").replace("name: web", "name: flux"),
        "fleet/fleet.yaml": f"namespace: f\nhelm: {{chart: chart, values: {{tag: '{tag}'}}}}\n",
        **{path.replace("charts/web", "fleet/chart"): text for path, text in CHART.items()},
        "fleet-far/fleet.yaml": f"helm: {{repo: {server}, chart: far, version: 1.0.0, values: {{tag: '{tag}'}}}}\n",
        "remote/kustomization.yaml": f"resources: [d.yaml, '{server}/base?ref=main', '{server}/x.yaml']\n",
        "remote/d.yaml": DEPLOYMENT.format(tag=tag).replace("name: web", "name: remote"),
        "inflated/kustomization.yaml": f"helmCharts: [{{name: far, repo: {server}, version: {tag}, releaseName: x}}]\n",
        "depends/Chart.yaml": f"apiVersion: v2\nname: depends\nversion: 1.0.0\n{dependency}",
        "depends/values.yaml": f"tag: {tag}\n",
        "depends/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: depends}\n",
        "resolves/Chart.yaml": "apiVersion: v2\nname: resolves\nversion: 1.0.0\n",
        "resolves/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: resolves}\n"
        f'data: {{ip: {{{{ getHostByName "localhost" | quote }}}}, tag: "{tag}", '
        'secret: {{ lookup "v1" "Secret" "x" "y" | toJson | quote }}}\n',
    }


def ran(folder: Path, *before: str) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-m", "gitops_ci", "diff", "--base", "HEAD", "--output", "json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """An address on loopback, and who connected to it."""
    seen: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, peer = listener.accept()
                except OSError:
                    return
                seen.append(str(peer))
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_no_address_of_a_repository_is_asked_and_no_socket_is_needed(tmp_path, server):
    address, seen = server
    make_checkout(tmp_path, every_operator("1.0.0", address), origin=ORIGIN)
    lay(tmp_path, every_operator("2.0.0", address))
    usual = ran(tmp_path)
    assert usual.returncode == 0, usual.stdout + usual.stderr
    found = json.loads(usual.stdout)["rendered"]
    here = {one["id"] for one in found["units"] if one["state"] == "changed"}
    assert {
        *("kustomization:app", "application:argocd/a", "flux-kustomization:flux-system/apps", "helmrelease:x/near"),
        *("fleet:fleet", "kustomization:remote", "chart:resolves"),
    } <= here
    told = {one["id"]: one["reason"] for one in found["units"] if one["reason"]}
    assert {
        *("application:argocd/far", "application:argocd/chart", "applicationset:argocd/far", "helmrelease:x/far"),
        *("fleet:fleet-far", "kustomization:remote", "kustomization:inflated", "chart:depends"),
    } == set(told)
    assert seen == []
    refused = ran(tmp_path, sys.executable, "-m", "tests.support.no_sockets")
    assert (refused.returncode, json.loads(refused.stdout)) == (0, json.loads(usual.stdout)), refused.stderr
    assert seen == []


def test_the_filter_and_the_server_would_show_a_request(tmp_path, server):
    """What the test above relies on: with --allow-remote the same repository is asked, and the filter stops it."""
    address, seen = server
    make_checkout(tmp_path, FOLDER, origin=ORIGIN)
    lay(tmp_path, {"app/kustomization.yaml": f"resources: [d.yaml, '{address}/x.yaml']\n"})
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gitops_ci", "diff", "--base", "HEAD", "--allow-remote"]
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert seen != []
    seen.clear()
    filtered = [sys.executable, "-m", "tests.support.no_sockets", *command]
    subprocess.run(filtered, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert seen == []
