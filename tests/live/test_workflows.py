"""The workflows of this project, run by act: their own lines for real, the actions of others as small stand-ins.

A stand-in does what the next job needs (artifacts travel) and refuses what its original would refuse.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from gitops_ci import __version__
from tests.support import CHECKOUT
from tests.support.act import act
from tests.support.effort import SOAKING
from tests.support.workspace import export_project, git, make_checkout, pip

WORKFLOWS = CHECKOUT / ".github" / "workflows"
RELEASE, CI = WORKFLOWS / "release.yml", WORKFLOWS / "ci.yml"
TAG = f"v{__version__}"
_STORE = "$ARTIFACTS/${{ inputs.name }}"
# Steps of the stand-ins, by the name of the action: inputs that it takes, and what it runs.
STAND_INS = {
    "actions/setup-python": (["python-version"], "true"),
    "actions/upload-artifact": (
        ["name", "path", "include-hidden-files"],
        f'test -e "${{{{ inputs.path }}}}" && mkdir -p "{_STORE}" && cp -R "${{{{ inputs.path }}}}/." "{_STORE}"',
    ),
    "actions/download-artifact": (
        ["name", "path"],
        f'mkdir -p "${{{{ inputs.path }}}}" && cp -R "{_STORE}/." "${{{{ inputs.path }}}}"',
    ),
    "pypa/gh-action-pypi-publish": (["attestations"], 'ls dist > "$ARTIFACTS/on-pypi"'),
    "docker/setup-buildx-action": ([], "true"),
    "docker/login-action": (["registry", "username", "password"], 'test -n "${{ inputs.password }}"'),
    "docker/build-push-action": (
        ["context", "platforms", "push", "provenance", "sbom", "tags"],
        """\
