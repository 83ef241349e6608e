"""Planned jobs as CI systems read them: a matrix of GitHub Actions, a child pipeline of GitLab.

Sources: docs.github.com "Running variations of jobs in a workflow" (`fromJSON`, 256 jobs); docs.gitlab.com "Downstream
pipelines", "Dynamic child pipelines". A child pipeline is JSON, which is YAML that needs no thought about quoting.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.model import Job, Outcome
from gitops_ci.reporting.base import masked

__all__ = ["BEFORE", "Runner", "child_pipeline", "matrix"]

# The same lines as in .gitlab-ci-template.yml: a child pipeline is whole, wherever its parent got the template from.
BEFORE = (
    "set -f",
    "gitops_ci_home=$(mktemp -d)",
    'python3 -I -m venv --without-pip "$gitops_ci_home"',
    r"""gitops_ci_pip() { (
  for name in $(env | sed -n 's/^\(PIP_[A-Z_]*\)=.*/\1/p'); do
    case $name in
      *_URL | *_LINKS | *_INDEX | *_HOST | *_CERT | *_PROXY | *_TIMEOUT | *_RETRIES | PIP_CACHE_DIR) ;;
      *) unset "$name" ;;
    esac
  done
  python3 -I -m pip --quiet --disable-pip-version-check --no-input --python "$gitops_ci_home/bin/python" install "$@"
) }
""",
    r"""gitops_ci_options='' gitops_ci_before=''
for word in $GITOPS_CI_PACKAGE; do
  case $gitops_ci_before/$word in
    */-* | --no-*/* | --pre/* | *=*/*) ;;
    -*) word=" $word" ;;
  esac
  case $word in -* | " "*) gitops_ci_options="$gitops_ci_options $word" ;; esac
  gitops_ci_before=$word
done
""",
    r"""case $GITOPS_CI_PACKAGE in
  *"[cel]"*) gitops_ci_lists='requirements requirements-cel' ;;
  *"[verify]"*) gitops_ci_lists='requirements requirements-verify' ;;
  *"[cel,verify]"*) gitops_ci_lists='requirements requirements-cel requirements-verify' ;;
  *[a-zA-Z0-9]"["*) echo "gitops-ci: package: [cel], [verify] or [cel,verify]: $GITOPS_CI_PACKAGE" >&2 && exit 2 ;;
  *) gitops_ci_lists=requirements ;;
esac
""",
    "gitops_ci_pip --no-deps $GITOPS_CI_PACKAGE",
    """gitops_ci_folder=$("$gitops_ci_home/bin/python" -I -c 'import gitops_ci; print(gitops_ci.__path__[0])')""",
    (
        "for list in $gitops_ci_lists; do\n"
        "  gitops_ci_pip --no-deps --require-hashes --only-binary=:all: $gitops_ci_options"
        ' --requirement "$gitops_ci_folder/$list.txt"\n'
        "done\n"
    ),
    'gitops_ci() { "$gitops_ci_home/bin/python" -I -m gitops_ci "$@"; }',
)
_REPORTS = {"codequality": "gl-code-quality-report.json", "junit": "gitops-ci-junit.xml"}
_DOTENV = "gitops-ci.env"


@dataclass(frozen=True, slots=True)
class Runner:
    """What jobs of a child pipeline run in: the container `image`, the `package` that pip installs, `variables`."""

    image: str
    package: str
    variables: Mapping[str, str] = field(default_factory=dict)


def matrix(outcome: Outcome) -> str:
    """For `strategy.matrix: ${{ fromJSON(...) }}`: one line; each job has its name and its options."""
    jobs: tuple[Job, ...] = masked(outcome.jobs)
    return json.dumps({"include": [{"name": job.name, **job.options} for job in jobs]}, separators=(",", ":"))


def child_pipeline(outcome: Outcome, runner: Runner) -> str:
    """A whole pipeline for `trigger: include: artifact`; where there is nothing to do it says so in its only job."""
    jobs: tuple[Job, ...] = masked(outcome.jobs)
    base = {
        "image": runner.image,
        "variables": _variables({**runner.variables, "PACKAGE": runner.package, "DOTENV": _DOTENV}),
        "before_script": list(BEFORE),
    }
    pipeline: dict[str, Any] = {"stages": ["test"], ".gitops-ci": base}
    pipeline |= {f"gitops-ci:{job.command} {job.name}": _job(job) for job in jobs}
    if not jobs:
        pipeline["gitops-ci:nothing to do"] = {"variables": {"GIT_STRATEGY": "none"}, "script": ["true"]}
    return "# Made by gitops-ci plan.\n" + json.dumps(pipeline, indent=2) + "\n"


def _job(job: Job) -> dict[str, Any]:
    check = job.command == "validate"
    reports = [f"--report={name}={file}" for name, file in _REPORTS.items()] if check else []
    found: dict[str, Any] = {
        "extends": ".gitops-ci",
        "stage": "test",
        "variables": _variables(job.options) | ({"GIT_DEPTH": "0"} if check else {}),
        "script": [shlex.join(["gitops_ci", job.command, *reports, "--", *job.arguments])],
        "artifacts": {"when": "always", "reports": {"dotenv": _DOTENV, **(_REPORTS if check else {})}},
    }
    if not check:
        found["resource_group"] = f"gitops-ci-{job.name}"  # as in the template: one at a time for an environment
    return found


def _variables(options: Mapping[str, str]) -> dict[str, str]:
    """Options by the variables they read; a `$` is doubled, since GitLab would fill something in."""
    return {
        f"GITOPS_CI_{name.upper().replace('-', '_')}": value.replace("$", "$$")
        for name, value in options.items()
        if value
    }
