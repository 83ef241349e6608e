"""How many instructions a start takes, by valgrind: a count that does not depend on what else the machine does.

`python benchmarks/instructions.py [FOLDER OF A CHECKOUT]`; `apt-get install valgrind`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: ghcr.io/acme/shop:1.4.1
"""
PROGRAM = ("-m", "gitops_ci")
COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "gitops-ci --version": (*PROGRAM, "--version"),
    "gitops-ci bump --help": (*PROGRAM, "bump", "--help"),
    "gitops-ci release --help": (*PROGRAM, "release", "--help"),
    "gitops-ci validate, one small file": (*PROGRAM, "validate", "shop.yaml"),
}


def count(arguments: tuple[str, ...], folder: str) -> int:
    environment = {**os.environ, "PYTHONPATH": CHECKOUT}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    program = [sys.executable, *arguments]
    subprocess.run(program, cwd=folder, env=environment, capture_output=True, check=True)  # compiles the modules
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*valgrind, *program], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found
    return int(found[1])


with tempfile.TemporaryDirectory() as folder:
    Path(folder, "shop.yaml").write_text(MANIFEST)
    counts = {name: count(arguments, folder) for name, arguments in COMMANDS.items()}
least = counts["python -c pass"]
for name, instructions in counts.items():
    print(f"{name:36} {instructions / 1e6:6.0f} million  {instructions / least:4.1f} times `python -c pass`")
