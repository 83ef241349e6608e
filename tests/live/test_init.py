"""What `gitops-ci init` writes, run: a workflow by act, a pipeline by gitlab-ci-local."""

from __future__ import annotations

import re

import pytest

from gitops_ci import __version__
from gitops_ci.cli import run_command_line
from tests.live.test_action import DEPLOYMENT
from tests.support.act import act
from tests.support.delivery import config_files, github
from tests.support.git_http import git_server
from tests.support.git_repo import commit_files
from tests.support.gitlab import gitlab_ci_local
from tests.support.images import digest_of, remove_image
from tests.support.layouts import LayoutWriter
from tests.support.workspace import make_checkout

BROKEN = DEPLOYMENT.replace("replicas: 2", "replicas: two")


@pytest.fixture
def init(tmp_path, monkeypatch):
    """Make a checkout, run `gitops-ci init` in it, and commit what it wrote."""

    def run(files, origin, *options, tag=""):
        checkout = tmp_path / "checkout"
        make_checkout(checkout, files, origin=origin)
        with monkeypatch.context() as patch:
            patch.chdir(checkout)
            assert run_command_line(["init", *options]) == 0
        return make_checkout(checkout, {}, origin="", tag=tag)

    return run


def test_release_workflow_of_init_delivers(init, registry, docker_cli, project, runner_home, tmp_path):
    repository = f"{tmp_path.name.replace('_', '-')}/init"
    try:
        with github(tmp_path / "git", f"{registry}/{repository}") as delivery:
            checkout = init(
                {"Dockerfile": "FROM scratch\nCOPY app /app\n", "app": "init"},
                "https://github.com/acme/shop.git",
                *("--config-repo", delivery.url, "--image", f"{registry}/{repository}"),
                *("--environment", "staging", "--address", "acme/gitops-ci@v1"),
                tag="v1.4.2",
            )
            run = act(
                checkout,
                project,
                runner_home,
                payload={"ref": "refs/tags/v1.4.2", "repository": {"default_branch": "main"}},
                env={
                    "DOCKER_HOST": docker_cli,
                    "DOCKER_BUILDKIT": "0",
                    "GITOPS_CI_FORGE": "github",
                    "GITOPS_CI_API_URL": delivery.forge.api_url,
                },
                secrets={"CONFIG_REPO_TOKEN": delivery.token},
            )
            assert run.succeeded, str(run)
            [pull] = delivery.forge.pulls
            assert pull.labels == ["gitops"]
            assert "+    newTag: 1.4.2" in delivery.repo.diff("main", pull.head)
            assert f"Proposed {digest_of(registry, repository, '1.4.2')}" in run.log
    finally:
        remove_image(docker_cli, "init:build")


def test_promote_workflow_of_init_proposes_what_the_environment_before_has(
    init, registry, project, runner_home, tmp_path
):
    repository = f"{registry}/{tmp_path.name.replace('_', '-')}/promoted"
    LayoutWriter(tmp_path / "built").simple("1", [{"content": b"1"}])
    assert run_command_line(["image", "push", f"oci:{tmp_path}/built:1", "--to", f"{repository}:1.4.2"]) == 0
    with github(tmp_path / "git", repository) as delivery:
        checkout = init(config_files(repository), delivery.url, "--ci", "github", "--address", "acme/gitops-ci@v1")
        (checkout / ".github" / "workflows" / "pre-merge.yml").unlink()
        staging = "apps/shop/overlays/staging/kustomization.yaml"
        files = {staging: config_files(repository, "1.4.2")[staging]}
        files[".gitops-ci.yaml"] = (checkout / ".gitops-ci.yaml").read_text()
        commit_files(delivery.repo, files, message="Bump")
        env = {"GITOPS_CI_TOKEN": delivery.token, "GITOPS_CI_FORGE": "github"}
        run = act(checkout, project, runner_home, env=env | {"GITOPS_CI_API_URL": delivery.forge.api_url})
        assert run.succeeded, str(run)
        [pull] = delivery.forge.pulls
        changed = [line for line in delivery.repo.diff("main", pull.head).splitlines() if line[:2] in ("+ ", "- ")]
        assert changed == ["-    newTag: 1.4.1 # set by the pipeline", "+    newTag: 1.4.2 # set by the pipeline"]
        assert pull.head.startswith("gitops-ci/production/")


