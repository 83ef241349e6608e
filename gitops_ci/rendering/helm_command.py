"""How `helm template` is called: nothing of a repository is an option, a path is one of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import field
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.base import path_argument
from gitops_ci.rendering.deployment import Step

__all__ = ["OWN_FOLDER", "Installation", "merged"]

OWN_FOLDER = ".gitops-ci-unit"
_VERSION = re.compile(r"v?\d[\w.+-]*")


@dataclass(slots=True)
class Installation:
    """One installation of a chart. `written` and `copies` are files of its values, each with a name of ours."""

    chart: str
    release: str
    namespace: str = ""
    kubernetes_version: str = ""
    api_versions: tuple[str, ...] = ()
    include_crds: bool = True
    skip_tests: bool = False
    skip_schema: bool = False
    label: str = ""
    options: list[str] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)

    def add_values(self, values: Any) -> None:
        """Values over those before; a text is YAML as it is."""
        path = self._path("values", "yaml")
        self.written[path] = values if isinstance(values, str) else json.dumps(values)
        self.options.append(f"--values=./{path}")

    def add_values_file(self, path: str) -> None:
        own = self._path("values", "yaml")
        self.copies[own] = path
        self.options.append(f"--values=./{own}")

    def add_file_parameter(self, name: str, path: str) -> None:
        own = self._path("file", "txt")
        self.copies[own] = path
        self.options.append(f"--set-file={name}=./{own}")

    def step(self, into: str = "") -> Step:
        options = ["template", *(["--include-crds"] if self.include_crds else [])]
        if self.namespace:
            options.append(f"--namespace={self.namespace}")
        if _VERSION.fullmatch(self.kubernetes_version):
            options.append(f"--kube-version={_whole_version(self.kubernetes_version)}")
        options += [f'--api-versions="{one}"' if "," in one else f"--api-versions={one}" for one in self.api_versions]
        if self.skip_tests:
            options.append("--skip-tests")
        if self.skip_schema:
            options.append("--skip-schema-validation")
        return Step("helm", (*options, *self.options, "--", self.release, path_argument(self.chart)), into)

    def _path(self, kind: str, ending: str) -> str:
        return f"{OWN_FOLDER}/{self.label}{kind}-{len(self.written) + len(self.copies)}.{ending}"


def _whole_version(text: str) -> str:
    plain = text.removeprefix("v")
    return f"v{plain}" if plain.count(".") > 1 else f"v{plain}.0"


def merged(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Maps of values, each over those before it; a null stays, since helm takes a default away for it."""
    made: dict[str, Any] = {}
    for one in values:
        made = _over(made, one)
    return made


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    made = dict(below)
    for key, value in above.items():
        old = made.get(key)
        made[key] = _over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return made
