"""Hostile input through the shipped files, run for real: what an attacker writes stays text and does nothing.

Each attack would leave a marker file, an output that nobody declared, a workflow command that was obeyed, a pushed
image, a request with a token.
"""

from __future__ import annotations

import json
import re
import shutil

import pytest
import requests

from gitops_ci.cli import run_command_line
from tests.live.test_action import DEPLOYMENT
from tests.support.act import act
from tests.support.delivery import github
from tests.support.gitlab import gitlab_ci_local
from tests.support.workspace import make_checkout

STEPS = """\
name: ci
on: [push, pull_request, pull_request_target, workflow_run]
permissions:
  contents: read
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: run
        uses: acme/gitops-ci@v1
        with:
"""
OBEYED = {"error", "warning", "notice", "set-output", "summary", "debug", "group", "endgroup"}
OUTPUTS = {"digest", "tags", "reference", "status", "changed", "commit", "findings"}
OUTPUTS |= {"pull-request-url", "pull-request-number", "matrix", "jobs"}


@pytest.fixture
def workflow(tmp_path, project, runner_home):
    """Run the action with inputs in a checkout of `files`, for an event; `then` are further steps of the job."""

    def run(inputs, files=None, then=(), **options):
        text = STEPS + "".join(f"          {name}: {json.dumps(value)}\n" for name, value in inputs.items())
        text += "".join(f"      - {json.dumps(step)}\n" for step in then)
        checkout = tmp_path / "checkout"
        shutil.rmtree(checkout, ignore_errors=True)
        make_checkout(
            checkout,
            {".github/workflows/ci.yml": text, **(files or {"apps/shop.yaml": DEPLOYMENT})},
            origin="https://github.com/acme/shop.git",
        )
        return act(checkout, project, runner_home, **options)

    return run


def _event(name, head="mallory/shop"):
    repository = {"full_name": "acme/shop", "default_branch": "main"}
    source = {"ref": "feature", "sha": "b" * 40, "repo": {"full_name": head}}
    target = {"ref": "main", "repo": repository}
    request = {"number": 5, "head": source, "base": target}
    if name == "workflow_run":
        return {
            "workflow_run": {"head_repository": {"full_name": head}, "event": "pull_request"},
            "repository": repository,
        }
    return {"number": 5, "pull_request": request, "repository": repository}


# Who may publish


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "workflow_run"])
def test_nothing_is_published_for_code_from_a_fork(workflow, engine, registry, built_image, tmp_path, event):
    image = f"{registry}/acme/untrusted-{event.replace('_', '-')}"
    with github(tmp_path / "git", image) as delivery:
        run = workflow(
            {
                "source": built_image,
                "to": image,
                "version": "1.4.2",
                "config-repo": delivery.url,
                "environment": "staging",
                "forge": "github",
                "api-url": delivery.forge.api_url,
                "token": "${{ secrets.TOKEN }}",
            },
            event=event,
            payload=_event(event),
            env={"DOCKER_HOST": engine},
            secrets={"TOKEN": delivery.token},
        )
        assert not run.succeeded
        assert "Nothing is published" in run.log
        assert delivery.git.requests == []
        assert delivery.forge.requests == []
        assert requests.get(f"http://{registry}/v2/{image.partition('/')[2]}/tags/list", timeout=10).status_code == 404


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_validate_runs_for_code_from_a_fork(workflow, event):
    run = workflow({"command": "validate", "paths": "apps"}, event=event, payload=_event(event))
    assert run.succeeded, str(run)


# What reaches a shell


def test_shell_text_in_any_input_is_not_executed(workflow, project, tmp_path):
    marker = tmp_path / "marker"
    names = re.findall(r"WITH_\w+: \${{ inputs\.([a-z-]+) }}", (project / "action.yml").read_text())
    assert len(names) > 60
    attacks = (f'"; touch {marker}; "', f"$(touch {marker})", f"`touch {marker}`", f"x\ntouch {marker}\n'")
    given = [
        inputs
        for attack in attacks
        for inputs in (dict.fromkeys(names, attack), {"command": "validate", "paths": attack, "options": attack})
    ]
    steps = [
        {"if": "always()", "id": f"attack-{number}", "uses": "acme/gitops-ci@v1", "with": inputs}
        for number, inputs in enumerate(given)
    ]
    run = workflow(given[0], then=steps[1:])
    assert run.results == dict.fromkeys(["run", *(step["id"] for step in steps[1:])], "failure"), str(run)
    assert "could not be installed" not in run.log, "the program did not run"
    assert not marker.exists(), str(run)
    assert run.commands <= OBEYED


# What a runner reads back


def test_names_and_values_of_the_repository_forge_no_command_and_no_output(workflow, tmp_path):
    order = "\n::add-path::/tmp/evil\n::set-output name=digest::evil\n::stop-commands::pause\n"
    broken = DEPLOYMENT.replace("replicas: 2", "replicas: two")
    files = {
        f"apps/{order.replace('/', '_')}.yaml": broken,
        "apps/value.yaml": broken.replace("replicas: two", f"replicas: {json.dumps(order)}"),
        "apps/name.yaml": broken.replace("  name: shop", f"  name: {json.dumps(order)}", 1),
        "apps/key.yaml": f"{json.dumps(order)}: 1\n{DEPLOYMENT}",
        "apps/syntax.yaml": "a: [\n::add-path::/tmp/evil\n",
        "apps/delimiter.yaml": broken.replace("name: shop", 'name: "EOF\\nstatus<<EOF\\nevil\\nEOF"', 1),
    }
    run = workflow({"command": "validate", "paths": "apps"}, files)
    assert not run.succeeded
    assert run.commands <= OBEYED
    outputs = run.outputs("run")
    assert outputs.keys() == OUTPUTS
    assert (outputs["digest"], outputs["status"]) == ("", "failed")
    assert int(outputs["findings"]) >= 5
    assert not re.search(r"(?m)^\s*::(?!error |warning |notice )", run.log)


