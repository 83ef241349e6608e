"""Every file of examples/ is run: workflows by act, pipelines by gitlab-ci-local, the shell lines of all others.

Only addresses and credentials differ from what is shown: they are replaced by those of the real parts here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from pathlib import Path

import docker
import pytest
import yaml

from gitops_ci import __version__
from gitops_ci.cli import run_command_line
from tests.live.test_action import DEPLOYMENT
from tests.support import CHECKOUT, dev_tool
from tests.support.act import act
from tests.support.actionlint import actionlint
from tests.support.delivery import github
from tests.support.documents import blocks
from tests.support.git_http import git_server
from tests.support.git_repo import commit_files
from tests.support.gitlab import gitlab_ci_local
from tests.support.images import digest_of, remove_image
from tests.support.layouts import LayoutWriter
from tests.support.published_schemas import misfits
from tests.support.workspace import git, make_checkout

EXAMPLES = CHECKOUT / "examples"
APPLICATION = {"Dockerfile": "FROM scratch\nCOPY app /app\n"}


def _example(path: str) -> str:
    return (EXAMPLES / path).read_text()


def _readme(part: str) -> str:
    """The block of the README that has `part`."""
    [found] = [block.text for block in blocks("README.md") if block.language == "yaml" and part in block.text]
    return found


@pytest.fixture
def delivery(tmp_path, registry):
    with github(tmp_path / "git", _image(registry, tmp_path)) as found:
        yield found


def _image(registry: str, tmp_path: Path) -> str:
    return f"{registry}/{tmp_path.name.replace('_', '-')}/shop"


@pytest.fixture
def local(delivery, registry, tmp_path, engine):
    """An example's text with the addresses of here."""
    build = f"gitops-ci-tests/{tmp_path.name}:build"
    replaced = {
        r"ghcr\.io/acme/shop|\$CI_REGISTRY_IMAGE": _image(registry, tmp_path),
        r"https://(github|gitlab)\.com/acme/shop-config": delivery.url,
        r"\b(?:shop|image):build\b": build,
    }

    def make(text: str) -> str:
        for pattern, value in replaced.items():
            text = re.sub(pattern, value, text)
        return text

    yield make
    remove_image(engine, build)


@pytest.fixture
def machine(delivery, docker_cli, package, tmp_path, runner_programs):
    """The environment of a machine where jobs run: programs, the Engine, packages from a folder, the API's address."""
    home = tmp_path / "home"
    home.mkdir()
    names = ("PATH", "PIP_", "LC_", "SSL_")
    found = {key: value for key, value in os.environ.items() if key.startswith(names)}
    return found | {
        "PATH": f"{runner_programs}{os.pathsep}{found['PATH']}",
        "HOME": str(home),
        "DOCKER_HOST": docker_cli,
        "DOCKER_BUILDKIT": "0",
        "PIP_NO_INDEX": "1",
        "PIP_COMPILE": "0",  # the interpreter does it where it imports
        "PIP_FIND_LINKS": f"file://{package.split()[-2]}",
        "GITOPS_CI_FORGE": "github",
        "GITOPS_CI_API_URL": delivery.forge.api_url,
    }


