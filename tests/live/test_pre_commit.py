"""The pre-commit hook as its users run it: real pre-commit, the hook installed from this project's own repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitops_ci import __version__
from tests.live.test_action import DEPLOYMENT
from tests.support import dev_tool
from tests.support.kubetools import kubernetes_tool
from tests.support.workspace import export_project, make_checkout


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    """This project as a repository that pre-commit can clone, and the cache where it installs the hook."""
    folder = tmp_path_factory.mktemp("hooks")
    make_checkout(
        export_project(folder / "gitops-ci"), {}, origin="https://github.com/acme/gitops-ci.git", tag=f"v{__version__}"
    )
    return folder


@pytest.fixture
def commit(tmp_path, hooks):
    """Run the hooks on staged files; what pre-commit said."""

    def run(files, committed=()):
        config = f"repos:\n  - repo: {hooks}/gitops-ci\n    rev: v{__version__}\n    hooks:\n"
        config += "      - id: gitops-ci-validate\n      - id: gitops-ci-config\n"
        checkout = tmp_path / str(len(list(tmp_path.iterdir())))
        make_checkout(
            checkout,
            {".pre-commit-config.yaml": config, **dict(committed)},
            origin="https://github.com/acme/config.git",
        )
        for name, text in files.items():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (checkout / name).write_text(text)
        env = {key: value for key, value in os.environ.items() if key.startswith(("PATH", "PIP_", "SSL_"))}
        env["PATH"] += f"{os.pathsep}{Path(kubernetes_tool('kubectl')).parent}"
        env |= {"HOME": str(hooks), "PRE_COMMIT_HOME": str(hooks / "cache"), "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "add", "--all"], cwd=checkout, env=env, check=True)
        command = [dev_tool("pre-commit"), "run", "--color=never"]
        return subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, check=False)

    return run


def test_hook_refuses_a_broken_manifest_with_its_line(commit):
    ran = commit({"shop.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: two"), "notes.txt": "replicas: two\n"})
    assert ran.returncode == 1
    assert "shop.yaml:7" in ran.stdout, ran.stdout + ran.stderr


def test_hook_passes_valid_manifests_and_yaml_that_is_none(commit):
    ran = commit({"shop.yaml": DEPLOYMENT, "values.yaml": "replicas: two\n", "mkdocs.yml": "site_name: x\n"})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert commit({"values.yaml": "a: 1\n"}).returncode == 0


def test_no_staged_file_is_an_option_by_its_name(commit):
    broken = DEPLOYMENT.replace("replicas: 2", "replicas: two")
    evil = {
        "evil.yaml": "validate: {skip-rules: ['*']}\n",
        "--config=evil.yaml": "a: 1\n",
        "--skip-rules=*.yaml": "a: 1\n",
    }
    ran = commit({"shop.yaml": broken, **evil, "--report=json=report.yaml": "a: 1\n"})
    assert ran.returncode == 1
    assert "shop.yaml:7" in ran.stdout, ran.stdout + ran.stderr


DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: backups.acme.example}
spec:
  group: acme.example
  names: {kind: Backup, plural: backups}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {keep: {minimum: 1, type: integer}}}}
"""


def test_hook_knows_the_definitions_and_the_overlays_that_are_not_staged(commit):
    backup = "apiVersion: acme.example/v1\nkind: Backup\nmetadata: {name: a}\nspec: {keep: 0}\n"
    ran = commit({"apps/backup.yaml": backup}, {"crds/backup.yaml": DEFINITION})
    assert ran.returncode == 1
    assert "spec.keep: 0 must be at least 1" in ran.stdout
    overlay = "resources: [../../base]\npatches:\n- target: {kind: Deployment}\n"
    overlay += "  patch: '- {op: test, path: /spec/replicas, value: 2}'\n"
    committed = {"base/kustomization.yaml": "resources: [shop.yaml]\n", "base/shop.yaml": DEPLOYMENT}
    committed |= {"overlays/staging/kustomization.yaml": overlay}
    assert commit({"base/shop.yaml": DEPLOYMENT + "\n"}, committed).returncode == 0
    ran = commit({"base/shop.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: 3")}, committed)
    assert ran.returncode == 1
    assert "overlays/staging/kustomization.yaml" in ran.stdout


def test_hook_checks_the_configuration(commit):
    ran = commit({".gitops-ci.yaml": "tags: semvr\n"})
    assert ran.returncode == 1
    assert ".gitops-ci.yaml:1: There is no tag strategy 'semvr'" in ran.stdout
