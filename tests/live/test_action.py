"""action.yml as its users run it: act in self-hosted mode, the action's packages installed from their lock file."""

from __future__ import annotations

import os
import shutil
import zipfile

import pytest

from tests.support.act import act
from tests.support.delivery import github
from tests.support.images import digest_of, remove_image
from tests.support.workspace import make_checkout

VALIDATE = """\
name: pre-merge
on: [push, pull_request]
permissions:
  contents: read
jobs:
  validate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: check
        uses: acme/gitops-ci@v1
        with:
          command: validate
          paths: |
            apps
            README.md
          report: junit=report.xml
      - if: always()
        env:
          FINDINGS: ${{ steps.check.outputs.findings }}
        run: echo "the later step read $FINDINGS findings"; test -s report.xml
"""

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  # how many
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: ghcr.io/acme/shop:1.4.2
"""
# A definition with a rule in CEL, and an object that breaks it in the last line.
WITH_CEL_RULE = """\
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: backups.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Backup, plural: backups, singular: backup, listKind: BackupList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            keep: {type: integer, x-kubernetes-validations: [{rule: self > 0, message: keep at least one}]}
---
apiVersion: example.com/v1
kind: Backup
metadata: {name: nightly}
keep: 0
"""


@pytest.fixture
def config_checkout(tmp_path):
    def make(manifest: str):
        files = {".github/workflows/pre-merge.yml": VALIDATE, "apps/shop.yaml": manifest, "README.md": "# Apps\n"}
        return make_checkout(tmp_path / "checkout", files, origin="https://github.com/acme/shop-config.git")

    return make


def test_broken_manifest_fails_with_an_annotation_on_its_line(config_checkout, project, runner_home):
    manifest = DEPLOYMENT.replace("replicas: 2", "replicas: two") + WITH_CEL_RULE
    run = act(config_checkout(manifest), project, runner_home)
    assert not run.succeeded
    errors = [found for found in run.annotations if found.level == "error" and found.file]
    last = len(manifest.splitlines())
    assert [(found.file, found.line) for found in errors] == [("apps/shop.yaml", 7), ("apps/shop.yaml", last)], str(run)
    assert "integer" in errors[0].message
    assert "keep at least one" in errors[1].message
    assert run.outputs("check")["findings"] == "2"
    assert "the later step read 2 findings" in run.log
    assert "apps/shop.yaml" in run.summary


def test_valid_manifests_pass_without_annotations(config_checkout, project, runner_home):
    run = act(config_checkout(DEPLOYMENT), project, runner_home)
    assert run.succeeded, str(run)
    assert run.annotations == []
    assert run.outputs("check")["findings"] == "0"
    assert run.commands <= {"set-output", "summary", "debug", "group", "endgroup"}


def test_a_machine_downloads_the_packages_once_and_trusts_no_wheel(config_checkout, project, locked, tmp_path):
    home, checkout = tmp_path / "home", config_checkout(DEPLOYMENT)
    settings = home / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    with_packages = f"[global]\nno-index = true\nfind-links = {locked}\n"
    store = home / ".cache" / "gitops-ci" / "wheels"

    def next_job(pip_settings):
        settings.write_text(pip_settings)
        shutil.rmtree(home / ".cache" / "act", ignore_errors=True)  # the folder of the job before
        return act(checkout, project, home)

    run = next_job(with_packages)
    assert run.succeeded, str(run)
    wheels = sorted(store.glob("*.whl"))
    assert len(wheels) == len(list(locked.glob("*.whl")))

    run = next_job("[global]\nno-index = true\n")  # pip finds nothing
    assert run.succeeded, str(run)

    for wheel in wheels:
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("sitecustomize.py", "raise SystemExit('from another job')")
    run = next_job("[global]\nno-index = true\n")
    assert not run.succeeded
    platform = f"{os.uname().sysname} {os.uname().machine}"
    assert f"The packages of gitops-ci could not be installed on {platform}: see the lines above." in str(run)
    assert "docs/platforms.md lists the platforms that have wheels" in str(run)
    run = next_job(with_packages)
    assert run.succeeded, str(run)
    assert sorted(store.glob("*.whl")) == wheels
    assert next_job("[global]\nno-index = true\n").succeeded


RELEASE = """\
name: release
on:
  push:
    tags: ["v*"]
permissions:
  contents: read
jobs:
  release:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: docker build --tag "$IMAGE" .
      - id: deploy
        uses: acme/gitops-ci@v1
        with:
          source: ${{ env.IMAGE }}
          to: ${{ env.REGISTRY }}/action/shop
          config-repo: ${{ env.CONFIG_REPO }}
          environment: staging
          forge: github
          label: gitops staging
          api-url: ${{ env.API_URL }}
          token: ${{ secrets.CONFIG_REPO_TOKEN }}
      - env:
          DIGEST: ${{ steps.deploy.outputs.digest }}
          PULL_REQUEST: ${{ steps.deploy.outputs.pull-request-url }}
        run: echo "the later step read $DIGEST and $PULL_REQUEST"
"""


@pytest.fixture
def release(tmp_path, docker_cli, registry, project, runner_home):
    """Run the release workflow for a tag of an application's repository; `build` is what the image holds."""
    name = f"gitops-ci-tests/act-{tmp_path.name}:build"
    files = {".github/workflows/release.yml": RELEASE, "Dockerfile": "FROM scratch\nCOPY app /app\n"}

    def run(delivery, tag="v1.4.2", build="1"):
        checkout = tmp_path / f"checkout-{tag}-{build}"
        make_checkout(checkout, files | {"app": build}, origin="https://github.com/acme/shop.git", tag=tag)
        env = {"DOCKER_HOST": docker_cli, "DOCKER_BUILDKIT": "0", "IMAGE": name, "REGISTRY": registry}
        env |= {"CONFIG_REPO": delivery.url, "API_URL": delivery.forge.api_url}
        payload = {"ref": f"refs/tags/{tag}", "repository": {"default_branch": "main"}}
        secrets = {"CONFIG_REPO_TOKEN": delivery.token}
        return act(checkout, project, runner_home, payload=payload, env=env, secrets=secrets)

    yield run
    remove_image(docker_cli, name)


def test_release_pushes_the_image_opens_the_pull_request_and_hands_over_its_outputs(release, registry, tmp_path):
    with github(tmp_path / "git", f"{registry}/action/shop") as delivery:
        run = release(delivery)
        assert run.succeeded, str(run)

        outputs = run.outputs("deploy")
        digest = digest_of(registry, "action/shop", "1.4.2")
        assert outputs["digest"] == digest
        assert set(outputs["tags"].split(",")) >= {"1.4.2", "1.4", "1", "latest"}

        [pull] = delivery.forge.pulls
        assert outputs["pull-request-number"] == str(pull.number)
        assert set(pull.labels) == {"gitops", "staging"}
        assert outputs["commit"] == delivery.repo.head(pull.head)
        diff = delivery.repo.diff("main", pull.head)
        changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        assert changed == ["-    newTag: 1.4.1 # set by the pipeline", "+    newTag: 1.4.2 # set by the pipeline"]
        assert "overlays/staging" in diff

        assert f"the later step read {digest} and {outputs['pull-request-url']}" in run.log
        assert "newTag: 1.4.2" in run.summary
        assert delivery.token not in str(run)
