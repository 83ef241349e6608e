"""What the rules about relations add to a validation: `python benchmarks/relations.py CHECKOUT [RUNS]`.

The checkout must have no errors. Compare the CPU: most of a run are the programs that render.
"""

from __future__ import annotations

import os
import sys

from timing import compare

PROGRAM = os.path.join(os.path.dirname(sys.executable), "gitops-ci")
RELATIONS = ("missing-reference", "selects-nothing", "no-namespace", "two-owners", "duplicate-resource")


def main(checkout: str, runs: int) -> None:
    os.chdir(checkout)
    validate = [PROGRAM, "validate", ".", "--allow-empty", "--quiet"]
    without = [*validate, *(word for family in ("yaml", "schema", "api") for word in ("--rules", f"{family}/*"))]
    whole = [*without, *(word for rule in RELATIONS for word in ("--rules", f"repo/{rule}"))]
    compare({"without relations": without, "with relations": whole}, runs)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)
