"""What a command imports before it runs: `--help` and completion start as fast as they can."""

import json
import subprocess
import sys

import pytest

from gitops_ci.cli import COMMANDS

# What only a run needs.
HEAVY = (
    *(f"gitops_ci.{room}" for room in ("comparing", "configrepo", "formats", "http", "plan", "registry", "rendering")),
    *(f"gitops_ci.{room}" for room in ("tags", "validation", "yamltext")),
    *(f"gitops_ci.flows.{flow}" for flow in ("bump", "history", "image", "promote", "refresh", "rollback", "validate")),
    *("requests", "docker", "git", "ruamel", "yaml", "semver", "tempfile", "tomllib"),
)

OF_VALIDATION = {"gitops_ci.validation", "gitops_ci.flows.validate", "gitops_ci.yamltext"}
HEAVY_BESIDE_VALIDATION = [one for one in HEAVY if one not in OF_VALIDATION]
UNUSED_BY_ONE_FILE = ("difflib", "hashlib", "pathlib", "subprocess", "urllib.parse")


@pytest.fixture(scope="module")
def imported():
    """The modules that each command adds to those of the commands before it."""
    code = (
        "import json, sys; from gitops_ci.cli import COMMANDS; import gitops_ci.cli.run\n"
        "known = {}\n"
        "for name in COMMANDS:\n"
        "    before = set(sys.modules); COMMANDS[name]; known[name] = sorted(set(sys.modules) - before)\n"
        "print(json.dumps(known))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


# `init` and `demo` are run once.
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in {"init", "demo"}])
def test_a_command_imports_what_it_needs_when_it_runs(command, imported):
    heavy = [name for name in imported[command] if name in HEAVY or name.startswith(tuple(f"{one}." for one in HEAVY))]
    assert not heavy, "import it inside of the function that uses it"


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (["bump", "--help"], HEAVY),
        (["validate", "shop.yaml"], [*HEAVY_BESIDE_VALIDATION, *UNUSED_BY_ONE_FILE]),
    ],
    ids=["help", "one plain file"],
)
def test_a_run_imports_what_it_uses(arguments, unneeded, tmp_path):
    (tmp_path / "shop.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gitops_ci", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "gitops_ci.cli.options" in imported
    assert not imported.intersection(unneeded)


def test_a_bump_imports_nothing_of_other_commands(tmp_path):
    """No environment soaks here, so the past of environments is not read, and what reads it is not imported."""
    work, bare = tmp_path / "work", tmp_path / "config.git"
    work.mkdir()
    (work / "kustomization.yaml").write_text("images:\n  - {name: ghcr.io/acme/shop, newTag: 1.0.0}\n")
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), (*identity, "commit", "-q", "-m", "x")):
        subprocess.run(["git", *arguments], cwd=work, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", work, bare], check=True)
    arguments = ("bump", "ghcr.io/acme/shop:1.0.1", "--mode", "push", "--config-repo", str(bare))
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gitops_ci", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pushed" in done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "gitops_ci.flows.bump.window" in imported
    assert not imported & {f"gitops_ci.flows.{one}" for one in ("history", "promote", "refresh", "rollback")}
