"""The GitLab template as its users run it: gitlab-ci-local with the shell executor."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from tests.live.test_action import DEPLOYMENT
from tests.support.delivery import github
from tests.support.gitlab import gitlab_ci_local
from tests.support.images import digest_of, remove_image
from tests.support.workspace import make_checkout

PIPELINE = """\
include:
  - local: .gitlab-ci-template.yml
    inputs:
      package: {package}
      validate-paths: apps README.md
stages: [test, deploy]
"""


@pytest.fixture
def config_checkout(tmp_path, project, package):
    def make(manifest: str):
        template = (project / ".gitlab-ci-template.yml").read_text()
        files = {".gitlab-ci.yml": PIPELINE.format(package=package), ".gitlab-ci-template.yml": template}
        files |= {"apps/shop.yaml": manifest, "README.md": "# Apps\n"}
        return make_checkout(tmp_path / "checkout", files, origin="https://gitlab.example.com/acme/shop-config.git")

    return make


def test_broken_manifest_fails_with_both_reports(config_checkout, runner_home):
    run = gitlab_ci_local(config_checkout(DEPLOYMENT.replace("replicas: 2", "replicas: two")), runner_home)
    assert run.exit_code != 0
    assert "apps/shop.yaml:7" in run.log
    quality = json.loads(run.artifact("gitops-ci-validate", "gl-code-quality-report.json"))
    assert [(issue["location"]["path"], issue["location"]["lines"]["begin"]) for issue in quality] == [
        ("apps/shop.yaml", 7)
    ]
    junit = ET.fromstring(run.artifact("gitops-ci-validate", "gitops-ci-junit.xml"))
    assert len(junit.findall("testsuite[@name='apps/shop.yaml']/testcase/failure")) == 1


def test_valid_manifests_pass_and_no_release_job_appears_without_a_source(config_checkout, runner_home):
    checkout = config_checkout(DEPLOYMENT)
    run = gitlab_ci_local(checkout, runner_home)
    assert run.exit_code == 0, run.log
    assert json.loads(run.artifact("gitops-ci-validate", "gl-code-quality-report.json")) == []
    assert "gitops-ci-release" not in gitlab_ci_local(checkout, runner_home, "--list").log


RELEASE = """\
stages: [build, test, deploy, announce]
include:
  - local: .gitlab-ci-template.yml
    inputs:
      package: {package}
      source: $IMAGE
      to: $REGISTRY/acme/shop
      config-repo: $CONFIG_REPO
      environment: staging
      forge: github
      api-url: $API_URL
      release-rules: [{{when: on_success}}]
build:
  stage: build
  script: [docker build --tag "$IMAGE" .]
announce:
  stage: announce
  needs: [gitops-ci-release]
  script: [echo "the later job read $GITOPS_CI_RESULT_DIGEST and $GITOPS_CI_RESULT_PULL_REQUEST_URL"]
"""


@pytest.fixture
def release(tmp_path, engine, registry, project, package, runner_home):
    """Run the release pipeline for a tag of an application's repository; `build` is what the image holds."""
    name = f"gitops-ci-tests/gitlab-{tmp_path.name}:build"
    files = {
        ".gitlab-ci.yml": RELEASE.format(package=package),
        ".gitlab-ci-template.yml": (project / ".gitlab-ci-template.yml").read_text(),
        "Dockerfile": "FROM scratch\nCOPY app /app\n",
    }

    def run(delivery, tag="v1.4.2", build="1"):
        checkout = tmp_path / f"checkout-{tag}-{build}"
        make_checkout(checkout, files | {"app": build}, origin="https://gitlab.example.com/acme/shop.git", tag=tag)
        variables = {"DOCKER_HOST": engine, "DOCKER_BUILDKIT": "0", "IMAGE": name, "REGISTRY": registry}
        variables |= {"CONFIG_REPO": delivery.url, "API_URL": delivery.forge.api_url, "CI_COMMIT_TAG": tag}
        return gitlab_ci_local(checkout, runner_home, variables=variables | {"GITOPS_CI_TOKEN": delivery.token})

    yield run
    remove_image(engine, name)


def test_release_pushes_the_image_opens_the_pull_request_and_hands_its_values_to_the_next_job(
    release, registry, tmp_path
):
    with github(tmp_path / "git", f"{registry}/acme/shop") as delivery:
        run = release(delivery)
        assert run.exit_code == 0, run.log
        [pull] = delivery.forge.pulls
        assert "+    newTag: 1.4.2" in delivery.repo.diff("main", pull.head)
        digest = digest_of(registry, "acme/shop", "1.4.2")
        assert f"the later job read {digest} and {delivery.forge.origin}/acme/config/pull/{pull.number}" in run.log
        assert delivery.token not in run.log