def test_line_breaks_in_inputs_are_refused_or_stay_inside(workflow, engine, registry, built_image, tmp_path):
    with github(tmp_path / "git", f"{registry}/acme/shop") as delivery:
        inputs = {
            "source": built_image,
            "to": f"{registry}/acme/hostile",
            "config-repo": delivery.url,
            "version": "1.4.2\nevil=1",
            "token": delivery.token,
        }
        run = workflow(inputs, env={"DOCKER_HOST": engine})
        assert not run.succeeded
        assert "evil" not in run.outputs("run")
        assert delivery.git.requests == []


def test_who_writes_outputs_cannot_know_their_delimiter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(DEPLOYMENT)
    output = tmp_path / "output"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    for _ in range(2):
        assert run_command_line(["validate", "--quiet"]) == 0
    delimiters = re.findall(r"(?m)^digest<<(.+)$", output.read_text())
    assert len(set(delimiters)) == 2
    assert all(len(re.sub(r"[^0-9a-f]", "", found.rpartition("-")[2])) >= 32 for found in delimiters)


# What Python imports

SHADOWS = ("click", "git", "yaml", "requests", "docker", "semver", "ruamel", "gitops_ci", "json", "sitecustomize")
SHADOWS += ("pip", "venv", "optparse", "hashlib", "sysconfig")


def _shadows(marker):
    code = f"open({str(marker)!r}, 'w').close()\n"
    files = {f"{name}.py": code for name in SHADOWS} | {f"{name}/__init__.py": code for name in SHADOWS}
    pip = {"setup.cfg": "[install]\nindex-url = http://127.0.0.1:9/\n", "pip.conf": "[global]\nno-index = true\n"}
    return files | pip | {"usercustomize.py": code, "evil.pth": f"import os; {code}", "apps/shop.yaml": DEPLOYMENT}


def test_modules_of_the_checkout_shadow_nothing_in_the_action(workflow, tmp_path, project):
    marker = tmp_path / "marker"
    run = workflow({"command": "validate", "paths": "apps"}, _shadows(marker), env={"PYTHONPATH": "."})
    assert run.succeeded, str(run)
    assert not marker.exists()


def test_modules_of_the_checkout_shadow_nothing_in_the_gitlab_job(tmp_path, project, package, runner_home):
    marker = tmp_path / "marker"
    pipeline = f"""\
include:
  - local: .gitlab-ci-template.yml
    inputs: {{package: "{package}", validate-paths: apps}}
stages: [test, deploy]
"""
    template = (project / ".gitlab-ci-template.yml").read_text()
    files = {**_shadows(marker), ".gitlab-ci.yml": pipeline, ".gitlab-ci-template.yml": template}
    checkout = make_checkout(tmp_path / "checkout", files, origin="https://gitlab.example.com/acme/shop.git")
    run = gitlab_ci_local(checkout, runner_home, "gitops-ci-validate")
    assert run.exit_code == 0, run.log
    assert not marker.exists()


# What is installed


def test_a_package_with_another_hash_is_not_installed(workflow, project, tmp_path, runner_home):
    changed = tmp_path / "project"
    shutil.copytree(project, changed, ignore=shutil.ignore_patterns("__pycache__"))
    lock = changed / "gitops_ci" / "requirements.txt"
    lock.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", lock.read_text()))
    checkout = make_checkout(
        tmp_path / "checkout",
        {".github/workflows/ci.yml": STEPS + "          command: validate\n", "apps/shop.yaml": DEPLOYMENT},
        origin="https://github.com/acme/shop.git",
    )
    run = act(checkout, changed, runner_home)
    assert not run.succeeded
    assert "could not be installed" in run.log or any("could not be installed" in a.message for a in run.annotations)


def test_an_input_of_the_gitlab_template_is_not_executed(tmp_path, project, package, runner_home, runner_programs):
    marker = tmp_path / "marker"
    attack = f"$(touch {marker})`touch {marker}`; touch {marker} #"
    inputs = {
        "package": package,
        "source": attack,
        "to": attack,
        "tags": attack,
        "config-repo": attack,
        "environment": attack,
        "validate-paths": attack,
        "kubernetes-version": attack,
        "rules": [{"when": "on_success"}],
    }
    pipeline = {
        "include": [{"local": ".gitlab-ci-template.yml", "inputs": inputs}],
        "stages": ["test", "deploy"],
    }
    template = (project / ".gitlab-ci-template.yml").read_text()
    files = {".gitlab-ci.yml": json.dumps(pipeline), ".gitlab-ci-template.yml": template, "apps/a.yaml": DEPLOYMENT}
    checkout = make_checkout(tmp_path / "checkout", files, origin="https://gitlab.example.com/acme/shop.git")
    for job in ("gitops-ci-validate", "gitops-ci-release"):
        run = gitlab_ci_local(checkout, runner_home, job, programs=runner_programs)
        assert run.exit_code != 0
        assert not marker.exists(), run.log


def test_attacks_would_be_seen(tmp_path):
    """The harness itself obeys what it must not see above."""
    text = """\
name: ci
on: push
permissions: {}
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "::add-path::/tmp/evil"
          echo "::set-output name=digest::evil"
"""
    checkout = make_checkout(
        tmp_path / "checkout", {".github/workflows/ci.yml": text}, origin="https://github.com/acme/shop.git"
    )
    assert not act(checkout, tmp_path, tmp_path / "home").commands <= OBEYED
