"""encoding/base64 (StdEncoding), which skips line ends."""

from __future__ import annotations

from gitops_ci.lazy import lazy_pattern

__all__ = ["is_base64"]

_BASE64 = lazy_pattern(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def is_base64(text: str) -> bool:
    """Whether encoding/base64 reads it: it skips line ends, and nothing else."""
    return _BASE64.fullmatch(text.replace("\n", "").replace("\r", "")) is not None
