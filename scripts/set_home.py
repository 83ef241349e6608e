"""Write the owner and name of the repository, as `gitops_ci/project.py` has them, into every document that names them.

    $ python scripts/set_home.py someone/gitops-ci

changes that one line first. Whoever publishes the project under another name runs this once.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "gitops_ci/project.py"
_LINE = re.compile(r'(?m)^REPOSITORY = "([^"/]+/[^"/]+)"$')
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


def current(text: str) -> str:
    """The repository that `gitops_ci/project.py` names."""
    found = _LINE.search(text)
    assert found, f"{PROJECT} has no line REPOSITORY"
    return found[1]


def renamed(text: str, old: str, new: str) -> str:
    """A document with the new name wherever it has the old one; image names are in lower case."""
    owner, new_owner = old.partition("/")[0], new.partition("/")[0]
    text = re.sub(rf"(?<![\w-])ghcr\.io/{re.escape(old)}(?![\w-])", f"ghcr.io/{new.lower()}", text)
    text = re.sub(rf"(?<![\w-]){re.escape(old)}(?![\w-])", new, text)
    return re.sub(rf"(?m)^(\* +@){re.escape(owner)}$", rf"\g<1>{new_owner}", text)


def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not _NAME.fullmatch(arguments[0]):
        sys.stderr.write("usage: set_home.py OWNER/NAME\n")
        return 2
    old = current((ROOT / PROJECT).read_text())
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        if (changed := renamed(text, old, arguments[0])) != text:
            path.write_text(changed, encoding="utf-8")
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
