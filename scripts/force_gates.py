"""Force each gate of gitops_ci/validation/gates.py open and shut, and print the case that notices.

    python scripts/force_gates.py

A gate is forced in each place of the rules that asks for it, one at a time. Each field that a server drops without a
gate is kept, one at a time. A change that no case of tests/cases/validation/gates.txt notices is printed as SURVIVES,
and the exit code is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.forced_gates import changes, gate_names  # noqa: E402


def main() -> int:
    made, survivors = changes(), 0
    for change in made:
        red = change.red_cases()
        survivors += not red
        since = gate_names()[change.gate].since
        print(f"{change.gate} (1.{since}) {change.what}, {change.place}: {red[0] if red else 'SURVIVES'}")
    print(f"{len(gate_names())} gates, {survivors} of {len(made)} changes survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
