"""What the project is published with: workflows, container image, single file, one place for its owner."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import yaml

from gitops_ci import __version__
from gitops_ci.project import REPOSITORY, SCHEMA_URL
from scripts import set_version
from scripts.locked_part import part
from scripts.set_home import current, files, renamed
from tests.support import CHECKOUT, dev_tool
from tests.support.actionlint import actionlint
from tests.support.delivery import config_files
from tests.support.git_repo import make_repo
from tests.support.layouts import LayoutWriter
from tests.support.published_schemas import misfits
from tests.support.workspace import make_checkout

WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        *(("github-workflows", f".github/workflows/{path.name}") for path in WORKFLOWS),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/bug.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/feature.yml"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("renovate", "renovate.json"),
    ],
)
def test_file_fits_its_published_schema(schema, path):
    assert misfits(schema, CHECKOUT / path) == ""


def test_a_file_that_does_not_fit_is_reported(tmp_path):
    (tmp_path / "ci.yml").write_text("on: push\njobs: {test: {steps: 1}}\n")
    assert "$.jobs.test" in misfits("github-workflows", tmp_path / "ci.yml")
    (tmp_path / "broken.yml").write_text("on: [push\n")
    assert "broken.yml" in misfits("github-workflows", tmp_path / "broken.yml")


def test_audit_of_the_workflows_has_no_findings():
    command = [dev_tool("zizmor"), "--offline", "--persona=auditor", "--format=json", *map(str, WORKFLOWS)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(run.stdout) == [], run.stderr


@pytest.mark.only_soak  # the linter is built with Go
def test_linter_of_workflows_has_no_findings():
    assert actionlint(*WORKFLOWS) == []


@pytest.mark.only_soak
def test_linter_of_workflows_finds_a_mistake(tmp_path):
    workflow = tmp_path / "broken.yml"
    workflow.write_text(
        (CHECKOUT / ".github/workflows/ci.yml").read_text().replace("matrix.python }}", "matrix.pyton }}")
    )
    assert {found["kind"] for found in actionlint(workflow)} == {"expression"}


def test_workflows_call_scripts_and_targets_that_exist():
    targets = set(re.findall(r"(?m)^([a-z-]+):", (CHECKOUT / "Makefile").read_text()))
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            for line in "\n".join(step.get("run", "") for step in job["steps"]).splitlines():
                assert set(re.findall(r"\bmake ([a-z-]+)", line)) <= targets
                for script in re.findall(r"(?:^|\s)((?:scripts|\.ci)/\S+)", line):
                    assert (CHECKOUT / script).is_file(), script
                run = subprocess.run(["sh", "-n"], input=line.removesuffix("||"), capture_output=True, text=True)
                assert run.returncode == 0, run.stderr


def test_every_supported_python_is_tested_and_declared():
    declared = set(re.findall(r"Python :: (3\.\d+)", (CHECKOUT / "pyproject.toml").read_text()))
    matrix = yaml.safe_load((CHECKOUT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]["strategy"]["matrix"]
    assert set(matrix["python"]) == declared == {"3.11", "3.12", "3.13", "3.14"}


# The container image


def test_the_image_is_installed_from_the_locks_and_runs_as_an_ordinary_user():
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", (CHECKOUT / "Dockerfile").read_text()))
    lines = text.splitlines()
    last = lines[[n for n, line in enumerate(lines) if line.startswith("FROM ")][-1] :]
    assert last[0] == "FROM ${BASE}"
    [user] = [line.split()[1] for line in last if line.startswith("USER ")]
    assert user.isdecimal()
    assert int(user) > 0
    for line in lines:
        if "pip install" in line:
            assert "--no-deps" in line
            assert "--require-hashes" in line or "--no-build-isolation ." in line
        assert not re.search(r"\bcurl\b|\bwget\b|^ADD ", line)
    names = {name.removeprefix("!") for name in (CHECKOUT / ".dockerignore").read_text().split() if name[0] == "!"}
    copied = {
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    }
    assert {word.partition("/")[0] if word.startswith("gitops_ci") else word for word in copied} == names
    assert all((CHECKOUT / name).exists() for name in names)


def test_a_part_of_a_lock_has_its_hashes():
    lock = (CHECKOUT / "requirements-dev.txt").read_text()
    found = part(lock, ["flit-core", "google-re2"])
    assert re.findall(r"(?m)^[a-z0-9-]+==", found) == ["flit-core==", "google-re2=="]
    assert found.count("--hash=sha256:") > 2
    with pytest.raises(KeyError):
        part(lock, ["left-pad"])


# The single file


@pytest.fixture(scope="module")
def single_file(tmp_path_factory):
    from scripts.build_single_file import build

    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where the file unpacks itself, once."""
    return tmp_path_factory.mktemp("cache")


def _start(file, cache, folder, *arguments):
    return subprocess.run(
        [sys.executable, "-I", str(file), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(cache)},
    )