def _shell(script: str, folder: Path, environment: dict[str, str]) -> str:
    ran = subprocess.run(
        ["sh", "-ec", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def _proposed(delivery, registry, tmp_path) -> tuple[str, str]:
    """The digest and the pull request that a release left behind."""
    [pull] = delivery.forge.pulls
    assert "+    newTag: 1.4.2" in delivery.repo.diff("main", pull.head)
    repository = _image(registry, tmp_path).partition("/")[2]
    return digest_of(registry, repository, "1.4.2"), f"{delivery.forge.origin}/acme/config/pull/{pull.number}"


def test_shell(local, machine, delivery, registry, tmp_path):
    checkout = make_checkout(
        tmp_path / "shop", {**APPLICATION, "app": "shell"}, origin="https://example.com/acme/shop.git", tag="v1.4.2"
    )
    environment = machine | {"GITOPS_CI_TOKEN": delivery.token}
    _shell(local("docker build --tag shop:build ."), checkout, environment)
    said = _shell(local(_example("shell/release.sh")), checkout, environment)
    digest, url = _proposed(delivery, registry, tmp_path)
    assert url in said
    assert digest in said


def test_jenkins(local, machine, delivery, registry, tmp_path):
    text = local(_example("jenkins/Jenkinsfile"))
    assert text.count("{") == text.count("}")
    checkout = make_checkout(
        tmp_path / "shop", {**APPLICATION, "app": "jenkins"}, origin="https://example.com/acme/shop.git", tag="v1.4.2"
    )
    variables = dict(re.findall(r"(\w+) = '([^']*)'", text))
    secrets = dict(re.findall(r"(\w+) = credentials\('([^']+)'\)", text))
    assert secrets == {"GITOPS_CI_TOKEN": "config-repo-token", "GITOPS_CI_REGISTRY": "registry"}
    jenkins = {
        "JENKINS_URL": "https://jenkins.example.com/",
        "BUILD_NUMBER": "7",
        "BUILD_URL": "https://jenkins.example.com/job/shop/7/",
        "TAG_NAME": "v1.4.2",
        "GIT_URL": "https://example.com/acme/shop.git",
        "GITOPS_CI_TOKEN": delivery.token,
        "GITOPS_CI_REGISTRY": "user:word",
        "GITOPS_CI_REGISTRY_USR": "user",
        "GITOPS_CI_REGISTRY_PSW": "word",
    }
    steps = re.findall(r"sh '''(.*?)'''|sh '([^'\n]+)'", text, re.DOTALL)
    assert len(steps) == 2
    for block, line in steps:
        _shell(textwrap.dedent(block) or line, checkout, machine | variables | jenkins)
    digest, _ = _proposed(delivery, registry, tmp_path)
    message = delivery.repo.message(delivery.forge.pulls[0].head)
    assert digest in message
    assert "https://jenkins.example.com/job/shop/7/" in message
    assert "<testsuites" in (checkout / "gitops-ci.xml").read_text()


def test_tekton(machine, delivery, registry, tmp_path, engine, make_image):
    task = yaml.safe_load(_example("tekton/task.yaml"))
    [step] = task["spec"]["steps"]
    parameters = {found["name"]: found.get("default") for found in task["spec"]["params"]}
    assert "$(" not in re.sub(r"\$\(mktemp -d\)", "", step["script"]), "a value would become shell text"
    values = parameters | {
        "source": "docker-archive:image.tar",
        "to": _image(registry, tmp_path),
        "version": "1.4.2",
        "config-repo": delivery.url,
        "environment": "staging",
    }
    assert None not in values.values()
    places = {"results.digest.path": "digest", "results.pull-request-url.path": "url"}
    places |= {"workspaces.docker-config.path": "docker", "workspaces.source.path": "."}

    def filled(text: str) -> str:
        known = {f"params.{name}": value for name, value in values.items()}
        known |= {name: str(tmp_path / "task" / file) for name, file in places.items()}
        return re.sub(r"\$\(([a-z.-]+)\)", lambda found: known[found[1]], text)

    environment = {found["name"]: filled(found["value"]) for found in step["env"] if "value" in found}
    workspace = tmp_path / "task"
    workspace.mkdir()
    name = f"gitops-ci-tests/{tmp_path.name}:tekton"
    make_image(name)
    with docker.APIClient(base_url=engine) as client, (workspace / "image.tar").open("wb") as archive:
        archive.writelines(client.get_image(name))
    _shell(step["script"], workspace, machine | environment | {"GITOPS_CI_TOKEN": delivery.token})
    assert ((workspace / "digest").read_text(), (workspace / "url").read_text()) == _proposed(
        delivery, registry, tmp_path
    )


# GitHub


@pytest.mark.parametrize("name", sorted(path.name for path in (EXAMPLES / "github").iterdir()))
def test_github_workflows_have_no_finding_and_fit_the_schema(name):
    path = EXAMPLES / "github" / name
    command = [dev_tool("zizmor"), "--offline", "--persona=auditor", "--format=json", str(path)]
    assert json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout) == []
    assert misfits("github-workflows", path) == ""
    assert all(re.fullmatch(r"[0-9a-f]{40}", ref) for ref in re.findall(r"uses: [^@\s]+@(\S+)", path.read_text()))


@pytest.mark.only_soak  # the linter is built with Go
def test_the_linter_of_workflows_has_no_findings():
    assert actionlint(*sorted((EXAMPLES / "github").iterdir())) == []


@pytest.fixture
def actions(project, tmp_path):
    """The actions that the examples use, by name: this one, and one that hands out a token as the real one does."""
    app = tmp_path / "create-github-app-token"
    app.mkdir()
    (app / "action.yml").write_text("""\
name: token
inputs:
  private-key: {required: true}
outputs:
  token: {value: "${{ steps.token.outputs.token }}"}
runs:
  using: composite
  steps:
    - id: token
      shell: bash
      env: {KEY: "${{ inputs.private-key }}"}
      run: echo "token=$KEY" >> "$GITHUB_OUTPUT"
""")
    return {"acme/gitops-ci": project, "actions/create-github-app-token": app}


WORKFLOWS = {
    "example": _example("github/release.yml"),
    "readme": _readme("uses: acme/gitops-ci@"),
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_github_release(name, local, actions, machine, delivery, registry, tmp_path, runner_home):
    files = {".github/workflows/release.yml": local(WORKFLOWS[name]), **APPLICATION, "app": f"github {name}"}
    checkout = make_checkout(tmp_path / "shop", files, origin="https://github.com/acme/shop.git", tag="v1.4.2")
    env = {key: machine[key] for key in ("DOCKER_HOST", "DOCKER_BUILDKIT", "GITOPS_CI_FORGE", "GITOPS_CI_API_URL")}
    run = act(
        checkout,
        actions["acme/gitops-ci"],
        runner_home,
        payload={"ref": "refs/tags/v1.4.2", "repository": {"default_branch": "main"}},
        env=env,
        secrets={"GITOPS_APP_KEY": delivery.token, "CONFIG_REPO_TOKEN": delivery.token, "GITHUB_TOKEN": "word"},
        actions=_pinned(files[".github/workflows/release.yml"], actions),
    )
    assert run.succeeded, str(run)
    digest, url = _proposed(delivery, registry, tmp_path)
    assert digest in run.log
    assert url in run.log


def _pinned(workflow: str, actions: dict[str, Path]) -> dict[str, Path]:
    used = re.findall(r"uses: (([^@\s]+)@\S+)", workflow)
    return {whole: actions[name] for whole, name in used if name in actions}


@pytest.mark.parametrize("event", ["pull_request", "merge_group"])
def test_github_pre_merge(actions, project, runner_home, tmp_path, event):
    text = _example("github/pre-merge.yml")
    broken = DEPLOYMENT.replace("replicas: 2", "replicas: two")
    files = {".github/workflows/pre-merge.yml": text, "apps/old/shop.yaml": broken, "apps/a.yaml": DEPLOYMENT}
    checkout = make_checkout(tmp_path / "config", files, origin="https://github.com/acme/shop-config.git")
    make_checkout(checkout, {"apps/a.yaml": broken}, origin="")
    base = git(checkout, "rev-parse", "HEAD^1").strip()
    payload = (
        {"merge_group": {"base_sha": base}} if event == "merge_group" else {"number": 5, "pull_request": {"number": 5}}
    )
    run = act(checkout, project, runner_home, event=event, payload=payload, actions=_pinned(text, actions))
    assert not run.succeeded
    assert [(found.file, found.line) for found in run.annotations if found.file] == [("apps/a.yaml", 7)]


@pytest.mark.parametrize(("changed", "jobs"), [(True, 2), (False, 0)])
def test_github_large_repository(actions, project, runner_home, tmp_path, changed, jobs):
    text = _example("github/large-repository.yml").replace("command: plan\n", "command: plan\n          shards: 2\n")
    broken = DEPLOYMENT.replace("replicas: 2", "replicas: two")
    files = {".github/workflows/pre-merge.yml": text, "apps/old/shop.yaml": broken}
    files |= {f"apps/{name}/shop.yaml": DEPLOYMENT for name in "ab"}
    checkout = make_checkout(tmp_path / "config", files, origin="https://github.com/acme/shop-config.git")
    change = {f"apps/{name}/shop.yaml": broken for name in "ab"} if changed else {"README.md": "# Apps"}
    make_checkout(checkout, change, origin="")
    payload = {"number": 5, "pull_request": {"number": 5}}
    run = act(checkout, project, runner_home, event="pull_request", payload=payload, actions=_pinned(text, actions))
    planned = run.outputs("plan")
    assert (planned["jobs"], len(json.loads(planned["matrix"])["include"])) == (str(jobs), jobs), str(run)
    found = sorted((found.file, found.line) for found in run.annotations if found.file)
    assert found == [(f"apps/{name}/shop.yaml", 7) for name in "ab"[:jobs]]
    assert run.succeeded is not changed


# GitLab


@pytest.fixture
def gitlab(project, tmp_path):
    shipped = [f"templates/{job}.yml" for job in ("release", "validate", "promote")]
    with git_server(tmp_path / "gitlab") as server:
        server.anonymous_read = True
        repo = server.make_repo("acme/gitops-ci", {name: (project / name).read_text() for name in shipped})
        repo.git("tag", __version__)
        repo.git("tag", "0.1.0")  # a pipeline of 0.1, which upgrades by its tag alone
        yield server


OF_0_1 = CHECKOUT / "tests" / "data" / "pages-of-0.1" / "examples"
PIPELINES = {
    "today": _example("gitlab/release.gitlab-ci.yml"),
    "0.1": (OF_0_1 / "gitlab/release.gitlab-ci.yml").read_text(),
    "readme": _readme("include:"),
}


def _on_instance(pipeline, gitlab):
    """A pipeline that includes the jobs from the instance here, by `remote:` or as components."""
    published = f"remote: https://raw.githubusercontent.com/acme/gitops-ci/v{__version__}/"
    here = f"remote: {gitlab.url}/acme/gitops-ci/-/raw/{__version__}/"
    return pipeline.replace(published, here).replace("$CI_SERVER_FQDN", "127.0.0.1")


@pytest.mark.parametrize("name", PIPELINES)
def test_gitlab_release(name, local, gitlab, machine, delivery, registry, tmp_path, runner_home, runner_programs):
    pipeline = local(_on_instance(PIPELINES[name], gitlab))
    # The runner here has the shell executor, and an Engine.
    pipeline = re.sub(r"(?m)^  services: .*\n", "", pipeline)
    files = {".gitlab-ci.yml": pipeline, **APPLICATION, "app": "gitlab"}
    checkout = make_checkout(tmp_path / "shop", files, origin=gitlab.url_of("acme/shop"), tag="v1.4.2")
    names = ("DOCKER_HOST", "DOCKER_BUILDKIT", "GITOPS_CI_FORGE", "GITOPS_CI_API_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS")
    variables = {name: machine[name] for name in names}
    variables |= {"GITOPS_CI_TOKEN": delivery.token, "CI_COMMIT_TAG": "v1.4.2"}
    run = gitlab_ci_local(checkout, runner_home, variables=variables, programs=runner_programs)
    assert run.exit_code == 0, run.log
    digest, url = _proposed(delivery, registry, tmp_path)
    assert digest in run.log
    assert url in run.log


def test_gitlab_pre_merge(gitlab, machine, tmp_path, runner_home, runner_programs):
    pipeline = _on_instance(_example("gitlab/pre-merge.gitlab-ci.yml"), gitlab)
    broken = DEPLOYMENT.replace("replicas: 2", "replicas: two")
    files = {".gitlab-ci.yml": pipeline, "apps/old/shop.yaml": broken, "apps/a.yaml": DEPLOYMENT}
    checkout = make_checkout(tmp_path / "config", files, origin=gitlab.url_of("acme/shop-config"))
    base = git(checkout, "rev-parse", "HEAD").strip()
    make_checkout(checkout, {"apps/a.yaml": broken}, origin="")
    request = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_PIPELINE_SOURCE": "merge_request_event"}
    variables = {name: machine[name] for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS")} | request
    run = gitlab_ci_local(checkout, runner_home, variables=variables, programs=runner_programs)
    assert run.exit_code != 0
    assert "apps/a.yaml:7" in run.log
    assert "apps/old/shop.yaml" not in run.log


def test_gitlab_promote(gitlab, machine, delivery, registry, tmp_path, runner_home, runner_programs):
    image = _image(registry, tmp_path)
    LayoutWriter(tmp_path / "built").simple("1.4.2", [{"app": b"shop"}])
    assert run_command_line(["image", "push", f"oci:{tmp_path}/built:1.4.2", "--to", f"{image}:1.4.2", "--quiet"]) == 0
    staging = delivery.repo.read("apps/shop/overlays/staging/kustomization.yaml").decode().replace("1.4.1", "1.4.2")
    settings = """\
environments:
  staging: {paths: [apps/*/overlays/staging]}
  production: {paths: [apps/*/overlays/production], promote-from: staging, promote: auto}
"""
    tested = {"apps/shop/overlays/staging/kustomization.yaml": staging, ".gitops-ci.yaml": settings}
    commit_files(delivery.repo, tested, message="Tested")
    pipeline = _example("gitlab/promote.gitlab-ci.yml").replace("$CI_SERVER_FQDN", "127.0.0.1")
    files = {".gitlab-ci.yml": pipeline.replace("$CI_PROJECT_URL", delivery.url)}
    checkout = make_checkout(tmp_path / "config", files, origin=gitlab.url_of("acme/shop-config"))
    names = ("GITOPS_CI_FORGE", "GITOPS_CI_API_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS")
    variables = {name: machine[name] for name in names} | {"GITOPS_CI_TOKEN": delivery.token}
    run = gitlab_ci_local(checkout, runner_home, variables=variables, programs=runner_programs)
    assert run.exit_code == 0, run.log
    [pull] = delivery.forge.pulls
    assert pull.head.startswith("gitops-ci/production/")
    assert "+    newTag: 1.4.2" in delivery.repo.diff("main", pull.head)
    assert f"{delivery.forge.origin}/acme/config/pull/{pull.number}" in run.log


@pytest.fixture
def large(gitlab, machine, tmp_path, runner_home, runner_programs):
    """Run the GitLab example for a large repository: two folders are changed, what is beside them is broken as well."""
    pipeline = _example("gitlab/large-repository.gitlab-ci.yml").replace("$CI_SERVER_FQDN", "127.0.0.1")
    broken = DEPLOYMENT.replace("replicas: 2", "replicas: two")
    files = {".gitlab-ci.yml": pipeline.replace("plan apps", "plan apps --shards 2"), "apps/old/shop.yaml": broken}
    files |= {f"apps/{name}/shop.yaml": DEPLOYMENT for name in "ab"}
    checkout = make_checkout(tmp_path / "config", files, origin=gitlab.url_of("acme/shop-config"))
    base = git(checkout, "rev-parse", "HEAD").strip()
    make_checkout(checkout, {f"apps/{name}/shop.yaml": broken for name in "ab"}, origin="")
    request = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_PIPELINE_SOURCE": "merge_request_event"}
    request["CI_MERGE_REQUEST_EVENT_TYPE"] = "merge_train"
    variables = {name: machine[name] for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS")} | request
    return lambda *arguments: gitlab_ci_local(
        checkout, runner_home, *arguments, variables=variables, programs=runner_programs
    )


def test_gitlab_large_repository(large):
    # The whole pipeline, the child as well; gitlab-ci-local does not wait for how that ends (`strategy: depend`).
    run = large()
    for number in (1, 2):
        assert re.search(rf"FAIL .*gitops-ci:validate {number}/2", run.log), run.log
    for name in "ab":
        assert f"apps/{name}/shop.yaml:7" in run.log, run.log
    assert "apps/old" not in run.log
    jobs = run.artifact("plan", "jobs.yml")
    assert "gitops-ci:validate 2/2" in jobs
