"""Schemas of other hosts: asked once a run, kept on disk for a while, and used again when a host is away."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from urllib.parse import urlsplit

__all__ = ["FetchedSchemas"]

_DAY = 24 * 3600.0
_PATIENCE = 15.0  # seconds
# A schema that was not there may be added; one that was there rarely changes within its version.
_FRESH = {"found": 7 * _DAY, "absent": _DAY}

Warn = Callable[[str], None]


class FetchedSchemas:
    """What hosts answered. `cache` is a folder, '' for none; `offline` asks nobody and takes what is cached."""

    def __init__(self, cache: str = "", *, offline: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._offline = offline
        self._clock = clock
        self._texts: dict[str, str | None] = {}
        self._failures: dict[str, str] = {}

    def failure(self, url: str) -> str | None:
        """Why the host of an address gives nothing."""
        return self._failures.get(urlsplit(url).netloc)

    def text(self, url: str, warn: Warn) -> str | None:
        """The content of an address, None for nothing; a host that fails is reported once."""
        if url not in self._texts:
            self._texts[url] = self._kept_or_asked(url, warn)
        return self._texts[url]

    def _kept_or_asked(self, url: str, warn: Warn) -> str | None:
        entry = os.path.join(self._cache, hashlib.sha256(url.encode()).hexdigest()) if self._cache else ""
        kept = _kept(entry)
        if kept is not None:
            state, age, text = kept
            if self._offline or self._clock() - age < _FRESH[state]:
                return text if state == "found" else None
        if self._offline:
            return None
        state, text = self._request(url, warn)
        if state == "failed":
            # An old copy is better than none when the host is away or refuses more requests.
            return kept[2] if kept and kept[0] == "found" else None
        _keep(entry, state, self._clock(), text)
        return text if state == "found" else None

    def _request(self, url: str, warn: Warn) -> tuple[str, str]:
        from gitops_ci.http import Http, HttpError

        host = urlsplit(url).netloc
        if host in self._failures:
            return "failed", ""
        try:
            # A run may need hundreds of schemas: a host that does not answer soon is left alone.
            with Http(timeout=20.0, deadline=time.monotonic() + _PATIENCE) as http:
                answer = http.request("GET", url)
                if answer.status == 404:
                    return "absent", ""
                if answer.ok:
                    return "found", answer.text
                said = f"{host} answered {answer.status}"
        except HttpError as error:
            said = error.message
        self._failures[host] = said
        warn(f"no schemas: {said}; the cached ones are used")
        return "failed", ""


def _kept(entry: str) -> tuple[str, float, str] | None:
    """(state, when, text) of a cache entry, None when there is none that can be read."""
    if not entry:
        return None
    try:
        with open(entry, encoding="utf-8") as file:
            state, _, when = file.readline().strip().partition(" ")
            return (state, float(when), file.read()) if state in _FRESH else None
    except (OSError, ValueError):
        return None


def _keep(entry: str, state: str, when: float, text: str) -> None:
    if not entry:
        return
    temporary = f"{entry}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(entry), exist_ok=True)
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(f"{state} {when}\n{text}")
        os.replace(temporary, entry)
    except OSError:
        return  # a cache that cannot be written is no reason to stop
