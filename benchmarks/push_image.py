"""Pushing and copying beside skopeo and docker, and the memory it takes: `python benchmarks/push_image.py [RUNS]`.

A 200 MiB OCI layout of four layers goes to an empty local registry; then an image there gets five more tags; then it
is copied to another registry; then single layers of growing size are pushed. The layers do not compress: what counts is
carrying them. Both programs check every digest. curl sends the same bytes without any check: what the registry itself
takes, which hashes them all.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import requests
from timing import measure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.layouts import LayoutWriter, layer_of
from tests.support.services import Registry, docker_engine, registry

MIB = 1 << 20
TAGS = ("one", "two", "three", "four", "five")
PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
PROGRAM = os.path.join(os.path.dirname(sys.executable), "gitops-ci")


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder, registry(Path(folder, "registry")) as server:
        layout = make_layout(Path(folder, "layout"), [50, 50, 50, 50])
        push(server, layout, runs)
        tag(server, layout, runs)
        with registry(Path(folder, "other")) as other:
            copy(server, other, layout, runs)
        for size in (64, 256, 1024):
            memory(server, make_layout(Path(folder, "one"), [size]), size)
            shutil.rmtree(Path(folder, "one"))


def push(server: Registry, layout: Path, runs: int) -> None:
    ours, theirs, floor = [], [], []
    for run in range(runs + 1):
        to = f"{server.host}/bench/shop-{run}"
        floor.append(measure(uploads(server, layout)))
        empty(server)
        theirs.append(measure(["skopeo", "copy", "--dest-tls-verify=false", f"oci:{layout}:1", f"docker://{to}:1.0.0"]))
        empty(server)
        ours.append(measure([PROGRAM, "image", "push", f"oci:{layout}", "--to", f"{to}:1.0.0", "--quiet"]))
        empty(server)
    report("push 200 MiB", {"gitops-ci": ours[1:], "skopeo copy": theirs[1:], "curl, bytes only": floor[1:]})


def uploads(server: Registry, layout: Path) -> list[str]:
    """One curl that sends all layers at once."""
    command = ["curl", "--silent", "--show-error", "--parallel", "--parallel-immediate"]
    for layer in sorted(layout.glob("blobs/sha256/*"), key=lambda path: -path.stat().st_size)[:4]:
        begun = requests.post(f"{server.url}/v2/bench/floor/blobs/uploads/", timeout=10).headers["Location"]
        command += [
            "--upload-file",
            str(layer),
            "--output",
            os.devnull,
            f"{begun}&digest=sha256:{layer.name}",
            "--next",
        ]
    return command[:-1]


def tag(server: Registry, layout: Path, runs: int) -> None:
    image = f"{server.host}/bench/tagged"
    measure([PROGRAM, "image", "push", f"oci:{layout}", "--to", f"{image}:1.0.0", "--quiet"])
    with docker_engine() as engine:
        docker = {"DOCKER_HOST": engine}
        measure(["docker", "pull", "--quiet", f"{image}:1.0.0"], docker)
        ours, theirs = [], []
        for run in range(runs + 1):
            steps = [
                f"docker tag {image}:1.0.0 {image}:d{name}-{run} && docker push -q {image}:d{name}-{run}"
                for name in TAGS
            ]
            theirs.append(measure(["sh", "-c", " && ".join(steps)], docker))
            ours.append(more_tags(image, run))
    report("five more tags", {"gitops-ci": ours[1:], "docker tag + push": theirs[1:]})


def more_tags(image: str, run: int) -> tuple[float, float]:
    """What five tags more cost the same command: a push of six takes so much longer than a push of one."""
    command = [PROGRAM, "image", "retag", f"{image}:1.0.0", "--quiet"]
    one = measure([*command, f"first-{run}"])
    six = measure([*command, f"again-{run}", *(f"{name}-{run}" for name in TAGS)])
    return six[0] - one[0], six[1] - one[1]


def copy(server: Registry, other: Registry, layout: Path, runs: int) -> None:
    """From one registry to another one, which has nothing of it."""
    image = f"{server.host}/bench/copied:1.0.0"
    measure([PROGRAM, "image", "push", f"oci:{layout}", "--to", image, "--quiet"])
    ours, theirs = [], []
    for run in range(runs + 1):
        to = f"{other.host}/bench/shop-{run}:1.0.0"
        plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
        theirs.append(measure(["skopeo", "copy", *plain, f"docker://{image}", f"docker://{to}"]))
        empty(other)
        ours.append(measure([PROGRAM, "image", "copy", image, to, "--quiet"]))
        empty(other)
    report("copy 200 MiB", {"gitops-ci": ours[1:], "skopeo copy": theirs[1:]})
    most = peak([PROGRAM, "image", "copy", image, f"{other.host}/bench/last:1.0.0", "--quiet"])
    print(f"{'peak memory, a copy of 200 MiB':<42} {most:7.1f} MiB")


def memory(server: Registry, layout: Path, size: int) -> None:
    command = [PROGRAM, "image", "push", f"oci:{layout}", "--to", f"{server.host}/bench/one:1.0.0", "--quiet"]
    print(f"{f'peak memory, a layer of {size} MiB':<42} {peak(command):7.1f} MiB")
    empty(server)


def peak(command: list[str]) -> float:
    """The largest memory of a command in MiB."""
    # By way of a small process: Linux counts what the parent had in memory when the child began.
    way = [sys.executable, "-c", PEAK, *command]
    return int(subprocess.run(way, check=True, capture_output=True, text=True).stdout.split()[-1]) / 1024


def make_layout(folder: Path, sizes: list[int]) -> Path:
    """An OCI layout with a layer of so many MiB for each size."""
    writer = LayoutWriter(folder)
    noise = random.Random(1)
    layers = (layer_of({"data": b"".join(noise.randbytes(MIB) for _ in range(size))}, level=0) for size in sizes)
    writer.tag("1", writer.image(*layers))
    return folder


def empty(server: Registry) -> None:
    """The next push finds nothing there."""
    shutil.rmtree(server.root / "data", ignore_errors=True)


def report(what: str, taken: dict[str, list[tuple[float, float]]]) -> None:
    first = statistics.median(wall for wall, _ in next(iter(taken.values())))
    own = statistics.median(cpu for _, cpu in next(iter(taken.values())))
    for name, times in taken.items():
        wall, cpu = (statistics.median(part) for part in zip(*times, strict=True))
        ratios = f"x {wall / first:.2f} wall  x {cpu / own:.2f} cpu"
        print(f"{what:<16} {name:<18} {wall:7.3f} s wall {cpu:7.3f} s cpu   {ratios}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
