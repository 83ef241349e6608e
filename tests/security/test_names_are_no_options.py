"""Names of a repository (folders, files, branches, tags, images) reach programs as names, never as options.

Real kubectl and helm run over repositories full of names that look like options; for programs that are not here, and
for every room that starts one, a stand-in notes what it was called with.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_ci.cli import run_command_line
from gitops_ci.registry import credentials
from tests.flows.test_bump import DEPLOYMENT, IMAGE
from tests.support import CHECKOUT
from tests.support.git_repo import make_repo
from tests.support.kubetools import kubernetes_tool
from tests.support.workspace import git, make_checkout

# The word by which an argument that came from a repository is recognized.
PLANTED = "planted"
RECORDER = """\
#!{python} -I
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv) + "\\n")
real = {real!r}
if real:
    os.execv(real, sys.argv)
"""
NAMES = (
    "--post-renderer=./planted",
    "--output=planted",
    "-oplanted",
    "-o",
    "--",
    "-",
    "--load-restrictor=planted",
    "--helm-command=./planted",
    "--enable-helm",
    "--kubeconfig=planted",
    "--as=planted",
    "--values=planted",
    "-fplanted.yaml",
    "--output-dir=planted",
    "--dry-run=server",
    "--repository-config=planted",
    "--kube-context=planted",
    "--upload-pack=planted",
    "--help",
    "github.com/acme/planted",
    "https:/example.com/planted",
    "git@example.com:planted",
    "oci:/example.com/planted",
    "repository/planted",
)
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: planted\nversion: 0.1.0\n",
    "templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: planted}\n",
}
KUSTOMIZATION = {
    "kustomization.yaml": "resources: [a.yaml]\n",
    "a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: planted}\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = Path(f"{folder}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def programs(tmp_path_factory, monkeypatch):
    """Put recording programs, and nothing else, on PATH; `real` ones do their work too. Returns what was called."""
    folder = tmp_path_factory.mktemp("programs")
    log = folder / "log"
    log.touch()

    def call(*names: str, real: tuple[str, ...] = ()) -> None:
        for name in (*names, *real):
            found = (shutil.which(name) or kubernetes_tool(name)) if name in real else ""
            program = folder / name
            program.write_text(RECORDER.format(python=sys.executable, log=str(log), real=found))
            program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    call.arguments = lambda: [json.loads(line)[1:] for line in log.read_text().splitlines()]
    return call


def taken_for_options(calls: list[list[str]]) -> list[str]:
    """Arguments that hold a repository's text and begin as an option does, or as an address."""
    names = set(NAMES) - {"--", "-", "--help"}
    return [
        word
        for call in calls
        for word in call
        if word in names or (word.startswith("-") and PLANTED in word and not word.startswith("--values=./"))
    ]


@pytest.mark.parametrize("program", ["kubectl", "kustomize"])
def test_a_kustomization_in_a_folder_of_any_name(run, tmp_path, programs, program):
    programs(program)
    for name in NAMES:
        write(tmp_path / name, KUSTOMIZATION)
    run("validate", "--allow-empty")
    assert len(programs.arguments()) == len(NAMES)
    assert taken_for_options(programs.arguments()) == []


def test_a_chart_in_a_folder_of_any_name(run, tmp_path, programs):
    programs("helm")
    for name in NAMES:
        write(tmp_path / name, CHART)
    run("validate", "--allow-empty")
    assert len(programs.arguments()) == len(NAMES)
    assert taken_for_options(programs.arguments()) == []


@pytest.mark.parametrize(("program", "files"), [("kubectl", KUSTOMIZATION), ("helm", CHART)])
def test_the_real_program_renders_a_folder_of_any_name(run, tmp_path, programs, program, files):
    programs(real=(program,))
    for name in NAMES:
        write(tmp_path / name, files)
    ran = run("validate", "--output", "json")
    assert (ran.code, ran.document["summary"]["rendered"], ran.document["skipped"]) == (0, len(NAMES), [])


def test_helm_runs_no_program_of_the_tree(run, tmp_path, programs):
    programs(real=("helm",))
    marker = tmp_path / "ran"
    write(tmp_path, {f"release-name/{name}": text for name, text in CHART.items()})
    write(tmp_path, {"--post-renderer=./run/Chart.yaml": CHART["Chart.yaml"]})
    (tmp_path / "run").write_text(f"#!/bin/sh\n: > {marker}\n/bin/cat\n")
    (tmp_path / "run").chmod(0o755)
    ran = run("validate", "--output", "json")
    assert not marker.exists()
    assert ran.document["summary"]["rendered"] == 2


