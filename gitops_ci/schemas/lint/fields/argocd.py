"""Argo CD's kinds. Source: argo-cd.readthedocs.io, operator-manual (application.yaml, project.yaml and the like)."""

from __future__ import annotations

from gitops_ci.schemas.lint.shapes import ANY, FLAG, MAP, NUMBER, NUMBER_OR_TEXT, TEXT, TEXTS, Shape

__all__ = ["SPECS"]

_NAMED: dict[str, Shape] = {"name": TEXT, "value": TEXT}
_VARIABLE: dict[str, Shape] = {**_NAMED, "code": FLAG}
_RESOURCE: dict[str, Shape] = {"group": TEXT, "kind": TEXT, "name": TEXT}
_TARGET: dict[str, Shape] = dict.fromkeys(
    ("group", "version", "kind", "name", "namespace", "annotationSelector", "labelSelector"), TEXT
)
_HELM: dict[str, Shape] = {
    **dict.fromkeys(("releaseName", "values", "version", "namespace", "kubeVersion"), TEXT),
    **dict.fromkeys(("passCredentials", "ignoreMissingValueFiles", "skipCrds", "skipTests"), FLAG),
    "skipSchemaValidation": FLAG,
    "valueFiles": TEXTS,
    "apiVersions": TEXTS,
    "valuesObject": ANY,
    "parameters": [{**_NAMED, "forceString": FLAG}],
    "fileParameters": [{"name": TEXT, "path": TEXT}],
}
_KUSTOMIZE: dict[str, Shape] = {
    **dict.fromkeys(("namePrefix", "nameSuffix", "version", "namespace", "kubeVersion"), TEXT),
    **dict.fromkeys(("forceCommonLabels", "forceCommonAnnotations", "commonAnnotationsEnvsubst"), FLAG),
    **dict.fromkeys(("ignoreMissingComponents", "labelWithoutSelector", "labelIncludeTemplates"), FLAG),
    **dict.fromkeys(("images", "components", "apiVersions"), TEXTS),
    "commonLabels": MAP,
    "commonAnnotations": MAP,
    "replicas": [{"name": TEXT, "count": NUMBER_OR_TEXT}],
    "patches": [{"path": TEXT, "patch": TEXT, "target": _TARGET, "options": {"*": FLAG}}],
}
_WAYS: dict[str, Shape] = {
    "helm": _HELM,
    "kustomize": _KUSTOMIZE,
    "directory": {
        "recurse": FLAG,
        "disableExtensionFilter": FLAG,
        "include": TEXT,
        "exclude": TEXT,
        "jsonnet": {"extVars": [_VARIABLE], "tlas": [_VARIABLE], "libs": TEXTS},
    },
    "plugin": {
        "name": TEXT,
        "env": [_NAMED],
        "parameters": [{"name": TEXT, "string": TEXT, "map": MAP, "array": TEXTS}],
    },
}
_SOURCE: dict[str, Shape] = {
    **dict.fromkeys(("repoURL", "path", "targetRevision", "tagPrefix", "chart", "ref", "name"), TEXT),
    **_WAYS,
}
_APPLICATION: dict[str, Shape] = {
    "project": TEXT,
    "destination": {"server": TEXT, "name": TEXT, "namespace": TEXT},
    "source": _SOURCE,
    "sources": [_SOURCE],
    "sourceHydrator": {
        "drySource": {"repoURL": TEXT, "targetRevision": TEXT, "path": TEXT, **_WAYS},
        "syncSource": {"targetBranch": TEXT, "path": TEXT, "repoURL": TEXT},
        "hydrateTo": {"targetBranch": TEXT},
    },
    "syncPolicy": {
        "automated": dict.fromkeys(("prune", "selfHeal", "allowEmpty", "enabled"), FLAG),
        "syncOptions": TEXTS,
        "retry": {
            "limit": NUMBER,
            "refresh": FLAG,
            "backoff": {"duration": TEXT, "factor": NUMBER, "maxDuration": TEXT},
        },
        "managedNamespaceMetadata": {"labels": MAP, "annotations": MAP},
    },
    "ignoreDifferences": [
        {
            **_RESOURCE,
            "namespace": TEXT,
            **dict.fromkeys(("jsonPointers", "jqPathExpressions", "managedFieldsManagers"), TEXTS),
        }
    ],
    "info": [_NAMED],
    "revisionHistoryLimit": NUMBER,
}
_GENERATORS = (
    *("list", "clusters", "git", "scmProvider", "clusterDecisionResource", "pullRequest", "matrix", "merge"),
    "plugin",
)
_APPLICATION_SET: dict[str, Shape] = {
    "goTemplate": FLAG,
    "goTemplateOptions": TEXTS,
    "generators": [{**dict.fromkeys(_GENERATORS, ANY), "selector": ANY}],
    "template": {
        "metadata": {"name": TEXT, "namespace": TEXT, "labels": MAP, "annotations": MAP, "finalizers": TEXTS},
        "spec": _APPLICATION,
    },
    "templatePatch": TEXT,
    "syncPolicy": {
        "preserveResourcesOnDeletion": FLAG,
        "applicationsSync": ("create-only", "create-update", "create-delete", "sync"),
    },
    "strategy": {
        "type": TEXT,
        "rollingSync": {"steps": [{"matchExpressions": ANY, "maxUpdate": NUMBER_OR_TEXT}]},
        "deletionOrder": TEXT,
    },
    "preservedFields": {"annotations": TEXTS, "labels": TEXTS},
    "ignoreApplicationDifferences": [{"name": TEXT, "jsonPointers": TEXTS, "jqPathExpressions": TEXTS}],
    "applyNestedSelectors": FLAG,
}
_PROJECT: dict[str, Shape] = {
    "description": TEXT,
    "sourceRepos": TEXTS,
    "sourceNamespaces": TEXTS,
    "destinations": [{"server": TEXT, "name": TEXT, "namespace": TEXT}],
    "destinationServiceAccounts": [{"server": TEXT, "namespace": TEXT, "defaultServiceAccount": TEXT}],
    "roles": [{"name": TEXT, "description": TEXT, "policies": TEXTS, "groups": TEXTS, "jwtTokens": ANY}],
    "clusterResourceWhitelist": [_RESOURCE],
    "clusterResourceBlacklist": [_RESOURCE],
    "namespaceResourceWhitelist": [{"group": TEXT, "kind": TEXT}],
    "namespaceResourceBlacklist": [{"group": TEXT, "kind": TEXT}],
    "orphanedResources": {"warn": FLAG, "ignore": [_RESOURCE]},
    "signatureKeys": [{"keyID": TEXT}],
    "sourceIntegrity": ANY,
    "permitOnlyProjectScopedClusters": FLAG,
    "syncWindows": [
        {
            "kind": ("allow", "deny"),
            **dict.fromkeys(("schedule", "duration", "timeZone", "description"), TEXT),
            **dict.fromkeys(("applications", "namespaces", "clusters"), TEXTS),
            **dict.fromkeys(("manualSync", "andOperator", "syncOverrun"), FLAG),
        }
    ],
}
# kind -> the shape of its spec
SPECS: dict[str, Shape] = {"Application": _APPLICATION, "ApplicationSet": _APPLICATION_SET, "AppProject": _PROJECT}
