"""`diff` over the last commits of a repository: a line a commit, and whether the JSON turns the base into the head.

    python benchmarks/diff_repositories.py FOLDER --commits 30

For every changed object without masked values the changes of the JSON document are applied to the object of the base;
the result has to be the object of the head.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time

from gitops_ci.cli.console import Console
from gitops_ci.errors import GitopsCiError
from gitops_ci.flows.diff import DiffRequest, diff
from gitops_ci.reporting import REPORTERS
from gitops_ci.reporting.json_v1 import document
from tests.support.rendered_changes import applied


def cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--commits", type=int, default=30)
    parser.add_argument("--url", action="append", default=[], help="Address of the repository.")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    os.chdir(options.folder)
    listed = subprocess.run(
        ["git", "log", "--first-parent", "--format=%H", f"-{options.commits}", "--", "*.yaml", "*.yml"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    names = (
        "commit",
        "units",
        "told",
        "objects",
        "noise",
        "risks",
        "text B",
        "JSON B",
        "comment B",
        "wall s",
        "CPU s",
        "own s",
    )
    print("| " + " | ".join(names) + " |\n" + "|" + "---|" * len(names))
    wrong = 0
    for commit in listed:
        started, used = time.monotonic(), cpu()
        own = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        try:
            outcome = diff(DiffRequest((f"{commit}^",), commit, urls=tuple(options.url)), Console("quiet"))
        except GitopsCiError as error:
            print(f"| {commit[:10]} | {error.message} |")
            continue
        wall, spent = time.monotonic() - started, cpu() - used
        mine = resource.getrusage(resource.RUSAGE_SELF).ru_utime - own
        told = document(outcome)["rendered"]
        for one, shown in zip(outcome.rendered.objects, told["objects"], strict=True):
            if one.before is None or one.after is None or any(path["masked"] for path in shown["paths"]):
                continue
            made = applied(one.before, shown["paths"])
            if json.dumps(made, sort_keys=True) != json.dumps(one.after, sort_keys=True):
                wrong += 1
                print(f"WRONG {commit} {one.id}", file=sys.stderr)
        texts = [REPORTERS[name].report(outcome) for name in ("text", "json", "markdown")]
        numbers = told["summary"]
        row = (
            commit[:10],
            f"{numbers['units']}/{numbers['all_units']}",
            sum(bool(one["reason"]) for one in told["units"]),
            numbers["objects"],
            numbers["noise"],
            numbers["risks"],
            *(len(text.encode()) for text in texts),
            f"{wall:.1f}",
            f"{spent:.1f}",
            f"{mine:.1f}",
        )
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
        if options.verbose:
            print(texts[0])
    print(f"{wrong} objects that the JSON does not turn into those of the head")


if __name__ == "__main__":
    main()
