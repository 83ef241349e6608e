"""Finding one image among 100,000 YAML files of 300 B to 20 kB, against `git grep -l -F` over the same tree.

    python benchmarks/find.py [FILES] [RUNS]

Both look through the same bare repository, in turn, in one run. Ours also lists the files, reads those that name the
image and plans the edit; what a clone takes is told apart. The first round has everything in the page cache already.
"""

from __future__ import annotations

import math
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gitops_ci.configrepo import ConfigRepo
from gitops_ci.flows.bump.search import Search, find
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.image.age import AgeComparison
from gitops_ci.flows.image.twins import TagTwins
from gitops_ci.imageref import ImageRef
from gitops_ci.registry.connection import Access
from gitops_ci.repourl import RepoUrl

SMALLEST, LARGEST = 300, 20_000  # bytes
WORDS = ("replicas", "limits", "requests", "memory", "ports", "probe", "labels", "shop", "worker", "acme", "volume")


class Quiet:
    """A log that nobody reads."""

    def step(self, message: str) -> None:
        del message

    detail = warn = step


def files(count: int) -> Iterator[tuple[str, bytes]]:
    """Deployments of as many images as files, filled up with settings; sizes spread evenly over their logarithm."""
    chance = random.Random(7)
    for number in range(count):
        size = int(math.exp(chance.uniform(math.log(SMALLEST), math.log(LARGEST))))
        head = (
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app-{number}}}\nspec:\n  template:\n    spec:\n"
            f"      containers:\n        - name: app\n          image: ghcr.io/acme/app-{number}:1.0.0\n          env:"
        )
        lines, length = [head], len(head)
        while length < size:
            words = chance.choices(WORDS, k=3)
            lines.append(
                f"            - {{name: {words[0].upper()}, value: '{words[1]}-{words[2]}-{chance.random()}'}}"
            )
            length += len(lines[-1]) + 1
        yield f"teams/team-{number % 97}/app-{number}/deployment.yaml", "\n".join([*lines, ""]).encode()


def make(path: Path, count: int) -> int:
    """A bare repository with the files in one commit; their bytes."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
    total = 0
    command = ["git", "-C", str(path), "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        importer.stdin.write(b"commit refs/heads/main\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\n")
        for name, data in files(count):
            importer.stdin.write(b"M 100644 inline %b\ndata %d\n%b\n" % (name.encode(), len(data), data))
            total += len(data)
    assert importer.returncode == 0
    return total


def main(count: int, runs: int) -> None:
    image = ImageRef.parse(f"ghcr.io/acme/app-{count // 2}:2.0.0")
    with tempfile.TemporaryDirectory() as folder:
        total = make(Path(folder, "config.git"), count)
        print(f"{count} files, {total / 1e6:.0f} MB")
        with ConfigRepo(RepoUrl.parse(f"{folder}/config.git"), None, Quiet()) as repo:
            started = time.perf_counter()
            snapshot = repo.fetch("main")
            print(f"fetched in {time.perf_counter() - started:.1f} s")
            grep = ["git", "-C", snapshot.git.path, "grep", "-l", "-F", image.basename, snapshot.commit]
            theirs, ours = [], []
            for _ in range(runs):
                started = time.perf_counter()
                listed = subprocess.run(grep, check=True, capture_output=True).stdout.count(b"\n")
                theirs.append(time.perf_counter() - started)
                started = time.perf_counter()
                found = find(
                    repo,
                    "main",
                    Search((image,)),
                    Environment(""),
                    AgeComparison(Access(), Quiet()),
                    TagTwins(Access(), Quiet()),
                    Quiet(),
                )
                ours.append(time.perf_counter() - started)
                assert listed >= len(found.plan.changes) == 1
    theirs_median, ours_median = statistics.median(theirs), statistics.median(ours)
    print(f"git grep -l -F  {theirs_median:6.2f} s   (medians of {runs})")
    print(f"gitops-ci       {ours_median:6.2f} s   ratio {ours_median / theirs_median:.2f}, target 3")


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*(arguments + [100_000, 5][len(arguments) :]))
