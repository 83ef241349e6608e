"""Write the version of the next release into every file that names it: one place, `gitops_ci/__init__.py`, leads.

    $ python scripts/set_version.py 0.3.0

changes that place first. `tests/test_published.py` fails while a file names another version.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.set_home import current as current_home  # noqa: E402
from scripts.set_home import files as tracked  # noqa: E402

PACKAGE = "gitops_ci/__init__.py"
PROJECT = "gitops_ci/project.py"
# Files about the past, and tests, which read the version from the package.
_PAST = ("CHANGELOG.md", "docs/upgrading.md", "tests/")
_LINE = re.compile(r'(?m)^__version__ = "([^"]+)"$')
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def current(text: str) -> str:
    """The version that `gitops_ci/__init__.py` states."""
    found = _LINE.search(text)
    assert found, f"{PACKAGE} has no line __version__"
    return found[1]


def files() -> list[Path]:
    """The files that may name the version of the release."""
    return [path for path in tracked() if not path.relative_to(ROOT).as_posix().startswith(_PAST)]


def named(text: str, home: str) -> list[str]:
    """Every version of gitops-ci that a text names, in the order of the text."""
    return [found[2] for found in _places(home).finditer(text)]


def renamed(text: str, home: str, new: str) -> str:
    """The text with `new` wherever it names a version of gitops-ci."""
    return _places(home).sub(lambda found: found[1] + new, text)


def _places(home: str) -> re.Pattern[str]:
    """What stands before a version of gitops-ci: a package, a tag of the repository, an image, a release's commit."""
    repository = re.escape(home)
    before = (
        r"\bgitops-ci==",
        rf"{repository}(?:/\w+)?@v?",
        rf"ghcr\.io/{repository}:v",
        rf"githubusercontent\.com/{repository}/v",
        rf"{repository}@[0-9a-f]{{40}} # v",
        rf"{repository}\n[# ]*rev: v",
        r"file: \.gitlab-ci-template\.yml\n *ref: v",
        r'(?m:^)__version__ = "',
    )
    return re.compile(rf"({'|'.join(before)})({_VERSION.pattern})")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not _VERSION.fullmatch(arguments[0]):
        sys.stderr.write("usage: set_version.py MAJOR.MINOR.PATCH\n")
        return 2
    home = current_home((ROOT / PROJECT).read_text())
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        if (changed := renamed(text, home, arguments[0])) != text:
            path.write_text(changed, encoding="utf-8")
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
