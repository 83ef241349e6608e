"""The order of the tests. Files stay whole: with the longest first, all workers have short ones in the end."""

from __future__ import annotations

__all__ = ["LONG", "place"]

_FOLDERS = ("live", "flows", "security", "contract", "unit")
# Files of half a minute or more that their folder would put among the last ones.
LONG = (
    "contract/test_documentation.py",
    "security/test_hostile_manifests.py",
    "security/test_patterns_are_linear.py",
    "unit/validation/test_rules.py",
    "unit/validation/test_truth.py",
    "test_published.py",
    "test_stands_alone.py",
)


def place(nodeid: str) -> int:
    """Tests with a smaller number run earlier."""
    path = nodeid.removeprefix("tests/").partition("::")[0]
    folder = path.partition("/")[0]
    if path in LONG:
        return 0
    return 1 + (_FOLDERS.index(folder) if folder in _FOLDERS else len(_FOLDERS))
