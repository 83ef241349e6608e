"""A fault at every request of a bump: what lands, what is printed of it, and what the next run finds.

    python benchmarks/faults.py [--hosts github,gitlab,gitea] [--modes push,pull-request] [--faults reset after,short]
                                [--every N] [--storm] [--workers 4]

Git is a real server over HTTP, the code hosts are the stubs of the tests. Every request passes a proxy that does harm
to one of them: `tests/support/faults.py` lists the kinds of fault. `--storm` does the same harm to all requests after
it, and `--every 5` takes each fifth case. A case fails on exit 0 without the change, on a second commit or pull
request, on a token that is printed or leaves its host, on a traceback, on a run that outlasts its deadline, and where
the next run does not end with exit 0 and what an undisturbed run leaves.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.faults import FAULTS, MODES, Case, Undisturbed, Verdict, cases, try_case, undisturbed


def printed_row(host: str, mode: str, requests: int, verdicts: list[Verdict]) -> str:
    done = sum(v.code == 0 for v in verdicts)
    named = sum(v.printed is True for v in verdicts)
    found = sum(v.printed is False for v in verdicts)
    wrong = sum(bool(v.wrong) for v in verdicts)
    longest = max(v.seconds for v in verdicts)
    return (
        f"{host:12} {mode:12} {requests:3} requests, {len(verdicts):4} runs: {done} exit 0, "
        f"{len(verdicts) - done} failed ({named} named what had landed, {found} left it to the next run), "
        f"{wrong} wrong; longest {longest:.0f} s"
    )


def tried(chosen: list[Case], quiet: Undisturbed, workers: int) -> list[Verdict]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda case: try_case(case, quiet.state), chosen))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", default="github,gitlab,gitea")
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--storm", action="store_true")
    parser.add_argument("--workers", type=int, default=4)
    options = parser.parse_args()
    for name in {*os.environ} - {"PATH", "LD_LIBRARY_PATH", "TMPDIR"}:
        del os.environ[name]  # nothing of this machine has a part
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    began, wrong = time.monotonic(), []
    for host in options.hosts.split(","):
        for mode in options.modes.split(","):
            quiet = undisturbed(host, mode)
            chosen = cases(host, mode, quiet.requests, options.faults.split(","), storm=options.storm)
            verdicts = tried(chosen[:: options.every], quiet, options.workers)
            print(printed_row(host, mode, quiet.requests, verdicts), flush=True)
            wrong += [verdict for verdict in verdicts if verdict.wrong]
            for verdict in verdicts:
                if verdict.printed is False:
                    print(f"  left to the next run: {verdict.case} (exit {verdict.code})", flush=True)
    for verdict in wrong:
        print(f"\n{verdict.case}: {'; '.join(verdict.wrong)} (exit {verdict.code})\n{verdict.output}")
    print(f"{len(wrong)} wrong, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
