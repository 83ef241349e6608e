"""The trusted certificate authorities: those of requests, of the user, and of one host.

One setting serves the API of a code host and git: whichever of the usual variables is set counts for both.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from tempfile import NamedTemporaryFile
from typing import IO
from urllib.parse import urlsplit

from gitops_ci.variables import variables

__all__ = ["authority_of", "bundle_with", "trusted"]

_OWN = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # read by requests itself
_kept: list[IO[bytes]] = []  # files that are there as long as this process


def authority_of(host: str, *first: str) -> str:
    """The file or folder with the authorities that vouch for a code host, or "" for those that are trusted anyway.

    `first` are the variables that go before the others. `CI_SERVER_TLS_CA_FILE` is what GitLab trusts itself with
    (docs.gitlab.com "Predefined CI/CD variables"): it counts for GitLab's own host.
    """
    known = variables()
    for name in dict.fromkeys((*first, *_OWN, "SSL_CERT_FILE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH")):
        if os.path.exists(path := known.get(name, "")):
            return path
    own, path = urlsplit(known.get("CI_SERVER_URL", "")).hostname, known.get("CI_SERVER_TLS_CA_FILE", "")
    return path if host and host == own and os.path.isfile(path) else ""


def trusted(verify: bool | str) -> bool | str:
    """What requests is to verify with: SSL_CERT_FILE, as OpenSSL and Go read it, where nothing else is named."""
    if verify is not True:
        return verify
    known = variables()
    file = known.get("SSL_CERT_FILE", "")
    return file if os.path.isfile(file) and not any(known.get(name) for name in _OWN) else True


def bundle_with(authorities: Iterable[str]) -> str:
    """A file with the authorities that are trusted anyway, and these. Raises OSError for a file that cannot be read."""
    known = variables()
    named = (known.get(name, "") for name in (*_OWN, "SSL_CERT_FILE"))
    roots = next((path for path in named if os.path.isfile(path)), "")
    return _bundle((roots, *authorities))


@cache
def _bundle(paths: tuple[str, ...]) -> str:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    file = NamedTemporaryFile(prefix="gitops-ci-authorities-", suffix=".pem")  # noqa: SIM115 - removed at the end
    for path in paths:
        with open(path or DEFAULT_CA_BUNDLE_PATH, "rb") as authority:
            file.write(authority.read() + b"\n")
    file.flush()
    _kept.append(file)
    return file.name
