"""Rancher Fleet's GitRepo and the file fleet.yaml. Source: fleet.rancher.io, ref-gitrepo and ref-fleet-yaml."""

from __future__ import annotations

from gitops_ci.schemas.lint.shapes import ANY, FLAG, MAP, NUMBER, NUMBER_OR_TEXT, TEXT, TEXTS, Shape

__all__ = ["FLEET_YAML", "SPECS"]

_KEY: dict[str, Shape] = {"name": TEXT, "namespace": TEXT, "key": TEXT}
_WHERE: dict[str, Shape] = {
    "name": TEXT,
    "clusterName": TEXT,
    "clusterSelector": ANY,
    "clusterGroup": TEXT,
    "clusterGroupSelector": ANY,
}
_HELM: dict[str, Shape] = {
    **dict.fromkeys(("chart", "repo", "releaseName", "version"), TEXT),
    **dict.fromkeys(("force", "takeOwnership", "waitForJobs", "atomic", "disablePreProcess", "disableDNS"), FLAG),
    **dict.fromkeys(("skipSchemaValidation", "disableDependencyUpdate"), FLAG),
    "timeoutSeconds": NUMBER,
    "maxHistory": NUMBER,
    "values": ANY,
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
    "allowedTargetNamespaceSelector": ANY,
}
_TARGET: dict[str, Shape] = {**_DEPLOYMENT, **_WHERE, "doNotDeploy": FLAG}
_SHARE: dict[str, Shape] = dict.fromkeys(
    ("maxUnavailable", "maxUnavailablePartitions", "autoPartitionSize"), NUMBER_OR_TEXT
)

FLEET_YAML: Shape = {
    **_DEPLOYMENT,
    "name": TEXT,
    "labels": MAP,
    "paused": FLAG,
    "rolloutStrategy": {
        **_SHARE,
        "autoPartitionThreshold": NUMBER,
        "maxNew": NUMBER,
        "partitions": [{**_WHERE, "maxUnavailable": NUMBER_OR_TEXT}],
    },
    "targetCustomizationMode": ("FirstMatch", "AllMatches"),
    "targetCustomizations": [_TARGET],
    "targets": [_TARGET],
    "targetRestrictions": [_WHERE],
    "overrideTargets": [_WHERE],
    "dependsOn": [{"name": TEXT, "selector": ANY, "acceptedStates": TEXTS}],
    "imageScans": [ANY],
    **dict.fromkeys(("resources", "contentsId", "helmOpOptions", "valuesHash"), ANY),
}
_REPOSITORY: dict[str, Shape] = {
    **dict.fromkeys(("repo", "branch", "revision", "targetNamespace", "clientSecretName", "helmSecretName"), TEXT),
    **dict.fromkeys(("helmSecretNameForPaths", "helmRepoURLRegex", "caBundle", "serviceAccount"), TEXT),
    **dict.fromkeys(("pollingInterval", "imageScanInterval", "ociRegistrySecret", "webhookSecret"), TEXT),
    **dict.fromkeys(("insecureSkipTLSVerify", "paused", "disablePolling", "keepResources", "deleteNamespace"), FLAG),
    "paths": TEXTS,
    "bundles": [{"base": TEXT, "options": TEXT}],
    "targets": [_WHERE],
    "forceSyncGeneration": NUMBER,
    "imageScanCommit": {"authorName": TEXT, "authorEmail": TEXT, "messageTemplate": TEXT},
    "correctDrift": _DRIFT,
}
# kind -> the shape of its spec
SPECS: dict[str, Shape] = {"GitRepo": _REPOSITORY}
