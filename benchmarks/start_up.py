"""How long the program takes to start: `python benchmarks/start_up.py`."""

from __future__ import annotations

import os
import sys

from timing import compare

PROGRAM = os.path.join(os.path.dirname(sys.executable), "gitops-ci")

compare(
    {
        "python -c pass": [sys.executable, "-c", "pass"],
        "gitops-ci --version": [PROGRAM, "--version"],
        "gitops-ci --help": [PROGRAM, "--help"],
        "gitops-ci bump --help": [PROGRAM, "bump", "--help"],
    },
    runs=15,
)
