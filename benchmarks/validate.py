"""Validation of 10,000 documents, and of one: `python benchmarks/validate.py [RUNS]`.

`KUBECONFORM=/path/of/kubeconform` runs it side by side on the same schemas, written where it reads them fastest;
`KUBECONFORM_SCHEMAS=TEMPLATE` gives it another -schema-location. It judges by schemas only, as the first of our rows.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from kubeconform_schemas import write_schemas
from manifests import write
from timing import compare

VERSION = "1.33"
PROGRAM = os.path.join(os.path.dirname(sys.executable), "gitops-ci")


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        corpus, one = Path(folder, "corpus"), Path(folder, "one")
        size = write(corpus, 2000)
        write(one, 1)
        schemas = os.environ.get("KUBECONFORM_SCHEMAS") or write_schemas(Path(folder, "schemas"), VERSION)
        print(f"10,000 documents, {size / 1e6:.1f} MB, {os.cpu_count()} processors")
        compare(commands(corpus, schemas), runs)
        for name, command in commands(corpus, schemas).items():
            print(
                f"{name:<28} {peak(command) / 1024:9.0f} MiB at most in one process, {whole(command) / 1024:.0f} in all"
            )
        print("\none file of five documents")
        compare({"python -c pass": [sys.executable, "-c", "pass"], **commands(one, schemas)}, runs)


def commands(folder: Path, schemas: str) -> dict[str, Sequence[str]]:
    ours = [PROGRAM, "validate", str(folder), "--kubernetes-version", VERSION, "--quiet"]
    found: dict[str, Sequence[str]] = {}
    if theirs := os.environ.get("KUBECONFORM"):
        command = [theirs, "-strict", "-summary", "-kubernetes-version", f"{VERSION}.0", "-schema-location", schemas]
        found["kubeconform"] = [*command, str(folder)]
    found["validate, schemas only"] = [*ours, "--rules", "yaml/*", "--rules", "schema/*"]
    found["validate"] = ours
    return found


def peak(command: Sequence[str]) -> int:
    """The largest memory of one process of a run, in KiB."""
    _, _, usage = os.wait4(_started(command), 0)
    return usage.ru_maxrss


def whole(command: Sequence[str]) -> int:
    """The largest memory of a run and the processes it starts, pages that they share counted once, in KiB (Linux)."""
    pid, most = _started(command), 0
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        most = max(most, sum(map(_proportional, _family(pid))))
        time.sleep(0.02)
    return most


def _started(command: Sequence[str]) -> int:
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, 1, 2)]
    return os.posix_spawn(command[0], command, os.environ, file_actions=silent)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *(member for child in children for member in _family(int(child)))]


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