@pytest.mark.parametrize("spelling", ["--output={}", "-o{}", "-o={}"])
def test_kubectl_writes_no_file(run, tmp_path, programs, tmp_path_factory, spelling):
    programs(real=("kubectl",))
    victim = tmp_path_factory.mktemp("outside") / "victim"
    victim.write_text("mine\n")
    write(tmp_path, KUSTOMIZATION)
    write(tmp_path / spelling.format(victim), KUSTOMIZATION)
    run("validate")
    assert victim.read_text() == "mine\n"


@pytest.mark.parametrize("reference", ["--upload-pack={}", "%2D%2Dupload-pack={}", "--exec={}"])
def test_the_reference_of_a_remote_base_runs_nothing(run, tmp_path, programs, monkeypatch, reference):
    """Kustomize hands it to `git fetch` as it is."""
    make_repo(tmp_path / "base.git", KUSTOMIZATION)
    marker = tmp_path / "ran"
    (tmp_path / "run").write_text(f"#!/bin/sh\n: > {marker}\n")
    (tmp_path / "run").chmod(0o755)
    programs(real=("kubectl", "git"))
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}/usr/bin{os.pathsep}/bin")
    base = f"file://{tmp_path}/base.git//?ref={reference.format(tmp_path / 'run')}"
    write(tmp_path / "app", {"kustomization.yaml": f"resources: ['{base}']\n"})
    run("validate", "app", "--allow-remote")
    assert not marker.exists()
    assert [call for call in programs.arguments() if "fetch" in call] == []


def test_a_relative_entry_of_the_path_starts_nothing_of_the_tree(run, tmp_path, programs, monkeypatch):
    make_repo(tmp_path / "config.git", {"values.yaml": DEPLOYMENT})
    programs()
    marker = tmp_path / "ran"
    for program in ("helm", "kubectl", "kustomize", "git", "unshare", "docker-credential-x"):
        for folder in (".", "bin"):
            write(tmp_path, {f"{folder}/{program}": f"#!/bin/sh\n: > {marker}\n"})
            (tmp_path / folder / program).chmod(0o755)
    write(tmp_path, {"docker/config.json": '{"credsStore": "x"}'})
    write(tmp_path / "chart", CHART)
    write(tmp_path / "app", KUSTOMIZATION)
    monkeypatch.setenv("PATH", f".{os.pathsep}bin{os.pathsep}{os.environ['PATH']}{os.pathsep}")
    run("validate")
    run("validate", "--changed-since", "main")
    run("image", "retag", "127.0.0.1:1/acme/shop:1", "2", environment={"DOCKER_CONFIG": str(tmp_path / "docker")})
    run("bump", IMAGE, "--config-repo", tmp_path / "config.git", "--forge", "git")
    real = shutil.which("git", path="/usr/bin:/bin:/usr/local/bin")
    code = "import sys; from gitops_ci.cli import run_command_line; run_command_line(sys.argv[1:])"
    subprocess.run(  # GitPython starts git when it is imported: in a process of its own
        [sys.executable, "-c", code, "bump", IMAGE, "--config-repo", "config.git", "--forge", "git"],
        env={"PATH": f".{os.pathsep}bin{os.pathsep}{os.path.dirname(real)}", "PYTHONPATH": str(CHECKOUT)},
        check=False,
    )
    assert not marker.exists()