def test_the_single_file_runs_alone_and_has_a_checksum(single_file, cache, tmp_path):
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {kontainers: []}\n")
    for _ in range(2):
        ran = _start(single_file, cache, tmp_path, "validate", "a.yaml")
        assert (ran.returncode, "a.yaml:4:8: error schema/unknown-field" in ran.stdout) == (1, True), ran.stderr
    [line] = (single_file.parent / "SHA256SUMS").read_text().splitlines()
    assert line.endswith(f"  {single_file.name}")
    assert (
        subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=single_file.parent, capture_output=True).returncode
        == 0
    )


def test_the_single_file_releases_and_compares(single_file, cache, tmp_path):
    """With no network: the registry is a folder, and the config repository one beside it."""
    image = "ghcr.io/acme/shop"
    LayoutWriter(tmp_path / "built").simple("1", [{"app": b"shop"}])
    config = make_repo(tmp_path / "config.git", config_files(image))
    where = ("--config-repo", str(config.path), "--forge", "git", "--environment", "staging")
    tags = ("--to", "oci:registry", "--image-name", image, "--version", "1.4.2")
    ran = _start(single_file, cache, tmp_path, "release", "oci:built:1", *tags, *where)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "pushed oci:registry:1.4.2" in ran.stderr
    assert "+    newTag: 1.4.2" in config.diff("main", "gitops-ci/staging/ghcr.io-acme-shop")
    files = {"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {level: info}\n"}
    checkout = make_checkout(tmp_path / "checkout", files, origin="")
    (checkout / "a.yaml").write_text(files["a.yaml"].replace("info", "debug"))
    ran = _start(single_file, cache, checkout, "diff", "--base", "HEAD", "--form", "paths")
    assert (ran.returncode, "data.level: info -> debug" in ran.stdout) == (0, True), ran.stdout + ran.stderr


def test_the_single_file_says_where_it_cannot_be_unpacked(single_file, tmp_path):
    (tmp_path / "gitops-ci").write_text("no folder\n")
    ran = _start(single_file, tmp_path, tmp_path, "--version")
    assert ran.returncode == 7
    assert "cannot be written" in ran.stderr
    assert "XDG_CACHE_HOME" in ran.stderr


# One place for the owner


def test_the_owner_stands_in_one_place_and_everything_follows():
    assert current((CHECKOUT / "gitops_ci/project.py").read_text()) == REPOSITORY
    assert REPOSITORY in SCHEMA_URL
    named = re.compile(r"(?<![\w-])([\w-]+)/gitops-ci(?![\w-])")
    hosts = {"path", "work", "tmp", "shop", "usr", "opt", "dist", "cache", "bin", "XDG_CACHE_HOME"}
    old = REPOSITORY.partition("/")[0]
    for path in files():
        if path.parts[len(CHECKOUT.parts)] in {
            "README.md",
            "docs",
            "examples",
            "templates",
            "pyproject.toml",
            ".github",
        }:
            if path.suffix == ".png":
                continue
            text = path.read_text()
            assert set(named.findall(text)) - hosts <= {old}, path
            changed = renamed(text, REPOSITORY, "someone/the-tool")
            assert REPOSITORY not in changed
            if REPOSITORY in text:
                assert "someone/the-tool" in changed
    assert renamed("* @acme\nhttps://github.com/acme/shop", REPOSITORY, "me/x") == "* @me\nhttps://github.com/acme/shop"
    assert renamed("ghcr.io/acme/gitops-ci:1", REPOSITORY, "Me/X") == "ghcr.io/me/x:1"


# One place for the version


def test_the_version_stands_in_one_place_and_everything_follows():
    assert set_version.current((CHECKOUT / "gitops_ci/__init__.py").read_text()) == __version__
    wrong, right = {}, 0
    for path in set_version.files():
        if path.suffix not in {".png", ".gz", ".zst"}:
            found = set_version.named(path.read_text(errors="replace"), REPOSITORY)
            right += found.count(__version__)
            if set(found) - {__version__}:
                wrong[path.relative_to(CHECKOUT).as_posix()] = found
    assert wrong == {}, "run scripts/set_version.py"
    assert right > 30


def test_the_changelog_has_the_version_and_room_for_the_next():
    sections = re.findall(r"(?m)^## (.+)$", (CHECKOUT / "CHANGELOG.md").read_text())
    assert sections[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(__version__)} \(\d{{4}}-\d{{2}}-\d{{2}}\)", sections[1])


@pytest.mark.parametrize(
    "text",
    [
        "pip install gitops-ci==1.0.0",
        f"uses: {REPOSITORY}@v1.0.0",
        f"component: $CI_SERVER_FQDN/{REPOSITORY}/release@1.0.0",
        f"image: ghcr.io/{REPOSITORY}:v1.0.0",
        f"uses: {REPOSITORY}@{'0a' * 20} # v1.0.0: the commit of the release",
        f"- repo: https://github.com/{REPOSITORY}\n    rev: v1.0.0",
    ],
)
def test_every_way_to_name_a_version_is_renamed(text):
    assert set_version.named(text, REPOSITORY) == ["1.0.0"]
    assert set_version.renamed(text, REPOSITORY, "2.1.0") == text.replace("1.0.0", "2.1.0")
