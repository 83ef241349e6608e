"""The linter of workflows, actionlint."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.go_program import go_program

__all__ = ["actionlint"]


def actionlint(*paths: Path) -> list[dict[str, Any]]:
    """The findings in workflows, each with message, filepath, line and kind."""
    program = go_program("github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12")
    command = [str(program), "-format", "{{json .}}", "-shellcheck=", "-pyflakes=", *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in {0, 1}, run.stderr
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found
