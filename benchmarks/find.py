"""Finding one image among 100,000 YAML files of 300 B to 20 kB, against `git grep -l -F` over the same tree.

    python benchmarks/find.py [FILES] [RUNS] [related|mixed]

With `related` the tree holds releases of Flux with overlays, all of which belong together: three files of each
application hold a version, and two of these have no name. With `mixed` one file in twenty is such a one.

All look through the same bare repository, in turn, in one run: ours, `git grep -l -F` with the name of the image, and
one with the words of every kind of relation, too, which is the least that finds a version without its name. Ours also
lists the files, reads those that name the image and plans the edit; what a clone takes is told apart. The first round
has everything in the page cache already.
"""

from __future__ import annotations

import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gitops_ci.configrepo import ConfigRepo, Snapshot
from gitops_ci.flows.bump import encodings
from gitops_ci.flows.bump.search import Search, find
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.image.age import AgeComparison
from gitops_ci.flows.image.twins import TagTwins
from gitops_ci.imageref import ImageRef
from gitops_ci.plan import RELATIONS
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


def related_files(count: int) -> Iterator[tuple[str, bytes]]:
    """Nine files for each application: a release, a deployment, two overlays, and what deploys these."""
    chance = random.Random(7)
    for number in range(count // 9):
        folder = f"apps/team-{number % 97}/app-{number}"
        name, values = (
            f"metadata: {{name: app-{number}}}",
            f"image: {{repository: ghcr.io/acme/app-{number}, tag: 1.0.0}}",
        )
        env = "\n".join(f"      - {{name: V{at}, value: '{chance.random()}'}}" for at in range(chance.randint(5, 120)))
        flux = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease"
        release = f"{flux}\n{name}\nspec:\n  interval: 5m\n  values:\n    {values}\n    env:\n{env}\n"
        yield f"{folder}/base/release.yaml", release.encode()
        yield (
            f"{folder}/base/settings.yaml",
            f"apiVersion: v1\nkind: ConfigMap\n{name}\ndata:\n  x: |\n{env}\n".encode(),
        )
        yield f"{folder}/base/kustomization.yaml", b"resources:\n  - settings.yaml\n  - release.yaml\n"
        for place in ("staging", "production"):
            built = f"resources:\n  - ../base\npatches:\n  - path: patch.yaml\nnamespace: {place}\n"
            yield f"{folder}/{place}/kustomization.yaml", built.encode()
            patch = f"{flux}\n{name}\nspec:\n  values:\n    image: {{tag: 1.0.0}}\n    env:\n{env}\n"
            yield f"{folder}/{place}/patch.yaml", patch.encode()
            deployed = f"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n{name}\n"
            spec = f"spec:\n  path: ./{folder}/{place}\n  postBuild: {{substitute: {{env: {place}}}}}\n"
            yield f"clusters/{place}/app-{number}.yaml", (deployed + spec).encode()


def mixed_files(count: int) -> Iterator[tuple[str, bytes]]:
    """Nineteen deployments for each file of releases with overlays."""
    yield from files(count - count // 20)
    for path, data in related_files(count // 20):
        yield path, data.replace(b"app-", b"release-")


def make(path: Path, made: Iterable[tuple[str, bytes]]) -> int:
    """A bare repository with the files in one commit; their bytes."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
    total = 0
    command = ["git", "-C", str(path), "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        importer.stdin.write(b"commit refs/heads/main\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\n")
        for name, data in made:
            importer.stdin.write(b"M 100644 inline %b\ndata %d\n%b\n" % (name.encode(), len(data), data))
            total += len(data)
    assert importer.returncode == 0
    return total


TREES = {
    "": (files, "app", 2),
    "related": (related_files, "app", 18),
    "mixed": (mixed_files, "release", 20 * 18),
}


def grep(snapshot: Snapshot, words: Iterable[str]) -> int:
    """How many files have one of the words."""
    command = ["git", "-C", snapshot.git.path, "grep", "-l", "-a", "-F", "-f", "-", snapshot.commit]
    patterns = "".join(f"{word}\n" for word in words).encode("utf-8", "surrogateescape")
    return subprocess.run(command, input=patterns, check=True, capture_output=True).stdout.count(b"\n")


def timed(work: Callable[[], int]) -> tuple[int, float, float]:
    """What work answers, and its wall and CPU seconds, children included."""
    before, started = os.times(), time.perf_counter()
    answer = work()
    after, wall = os.times(), time.perf_counter() - started
    return answer, wall, sum(after[:4]) - sum(before[:4])


def main(count: int, runs: int, tree: str) -> None:
    made, name, share = TREES[tree]
    image = ImageRef.parse(f"ghcr.io/acme/{name}-{count // share}:2.0.0")
    with tempfile.TemporaryDirectory() as folder:
        total = make(Path(folder, "config.git"), made(count))
        print(f"{count} files, {total / 1e6:.0f} MB")
        with ConfigRepo(RepoUrl.parse(f"{folder}/config.git"), None, Quiet()) as repo:
            started = time.perf_counter()
            snapshot = repo.fetch("main")
            print(f"fetched in {time.perf_counter() - started:.1f} s")

            def ours() -> int:
                ages, twins = AgeComparison(Access(), Quiet()), TagTwins(Access(), Quiet())
                found = find(repo, "main", Search((image,)), Environment(""), ages, twins, Quiet())
                return len(found.plan.changes)

            every = (image.basename, *encodings.MARKS, *RELATIONS)
            works = {
                "gitops-ci": ours,
                "git grep, the image": lambda: grep(snapshot, [image.basename]),
                "git grep, relations": lambda: grep(snapshot, every),
            }
            taken: dict[str, list[tuple[int, float, float]]] = {title: [] for title in works}
            for _ in range(runs):
                for title, work in works.items():
                    taken[title].append(timed(work))
            assert taken["gitops-ci"][0][0] == (3 if tree else 1)
    ours_cpu = statistics.median(cpu for _, _, cpu in taken["gitops-ci"])
    for title, times in taken.items():
        wall, cpu = (statistics.median(time[at] for time in times) for at in (1, 2))
        print(f"{title:<20} {times[0][0]:7} {wall:6.2f} s wall {cpu:6.2f} s CPU   gitops-ci takes {ours_cpu / cpu:.2f}")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    count, runs = numbers + [100_000, 5][len(numbers) :]
    main(count, runs, next((tree for tree in TREES if tree and tree in sys.argv), ""))
