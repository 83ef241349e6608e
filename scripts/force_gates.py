"""Force each gate of gitops_ci/validation/gates.py open and shut, and print the cases that notice.

    python scripts/force_gates.py

A gate that no case holds is printed as SURVIVES, and the exit code is 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.forced_gates import gate_names, red_cases  # noqa: E402


def main() -> int:
    survivors = 0
    for name, gate in gate_names().items():
        for forced in (True, False):
            red = red_cases(name, forced=forced)
            survivors += not red
            print(f"{gate.name} (1.{gate.since}) {'always' if forced else 'never'}: {red[0] if red else 'SURVIVES'}")
    print(f"{len(gate_names())} gates, {survivors} of {2 * len(gate_names())} changes survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
