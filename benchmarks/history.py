"""`history --since all` over a long history of bumps, beside `git log --raw` of the same repository.

    python benchmarks/history.py [COMMITS]

Two environments with fifty images each; each commit brings one image to its next version in one environment.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import compare

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: {name}
          image: ghcr.io/acme/{name}:1.{version}.0
"""
SETTINGS = "environments:\n  staging: {paths: ['envs/staging/**']}\n  production: {paths: ['envs/production/**']}\n"
ENVIRONMENTS, IMAGES = ("staging", "production"), [f"app{number}" for number in range(50)]


def fill(folder: Path, commits: int) -> None:
    """A bare repository with so many commits."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True)
    draw, versions = random.Random(1), {(where, name): 0 for where in ENVIRONMENTS for name in IMAGES}
    with subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None

        def data(text: str) -> bytes:
            return b"data %d\n%b\n" % (len(text.encode()), text.encode())

        for number in range(commits):
            place = draw.choice(ENVIRONMENTS), draw.choice(IMAGES)
            versions[place] += 1
            files = {f"envs/{where}/{name}.yaml": (name, version) for (where, name), version in versions.items()}
            path = "envs/{}/{}.yaml".format(*place)
            who = b"committer bot <bot@example.com> %d +0000\n" % (1_700_000_000 + number * 60)
            message = f"Bump\n\nImage: ghcr.io/acme/{place[1]}:1.{versions[place]}.0\n"
            importer.stdin.write(b"commit refs/heads/main\n" + who + data(message))
            for file in files if number == 0 else (path,):
                name, version = files[file]
                text = DEPLOYMENT.format(name=name, version=version)
                importer.stdin.write(f"M 100644 inline {file}\n".encode() + data(text))
            if number == 0:
                importer.stdin.write(b"M 100644 inline .gitops-ci.yaml\n" + data(SETTINGS))


def main(commits: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder, "config.git")
        fill(repository, commits)
        log = ["git", "-C", str(repository), "log", "--first-parent", "--raw", "--no-abbrev", "main"]
        url = f"file://{repository}"
        ours = [sys.executable, "-m", "gitops_ci", "history", "--config-repo", url, "--since", "all", "--limit", "1"]
        compare({"git log --raw": log, "gitops-ci history": ours}, runs=3)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
