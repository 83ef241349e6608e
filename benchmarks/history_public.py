"""The deployments of alphagov/govuk-helm-charts by `history`, and by a count of `git log -p` that shares no code.

    python benchmarks/history_public.py CLONE

The tag stands alone in a file that is named like the application, so a rule of `pointers:` says which image it is of.
Prints both counts, and of each environment for how many rollbacks `previous` is the version that was chosen.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from gitops_ci.configrepo import LogEntry
from gitops_ci.flows.history.sites import Use
from gitops_ci.flows.history.timeline import Timeline

TAGS = "charts/app-config/image-tags"
ENVIRONMENTS = ("integration", "staging", "production")
SETTINGS = "environments:\n" + "".join(f"  {name}: {{paths: ['{TAGS}/{name}/**']}}\n" for name in ENVIRONMENTS)
SETTINGS += (
    f"pointers:\n  - {{file: '{TAGS}/{{environment}}/{{name}}', at: $.image_tag, image: 'ghcr.io/alphagov/{{name}}'}}\n"
)


def counted(clone: str) -> dict[str, Counter[str]]:
    """Changes of `image_tag:` lines by environment and kind."""
    log = ["log", "--first-parent", "-m", "--reverse", "--no-renames", "--format=C %H", "-p", "-U0", "HEAD", "--", TAGS]
    found: dict[str, Counter[str]] = defaultdict(Counter)
    seen: dict[str, dict[str, int]] = defaultdict(dict)
    path, old, new = "", "", ""

    def close() -> None:
        nonlocal old, new
        if path and old != new:
            first, count = seen[path], found[path.split("/")[3]]
            kind = "add" if not old else "remove" if not new else "deploy"
            if kind == "deploy" and new in first:
                kind = "rollback" if first[new] < first.get(old, len(first)) else "redeploy"
            count[kind] += 1
            if new:
                first.setdefault(new, len(first))
        old = new = ""

    with subprocess.Popen(["git", "-C", clone, *log], stdout=subprocess.PIPE, text=True, errors="replace") as git:
        assert git.stdout is not None
        for line in git.stdout:
            if line.startswith(("C ", "diff --git ")):
                close()
                path = line.rstrip().rpartition(" b/")[2] if line.startswith("diff") else ""
            elif line.startswith("-image_tag:"):
                old = line.partition(":")[2].strip().strip("\"'")
            elif line.startswith("+image_tag:"):
                new = line.partition(":")[2].strip().strip("\"'")
    close()
    return found


def reported(clone: str) -> list[dict[str, Any]]:
    """What `history` reports, oldest first."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, ".gitops-ci.yaml").write_text(SETTINGS)
        command = [sys.executable, "-m", "gitops_ci", "history", "--config-repo", f"file://{Path(clone).resolve()}"]
        command += ["--since", "all", "--limit", "0", "--deadline", "3600", "--output", "json"]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
        print(f"history: {time.perf_counter() - started:.0f} s")
    return list(reversed(json.loads(done.stdout)["deployments"]))


def previous(deployments: list[dict[str, Any]], environment: str) -> tuple[int, int]:
    """For how many rollbacks the version before is the one that was chosen, and for how many it is on the stack."""
    timeline, before, there = Timeline(environment), 0, 0
    for one in deployments:
        if one["environment"] != environment:
            continue
        if one["kind"] == "rollback":
            stack = [version.name for version in timeline.stack(one["image"])]
            before += len(stack) > 1 and stack[-2] == one["to"]
            there += one["to"] in stack
        uses = ([Use(one["image"], tag, None, 1)] if tag else [] for tag in (one["from"], one["to"]))
        timeline.apply(LogEntry(one["commit"], (), 0, "", "", "", (), is_cut=False), "", [(next(uses), next(uses))])
    return before, there


def main(clone: str) -> None:
    deployments, independent = reported(clone), counted(clone)
    for name in ENVIRONMENTS:
        kinds = Counter(one["kind"] for one in deployments if one["environment"] == name)
        kinds["deploy"] += kinds.pop("promote", 0)
        before, there = previous(deployments, name)
        same = "the same" if kinds == independent[name] else f"differs: {dict(independent[name])}"
        print(f"{name}: {dict(kinds)}; counted apart: {same}; previous {before}, on the stack {there}")


if __name__ == "__main__":
    main(sys.argv[1])
