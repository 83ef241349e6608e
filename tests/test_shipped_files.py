"""action.yml and the GitLab template: published schemas, an audit, and that they fit the program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import click
import pytest
import yaml

from gitops_ci.cli import COMMANDS
from tests.support import CHECKOUT, dev_tool
from tests.support.published_schemas import misfits

# Inputs that are no option: what the command is, its arguments, where it runs, and what only the environment tells.
NOT_OPTIONS = {"command", "source", "images", "paths", "options", "extras", "working-directory", "token"}
NOT_OPTIONS |= {"registry-user", "registry-password"}
TEMPLATE_ONLY = {"prefix", "image", "package", "stage", "validate-stage", "rules", "validate-rules"}
TEMPLATE_ONLY |= {
    "diff",
    "diff-stage",
    "diff-rules",
    "diff-fail-on",
    "validate-paths",
    "validate-exclude",
    "allow-failure",
    "promote-to",
    "promote-rules",
}


def _action() -> dict:
    return yaml.safe_load((CHECKOUT / "action.yml").read_text())


TEMPLATES = (".gitlab-ci-template.yml", *(f"templates/{job}.yml" for job in ("release", "validate", "diff", "promote")))


def _template(name: str = TEMPLATES[0]) -> tuple[dict, dict]:
    spec, jobs = yaml.safe_load_all((CHECKOUT / name).read_text())
    return spec["spec"]["inputs"], jobs


def _options() -> dict[str, str]:
    """Every option of every command: its name and the environment variable it reads, the same in each command."""
    found = {}
    # `plan --format` is what stdout holds, `diff --base` a revision: both have variables of their own, since these
    # options mean something else in the other commands.
    for name in sorted(COMMANDS, key=lambda name: name not in {"plan", "diff"}):
        for command in _commands(COMMANDS[name]):
            for option in command.params:
                # Another meaning has a variable of its own, with the command in it.
                is_own = str(getattr(option, "envvar", "")).startswith(f"GITOPS_CI_{name.upper()}_")
                if isinstance(option, click.Option) and option.envvar and not is_own:
                    found |= {name.removeprefix("--"): str(option.envvar) for name in option.opts if name[:2] == "--"}
    return found


def _commands(command: click.Command) -> list[click.Command]:
    return list(command.commands.values()) if isinstance(command, click.Group) else [command]


def test_action_fits_the_published_schema():
    assert misfits("github-actions", CHECKOUT / "action.yml") == ""


def test_hooks_fit_the_published_schema():
    run = subprocess.run(
        [dev_tool("pre-commit"), "validate-manifest", str(CHECKOUT / ".pre-commit-hooks.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_audit_of_the_action_has_no_findings():
    command = [dev_tool("zizmor"), "--offline", "--persona=auditor", "--format=json", str(CHECKOUT / "action.yml")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(run.stdout) == [], run.stderr


# What the action and the template do not offer, and why: a job's own log, and what stands in a file or on the line.
NO_INPUT = {"changed", "color", "output", "quiet", "verbose", "job-image", "package", "dry-run", "fix"}
COMMANDS_IN_CI = ("release", "bump", "validate", "plan", "diff", "promote", "rollback", "hold", "refresh", "wait")
# The template has what most releases and checks need; every other option is a variable of the job.
VARIABLES_ONLY = {"allow-move", "allow-remote", "allow-untrusted", "app-version", "at", "commit-with", "committer"}
VARIABLES_ONLY |= {
    "deadline",
    "expect-revision",
    "follow-anchors",
    "ignore-hold",
    "format",
    "ignore",
    "insecure",
    "match-name",
    "offline",
}
VARIABLES_ONLY |= {"registry-auth-host", "registry-ca", "reopen", "report", "rules", "shard", "sign", "signing-key"}
VARIABLES_ONLY |= {
    "after-push",
    "comment",
    "comment-key",
    "platform",
    "skip-ci",
    "sparse",
    "clusters",
    "substitute",
    "tag-date",
    "tag-match",
    "tag-suffix",
    "with-referrers",
}


def _long_options(*commands: str) -> set[str]:
    options = (option for name in commands for option in COMMANDS[name].params if isinstance(option, click.Option))
    return {max(option.opts, key=len).removeprefix("--") for option in options}


def test_every_option_is_an_input_of_the_action():
    inputs = _action()["inputs"].keys()
    assert _long_options(*COMMANDS_IN_CI) - NO_INPUT == inputs - NOT_OPTIONS


def test_every_option_is_an_input_of_the_template_or_a_variable_on_purpose():
    inputs, _ = _template()
    options = _long_options("release", "validate") - NO_INPUT
    # `rules` of the template are those of the pipeline.
    assert options - (inputs.keys() - TEMPLATE_ONLY) == VARIABLES_ONLY


@pytest.fixture
def handed_over(tmp_path):
    """The script of the action with a Python that shows what it was handed: variables, and words."""

    def run(**inputs):
        seen = tmp_path / "seen"
        fake = tmp_path / "bin" / "python3"
        fake.parent.mkdir()
        shown = f'env -0 > {seen}; printf "%s\\n" "$@" > {seen}.words'
        fake.write_text(f'#!/bin/sh\ncase "$*" in *hashlib*) echo key 1;; *) {shown};; esac\n')
        fake.chmod(0o755)
        (tmp_path / "temp" / "gitops-ci" / "key").mkdir(parents=True)
        environment = {
            "PATH": f"{fake.parent}:{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(CHECKOUT),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            **{f"WITH_{name}": value for name, value in inputs.items()},
        }
        subprocess.run([str(CHECKOUT / "action" / "run")], env=environment, check=True)
        handed = dict(line.split("=", 1) for line in seen.read_text().split("\0") if line.startswith("GITOPS_CI_"))
        return handed, (tmp_path / "seen.words").read_text().splitlines()

    return run


def test_a_value_that_has_blanks_stays_one_on_its_way_through_the_action(handed_over):
    handed, words = handed_over(
        COMMAND="validate",
        IGNORE="repo/mutable-tag path=apps/dev/*",
        LABEL="gitops staging",
        WITH_REFERRERS="true",
        BASE="",
        PATHS="apps\n--config=evil.yaml\n",
        OPTIONS="--ignore\nrepo/* kind=Pod\n",
    )
    assert handed == {
        "GITOPS_CI_IGNORE": "repo/mutable-tag path=apps/dev/*\n",
        "GITOPS_CI_LABEL": "gitops staging",
        "GITOPS_CI_WITH_REFERRERS": "true",
    }
    # What follows `--` is not an option, whatever it looks like.
    assert words[-6:] == ["validate", "--ignore", "repo/* kind=Pod", "--", "apps", "--config=evil.yaml"]


@pytest.mark.parametrize(
    ("command", "handed"),
    [
        ("release", {"GITOPS_CI_TO": "auto", "GITOPS_CI_BASE": "main", "GITOPS_CI_REASON": "why not"}),
        ("promote", {"GITOPS_CI_PROMOTE_TO": "auto", "GITOPS_CI_BASE": "main", "GITOPS_CI_REASON": "why not"}),
        ("rollback --hold", {"GITOPS_CI_ROLLBACK_TO": "auto", "GITOPS_CI_BASE": "main", "GITOPS_CI_REASON": "why not"}),
        ("diff", {"GITOPS_CI_TO": "auto", "GITOPS_CI_DIFF_BASE": "main", "GITOPS_CI_REASON": "why not"}),
    ],
)
def test_an_input_that_means_another_thing_in_a_command_gets_the_variable_of_that_command(handed_over, command, handed):
    assert handed_over(COMMAND=command, TO="auto", BASE="main", REASON="why not")[0] == handed


@pytest.fixture
def action(tmp_path):
    """The script of the action with a Python that notes how pip is called, and exits with `code` then.

    `cel` is 0 on a platform that has no wheels for CEL rules, and where `lacks_cel`, pip does not find them.
    """

    def run(code, *, cel=1, lacks_cel=False, **more):
        fake = tmp_path / "bin" / "python3"
        fake.parent.mkdir(exist_ok=True)
        fake.write_text(
            f'#!/bin/sh\ncase "$*" in *hashlib*) echo key {cel};; '
            "*wheels.py*--from*) ;; *wheels.py*) exit 1;; "  # nothing that an earlier job kept
            f'*pip*) env > {tmp_path}/pip; echo "$*" >> {tmp_path}/locks; '
            f"case {int(lacks_cel)}$* in 1*-cel.txt*) echo no wheel >&2; exit 1;; esac; exit {code};; "
            f"*) printf '%s\\n' \"$@\" > {tmp_path}/words;; esac\n"
        )
        fake.chmod(0o755)
        (tmp_path / "temp").mkdir(exist_ok=True)
        environment = {
            "PATH": f"{fake.parent}:{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(CHECKOUT),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "WITH_COMMAND": "validate",
            **more,
        }
        return subprocess.run([str(CHECKOUT / "action" / "run")], env=environment, capture_output=True, check=False)

    return run


def test_packages_of_another_job_are_not_used(action, tmp_path):
    planted = tmp_path / "tools" / "gitops-ci" / "key"
    planted.mkdir(parents=True)
    assert action(0, RUNNER_TOOL_CACHE=str(tmp_path / "tools")).returncode == 0
    assert (tmp_path / "pip").exists(), "they are installed"
    assert str(planted) not in (tmp_path / "words").read_text()
    assert str(tmp_path / "temp" / "gitops-ci" / "key") in (tmp_path / "words").read_text()


def test_the_library_for_signatures_is_installed_where_it_is_asked_for(action, tmp_path):
    """Also beside the libraries for CEL rules, and without them; nothing else is an extra."""
    assert action(0, WITH_EXTRAS="verify", lacks_cel=True).returncode == 0
    seen = [re.findall(r"requirements(.*?)\.txt", line) for line in (tmp_path / "locks").read_text().splitlines()]
    assert seen == [["", "-cel", "-verify"], ["", "-verify"]]
    refused = action(0, WITH_EXTRAS="docs\n::error::x")
    assert refused.returncode == 7
    assert b"extras: the only one is verify, and not docs::error::x" in refused.stdout


@pytest.mark.parametrize(
    ("cel", "lacks_cel", "installations"),
    [(1, False, [["", "-cel"]]), (1, True, [["", "-cel"], [""]]), (0, True, [[""]])],
)
def test_libraries_for_cel_rules_are_installed_where_there_are_some(action, tmp_path, cel, lacks_cel, installations):
    run = action(0, cel=cel, lacks_cel=lacks_cel)
    assert (run.returncode, run.stderr) == (0, b"")
    seen = [re.findall(r"requirements(.*?)\.txt", line) for line in (tmp_path / "locks").read_text().splitlines()]
    assert seen == installations


@pytest.mark.parametrize(("code", "left"), [(1, []), (0, ["key"])])
def test_an_installation_leaves_whole_packages_or_nothing(action, tmp_path, code, left):
    assert action(code).returncode == (7 if code else 0)
    assert os.listdir(tmp_path / "temp" / "gitops-ci") == left


def test_the_settings_of_the_jobs_own_pip_have_no_part(action, tmp_path):
    settings = {"PIP_USER": "1", "PIP_PREFIX": "/opt/job", "PIP_TARGET": "/opt/job", "PIP_REQUIRE_VIRTUALENV": "1"}
    assert action(0, PIP_INDEX_URL="https://mirror.example/simple", **settings).returncode == 0
    seen = {line.partition("=")[0] for line in (tmp_path / "pip").read_text().splitlines() if line.startswith("PIP_")}
    assert seen == {"PIP_INDEX_URL"}


@pytest.mark.parametrize(
    ("package", "options", "extras"),
    [
        ("gitops-ci==0.1.0", "", []),
        ("--index-url https://a.example/simple gitops-ci", "--index-url https://a.example/simple ", []),
        ("--index-url http://[::1]:8080/simple gitops-ci", "--index-url http://[::1]:8080/simple ", []),
        ("gitops-ci --no-index --find-links=x", "--no-index --find-links=x ", []),
        ("--pre gitops-ci[cel]", "--pre ", ["-cel"]),
        ("gitops-ci[verify]==0.1.0", "", ["-verify"]),
        ("gitops-ci[cel,verify]", "", ["-cel", "-verify"]),
    ],
)
def test_the_template_installs_what_the_package_needs_with_the_hashes_in_it(tmp_path, package, options, extras):
    assert _job_installs(tmp_path, package).returncode == 0
    with_hashes = f"install --no-deps --require-hashes --only-binary=:all: {options}--requirement /package/requirements"
    assert (tmp_path / "pip").read_text().splitlines() == [
        f"install --no-deps {package}",
        *(f"{with_hashes}{more}.txt" for more in ["", *extras]),
    ]
    assert set((tmp_path / "variables").read_text().splitlines()) == {"PIP_INDEX_URL=https://mirror.example/simple"}


def test_the_template_installs_no_extra_without_hashes(tmp_path):
    refused = _job_installs(tmp_path, "--pre gitops-ci[docs]==0.1.0")
    assert refused.returncode == 2
    assert refused.stderr == (b"gitops-ci: package: [cel], [verify] or [cel,verify]: --pre gitops-ci[docs]==0.1.0\n")
    assert not (tmp_path / "pip").exists()


def _job_installs(tmp_path, package):
    """The lines of the job, with a Python that notes how pip is called."""
    _, jobs = _template()
    fake = tmp_path / "bin" / "python3"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\ncase "$*" in\n*venv*) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python";;\n'
        f'*pip*) echo "install${{*##* install}}" >> {tmp_path}/pip; env | grep ^PIP_ >> {tmp_path}/variables;;\n'
        "*) echo /package;;\nesac\n"
    )
    fake.chmod(0o755)
    before = "\n".join(jobs[".$[[ inputs.prefix ]]"]["before_script"])
    environment = {"PATH": f"{fake.parent}:/usr/bin:/bin", "GITOPS_CI_PACKAGE": package, "TMPDIR": str(tmp_path)}
    environment |= {"PIP_USER": "1", "PIP_TARGET": "/opt/job", "PIP_INDEX_URL": "https://mirror.example/simple"}
    return subprocess.run(["sh", "-e", "-c", before], env=environment, capture_output=True, check=False)


def test_every_input_of_the_action_is_handed_over_and_is_an_option():
    action = _action()
    env = action["runs"]["steps"][0]["env"]
    handed = {name.removeprefix("WITH_").lower().replace("_", "-"): value for name, value in env.items()}
    known = (CHECKOUT / "gitops_ci" / "cli" / "known_variables.txt").read_text().split()
    for name in action["inputs"].keys() - {"working-directory"}:
        assert handed[name] == f"${{{{ inputs.{name} }}}}"
    options = _options()
    for name in action["inputs"].keys() - NOT_OPTIONS:
        # Options of one command alone may have its name in their variable: the script of the action finds it.
        of_one = {"from": "PROMOTE_", "select": "PROMOTE_", "wait": "PROMOTE_", "commit": "WAIT_"}.get(name, "")
        variable = f"GITOPS_CI_{of_one}{name.upper().replace('-', '_')}"
        assert variable in ({options.get(name)} if not of_one else known), name


def test_nothing_but_environment_reaches_the_shell_of_the_action():
    for step in _action()["runs"]["steps"]:
        assert "${{" not in step["run"]
    script = (CHECKOUT / "action" / "run").read_text()
    assert not re.search(r"GITHUB_(PATH|ENV)\b(?! or GITHUB_ENV)", re.sub(r"(?m)^#.*$", "", script))
    assert not re.search(r"\beval\b|\bsource\b|\|\s*(?:ba)?sh\b", script)


def test_every_output_of_the_action_is_one_that_the_program_writes():
    from gitops_ci.model import Outcome
    from gitops_ci.reporting.github import outputs

    written = outputs(Outcome(command="release", status="changed")).keys()
    declared = _action()["outputs"]
    assert declared.keys() <= written
    assert all(value["value"] == f"${{{{ steps.run.outputs.{name} }}}}" for name, value in declared.items())


@pytest.mark.parametrize("file", TEMPLATES)
def test_template_fits_the_published_schema(tmp_path, file):
    defaults, jobs = _template(file)
    # The schema does not know interpolation: what the defaults make of the jobs is what it checks.
    text = json.dumps(jobs)
    for name, spec in defaults.items():
        whole = json.dumps(spec["default"])
        text = text.replace(f'"$[[ inputs.{name} ]]"', whole).replace(f"$[[ inputs.{name} ]]", str(spec["default"]))
    (tmp_path / "pipeline.json").write_text(text)
    assert misfits("gitlab-ci", tmp_path / "pipeline.json") == ""
    assert "inputs." not in text


def test_every_input_of_the_template_is_used_and_is_an_option():
    inputs, jobs = _template()
    options = _options()
    text = json.dumps(jobs)
    for name in inputs:
        assert f"$[[ inputs.{name} ]]" in text, name
        assert "description" in inputs[name]
        if name not in TEMPLATE_ONLY | NOT_OPTIONS:
            variable = f"GITOPS_CI_{name.upper().replace('-', '_')}"
            assert options.get(name) == variable, name
            assert any(job.get("variables", {}).get(variable) == f"$[[ inputs.{name} ]]" for job in jobs.values())


def test_inputs_of_the_template_reach_no_script():
    _, jobs = _template()
    for job in jobs.values():
        assert "inputs." not in json.dumps([job.get("before_script"), job.get("script")])
        assert "stages" not in jobs


def test_template_installs_this_version():
    from gitops_ci import __version__

    inputs, _ = _template()
    assert inputs["package"]["default"] == f"gitops-ci=={__version__}"


def test_examples_are_what_init_writes():
    from scripts.write_examples import examples

    for name, text in examples().items():
        assert (CHECKOUT / "examples" / name).read_text() == text, f"{name}: run scripts/write_examples.py"


@pytest.mark.parametrize("folder", [".", "action"])
def test_scripts_are_executable(folder):
    names = {".": ["tests/run", ".ci/run", ".ci/audit"], "action": ["action/run"]}[folder]
    for name in names:
        assert (CHECKOUT / name).stat().st_mode & 0o111, name


@pytest.mark.parametrize(
    ("lint", "audit", "code", "said"),
    [
        ("true", "0", 0, ["lint", "audited", "tests"]),
        ("true", "1", 1, ["lint", "audited"]),
        ("false", "0", 2, ["lint"]),
    ],
)
def test_the_run_of_everything_ends_with_the_first_part_that_fails(tmp_path, lint, audit, code, said):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "audit").write_text(f"#!/bin/sh\necho audited\nexit {audit}\n")
    (tmp_path / ".ci" / "audit").chmod(0o755)
    shutil.copy(CHECKOUT / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "Makefile").write_text(f"lint:\n\t@echo lint; {lint}\ntest:\n\t@echo tests\n")
    ran = subprocess.run([tmp_path / ".ci" / "run"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.split()) == (code, said), ran.stderr
