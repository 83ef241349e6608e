"""Rancher Fleet's kinds and the file fleet.yaml. Source: fleet.rancher.io, ref-gitrepo, ref-fleet-yaml and ref-crds."""

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
)
from gitops_ci.validation.lint.fields import HEAD

__all__ = ["FLEET_YAML", "KINDS", "PAST"]

PAST: dict[str, dict[str, Shape]] = {}
_UNITS = "ns|us|µs|ms|s|m|h"
_TIME = Text(
    "is no duration", re.compile(rf"0|(?:[0-9]+(?:\.[0-9]+)?(?:{_UNITS}))+"), "Write it as 5m or 1h30m.", most=32
)
_BASE64 = Text("is no base64", re.compile(r"[A-Za-z0-9+/=\r\n]*"))
_RELEASE_NAME = Text(
    "is no name of a release",
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
_REPOSITORY: dict[str, Shape] = {
    "repo!": NAME,
    **dict.fromkeys(("branch", "revision", "targetNamespace", "clientSecretName", "helmSecretName"), TEXT),
    **dict.fromkeys(("helmSecretNameForPaths", "helmRepoURLRegex", "serviceAccount"), TEXT),
    **dict.fromkeys(("ociRegistrySecret", "webhookSecret"), TEXT),
    "caBundle": _BASE64,
    "pollingInterval": _TIME,
    "imageScanInterval": _TIME,
    **dict.fromkeys(("insecureSkipTLSVerify", "paused", "disablePolling", "keepResources", "deleteNamespace"), FLAG),
    "paths": TEXTS,
    "bundles": [{"base": TEXT, "options": TEXT}],
    "targets": [_WHERE],
    "forceSyncGeneration": NUMBER,
    "imageScanCommit": {"authorName": TEXT, "authorEmail": TEXT, "messageTemplate": TEXT},
    "correctDrift": _DRIFT,
}
_HELM_OP: dict[str, Shape] = {
    **_BUNDLE,
    "labels": MAP,
    "helmSecretName": TEXT,
    "insecureSkipTLSVerify": FLAG,
    "pollingInterval": _TIME,
}
_SCAN: dict[str, Shape] = {
    "image!": TEXT,
    "interval!": _TIME,
    "gitrepoName": TEXT,
    "tagName": TEXT,
    "suspend": FLAG,
    "secretRef": {"name": TEXT},
    "policy": {"semver": {"range": TEXT}, "alphabetical": {"order": TEXT}},
}
_SCHEDULE: dict[str, Shape] = {
    "schedule": TEXT,
    "location": TEXT,
    "duration": _TIME,
    "targets": {"clusters": [_WHERE]},
}
# kind -> its shape
KINDS: dict[str, Shape] = {
    "GitRepo": {**HEAD, "spec!": _REPOSITORY},
    "Bundle": {**HEAD, "spec": _BUNDLE},
    "HelmOp": {**HEAD, "spec": _HELM_OP},
    "ClusterGroup": {**HEAD, "spec": {"selector": SELECTOR}},
    "ImageScan": {**HEAD, "spec!": _SCAN},
    "Schedule": {**HEAD, "spec": _SCHEDULE},
    "ClusterRegistrationToken": {**HEAD, "spec": {"ttl": _TIME}},
    "BundleNamespaceMapping": {**HEAD, "bundleSelector": SELECTOR, "namespaceSelector": SELECTOR},
    "GitRepoRestriction": {
        **HEAD,
        **dict.fromkeys(("allowedClientSecretNames", "allowedRepoPatterns", "allowedServiceAccounts"), TEXTS),
        "allowedTargetNamespaces": TEXTS,
        "defaultClientSecretName": TEXT,
        "defaultServiceAccount": TEXT,
        "allowedTargetNamespaceSelector": SELECTOR,
    },
}
