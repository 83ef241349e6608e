"""Print the lines of some packages from a lock file, with their hashes: python locked_part.py LOCK PACKAGE..."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from pathlib import Path


def part(lock: str, packages: Collection[str]) -> str:
    """The blocks of the packages.

    Raises:
        KeyError: one of them is not locked.
    """
    text = re.sub(r"(?m)^#.*\n", "", lock).strip()
    blocks = {block.partition("==")[0]: block for block in re.split(r"\n(?=\S)", text)}
    return "".join(f"{blocks[name]}\n" for name in packages)


if __name__ == "__main__":
    sys.stdout.write(part(Path(sys.argv[1]).read_text(), sys.argv[2:]))
