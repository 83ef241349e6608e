"""Whether an address is that of the repository at hand."""

from __future__ import annotations

import re

from gitops_ci.schemas.report import Surroundings

__all__ = ["is_here"]


def is_here(url: str, around: Surroundings) -> bool:
    """Two spellings of one repository: with or without .git, over https or ssh, in any case."""
    return _key(url) in {_key(known) for known in around.repository_urls}


def _key(url: str) -> str:
    plain = re.sub(r"^[a-z+]+://(?:[^@/]*@)?|^[^@/:]+@", "", url.strip().lower())
    return re.sub(r"(?::\d+)?[:/]", "/", plain, count=1).removesuffix("/").removesuffix(".git")
