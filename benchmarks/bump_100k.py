"""One bump, pushed, in a repository of 100,000 files and 2,000 commits over HTTP, where its path is known.

    python benchmarks/bump_100k.py [RUNS]

5,000 apps with 20 files each, six folders deep. The server is `git http-backend` on this machine: its own work is in
the wall time and not in the CPU time.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from timing import measure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.git_http import git_server

APPS, REGIONS, BESIDE = 5000, ("eu", "us", "ap", "sa"), ("patch", "config", "values", "route")


def files() -> dict[str, str]:
    """Everything that the repository holds."""
    found = {}
    for n in range(APPS):
        for region in REGIONS:
            folder = f"clusters/{region}/teams/team-{n % 50}/app-{n}/live"
            image = f"images:\n  - name: ghcr.io/acme/app-{n}\n    newTag: 1.0.0 # bumped by CI\n"
            found[f"{folder}/kustomization.yaml"] = f"resources: [../../../../../../base]\n{image}"
            for kind in BESIDE:
                found[f"{folder}/{kind}.yaml"] = f"# {kind} of app {n} in {region}\nreplicas: {n % 7}\n"
    return found


def main(runs: int) -> None:
    program = os.path.join(os.path.dirname(sys.executable), "gitops-ci")
    with tempfile.TemporaryDirectory() as folder, git_server(Path(folder)) as server:
        started = time.perf_counter()
        everything = files()
        server.make_repo("acme/config", everything, history=2000)
        print(f"{len(everything)} files made in {time.perf_counter() - started:.0f} s")
        taken, received, requests = [], 0, 0
        for run in range(runs + 1):
            command = [program, "bump", f"ghcr.io/acme/app-2500:1.0.{run + 1}", "--mode", "push", "--quiet"]
            command += ["--path", "clusters/eu/teams/team-0/app-2500/live/kustomization.yaml"]
            command += ["--config-repo", server.url_of("acme/config")]
            sent, seen = server.sent, len(server.requests)
            times = measure(command, {"GITOPS_CI_TOKEN": server.token})
            received, requests = server.sent - sent, len(server.requests) - seen
            if run:
                taken.append(times)
    wall = [w for w, _ in taken]
    cpu = [c for _, c in taken]
    print(f"wall s  min {min(wall):.2f}  median {statistics.median(wall):.2f}  max {max(wall):.2f}")
    print(f"cpu s   min {min(cpu):.2f}  median {statistics.median(cpu):.2f}  max {max(cpu):.2f}")
    print(f"received {received / 1000:.1f} kB in {requests} requests")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
