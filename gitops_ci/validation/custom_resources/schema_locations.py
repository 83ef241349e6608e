"""Where else schemas lie: folders and https addresses with the template variables of kubeconform, and a cache on disk.

A location is a template of a path or URL, or a folder or URL in the layout of the CRDs catalog. Nothing is fetched that
the user did not name, references inside schemas are never followed outside, and plain http is refused.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from gitops_ci.errors import UsageError
from gitops_ci.paths import leads_out
from gitops_ci.repourl import is_loopback
from gitops_ci.validation.custom_resources.fetched_schemas import FetchedSchemas

__all__ = ["CATALOG", "Locations", "SchemaFiles", "fill"]

CATALOG = "https://raw.githubusercontent.com/datreeio/CRDs-catalog/main"
_LAYOUT = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
_VARIABLE = re.compile(r"\{\{-?\s*\.(\w+)\s*-?\}\}")
_SAFE = re.compile(r"[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*(?:/[A-Za-z0-9\-]+)? [A-Za-z0-9]+")
_LARGEST = 16 * 1024 * 1024


class SchemaFiles(Protocol):
    """Where the paths among locations lead."""

    def has_folder(self, path: str) -> bool:
        """Whether there is such a folder."""

    def text(self, path: str) -> str | None:
        """The text of a regular file of a sensible size; None where there is none."""


class _Machine:
    """The files of this machine; a link of the checkout that leads out of it is not followed."""

    def has_folder(self, path: str) -> bool:
        return os.path.isdir(path)

    def text(self, path: str) -> str | None:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST or leads_out(path):
            return None
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()


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
    """Look up schemas in several locations, in order. `warn` reports each unavailable location once.

    `files` are where paths lead, this machine without any. `fetched` is what an earlier lookup of the same run has.
    """

    def __init__(
        self,
        locations: Sequence[str],
        *,
        cache: str = "",
        offline: bool = False,
        warn: Callable[[str], None] = lambda message: None,  # noqa: ARG005
        clock: Callable[[], float] = time.time,
        files: SchemaFiles | None = None,
        fetched: FetchedSchemas | None = None,
    ) -> None:
        self._files = files or _Machine()
        self._templates = [_template(location, self._files) for location in locations if location != "default"]
        self._fetched = fetched or FetchedSchemas(cache, offline=offline, clock=clock)
        self._warn = warn

    def __call__(self, api_version: str, kind: str, kubernetes: str) -> Mapping[str, Any] | str | None:
        """The schema of a kind; a text where a location gave no usable answer; None where no location has one."""
        # What becomes part of a path must not climb: group, version and kind come from the manifest.
        if not _SAFE.fullmatch(f"{api_version} {kind}"):
            return None
        failure = None
        for template in self._templates:
            address = fill(template, api_version, kind, kubernetes)
            is_remote = "://" in address
            text = self._fetched.text(address, self._warn) if is_remote else self._files.text(address)
            if text is None:
                failure = failure or (self._fetched.failure(address) if is_remote else None)
            elif (schema := _parsed(text)) is not None:
                return schema
            else:
                failure = failure or f"{address} is not a JSON Schema"
        return failure


def _template(location: str, files: SchemaFiles) -> str:
    if location == "crds-catalog":
        location = CATALOG
    if "://" in location and not (location.startswith("https://") or _is_loopback_http(location)):
        hint = "Give an https:// address or a path. http:// is taken from this machine only."
        raise UsageError(f"Schema location '{location}' is refused: others could change its answers", hint=hint)
    folder = location.partition("{{")[0].rpartition("/")[0] if "{{" in location else location
    if "://" not in location and folder and not files.has_folder(folder):
        raise UsageError(f"Schema location '{location}': there is no folder '{folder}'", hint="Correct the path.")
    if _VARIABLE.search(location):
        return location
    if "{{" in location:
        raise UsageError(f"Schema location '{location}' is not a template", hint=f"For example {_LAYOUT}")
    return f"{location.rstrip('/')}/{_LAYOUT}"


def _is_loopback_http(location: str) -> bool:
    return location.startswith("http://") and is_loopback(urlsplit(location).hostname or "")


def _parsed(text: str) -> Mapping[str, Any] | None:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return schema if isinstance(schema, dict) else None
