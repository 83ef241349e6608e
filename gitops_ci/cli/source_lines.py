"""Lines of the files that were validated, for the findings on a terminal. Lines of Secrets are not shown."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_ci.model import Finding

__all__ = ["source_line"]

_LARGEST = 4_000_000  # bytes
_SECRET = re.compile(r"""kind["']?\s*:\s*["']?Secret(?:List)?\b""")


def source_line(finding: Finding) -> str | None:
    """The line of a finding, None where it cannot be read, or may be the value of a Secret."""
    if not finding.line or not finding.column or finding.resource.startswith("Secret"):
        return None
    text = _text(finding.path)
    if text is None or (not finding.resource and _SECRET.search(text)):
        return None
    lines = text.split("\n")
    return lines[finding.line - 1].rstrip("\r") if finding.line <= len(lines) else None


@lru_cache(maxsize=4)
def _text(path: str) -> str | None:
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
            return None
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None
