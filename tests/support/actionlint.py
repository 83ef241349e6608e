"""The linter of workflows: actionlint, built once from its Go module in the version named here."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support import CHECKOUT, missing

__all__ = ["actionlint"]

_VERSION = "v1.7.12"


def actionlint(*paths: Path) -> list[dict[str, Any]]:
    """The findings in workflows, each with message, filepath, line and kind."""
    command = [str(_installed()), "-format", "{{json .}}", "-shellcheck=", "-pyflakes=", *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in {0, 1}, run.stderr
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def _installed() -> Path:
    folder = CHECKOUT / ".cache" / "actionlint" / _VERSION
    program = folder / "actionlint"
    if program.exists():
        return program
    if shutil.which("go") is None:
        missing("actionlint is built with Go, which is not on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not program.exists():
            module = f"github.com/rhysd/actionlint/cmd/actionlint@{_VERSION}"
            run = subprocess.run(
                ["go", "install", module],
                env=os.environ | {"GOBIN": str(folder), "GOFLAGS": "-mod=mod"},
                capture_output=True,
                text=True,
                check=False,
            )
            if run.returncode != 0:
                missing(f"go could not install actionlint: {run.stderr.strip()[-300:]}")
    return program
