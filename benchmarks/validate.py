"""Validation of 10,000 documents, and of one: `python benchmarks/validate.py [RUNS]`.

`KUBECONFORM=/path/of/kubeconform` runs it side by side, and `KUBECONFORM_SCHEMAS=TEMPLATE` is its -schema-location (a
folder with the schemas, so that it fetches nothing). It judges by schemas only, as the first of our rows does.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from manifests import write
from timing import compare

VERSION = "1.33"
PROGRAM = os.path.join(os.path.dirname(sys.executable), "gitops-ci")


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        corpus, one = Path(folder, "corpus"), Path(folder, "one")
        size = write(corpus, 2000)
        write(one, 1)
        print(f"10,000 documents, {size / 1e6:.1f} MB, {os.cpu_count()} processors")
        compare(commands(corpus), runs)
        for name, command in commands(corpus).items():
            print(f"{name:<28} {peak(command) / 1024:9.0f} MiB at most in one process")
        print("\none file of five documents")
        compare({"python -c pass": [sys.executable, "-c", "pass"], **commands(one)}, runs)


def commands(folder: Path) -> dict[str, Sequence[str]]:
    ours = [PROGRAM, "validate", str(folder), "--kubernetes-version", VERSION, "--quiet"]
    found: dict[str, Sequence[str]] = {}
    if theirs := os.environ.get("KUBECONFORM"):
        command = [theirs, "-strict", "-summary", "-kubernetes-version", f"{VERSION}.0"]
        if schemas := os.environ.get("KUBECONFORM_SCHEMAS"):
            command += ["-schema-location", schemas]
        found["kubeconform"] = [*command, str(folder)]
    found["validate, schemas only"] = [*ours, "--rules", "yaml/*", "--rules", "schema/*"]
    found["validate"] = ours
    return found


def peak(command: Sequence[str]) -> int:
    """The largest memory of one run, in KiB."""
    child = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, 1, 2)],
    )
    _, _, usage = os.wait4(child, 0)
    return usage.ru_maxrss


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
