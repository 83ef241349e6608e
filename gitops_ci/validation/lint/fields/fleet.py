"""The file fleet.yaml, and what Fleet asks of its kinds beyond the bundled definitions.

The file stays a table: it has fields of its own beside those of a Bundle, and Fleet's reader makes strings of what the
definition refuses. Source: fleet.rancher.io, ref-gitrepo, ref-fleet-yaml and ref-crds.
"""

from __future__ import annotations

import re

from gitops_ci.validation.lint.field_tables import (
    ANY,
    FLAG,
    MAP,
    NAME,
    NUMBER,
    NUMBER_OR_TEXT,
    OBJECT,
    SELECTOR,
    TEXT,
    TEXTS,
    Shape,
    Text,
    with_others,
)

__all__ = ["FLEET_YAML", "KINDS"]

_UNITS = "ns|us|µs|ms|s|m|h"
_TIME = Text(
    "is not a duration", re.compile(rf"0|(?:[0-9]+(?:\.[0-9]+)?(?:{_UNITS}))+"), "Write it as 5m or 1h30m.", most=32
)
_BASE64 = Text("is not valid base64", re.compile(r"[A-Za-z0-9+/=\r\n]*"))
_RELEASE_NAME = Text(
    "is not a name of a release",
    re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"),
    "Lower-case letters, digits, '-' and '.' only, a letter or digit at both ends.",
    most=53,
)
_KEY: dict[str, Shape] = {"name": TEXT, "namespace": TEXT, "key": TEXT}
_WHERE: dict[str, Shape] = {
    "name": TEXT,
    "clusterName": TEXT,
    "clusterSelector": SELECTOR,
    "clusterGroup": TEXT,
    "clusterGroupSelector": SELECTOR,
}
_HELM: dict[str, Shape] = {
    **dict.fromkeys(("chart", "repo", "version"), TEXT),
    "releaseName": _RELEASE_NAME,
    **dict.fromkeys(("force", "takeOwnership", "waitForJobs", "atomic", "disablePreProcess", "disableDNS"), FLAG),
    **dict.fromkeys(("skipSchemaValidation", "disableDependencyUpdate"), FLAG),
    "timeoutSeconds": NUMBER,
    "maxHistory": NUMBER,
    "values": OBJECT,
    "templateValues": MAP,
    "valuesFiles": TEXTS,
    "valuesFrom": [{"configMapKeyRef": _KEY, "secretKeyRef": _KEY}],
}
_DRIFT: dict[str, Shape] = {"enabled": FLAG, "force": FLAG, "keepFailHistory": FLAG}
_DEPLOYMENT: dict[str, Shape] = {
    **dict.fromkeys(("defaultNamespace", "namespace", "serviceAccount"), TEXT),
    **dict.fromkeys(("keepResources", "deleteNamespace", "createNamespace", "deleteCRDResources"), FLAG),
    "helm": _HELM,
    "kustomize": {"dir": TEXT},
    "yaml": {"overlays": TEXTS},
    "forceSyncGeneration": NUMBER,
    "diff": {
        "comparePatches": [
            {
                **dict.fromkeys(("apiVersion", "kind", "name", "namespace"), TEXT),
                "jsonPointers": TEXTS,
                "operations": [{"op": TEXT, "path": TEXT, "value": TEXT}],
            }
        ]
    },
    "ignore": {"conditions": [MAP]},
    "correctDrift": _DRIFT,
    "namespaceLabels": MAP,
    "namespaceAnnotations": MAP,
    "downstreamResources": [{"kind": TEXT, "name": TEXT}],
    "overwrites": [{"name": TEXT, "namespace": TEXT, "kind": TEXT}],
    "allowedTargetNamespaceSelector": SELECTOR,
}
_TARGET: dict[str, Shape] = {**_DEPLOYMENT, **_WHERE, "doNotDeploy": FLAG}
_SHARE: dict[str, Shape] = dict.fromkeys(
    ("maxUnavailable", "maxUnavailablePartitions", "autoPartitionSize"), NUMBER_OR_TEXT
)

_BUNDLE: dict[str, Shape] = {
    **_DEPLOYMENT,
    "paused": FLAG,
    "rolloutStrategy": {
        **_SHARE,
        "autoPartitionThreshold": NUMBER,
        "maxNew": NUMBER,
        "partitions": [{**_WHERE, "maxUnavailable": NUMBER_OR_TEXT}],
    },
    "targetCustomizationMode": ("FirstMatch", "AllMatches"),
    "targets": [_TARGET],
    "targetRestrictions": [_WHERE],
    "dependsOn": [{"name": TEXT, "selector": SELECTOR, "acceptedStates": TEXTS}],
    "resources": [{"name": TEXT, "content": TEXT, "encoding": TEXT}],
    "contentsId": TEXT,
    "helmOpOptions": {"helmOpSecretName": TEXT, "helmOpCABundle": _BASE64, "helmOpInsecureSkipTLSVerify": FLAG},
    "valuesHash": TEXT,
}
FLEET_YAML: Shape = {
    **_BUNDLE,
    "name": TEXT,
    "labels": MAP,
    "targetCustomizations": [_TARGET],
    "overrideTargets": [_WHERE],
    "imageScans": [ANY],
}
_CLUSTERS: dict[str, Shape] = {"clusterSelector": SELECTOR, "clusterGroupSelector": SELECTOR}
_POLLED: dict[str, Shape] = {"pollingInterval": _TIME, "caBundle": _BASE64}
# kind -> what Fleet asks beyond the bundled definition; a Bundle has the fields of the file
KINDS: dict[str, Shape] = {
    kind: with_others({name: with_others(spec)})
    for kind, name, spec in (
        (
            "GitRepo",
            "spec!",
            {**_POLLED, "repo": NAME, "imageScanInterval": _TIME, "targets": [with_others(_CLUSTERS)]},
        ),
        ("Bundle", "spec", _BUNDLE),
        ("HelmOp", "spec", {**_BUNDLE, **_POLLED}),
        ("ClusterGroup", "spec", {"selector": SELECTOR}),
        ("ImageScan", "spec!", {"image!": NAME, "interval!": _TIME}),
        ("Schedule", "spec", {"duration": _TIME, "targets": with_others({"clusters": [with_others(_CLUSTERS)]})}),
        ("ClusterRegistrationToken", "spec", {"ttl": _TIME}),
    )
} | {
    "BundleNamespaceMapping": with_others({"bundleSelector": SELECTOR, "namespaceSelector": SELECTOR}),
    "GitRepoRestriction": with_others({"allowedTargetNamespaceSelector": SELECTOR}),
}
