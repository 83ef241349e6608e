"""One bump, and 1,000 images in one bump, pushed, in a repository of 5,000 files and 2,000 commits over HTTP.

    python benchmarks/bump_large_repository.py [RUNS]

The server is `git http-backend` on this machine: its own work is in the wall time and not in the CPU time.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from timing import measure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.git_http import git_server

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
spec:
  selector:
    matchLabels: {{app: app-{n}}}
  template:
    metadata:
      labels: {{app: app-{n}}}
    spec:
      containers:
        - name: app
          image: ghcr.io/acme/app-{n}:1.0.0 # bumped by CI
"""
PORTS = "spec:\n  ports: [{port: 80}]\n"


def files() -> dict[str, str]:
    """1,000 apps of 5 files each."""
    found = {}
    for n in range(1000):
        folder = f"apps/team-{n % 20}/app-{n}"
        found[f"{folder}/deployment.yaml"] = DEPLOYMENT.format(n=n)
        found[f"{folder}/kustomization.yaml"] = "resources: [deployment.yaml, service.yaml]\n"
        found[f"{folder}/service.yaml"] = f"apiVersion: v1\nkind: Service\nmetadata:\n  name: app-{n}\n{PORTS}"
        found[f"{folder}/config.yaml"] = "apiVersion: v1\nkind: ConfigMap\n" + f"data: {{n: '{n}'}}\n"
        found[f"{folder}/values.yaml"] = f"replicas: {n % 7}\nname: app-{n}\n"
    return found


def main(runs: int) -> None:
    program = os.path.join(os.path.dirname(sys.executable), "gitops-ci")
    with tempfile.TemporaryDirectory() as folder, git_server(Path(folder)) as server:
        server.make_repo("acme/config", files(), history=2000)
        environment = {"GITOPS_CI_TOKEN": server.token}
        url = server.url_of("acme/config")
        for title, images in (("one image", 1), ("1,000 images", 1000)):
            taken, received = [], 0
            for run in range(runs + 1):
                listed = Path(folder) / "images.yaml"
                listed.write_text("".join(f"- ghcr.io/acme/app-{n}:{images}.0.{run + 1}\n" for n in range(images)))
                command = [
                    program,
                    "bump",
                    "--from-file",
                    str(listed),
                    "--mode",
                    "push",
                    "--quiet",
                    "--config-repo",
                    url,
                ]
                before = server.sent
                times = measure(command, environment)
                received = server.sent - before
                if run:
                    taken.append(times)
            walls, cpus = [w for w, _ in taken], [c for _, c in taken]
            print(f"{title}: received {received / 1000:.0f} kB")
            for name, values in (("wall", walls), ("cpu", cpus)):
                middle = statistics.median(values)
                print(f"  {name:4} s  min {min(values):.2f}  median {middle:.2f}  max {max(values):.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
