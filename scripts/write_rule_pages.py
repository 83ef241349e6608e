"""Write docs/rules/FAMILY.md from gitops_ci/rules/FAMILY.toml.

Usage: python scripts/write_rule_pages.py
"""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from gitops_ci.rules.catalog import FAMILIES  # noqa: E402
from gitops_ci.rules.pages import family_page  # noqa: E402


def main() -> None:
    folder = CHECKOUT / "docs" / "rules"
    folder.mkdir(exist_ok=True)
    for family in FAMILIES:
        (folder / f"{family}.md").write_text(family_page(family))


if __name__ == "__main__":
    main()