def test_branches_tags_and_remotes_of_the_checkout(run, tmp_path, programs):
    make_checkout(tmp_path, {"a.yaml": DEPLOYMENT}, origin="https://github.com/acme/shop")
    git(tmp_path, "config", "remote.origin.url", "--upload-pack=planted")
    head = git(tmp_path, "rev-parse", "HEAD").strip()
    for name in ("--planted", "-planted", "--output=planted"):
        for kind in ("heads", "tags", "remotes/origin"):
            (tmp_path / ".git/refs" / kind).mkdir(parents=True, exist_ok=True)
            (tmp_path / ".git/refs" / kind / name).write_text(f"{head}\n")
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/--output=planted\n")
    write(tmp_path, {"--output=planted.yaml": DEPLOYMENT})
    programs(real=("git",))
    for arguments in (
        ("image", "tags"),
        ("validate", "--changed-since", "--output=planted"),
        ("validate", "--changed-since", "-planted", "--changed-since", "main"),
        ("init", "--help"),
        ("init", "--mode", "dry-run"),
        ("plan", IMAGE),
    ):
        run(*arguments)
    assert programs.arguments()
    assert taken_for_options(programs.arguments()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["--output=planted.yaml", ".git", "a.yaml"]


def test_a_target_branch_that_the_ci_names(run, tmp_path, programs):
    make_checkout(tmp_path, {"a.yaml": DEPLOYMENT}, origin="https://github.com/acme/shop")
    programs(real=("git",))
    ci = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_BASE_REF": "--output=planted"}
    gitlab = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "--output=planted"}
    for environment in (ci, gitlab):
        run("validate", "--changed-since", "auto", environment=environment)
    assert taken_for_options(programs.arguments()) == []
    assert not (tmp_path / "planted").exists()


def test_files_branches_and_images_of_the_config_repository(run, tmp_path, programs):
    files = {f"{name.replace('/', '_')}/values.yaml": DEPLOYMENT for name in NAMES}
    repo = make_repo(tmp_path / "config.git", {**files, "--upload-pack=planted.yaml": DEPLOYMENT})
    for name in ("--upload-pack=planted", "-planted"):
        (tmp_path / "config.git/refs/heads" / name).write_text(f"{repo.head('main')}\n")
    programs(real=("git",))
    for mode in ("push", "pull-request", "dry-run"):
        run("bump", IMAGE, "--config-repo", repo.path, "--forge", "git", "--mode", mode)
    run("plan", IMAGE, "--config-repo", repo.path)
    assert repo.count() > 1
    assert taken_for_options(programs.arguments()) == []


@pytest.mark.parametrize("kind", ["gpg", "ssh"])
def test_a_signing_key_from_the_configuration_file(run, tmp_path, programs, kind):
    repo = make_repo(tmp_path / "config.git", {"values.yaml": DEPLOYMENT})
    programs("gpg", "ssh-keygen", real=("git",))
    for key in ("--output=planted", "-planted", "--default-key=planted", "key::--planted"):
        write(tmp_path, {".gitops-ci.yaml": f"sign: {kind}\nsigning-key: '{key}'\n"})
        run("bump", IMAGE, "--config-repo", repo.path, "--forge", "git", "--mode", "push")
    for call in programs.arguments():
        words = [word for word in call if not word.startswith("user.signingKey=")]
        assert taken_for_options([words]) == []


def test_the_name_of_a_credential_helper_and_of_its_registry(tmp_path, programs, monkeypatch):
    programs("docker-credential-x", "docker-credential---planted")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for helper, registry in (("x", "--planted"), ("--planted", "ghcr.io"), ("../planted", "ghcr.io")):
        write(tmp_path, {"config.json": json.dumps({"credHelpers": {registry: helper}})})
        with pytest.raises(credentials.RegistryError):
            credentials.credentials_for(registry)
    assert programs.arguments() == [["get"]]


def test_the_pre_commit_hook_reads_file_names_as_files(tmp_path, monkeypatch):
    """As pre-commit builds the command line: the entry, `args`, the names of staged files."""
    hook = (CHECKOUT / ".pre-commit-hooks.yaml").read_text()
    entry = next(line.partition("entry: ")[2] for line in hook.splitlines() if "entry: " in line).split()
    assert entry[0] == "gitops-ci"
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path, {"evil.yaml": "validate: {skip-rules: ['*']}\n", "bad.yaml": DEPLOYMENT.replace("spec:", "spce:", 1)}
    )
    outside = tmp_path / "report.yaml"
    names = [
        "--config=evil.yaml",
        f"--report=json={outside}",
        "--allow-empty",
        "-h",
        "--version",
        "--skip-rules=*.yaml",
    ]
    for name in names:
        write(tmp_path, {name: "a: 1\n"})
    assert run_command_line([*entry[1:], *names, "bad.yaml"]) == 1
    assert not outside.exists() or outside.read_text() == "a: 1\n"
    assert run_command_line([*entry[1:], "bad.yaml", *names]) == 1
