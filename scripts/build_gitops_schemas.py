"""Generate gitops_ci/validation/custom_resources/data/gitops-kinds.json.z from the published CRDs of the operators.

    python scripts/build_gitops_schemas.py FOLDER

FOLDER has a clone of each repository of SOURCES (`git clone https://github.com/argoproj/argo-cd FOLDER/argo-cd`). All
of them are Apache-2.0. CRDs are read from the named releases; an older one adds the versions that newer ones dropped.

The file is zlib over lines. Line 0 is an index, every further line a schema as JSON:

    {"kinds": {"argoproj.io/v1alpha1 Application": 17, ...}, "sources": ["argoproj/argo-cd v3.6.1", ...]}
    {"type": "object", "properties": {"spec": {"$ref": "#/18"}, ...}}

What is changed on the way: descriptions and the status go, and large parts stand in lines of their own, so that they
are stored once and compiled when an object first needs them. A part stays where it is if it has a default, takes null,
is one of several options, or has rules in it or above it: there whoever reads it looks at the part itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

TARGET = Path(__file__).resolve().parent.parent / "gitops_ci" / "validation" / "custom_resources" / "data"
# Repository, releases from the newest, and the folder of the definitions.
SOURCES = (
    ("argoproj/argo-cd", ("v3.6.1",), "manifests/crds"),
    ("fluxcd/source-controller", ("v1.9.1", "v1.7.4", "v1.6.2"), "config/crd/bases"),
    ("fluxcd/kustomize-controller", ("v1.9.4", "v1.7.3", "v1.6.1"), "config/crd/bases"),
    ("fluxcd/helm-controller", ("v1.6.3", "v1.4.5", "v1.3.0"), "config/crd/bases"),
    ("fluxcd/notification-controller", ("v1.9.3", "v1.8.4", "v1.6.0"), "config/crd/bases"),
    ("fluxcd/image-reflector-controller", ("v1.2.0", "v1.1.2", "v0.35.2"), "config/crd/bases"),
    ("fluxcd/image-automation-controller", ("v1.2.1", "v1.1.4", "v0.41.2"), "config/crd/bases"),
    ("rancher/fleet", ("v0.16.1",), "charts/fleet-crd/templates"),
)
DROPPED = frozenset({"description", "title", "example", "x-kubernetes-map-type"})
RULES = "x-kubernetes-validations"
OPTIONS = frozenset({"anyOf", "oneOf", "allOf", "not"})
WORTH_A_LINE = 160  # characters
ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}
Schema = dict[str, Any]


class Lines:
    """Schemas by their text, each one once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def add(self, schema: Schema) -> int:
        text = json.dumps(schema, separators=(",", ":"), sort_keys=True)
        if text not in self._numbers:
            self.texts.append(text)
            self._numbers[text] = len(self.texts)
        return self._numbers[text]

    def part(self, schema: Any, *, stays: bool = False) -> Any:
        """A schema with its large parts in lines of their own; with `stays` none of them."""
        if not isinstance(schema, dict):
            return schema
        here = stays or RULES in schema
        made: Schema = {}
        for key, value in schema.items():
            if key in DROPPED:
                continue
            if key == "properties":
                made[key] = {name: self.field(field, stays=here) for name, field in value.items()}
            elif key in {"items", "additionalProperties"}:
                made[key] = self.field(value, stays=here)
            elif key in OPTIONS:
                made[key] = [self.part(one, stays=True) for one in value] if isinstance(value, list) else value
            else:
                made[key] = value
        return made

    def field(self, schema: Any, *, stays: bool) -> Any:
        made = self.part(schema, stays=stays)
        is_plain = isinstance(made, dict) and not {"default", "nullable"} & made.keys() and not has_rules(schema)
        if stays or not is_plain or len(json.dumps(made)) < WORTH_A_LINE:
            return made
        return {"$ref": f"#/{self.add(made)}"}


def main(folder: str) -> None:
    lines, kinds, sources = Lines(), dict[str, int](), []
    for repository, releases, path in SOURCES:
        for release in releases:
            sources.append(f"{repository} {release}")
            for api_version, kind, schema in definitions(Path(folder) / repository.partition("/")[2], release, path):
                if f"{api_version} {kind}" not in kinds:
                    kinds[f"{api_version} {kind}"] = lines.add(lines.part(whole(schema)))
    index = json.dumps({"kinds": dict(sorted(kinds.items())), "sources": sources}, separators=(",", ":"))
    data = zlib.compress("\n".join((index, *lines.texts)).encode(), 9)
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "gitops-kinds.json.z").write_bytes(data)
    print(f"{len(kinds)} kinds, {len(lines.texts)} lines, {len(data):,} bytes")


def definitions(clone: Path, release: str, folder: str) -> Iterator[tuple[str, str, Schema]]:
    """apiVersion, kind and schema of what a release serves."""
    for path in git(clone, "ls-tree", "--name-only", release, f"{folder}/").split():
        if not path.endswith(".yaml"):
            continue
        for crd in yaml.safe_load_all(git(clone, "show", f"{release}:{path}")):
            if not isinstance(crd, Mapping) or crd.get("kind") != "CustomResourceDefinition":
                continue
            spec = crd["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    schema = version["schema"]["openAPIV3Schema"]
                    yield f"{spec['group']}/{version['name']}", spec["names"]["kind"], schema


def whole(schema: Schema) -> Schema:
    """The schema of an object without what is not checked of it."""
    properties = {**schema["properties"], "metadata": {"type": "object", **ANYTHING}}
    if "status" in properties:
        properties["status"] = ANYTHING
    return {**schema, "properties": properties}


def has_rules(schema: Any) -> bool:
    if isinstance(schema, dict):
        return RULES in schema or any(map(has_rules, schema.values()))
    return isinstance(schema, list) and any(map(has_rules, schema))


def git(clone: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(clone), *arguments], capture_output=True, check=True)
    return done.stdout.decode()


if __name__ == "__main__":
    main(sys.argv[1])
