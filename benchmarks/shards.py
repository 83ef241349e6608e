"""One validation of a very large repository as 1, 2 and 4 jobs, each alone on the machine as on a runner of its own.

    python benchmarks/shards.py [MANIFESTS]

What the slowest job takes is what a person waits for, what all take together is what is paid for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from manifests import write_apps

PROGRAM = os.path.join(os.path.dirname(sys.executable), "gitops-ci")
JOBS = (1, 2, 4)


@dataclass(frozen=True)
class Ran:
    """Wall and CPU seconds of a command, the memory of its largest process in MiB, what it printed."""

    wall: float
    cpu: float
    memory: float
    output: str


def ran(folder: Path, arguments: Sequence[str]) -> Ran:
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        child = subprocess.Popen([PROGRAM, *arguments], cwd=folder, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{text[-2000:]}")
    return Ran(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def main(manifests: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_apps(folder, manifests)
        print(f"{manifests:,} manifests in as many files, {size / 1e6:.0f} MB, {os.cpu_count()} processors")
        planned = ran(folder, ["plan", "--quiet"])
        said = planned.output.strip().splitlines()[-1]
        print(f"plan {planned.wall:.1f} s wall {planned.cpu:.1f} s CPU {planned.memory:.0f} MiB: {said}")
        heads = ("jobs", "slowest s", "speed-up", "CPU s of all", "most MiB", "manifests a job")
        print("".join(f"{head:>16}" for head in heads))
        alone = 0.0
        for jobs in JOBS:
            shares = [ran(folder, validate(f"{number}/{jobs}")) for number in range(1, jobs + 1)]
            counts = [json.loads(share.output)["summary"]["documents"] for share in shares]
            if sum(counts) != manifests:
                raise SystemExit(f"{jobs} jobs checked {sum(counts)} manifests of {manifests}")
            slowest = max(share.wall for share in shares)
            alone = alone or slowest
            cpu, memory = sum(share.cpu for share in shares), max(share.memory for share in shares)
            counted = f"{min(counts)} to {max(counts)}"
            print(f"{jobs:16}{slowest:16.1f}{alone / slowest:16.2f}{cpu:16.1f}{memory:16.0f}{counted:>18}")


def validate(shard: str) -> list[str]:
    return ["validate", "--shard", shard, "--skip-rules", "repo/plain-secret", "--output", "json", "--quiet"]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
