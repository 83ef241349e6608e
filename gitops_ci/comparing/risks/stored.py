"""A value as the API server stores it, for telling whether a change is one to the server.

What a manifest leaves out counts as what the server fills in, and a quantity as its number. Nothing differs between an
empty list or mapping and none. Sources: k8s.io/kubernetes pkg/apis/*/v1/defaults.go and zz_generated.defaults.go;
k8s.io/apimachinery pkg/api/equality (Semantic.DeepEqual).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ci.comparing.quantities import quantity
from gitops_ci.quantities import whole_number

__all__ = ["stored", "value_at"]

# Field -> what the server fills in.
_FILLED_IN: Mapping[str, Any] = {
    "apiGroup": "rbac.authorization.k8s.io",
    "attachRequired": True,
    "completionMode": "NonIndexed",
    "creationTimestamp": None,
    "defaultMode": 420,
    "dnsPolicy": "ClusterFirst",
    "enableServiceLinks": True,
    "failureThreshold": 3,
    "iscsiInterface": "default",
    "periodSeconds": 10,
    "podManagementPolicy": "OrderedReady",
    "preemptionPolicy": "PreemptLowerPriority",
    "procMount": "Default",
    "protocol": "TCP",
    "reclaimPolicy": "Delete",
    "schedulerName": "default-scheduler",
    "scheme": "HTTP",
    "serviceAccountName": "default",
    "successThreshold": 1,
    "terminationGracePeriodSeconds": 30,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "timeoutSeconds": 1,
    "volumeBindingMode": "Immediate",
    "volumeMode": "Filesystem",
}
# The same for fields whose name has another meaning elsewhere: what they are in -> field -> value.
_FILLED_IN_BELOW: Mapping[str, Mapping[str, Any]] = {
    "": {"type": "Opaque"},
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "kind": "Shared", "readOnly": False},
    "fieldRef": {"apiVersion": "v1"},
    "httpGet": {"path": "/"},
    "rbd": {"keyring": "/etc/ceph/keyring", "pool": "rbd", "user": "admin"},
    "scaleIO": {"fsType": "xfs", "storageMode": "ThinProvisioned"},
    "serviceAccountToken": {"expirationSeconds": 3600},
    "spec": {"restartPolicy": "Always"},
}
# Fields without which Go has false, 0 or "": for others, these differ from nothing.
_ZERO = frozenset(
    {"hostIPC", "hostNetwork", "hostPID", "hostPort", "initialDelaySeconds", "readOnly", "stdin", "stdinOnce", "tty"}
    | {"value"}
)
# Fields that tell an empty text from none.
_OPTIONAL_TEXTS = frozenset({"storageClassName", "volumeAttributesClassName"})
# Fields that tell an empty mapping from none.
_OPTIONAL = frozenset({"affinity", "nodeAffinity", "podAffinity", "podAntiAffinity", "selector"})
_QUANTITIES = frozenset({"requests", "limits", "capacity", "overhead"})
_OF_OBJECTS = ("apiVersion", "kind", "status")
# Mappings whose keys are anybody's.
_FREE = frozenset(
    {"annotations", "binaryData", "data", "labels", "matchLabels", "nodeSelector", "options", "parameters"}
    | {"stringData", "volumeAttributes"}
)


def stored(value: Any, inside: str = "") -> Any:
    """The value without what says nothing to the server; `inside` is the name of the field that it is in."""
    if isinstance(value, list):
        return [stored(one, inside) for one in value]
    if not isinstance(value, dict) or inside in _FREE:
        return value
    if inside in _QUANTITIES:
        return {key: _number(one) for key, one in value.items()}
    kept = {key: stored(one, str(key)) for key, one in value.items()}
    kept = {key: one for key, one in kept.items() if not _says_nothing(str(key), one, inside)}
    if inside == "volumeClaimTemplates":
        kept = {key: one for key, one in kept.items() if key not in _OF_OBJECTS}
    if kept.get("serviceAccount") == kept.get("serviceAccountName", "default"):
        kept.pop("serviceAccount", None)
    if "image" in kept and kept.get("imagePullPolicy") == _pull_policy(kept["image"]):
        del kept["imagePullPolicy"]
    return _without_equal_requests(kept)


def value_at(value: Any, pointer: str | None) -> Any:
    """What is at a JSON pointer as the server stores it, None where there is nothing."""
    if pointer is None:
        return None
    *before, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    inside = ""
    for part in before:
        value = _below(value, part)
        inside = inside if whole_number(part) is not None else part
    return _below(stored(value, inside), last)


def _below(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    number = whole_number(part) if isinstance(value, list) else None
    return value[number] if number is not None and number < len(value) else None


def _says_nothing(key: str, value: Any, inside: str) -> bool:
    if value is None or value in ([], {}):
        return value is None or key not in _OPTIONAL
    if key in _ZERO and value in (False, 0, ""):
        return True
    if value == "":
        return key not in _OPTIONAL_TEXTS
    filled_in = _FILLED_IN_BELOW.get(inside, {}).get(key, _FILLED_IN.get(key))
    return filled_in is not None and type(filled_in) is type(value) and bool(filled_in == value)


def _number(value: Any) -> Any:
    found = quantity(value)
    return value if found is None else found


def _pull_policy(image: Any) -> str:
    """What the server fills in: Always for an image whose tag is `latest`, also when nothing is written."""
    name, at, _ = str(image).partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or not (tag or at) else "IfNotPresent"


def _without_equal_requests(value: dict[str, Any]) -> dict[str, Any]:
    """A Pod's requests are its limits where they are not written."""
    requests, limits = value.get("requests"), value.get("limits")
    if not isinstance(requests, dict) or not isinstance(limits, dict):
        return value
    other = {key: one for key, one in requests.items() if limits.get(key) != one}
    return {**value, "requests": other} if other else {key: one for key, one in value.items() if key != "requests"}
