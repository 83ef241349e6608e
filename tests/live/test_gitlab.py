"""The GitLab template as its users run it: gitlab-ci-local with the shell executor."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
import yaml

from gitops_ci import __version__
from tests.live.test_action import DEPLOYMENT
from tests.support.delivery import github
from tests.support.git_http import git_server
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


def test_broken_manifest_fails_with_both_reports(config_checkout, runner_home, runner_programs):
    run = gitlab_ci_local(
        config_checkout(DEPLOYMENT.replace("replicas: 2", "replicas: two")), runner_home, programs=runner_programs
    )
    assert run.exit_code != 0
    assert "apps/shop.yaml:7" in run.log
    quality = json.loads(run.artifact("gitops-ci-validate", "gl-code-quality-report.json"))
    assert [(issue["location"]["path"], issue["location"]["lines"]["begin"]) for issue in quality] == [
        ("apps/shop.yaml", 7)
    ]
    junit = ET.fromstring(run.artifact("gitops-ci-validate", "gitops-ci-junit.xml"))
    assert len(junit.findall("testsuite[@name='apps/shop.yaml']/testcase/failure")) == 1


def test_valid_manifests_pass_and_no_release_job_appears_without_a_source(
    config_checkout, runner_home, runner_programs
):
    checkout = config_checkout(DEPLOYMENT)
    run = gitlab_ci_local(checkout, runner_home, programs=runner_programs)
    assert run.exit_code == 0, run.log
    assert json.loads(run.artifact("gitops-ci-validate", "gl-code-quality-report.json")) == []
    assert "gitops-ci-release" not in gitlab_ci_local(checkout, runner_home, "--list").log


def test_parallel_jobs_each_check_their_share(config_checkout, runner_home, runner_programs):
    checkout = config_checkout(DEPLOYMENT.replace("replicas: 2", "replicas: two"))
    pipeline = checkout / ".gitlab-ci.yml"
    pipeline.write_text(pipeline.read_text() + "gitops-ci-validate: {parallel: 2}\n")
    make_checkout(checkout, {"apps/other/shop.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: three")}, origin="")
    # A folder for each job, as on a runner: both write the same file at the same time.
    run = gitlab_ci_local(checkout, runner_home, "--shell-isolation", programs=runner_programs)
    assert run.exit_code != 0
    found = [
        [issue["location"]["path"] for issue in json.loads(path.read_text())]
        for path in checkout.glob(".gitlab-ci-local/artifacts/*/gl-code-quality-report.json")
    ]
    assert sorted(found) == [["apps/other/shop.yaml"], ["apps/shop.yaml"]]


RELEASE = """\
stages: [build, deploy, announce]
include:
  - {include}
    inputs:
      package: {package}
      source: $IMAGE
      to: $REGISTRY/acme/{way}
      config-repo: $CONFIG_REPO
      environment: staging
      forge: github
      api-url: $API_URL
      rules: [{{when: on_success}}]
build:
  stage: build
  script: [docker build --tag "$IMAGE" .]
announce:
  stage: announce
  needs: [gitops-ci-release]
  script: [echo "the later job read $GITOPS_CI_RESULT_DIGEST and $GITOPS_CI_RESULT_PULL_REQUEST_URL"]
"""


@pytest.fixture
def gitlab(project, tmp_path):
    """A host that serves this project's template and components as GitLab does: Git over HTTP and raw files."""
    shipped = [".gitlab-ci-template.yml", "templates/release.yml", "templates/validate.yml"]
    with git_server(tmp_path / "gitlab") as server:
        server.anonymous_read = True
        repo = server.make_repo("acme/gitops-ci", {name: (project / name).read_text() for name in shipped})
        repo.git("tag", __version__)
        yield server


def _includes(server):
    """Each way to include the release job."""
    raw = f"{server.url}/acme/gitops-ci/-/raw/{__version__}/templates/release.yml"
    return {
        "local": "local: templates/release.yml",
        "remote": f"remote: {raw}",
        "project": f"project: acme/gitops-ci\n    ref: {__version__}\n    file: templates/release.yml",
        "component": f"component: 127.0.0.1/acme/gitops-ci/release@{__version__}",
    }


@pytest.fixture
def release(tmp_path, docker_cli, registry, project, package, runner_home, runner_programs, gitlab):
    """Run the release pipeline for a tag of an application's repository, included in one of the ways."""
    name = f"gitops-ci-tests/gitlab-{tmp_path.name}:build"

    def run(delivery, way, *arguments):
        files = {
            ".gitlab-ci.yml": RELEASE.format(package=package, include=_includes(gitlab)[way], way=way),
            "templates/release.yml": (project / "templates" / "release.yml").read_text(),
            "Dockerfile": "FROM scratch\nCOPY app /app\n",
            "app": way,
        }
        checkout = tmp_path / f"checkout-{way}"
        make_checkout(checkout, files, origin=gitlab.url_of("acme/shop"), tag="v1.4.2")
        variables = {"DOCKER_HOST": docker_cli, "DOCKER_BUILDKIT": "0", "IMAGE": name, "REGISTRY": registry}
        variables |= {"CONFIG_REPO": delivery.url, "API_URL": delivery.forge.api_url, "CI_COMMIT_TAG": "v1.4.2"}
        variables |= {"GITOPS_CI_TOKEN": delivery.token}
        return gitlab_ci_local(checkout, runner_home, *arguments, variables=variables, programs=runner_programs)

    yield run
    remove_image(docker_cli, name)


def test_every_way_to_include_gives_the_same_jobs(release, registry, tmp_path):
    with github(tmp_path / "git", f"{registry}/acme/shop") as delivery:
        ways = ("local", "remote", "project", "component")
        jobs = {way: _jobs(release(delivery, way, "--preview")) for way in ways}
        assert jobs["local"]["gitops-ci-release"]["stage"] == "deploy"
        destination = jobs["local"]["gitops-ci-release"]["variables"].pop("GITOPS_CI_TO")
        for way in ways[1:]:
            assert jobs[way]["gitops-ci-release"]["variables"].pop("GITOPS_CI_TO") == destination.replace("local", way)
            assert jobs[way] == jobs["local"]


def _jobs(run):
    assert run.exit_code == 0, run.log
    return yaml.safe_load(run.log[run.log.index("---\n") :])


@pytest.mark.parametrize("way", ["local", "component"])
def test_release_pushes_the_image_opens_the_pull_request_and_hands_its_values_to_the_next_job(
    release, registry, tmp_path, way
):
    with github(tmp_path / "git", f"{registry}/acme/{way}") as delivery:
        run = release(delivery, way)
        assert run.exit_code == 0, run.log
        [pull] = delivery.forge.pulls
        assert "+    newTag: 1.4.2" in delivery.repo.diff("main", pull.head)
        digest = digest_of(registry, f"acme/{way}", "1.4.2")
        link = f"{delivery.forge.origin}/acme/config/pull/{pull.number}"
        assert f"the later job read {digest} and {link}" in run.log
        assert delivery.token not in run.log


def test_components_are_made_from_the_template(project):
    from scripts.split_gitlab_template import COMPONENTS, component

    source = (project / ".gitlab-ci-template.yml").read_text()
    for job in COMPONENTS:
        made = (project / "templates" / f"{job}.yml").read_text() == component(source, job)
        assert made, "run .venv/bin/python scripts/split_gitlab_template.py"
