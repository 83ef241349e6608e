"""Addresses as Go's net/url reads them, which is laxer than any standard: what an API server takes for a URL.

Source: net/url, Parse and ParseRequestURI.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["GoUrl", "NoUrlError", "parse_url"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):|(:)")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# In a host only bytes beyond ASCII are escaped, and the '%' of a zone.
_HOST_ESCAPE = re.compile(r"%(?!25|[89A-Fa-f][0-9A-Fa-f])")
_NO_HOST = re.compile(r"[\x00-\x20#/?@\\^`{|}\x7f]")
_NO_USER = re.compile(r"[^A-Za-z0-9\-._:~!$&'()*+,;=%@]")
_PORT = re.compile(r"(?::[0-9]*)?")


class NoUrlError(ValueError):
    """A text is not a URL."""


class GoUrl(NamedTuple):
    """The parts of a URL; `user` and `query` are None where there is none."""

    scheme: str
    user: str | None
    host: str
    path: str
    query: str | None
    fragment: str


def parse_url(text: str, *, of_request: bool = False) -> GoUrl:
    """A URL, or with `of_request` what may stand in a request: absolute, or a path from the root.

    Raises:
        NoUrlError: it is none.
    """
    fragment = ""
    if not of_request:
        text, _, fragment = text.partition("#")
    if _CONTROL.search(text) or (of_request and not text):
        raise NoUrlError("it is empty or has a control character")
    if text == "*":
        return GoUrl("", None, "", "*", None, fragment)
    found = _SCHEME.match(text)
    if found and found[2]:
        raise NoUrlError("it starts with ':'")
    scheme = found[1].lower() if found else ""
    rest, mark, query = text[found.end() if found else 0 :].partition("?")
    user, host = None, ""
    if not rest.startswith("/"):
        if scheme:
            return GoUrl(scheme, None, "", rest, query if mark else None, fragment)
        if of_request or ":" in rest.partition("/")[0]:
            raise NoUrlError("it has no scheme such as https://")
    elif rest.startswith("//") and (scheme or (not of_request and not rest.startswith("///"))):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        user, host = _authority(authority)
    if _BROKEN_ESCAPE.search(rest) or _BROKEN_ESCAPE.search(fragment):
        raise NoUrlError("it has a '%' without two hexadecimal digits")
    return GoUrl(scheme, user, host, rest, query if mark else None, fragment)


def _authority(text: str) -> tuple[str | None, str]:
    user, at, host = text.rpartition("@")
    if host.startswith("["):
        end = host.rfind("]")
        port = host[end + 1 :]
        if end < 0:
            raise NoUrlError("its host lacks a ']'")
    else:
        port = host[host.rfind(":") :] if ":" in host else ""
    if not _PORT.fullmatch(port):
        raise NoUrlError(f"'{port}' is not a port")
    if _HOST_ESCAPE.search(host) or _NO_HOST.search(host):
        raise NoUrlError(f"'{host}' is not a host")
    if at and (_NO_USER.search(user) or _BROKEN_ESCAPE.search(user)):
        raise NoUrlError("its user information has characters that are not allowed")
    return user if at else None, host
