"""Our bundled schemas as files for kubeconform, so that both programs judge by the same ones and neither fetches any.

Each kind becomes one JSON Schema with what it refers to inside, the layout that kubeconform reads fastest: with one
shared file of definitions it takes four times as long.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitops_ci.validation.openapi.bundle import Bundle

__all__ = ["LOCATION", "write_schemas"]

LOCATION = "{{.ResourceKind}}{{.KindSuffix}}.json"
_STRING_OR_NUMBER = {"oneOf": [{"type": "string"}, {"type": "number"}]}
_SCALARS: Mapping[str, Any] = {
    "int32": {"type": "integer"},
    "int64": {"type": "integer"},
    "int-or-string": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    "quantity": _STRING_OR_NUMBER,
    "byte": {"type": "string"},
    "time": {"type": "string"},
    "micro-time": {"type": "string"},
    "any": {},
}


def write_schemas(folder: Path, version: str) -> str:
    """Write the schemas of a Kubernetes version and return the -schema-location that finds them."""
    bundle = Bundle.load(version)
    folder.mkdir(parents=True)
    for name, number in bundle.kinds.items():
        api_version, kind = name.split(" ")
        group, _, served = api_version.rpartition("/")
        suffix = f"-{group.partition('.')[0]}-{served}" if group else f"-{served}"
        used: dict[str, Any] = {}
        schema = {**_strict(bundle.definition(number), bundle, used), "$defs": used}
        Path(folder, f"{kind.lower()}{suffix}.json").write_text(json.dumps(schema))
    return str(folder / LOCATION)


def _strict(schema: Mapping[str, Any], bundle: Bundle, used: dict[str, Any]) -> dict[str, Any]:
    """A definition of ours as JSON Schema; `used` collects the definitions it refers to, by their number."""
    if (number := schema.get("$ref")) is not None:
        if str(number) not in used:
            used[str(number)] = {}
            used[str(number)] = _strict(bundle.definition(number), bundle, used)
        return {"$ref": f"#/$defs/{number}"}
    if "anyOf" in schema:
        return {"anyOf": [_strict(option, bundle, used) for option in schema["anyOf"]]}
    if "properties" in schema:
        fields = {name: _strict(field, bundle, used) for name, field in schema["properties"].items()}
        required = {"required": schema["required"]} if schema.get("required") else {}
        return {"type": ["object", "null"], "properties": fields, "additionalProperties": False, **required}
    if "additionalProperties" in schema:
        return {
            "type": ["object", "null"],
            "additionalProperties": _strict(schema["additionalProperties"], bundle, used),
        }
    if "items" in schema:
        return {"type": ["array", "null"], "items": _strict(schema["items"], bundle, used)}
    made = dict(_SCALARS.get(schema["type"], {"type": schema["type"]}))
    return {**made, "type": [made["type"], "null"]} if "type" in made else made
