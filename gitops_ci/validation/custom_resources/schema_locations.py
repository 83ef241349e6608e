"""Where else schemas lie: folders and https addresses with the template variables of kubeconform, and a cache on disk.

A location is a template of a path or URL, or a folder or URL in the layout of the CRDs catalog. Nothing is fetched that
the user did not name, references inside schemas are never followed outside, and plain http is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from gitops_ci.errors import UsageError
from gitops_ci.paths import leads_out
from gitops_ci.repourl import is_loopback

__all__ = ["CATALOG", "Locations", "fill"]

CATALOG = "https://raw.githubusercontent.com/datreeio/CRDs-catalog/main"
_LAYOUT = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
_VARIABLE = re.compile(r"\{\{-?\s*\.(\w+)\s*-?\}\}")
_SAFE = re.compile(r"[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*(?:/[A-Za-z0-9\-]+)? [A-Za-z0-9]+")
_LARGEST = 16 * 1024 * 1024
_DAY = 24 * 3600.0
_PATIENCE = 15.0  # seconds
# A schema that was not there may be added; one that was there rarely changes within its version.
_FRESH = {"found": 7 * _DAY, "absent": _DAY}


def fill(template: str, api_version: str, kind: str, kubernetes: str) -> str:
    """A template's address for one kind.

    Raises:
        UsageError: the template uses a variable that does not exist.
    """
    group, _, version = api_version.rpartition("/")
    values = {
        "Group": group,
        "GroupPrefix": f"{group}-" if group else "",
        "Kind": kind,
        "ResourceKind": kind.lower(),
        "Version": version,
        "ResourceAPIVersion": version,
        "KindSuffix": f"-{group.partition('.')[0]}-{version}" if group else f"-{version}",
        "NormalizedKubernetesVersion": f"v{kubernetes}.0",
        "StrictSuffix": "-strict",
    }

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            known = ", ".join(f"{{{{ .{name} }}}}" for name in sorted(values))
            raise UsageError(f"Schema location '{template}' uses the unknown {match[0]}", hint=f"Known: {known}")
        return values[match[1]]

    return _VARIABLE.sub(value, template)


class Locations:
    """A lookup over several locations in their order; what cannot be had is told once through `warn`."""

    def __init__(
        self,
        locations: Sequence[str],
        *,
        cache: str = "",
        offline: bool = False,
        warn: Callable[[str], None] = lambda message: None,  # noqa: ARG005
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._templates = [_template(location) for location in locations if location != "default"]
        self._cache = cache
        self._offline = offline
        self._warn = warn
        self._clock = clock
        self._failures: dict[str, str] = {}

    def __call__(self, api_version: str, kind: str, kubernetes: str) -> Mapping[str, Any] | str | None:
        """The schema of a kind; a text where a location gave no usable answer; None where no location has one."""
        # What becomes part of a path must not climb: group, version and kind come from the manifest.
        if not _SAFE.fullmatch(f"{api_version} {kind}"):
            return None
        failure = None
        for template in self._templates:
            address = fill(template, api_version, kind, kubernetes)
            text = self._fetched(address) if "://" in address else _read(address)
            if text is None:
                failure = failure or self._failures.get(urlsplit(address).netloc if "://" in address else "")
            elif (schema := _parsed(text)) is not None:
                return schema
            else:
                failure = failure or f"{address} is no JSON Schema"
        return failure

    def _fetched(self, url: str) -> str | None:
        entry = os.path.join(self._cache, hashlib.sha256(url.encode()).hexdigest()) if self._cache else ""
        kept = _kept(entry)
        if kept is not None:
            state, age, text = kept
            if self._offline or self._clock() - age < _FRESH[state]:
                return text if state == "found" else None
        if self._offline:
            return None
        state, text = self._request(url)
        if state == "failed":
            # An old copy is better than none when the host is away or refuses more requests.
            return kept[2] if kept and kept[0] == "found" else None
        _keep(entry, state, self._clock(), text)
        return text if state == "found" else None

    def _request(self, url: str) -> tuple[str, str]:
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
        self._warn(f"no schemas: {said}; what is cached is used")
        return "failed", ""


def _template(location: str) -> str:
    if location == "crds-catalog":
        location = CATALOG
    if "://" in location and not (location.startswith("https://") or _is_loopback_http(location)):
        hint = "Give an https:// address or a path. http:// is taken from this machine only."
        raise UsageError(
            f"Schema location '{location}' is refused: what it sends could be changed on its way", hint=hint
        )
    folder = location.partition("{{")[0].rpartition("/")[0] if "{{" in location else location
    if "://" not in location and folder and not os.path.isdir(folder):
        raise UsageError(f"Schema location '{location}': there is no folder '{folder}'", hint="Correct the path.")
    if _VARIABLE.search(location):
        return location
    if "{{" in location:
        raise UsageError(f"Schema location '{location}' is no template", hint=f"For example {_LAYOUT}")
    return f"{location.rstrip('/')}/{_LAYOUT}"


def _is_loopback_http(location: str) -> bool:
    return location.startswith("http://") and is_loopback(urlsplit(location).hostname or "")


def _read(path: str) -> str | None:
    if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST or leads_out(path):
        return None
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _parsed(text: str) -> Mapping[str, Any] | None:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return schema if isinstance(schema, dict) else None


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
