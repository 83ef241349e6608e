"""Run commands in turn and compare them: wall and CPU seconds of whole processes, medians and ratios.

Users run what pip has compiled. Where this shell forbids Python to write bytecode, every start would compile the
checkout again: programs started from here may write it, and a first run that is not counted does.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence

__all__ = ["compare", "measure"]

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[float, float]:
    """Wall and CPU seconds of one run, children included; raises when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, check=False)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.decode(errors='replace')}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(commands: Mapping[str, Sequence[str]], runs: int = 7) -> None:
    """Run all commands in turn `runs` times after one warm-up, and print medians and ratios to the first."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            taken = measure(command)
            if number:
                times[name].append(taken)
    first = statistics.median(wall for wall, _ in next(iter(times.values())))
    print(f"{'command':<28} {'wall ms':>9} {'cpu ms':>9} {'ratio':>7}   (medians of {runs})")
    for name, taken in times.items():
        wall = statistics.median(w for w, _ in taken)
        cpu = statistics.median(c for _, c in taken)
        print(f"{name:<28} {wall * 1000:9.1f} {cpu * 1000:9.1f} {wall / first:7.2f}")
