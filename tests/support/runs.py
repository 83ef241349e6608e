"""The real program in processes of its own: many at once, stopped, killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Done", "finish", "start"]

Done = tuple[int, str]


def start(folder: Path, *arguments: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start `gitops-ci` in `folder`, as the first process of a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "gitops_ci", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], seconds: float = 120) -> Done:
    """Wait for its end: exit code and output."""
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output
