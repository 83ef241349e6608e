"""`diff` over 198 Applications that a chart writes, four Applications, and 250 kustomizations.

    python benchmarks/diff.py [RUNS]

A chart of Applications with values for three environments, each Application with inline values of one chart beside it
(the layout of `tests/flows/test_diff_layout.py`). What is asked: how many units are rendered, what the program itself
takes beside the programs that render (both in CPU seconds of the same run), and how much memory. 250 kustomizations:
finding the units of both sides together, beside finding those of one side twice.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import timing  # noqa: F401 (programs started from here may write bytecode)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.flows.test_diff import APPLICATION, CHART, ORIGIN
from tests.flows.test_diff_layout import layout
from tests.support.workspace import make_checkout

_RUN = """\
import json, resource, sys, time
from gitops_ci.cli.console import Console
from gitops_ci.flows.diff import DiffRequest, diff
from gitops_ci.rendering import programs
started, steps, run = time.monotonic(), [], programs._run
programs._run = lambda step, *more: (steps.append(step.program), run(step, *more))[1]
found = diff(DiffRequest(("HEAD",)), Console("quiet")).rendered
assert all(not one.reason for one in found.units), "kubectl and helm have to be on PATH"
own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps({
    "units": found.summary["units"], "objects": found.summary["objects"], "groups": len(found.groups),
    "programs": len(steps), "wall": time.monotonic() - started,
    "own": own.ru_utime + own.ru_stime, "renderers": others.ru_utime + others.ru_stime, "MiB": own.ru_maxrss // 1024,
}))
"""
_DISCOVERY = """\
import json, resource, sys
from gitops_ci.flows.diff.sides import read_trees
from gitops_ci.rendering.deployment import Repository
from gitops_ci.rendering.discovery import Deployment
from gitops_ci.rendering.tree import CheckoutFiles, SourceTree
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
def side(tree):
    deployment = Deployment(Repository(tree))
    deployment.start()
    assert len(deployment.units) == 250, len(deployment.units)
begun = cpu()
trees = read_trees(".", ("HEAD",), "")
side(trees.after), side(trees.before)
both, begun = cpu() - begun, cpu()
for _ in range(2):
    side(SourceTree(CheckoutFiles(".")))
print(json.dumps({"both": both, "twice": cpu() - begun}))
"""


def kustomizations() -> dict[str, str]:
    """250 kustomizations: 50 bases, each with four overlays."""
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'a:1'}]}\n"
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n" + "".join(
        f"  key-{n}: value {n}\n" for n in range(40)
    )
    found = {}
    for n in range(50):
        found[f"apps/{n}/base/kustomization.yaml"] = "resources: [pod.yaml, config.yaml]\n"
        found[f"apps/{n}/base/pod.yaml"], found[f"apps/{n}/base/config.yaml"] = pod, config
        for env in ("dev", "test", "stage", "prod"):
            found[f"apps/{n}/{env}/kustomization.yaml"] = "resources: [../base, more.yaml]\nnamePrefix: x-\n"
            found[f"apps/{n}/{env}/more.yaml"] = config
    return found


def four() -> dict[str, str]:
    """Four Applications of one chart."""
    return CHART | {f"apps/{name}.yaml": APPLICATION.format(name=name, tag=name) for name in "abcd"}


def everywhere_another() -> dict[str, str]:
    """The layout with a tag of its own for each Application: no two have the same output."""
    tags = "charts/app-config/image-tags/"
    return {path: path.replace("/", "-") if path.startswith(tags) else text for path, text in layout().items()}


def changed(folder: str, files: dict[str, str], edits: dict[str, str]) -> None:
    make_checkout(Path(folder), files, origin=ORIGIN)
    for path, text in edits.items():
        Path(folder, path).write_text(text)


def ran(folder: str, code: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(runs: int) -> None:
    files, shared = everywhere_another(), "charts/generic/templates/0.yaml"
    web = "charts/web/templates/cm.yaml"
    cases = {
        "the image of one of 198": (files, {"charts/app-config/image-tags/integration/app-07": "v2\n"}),
        "the chart of all 198": (files, {shared: files[shared].replace("labels: {", "labels: {more: x, ")}),
        "the chart of four": (four(), {web: CHART[web].replace("data: {", "data: {more: x, ")}),
    }
    names = ("units", "objects", "groups", "programs", "wall", "own", "renderers", "MiB")
    print("| change | units | objects | groups | programs | wall s | own CPU s | renderers' CPU s | own share | MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, (files, edits) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            changed(folder, files, edits)
            seen = [ran(folder, _RUN) for _ in range(runs)]
        row = {key: statistics.median(one[key] for one in seen) for key in names}
        share = row["own"] / row["renderers"]
        numbers = (f"{row[key]:.0f}" for key in names[:4])
        times = (f"{row[key]:.2f}" for key in ("wall", "own", "renderers"))
        print("|", " | ".join((name, *numbers, *times, f"{share:.2f}", f"{row['MiB']:.0f}")), "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        changed(
            folder,
            kustomizations(),
            {"apps/7/prod/more.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"},
        )
        seen = [ran(folder, _DISCOVERY) for _ in range(runs)]
    both, twice = (statistics.median(one[key] for one in seen) for key in ("both", "twice"))
    print(f"250 kustomizations: both sides {both:.2f} CPU s, one side twice {twice:.2f}: {both / twice:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
