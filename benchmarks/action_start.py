"""How long a step of the GitHub action takes until it has done a small job: `python benchmarks/action_start.py`.

act runs a workflow that uses the action twice to validate one manifest. Cold is a runner with nothing, warm one with
pip's package cache; the second use of a job finds the packages where the first one put them.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.act import act
from tests.support.workspace import export_project, make_checkout

STEP = "      - {id: %s, uses: acme/gitops-ci@v1, with: {command: validate, paths: apps}}\n"
WORKFLOW = "on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n"
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {a: b}\n"
RUNS = 5


def main() -> None:
    times: dict[str, list[float]] = {"cold": [], "warm": [], "second use": []}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        project = export_project(root / "project")
        files = {".github/workflows/ci.yml": WORKFLOW + STEP % "first" + STEP % "second", "apps/a.yaml": MANIFEST}
        checkout = make_checkout(root / "checkout", files, origin="https://github.com/acme/shop.git")
        for _ in range(RUNS):
            home = root / "home"
            shutil.rmtree(home, ignore_errors=True)
            for kind in ("cold", "warm"):
                shutil.rmtree(home / ".cache" / "act", ignore_errors=True)
                run = act(checkout, project, home)
                if not run.succeeded:
                    raise SystemExit(str(run))
                times[kind].append(run.seconds("first"))
                times["second use"].append(run.seconds("second"))
    for kind, taken in times.items():
        print(f"{kind:<12} {statistics.median(taken):6.2f} s   (median of {len(taken)}, {os.cpu_count()} cores)")


if __name__ == "__main__":
    main()