test -f "${{ inputs.context }}/Dockerfile"
echo "${{ inputs.tags }}" > "$ARTIFACTS/image"
echo "digest=sha256:0a" >> "$GITHUB_OUTPUT"
""",
    ),
    "actions/attest-build-provenance": (
        ["subject-path", "subject-name", "subject-digest", "push-to-registry"],
        'echo "${{ inputs.subject-path }}${{ inputs.subject-digest }}" >> "$ARTIFACTS/attested"',
    ),
}
# `gh` takes what the workflow types, and no request that GitHub would not know.
GH = """\
#!/bin/sh
echo "$*" >> "$ARTIFACTS/gh"
case "$1 $2" in
  "release create") shift 2; for word; do case "$word" in dist/*) test -f "$word" || exit 1;; esac; done;;
  "api --method") case "$3 $4" in
      "PATCH repos/acme/gitops-ci/git/refs/tags/v0") exit 1;; # the first release of its major version
      "POST repos/acme/gitops-ci/git/refs") ;;
      *) exit 1;; esac;;
  *) exit 1;;
esac
"""


def _stand_ins(workflow, folder_of_all):
    """A folder with an action for each `uses:` of a workflow, by its whole name."""
    found = {}
    for name, reference in re.findall(r"uses: (([^@\s]+)@[0-9a-f]{40})", workflow.read_text()):
        if reference == "actions/checkout":
            continue  # act has its own
        inputs, line = STAND_INS[reference]
        folder = folder_of_all / reference
        folder.mkdir(parents=True, exist_ok=True)
        steps = [{"id": "run", "shell": "bash", "run": line}]
        action = {"name": reference, "inputs": {one: {"required": False} for one in inputs}}
        action |= {"outputs": {"digest": {"value": "${{ steps.run.outputs.digest }}"}}}
        action |= {"runs": {"using": "composite", "steps": steps}}
        (folder / "action.yml").write_text(yaml.safe_dump(action))
        found[name] = folder
    return found


@pytest.mark.parametrize("workflow", [RELEASE, CI], ids=["release", "ci"])
def test_inputs_of_the_actions_of_others_are_known(workflow):
    """act ignores an input that an action does not have."""
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        for step in job["steps"]:
            name = step.get("uses", "").partition("@")[0]
            if name in STAND_INS:
                assert step.get("with", {}).keys() <= set(STAND_INS[name][0])


def _programs(folder: Path, artifacts: Path, **more: str) -> None:
    """`sudo` of the runner, whose packages are here already, and others."""
    folder.mkdir()
    for name, text in {"sudo": '#!/bin/sh\ntest "$1" = apt-get\n', **more}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU)
    artifacts.mkdir()


def _checkout_with(workflow, folder: Path, tag: str = "", **files: str) -> Path:
    """A checkout of this project with one workflow."""
    checkout = export_project(folder, without="tests/")
    for path in (checkout / ".github" / "workflows").glob("*.yml"):
        if path.name != workflow.name:
            path.unlink()
    for name, text in files.items():
        (checkout / name).write_text(text)
    return make_checkout(checkout, {}, origin="https://github.com/acme/gitops-ci.git", tag=tag)


@pytest.mark.soak
@pytest.mark.parametrize("tag", ["v9.9.9", *([TAG] if SOAKING else [])])
def test_a_tag_is_released_if_it_is_the_version(project, locked, runner_home, tmp_path, monkeypatch, tag):
    artifacts, programs = tmp_path / "artifacts", tmp_path / "bin"
    _programs(programs, artifacts, gh=GH)
    # The tests are those that run now: the job gets the virtual environment that they leave.
    tests = {".ci/run": f'#!/bin/sh\nln -s "{sys.prefix}" .venv\n'}
    checkout = _checkout_with(RELEASE, tmp_path / "checkout", tag, **tests)
    wheels = tmp_path / "wheels"
    if tag == TAG:
        lock = CHECKOUT / ".github" / "requirements-sbom.txt"
        hashed = ("--no-deps", "--require-hashes", "--only-binary=:all:", "--requirement", str(lock))
        pip("download", *hashed, "--dest", str(wheels))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    run = act(
        checkout,
        project,
        runner_home,
        payload={"ref": f"refs/tags/{tag}", "repository": {"full_name": "acme/gitops-ci"}},
        env={"ARTIFACTS": str(artifacts), "PIP_FIND_LINKS": f"{wheels} {locked}", "PIP_COMPILE": "0"},
        secrets={"GITHUB_TOKEN": "word"},
        actions=_stand_ins(RELEASE, tmp_path / "actions"),
        timeout=300,
    )
    assert run.succeeded is (tag == TAG), str(run)
    if tag != TAG:
        assert list(artifacts.iterdir()) == []
        return
    names = [f"gitops_ci-{__version__}-py3-none-any.whl", f"gitops_ci-{__version__}.tar.gz"]
    assert (artifacts / "on-pypi").read_text().split() == names
    assert (artifacts / "image").read_text() == f"ghcr.io/acme/gitops-ci:{TAG}\n"
    dist = {path.name for path in (artifacts / "dist").iterdir()}
    assert dist >= {*names, "SHA256SUMS", "gitops-ci.cdx.json"}
    assert (artifacts / "attested").read_text().split() == ["sha256:0a", "dist/*"]
    calls = (artifacts / "gh").read_text().splitlines()
    assert calls[0].startswith(f"release create {TAG} --repo acme/gitops-ci --verify-tag --generate-notes dist/")
    assert [call.split()[2] for call in calls[1:]] == ["PATCH", "POST"]
    contents = json.loads((artifacts / "dist" / "gitops-ci.cdx.json").read_text())
    assert {one["name"] for one in contents["components"]} >= {"click", "requests", "ruamel-yaml"}
    assert "gitops_ci/__init__.py" in zipfile.ZipFile(artifacts / "packages" / names[0]).namelist()
    assert git(checkout, "status", "--porcelain", "--", "gitops_ci") == ""


# `make` has a rule for what the workflow asks for, and the image's file is there. What they do has tests of its own.
MAKE = """\
#!/bin/sh
/usr/bin/make --dry-run "$@" >/dev/null || exit 1
echo "make $*" >> "$ARTIFACTS/ran"
test "$1" != site || mkdir -p .cache/site/html
"""
DOCKER = """\
#!/bin/sh
test "$1" != build || test -f Dockerfile || exit 1
echo "docker $1" >> "$ARTIFACTS/ran"
"""


@pytest.mark.only_soak
@pytest.mark.parametrize(
    ("event", "ran"),
    [
        ("push", [".ci/run"] * 4 + ["docker build", "docker run", "docker run", "make site"]),
        ("pull_request", [".ci/run"] * 4 + ["docker build", "docker run", "docker run", "make site"]),
        ("schedule", [".ci/run"] * 4 + ["docker build", "docker run", "docker run", "make site", "make test-newest"]),
    ],
)
def test_every_change_is_checked(project, runner_home, tmp_path, monkeypatch, event, ran):
    """act has no macOS: it leaves that job out."""
    artifacts, programs = tmp_path / "artifacts", tmp_path / "bin"
    _programs(programs, artifacts, make=MAKE, docker=DOCKER)
    run = '#!/bin/sh\necho .ci/run >> "$ARTIFACTS/ran"\n'
    checkout = _checkout_with(CI, tmp_path / "checkout", **{".ci/run": run})
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    done = act(
        checkout,
        project,
        runner_home,
        event=event,
        payload={"ref": "refs/heads/main", "repository": {"full_name": "acme/gitops-ci", "default_branch": "main"}},
        env={"ARTIFACTS": str(artifacts)},
        actions=_stand_ins(CI, tmp_path / "actions"),
        timeout=600,
    )
    assert done.succeeded, str(done)
    assert sorted((artifacts / "ran").read_text().splitlines()) == ran
    assert (artifacts / "site").is_dir()
