"""URLs as HTTP compares and a message shows them."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

from gitops_ci.repourl import is_loopback as is_loopback_host

__all__ = ["host", "is_loopback", "joined", "origin_of", "shown", "split"]


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454), the default port filled in; empty for a relative URL."""
    parts = split(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme.lower(), (parts.hostname or "").lower(), port or {"https": 443, "http": 80}.get(parts.scheme, 0)


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine."""
    return is_loopback_host(split(url).hostname or "")


def joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url.partition("?")[0], "", "")


def host(url: str) -> str:
    return split(url).netloc.rpartition("@")[2] or url


def shown(url: str) -> str:
    """A URL fit for a message: without user, query and fragment."""
    parts = split(url)
    return f"{parts.scheme}://{host(url)}{parts.path}" if parts.scheme else parts.path
