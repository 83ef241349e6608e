"""Programs that tests use and that nobody packages: built once from their Go module, in the version that is named."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from tests.support import CHECKOUT, missing

__all__ = ["go_program"]


def go_program(module: str, version: str) -> Path:
    """The path of the program, without links to libraries: `module` is that of its main package."""
    name = next(part for part in reversed(module.split("/")) if not part.removeprefix("v").isdecimal())
    folder = CHECKOUT / ".cache" / "go" / name / version
    program = folder / name
    if program.exists():
        return program
    if shutil.which("go") is None:
        missing(f"{name} is built with Go, which is not on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not program.exists():
            run = subprocess.run(
                ["go", "install", "-ldflags=-s -w", f"{module}@{version}"],
                env=os.environ | {"GOBIN": str(folder), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"},
                capture_output=True,
                text=True,
                check=False,
            )
            if run.returncode != 0:
                missing(f"go could not install {name}: {run.stderr.strip()[-300:]}")
    return program
