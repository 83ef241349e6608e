"""Write templates/*.yml, the CI/CD components, from .gitlab-ci-template.yml: one job each, with the inputs it uses.

A component has one job so that a pipeline needs only that job's stage. GitLab cannot include a local file from a
remote one, so each is whole; the template that has all jobs is the one that people edit.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ".gitlab-ci-template.yml"
COMPONENTS = ("release", "validate", "diff", "promote")
_INPUT = re.compile(r"\$\[\[ inputs\.([a-z-]+) \]\]")


def component(text: str, job: str) -> str:
    """The text of the component with this job."""
    head, jobs = text.split("\n---\n")
    _, inputs = head.split("\nspec:\n  inputs:\n")
    blocks = re.split(r'\n\n(?="|#)', jobs)
    kept = [block for block in blocks if f"]]-{job}" in _key(block) or "]]-" not in _key(block)]
    used = {name for block in kept for name in _INPUT.findall(block)}
    declared = [block for block in re.split(r"(?m)^(?=    [a-z])", inputs) if block.partition(":")[0].strip() in used]
    intro = f"# Made from {SOURCE} by scripts/split_gitlab_template.py: the {job} job alone, as a component.\n"
    spec = "".join(block if block.endswith("\n") else block + "\n" for block in declared)
    whole = f"{intro}spec:\n  inputs:\n{spec}---\n" + "\n\n".join(kept).rstrip("\n") + "\n"
    # Beside the release job an input of the other one says whose it is; alone it need not.
    return re.sub(rf"(?m)(^    |inputs\.){job}-", r"\1", whole)


def _key(block: str) -> str:
    return next(line for line in block.splitlines() if not line.startswith("#"))


def main() -> int:
    text = (ROOT / SOURCE).read_text()
    for job in COMPONENTS:
        (ROOT / "templates" / f"{job}.yml").write_text(component(text, job))
    return 0


if __name__ == "__main__":
    sys.exit(main())
