"""An outcome's way out: stdout, report files, and what the CI provider reads."""

from __future__ import annotations

import os
import sys

from gitops_ci.ci import detect
from gitops_ci.cli.options import Output
from gitops_ci.errors import UsageError
from gitops_ci.model import Outcome
from gitops_ci.secret import mask

__all__ = ["publish"]


def publish(outcome: Outcome, output: Output) -> None:
    """Print the report, write the report files, and hand the results to the CI provider."""
    from gitops_ci.reporting import REPORTERS

    text = REPORTERS[output.format].report(outcome)
    if text:
        sys.stdout.write(mask(text if text.endswith("\n") else text + "\n"))
        sys.stdout.flush()
    for report in output.reports:
        _write(report.path, REPORTERS[report.format].report(outcome))
    provider = detect(os.environ).provider
    if provider in {"github", "gitea"}:
        _github(outcome)
    elif provider == "gitlab":
        _gitlab(outcome)


def _github(outcome: Outcome) -> None:
    from secrets import token_hex

    from gitops_ci.reporting import github

    # Annotations are commands read from the log; stdout may be the JSON document, so they go to stderr.
    sys.stderr.write(mask(github.report(outcome)))
    sys.stderr.flush()
    if path := os.environ.get("GITHUB_OUTPUT"):
        _append(path, github.output_file(github.outputs(outcome), f"gitops-ci-{token_hex(16)}"))
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(path, github.step_summary(outcome))


def _gitlab(outcome: Outcome) -> None:
    from gitops_ci.reporting import gitlab

    path = os.environ.get("GITOPS_CI_DOTENV") or "gitops-ci.env"
    _write(path, gitlab.dotenv(outcome))


def _write(path: str, text: str) -> None:
    folder = os.path.dirname(path)
    try:
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(mask(text))
    except OSError as error:
        raise UsageError(f"The report {path} cannot be written: {error.strerror}") from error


def _append(path: str, text: str) -> None:
    with open(path, "a", encoding="utf-8", newline="") as file:
        file.write(mask(text))