@pytest.mark.parametrize("manifest", [DEPLOYMENT, BROKEN])
def test_pre_merge_workflow_of_init_judges(init, project, runner_home, manifest):
    checkout = init(
        {"apps/staging/shop.yaml": manifest}, "https://github.com/acme/c.git", "--address", "acme/gitops-ci@v1"
    )
    make_checkout(checkout, {"apps/staging/shop.yaml": f"# changed\n{manifest}"}, origin="")
    run = act(checkout, project, runner_home, event="pull_request")
    assert run.succeeded is (manifest is DEPLOYMENT), str(run)
    assert [(found.file, found.line) for found in run.annotations if found.level == "error" and found.file] == (
        [] if manifest is DEPLOYMENT else [("apps/staging/shop.yaml", 8)]
    )


@pytest.mark.parametrize("manifest", [DEPLOYMENT, BROKEN])
def test_pipeline_of_init_judges(init, project, package, runner_home, runner_programs, tmp_path, manifest):
    with git_server(tmp_path / "gitlab") as server:
        server.anonymous_read = True
        shipped = {name: (project / name).read_text() for name in ("templates/release.yml", "templates/validate.yml")}
        server.make_repo("acme/gitops-ci", shipped).git("tag", __version__)
        checkout = init(
            {"apps/staging/shop.yaml": manifest},
            server.url_of("acme/c"),
            *("--ci", "gitlab", "--address", "127.0.0.1/acme/gitops-ci"),
        )
        wheels = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"file://{package.split()[-2]}"}
        run = gitlab_ci_local(checkout, runner_home, variables=wheels, programs=runner_programs)
    assert (run.exit_code == 0) is (manifest is DEPLOYMENT), run.log
    assert ("apps/staging/shop.yaml:7" in run.log) is (manifest is BROKEN)


@pytest.mark.only_soak  # an image is built
def test_pipeline_of_a_monorepo_releases_the_application_of_the_tag(
    init, registry, docker_cli, project, package, runner_home, runner_programs, tmp_path
):
    repository = f"{registry}/{tmp_path.name.replace('_', '-')}/mono"
    files = {f"services/{name}/app": name for name in ("api", "web")}
    files |= {f"services/{name}/Dockerfile": "FROM scratch\nCOPY app /app\n" for name in ("api", "web")}
    try:
        with git_server(tmp_path / "gitlab") as server, github(tmp_path / "git", f"{repository}/web") as delivery:
            server.anonymous_read = True
            shipped = {"templates/release.yml": (project / "templates/release.yml").read_text()}
            server.make_repo("acme/gitops-ci", shipped).git("tag", __version__)
            checkout = init(
                files,
                server.url_of("acme/mono"),
                *("--ci", "gitlab", "--address", "127.0.0.1/acme/gitops-ci", "--environment", "staging"),
                *("--config-repo", delivery.url, "--image", repository),
                tag="web-v1.4.2",
            )
            pipeline = checkout / ".gitlab-ci.yml"
            # The runner here has the shell executor, and an Engine.
            pipeline.write_text(re.sub(r"(?m)^  services: .*\n", "", pipeline.read_text()))
            variables = {
                "DOCKER_HOST": docker_cli,
                "DOCKER_BUILDKIT": "0",
                "CI_COMMIT_TAG": "web-v1.4.2",
                "CI_COMMIT_BRANCH": "",
            }
            variables |= {"GITOPS_CI_TOKEN": delivery.token, "GITOPS_CI_FORGE": "github"}
            variables |= {"GITOPS_CI_API_URL": delivery.forge.api_url}
            variables |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"file://{package.split()[-2]}"}
            # What a push changed is not known here, and no rule of a tag asks for it.
            whole = "--no-evaluate-rule-changes"
            run = gitlab_ci_local(
                checkout, runner_home, whole, variables=variables, programs=runner_programs, timeout=600
            )
            assert run.exit_code == 0, run.log
            [pull] = delivery.forge.pulls
            assert "+    newTag: 1.4.2" in delivery.repo.diff("main", pull.head)
            assert digest_of(registry, f"{repository.partition('/')[2]}/web", "1.4.2") in run.log
            assert "build-api" not in run.log
    finally:
        remove_image(docker_cli, "web:build")
