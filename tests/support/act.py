"""Run a workflow as GitHub's runner would: act in self-hosted mode, on this machine, offline.

`uses: acme/gitops-ci@v1` is mapped to this checkout; `uses: actions/checkout@...` is act's own copy of the work tree.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import dev_tool

__all__ = ["Annotation", "Run", "act"]


@dataclass(frozen=True)
class Annotation:
    """A workflow command that GitHub shows at a line of a file."""

    level: str
    message: str
    file: str = ""
    line: int = 0
    title: str = ""


@dataclass(frozen=True)
class Run:
    """What a workflow run did, read from act's log of JSON lines."""

    succeeded: bool
    events: tuple[Mapping[str, Any], ...]
    stderr: str

    def outputs(self, step: str) -> dict[str, str]:
        """The outputs of a step of the workflow."""
        return {
            str(event["name"]): str(event.get("arg", ""))
            for event in self.events
            if event.get("command") == "set-output" and event.get("stepID") == [step]
        }

    @property
    def results(self) -> dict[str, str]:
        """How each step of the workflow that has an id of its own ended: `success`, `failure`, `skipped`."""
        return {
            event["stepID"][0]: event["stepResult"]
            for event in self.events
            if "stepResult" in event
            and event.get("stage") == "Main"
            and len(event["stepID"]) == 1
            and not event["stepID"][0].isdigit()
        }

    @property
    def annotations(self) -> list[Annotation]:
        return [
            Annotation(
                event["command"],
                event.get("arg", ""),
                event["kvPairs"].get("file", ""),
                int(event["kvPairs"].get("line", 0)),
                event["kvPairs"].get("title", ""),
            )
            for event in self.events
            if event.get("command") in {"error", "warning", "notice"} and "kvPairs" in event
        ]

    @property
    def commands(self) -> set[str]:
        """Names of the workflow commands that were obeyed: `error`, `set-output`, `summary`, `add-path`, ..."""
        return {event["command"] for event in self.events if "command" in event}

    @property
    def summary(self) -> str:
        return "".join(event["content"] for event in self.events if event.get("command") == "summary")

    @property
    def log(self) -> str:
        """Everything that steps printed."""
        return "".join(event["msg"] for event in self.events if event.get("raw_output"))

    def seconds(self, step: str) -> float:
        """How long a step of the workflow took."""
        return max(
            event["executionTime"] / 1e9
            for event in self.events
            if event.get("stepID") == [step] and "executionTime" in event
        )

    def __str__(self) -> str:
        return "".join(event.get("msg", "").rstrip("\n") + "\n" for event in self.events) + self.stderr


def act(
    checkout: Path,
    project: Path,
    home: Path,
    *,
    event: str = "push",
    payload: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    actions: Mapping[str, Path] | None = None,
    timeout: float = 180,
) -> Run:
    """Run the workflows of `checkout` for an event, with `project` as the action; caches live in `home`.

    `actions` are folders for further `owner/name@ref`.
    """
    home.mkdir(parents=True, exist_ok=True)
    command = [dev_tool("act"), event, "--json", "-P", "ubuntu-latest=-self-hosted", "--action-offline-mode"]
    for name, folder in {"acme/gitops-ci@v1": project, **(actions or {})}.items():
        command += ["--local-repository", f"{name}={folder}"]
    if payload is not None:
        (home / "event.json").write_text(json.dumps(payload))
        command += ["-e", str(home / "event.json")]
    # As files: a secret in a command line is for everyone to read.
    for option, values in (("--env-file", env), ("--secret-file", secrets)):
        path = home / option.strip("-")
        path.write_text("".join(f"{key}={json.dumps(value)}\n" for key, value in (values or {}).items()))
        command += [option, str(path)]
    # How pip is set up is said in `home`.
    machine = {key: value for key, value in os.environ.items() if key.startswith(("PATH", "LC_", "SSL_"))}
    run = subprocess.run(
        command,
        cwd=checkout,
        env={**machine, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    events = tuple(json.loads(line) for line in run.stdout.splitlines() if line.startswith("{"))
    return Run(run.returncode == 0, events, run.stderr)
