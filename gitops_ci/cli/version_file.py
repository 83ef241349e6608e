"""`--version-from FILE`: the version that a project's own file names.

Sources: docs.npmjs.com "package.json"; packaging.python.org "pyproject.toml specification"; python-poetry.org;
doc.rust-lang.org/cargo "The Manifest Format"; setuptools.pypa.io "setup.cfg"; docs.gradle.org "gradle.properties";
helm.sh "The Chart.yaml File".
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from gitops_ci.errors import UsageError
from gitops_ci.yamltext import MappingNode, YamlError, read

__all__ = ["version_from"]

_LARGEST = 8 * 1024 * 1024
_LONGEST = 200  # characters of a version in a file of one line
_HINT = (
    "It is package.json, pyproject.toml, Cargo.toml, Chart.yaml, gradle.properties, setup.cfg, "
    "or a text file whose only line is the version."
)
_ASSIGNED = re.compile(r"^[ \t]*version[ \t]*[=:][ \t]*(\S+)[ \t]*$", re.MULTILINE)


def version_from(path: str | None) -> str | None:
    """The version in a file; None without a file.

    Raises:
        UsageError: the file cannot be read, or has no version in it.
    """
    if not path:
        return None
    name = os.path.basename(path)
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_LARGEST)
        version = _reader(name)(text)
    except (OSError, ValueError, RecursionError, YamlError) as error:
        reason = getattr(error, "strerror", None) or f"it is not what {name} should be"
        raise UsageError(f"The version cannot be read from {path}: {reason}", hint=_HINT) from None
    if not isinstance(version, str) or not version.strip() or len(version.split()) != 1:
        raise UsageError(f"{path} has no version", hint=_HINT)
    return version.strip()


def _reader(name: str) -> Callable[[str], Any]:
    if name.endswith(".json"):
        return lambda text: _at(json.loads(text), "version")
    if name.endswith(".toml"):
        return _of_toml
    if name.endswith((".yaml", ".yml")):
        return _of_chart
    if name.endswith((".properties", ".cfg")):
        return lambda text: found[1] if (found := _ASSIGNED.search(text)) else None
    return lambda text: text if len(text) <= _LONGEST else None


def _of_toml(text: str) -> Any:
    data = tomllib.loads(text)
    places = (("project",), ("tool", "poetry"), ("package",), ("workspace", "package"))
    return next((version for place in places if (version := _at(data, *place, "version"))), None)


def _of_chart(text: str) -> Any:
    """A chart's appVersion is that of the image, its version that of the chart."""
    documents = read(text).documents
    root = documents[0] if documents else None
    return (root.text("appVersion") or root.text("version")) if isinstance(root, MappingNode) else None


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data
