"""Argo CD's kinds. Source: argo-cd.readthedocs.io, operator-manual (application.yaml, project.yaml and the like)."""

from __future__ import annotations

import re

from gitops_ci.validation.lint.field_tables import (
    ANY,
    FLAG,
    MAP,
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

__all__ = ["KINDS", "PAST"]

PAST: dict[str, dict[str, Shape]] = {}
_NAMED: dict[str, Shape] = {"name!": TEXT, "value!": TEXT}
_VARIABLE: dict[str, Shape] = {**_NAMED, "code": FLAG}
_TARGET: dict[str, Shape] = dict.fromkeys(
    ("group", "version", "kind", "name", "namespace", "annotationSelector", "labelSelector"), TEXT
)
_HELM: dict[str, Shape] = {
    **dict.fromkeys(("releaseName", "values", "version", "namespace", "kubeVersion"), TEXT),
    **dict.fromkeys(("passCredentials", "ignoreMissingValueFiles", "skipCrds", "skipTests"), FLAG),
    "skipSchemaValidation": FLAG,
    "valueFiles": TEXTS,
    "apiVersions": TEXTS,
    "valuesObject": OBJECT,
    "parameters": [{"name": TEXT, "value": TEXT, "forceString": FLAG}],
    "fileParameters": [{"name": TEXT, "path": TEXT}],
}
_KUSTOMIZE: dict[str, Shape] = {
    **dict.fromkeys(("namePrefix", "nameSuffix", "version", "namespace", "kubeVersion"), TEXT),
    **dict.fromkeys(("forceCommonLabels", "forceCommonAnnotations", "commonAnnotationsEnvsubst"), FLAG),
    **dict.fromkeys(("ignoreMissingComponents", "labelWithoutSelector", "labelIncludeTemplates"), FLAG),
    **dict.fromkeys(("images", "components", "apiVersions"), TEXTS),
    "commonLabels": MAP,
    "commonAnnotations": MAP,
    "replicas": [{"name!": TEXT, "count!": NUMBER_OR_TEXT}],
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
    **dict.fromkeys(("path", "targetRevision", "tagPrefix", "chart", "ref", "name"), TEXT),
    "repoURL!": TEXT,
    **_WAYS,
}
_APPLICATION: dict[str, Shape] = {
    "project!": TEXT,
    "destination!": {"server": TEXT, "name": TEXT, "namespace": TEXT},
    "source": _SOURCE,
    "sources": [_SOURCE],
    "sourceHydrator": {
        "drySource!": {"repoURL!": TEXT, "targetRevision!": TEXT, "path!": TEXT, **_WAYS},
        # The sync branch is emptied first: a path may not be its root.
        "syncSource!": {
            "targetBranch!": TEXT,
            "path!": Text("may not be the root", re.compile(r".{2,}|.*[^./\n]", re.DOTALL)),
            "repoURL": TEXT,
        },
        "hydrateTo": {"targetBranch!": TEXT},
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
            **dict.fromkeys(("group", "name", "namespace"), TEXT),
            "kind!": TEXT,
            **dict.fromkeys(("jsonPointers", "jqPathExpressions", "managedFieldsManagers"), TEXTS),
        }
    ],
    "info": [_NAMED],
    "revisionHistoryLimit": NUMBER,
}
_TEMPLATE: dict[str, Shape] = {
    "metadata!": {"name": TEXT, "namespace": TEXT, "labels": MAP, "annotations": MAP, "finalizers": TEXTS},
    "spec!": _APPLICATION,
}
_SECRET: dict[str, Shape] = {"secretName!": TEXT, "key!": TEXT}
_CA: dict[str, Shape] = {"configMapName!": TEXT, "key!": TEXT}
_LOGIN: dict[str, Shape] = {"username!": TEXT, "passwordRef!": _SECRET}
_BEARER: dict[str, Shape] = {"tokenRef!": _SECRET}
_GENERATED: dict[str, Shape] = {"template": _TEMPLATE, "values": MAP}
_POLLED: dict[str, Shape] = {**_GENERATED, "requeueAfterSeconds": NUMBER}
_TOKEN: dict[str, Shape] = {"api": TEXT, "tokenRef": _SECRET}
_SERVER: dict[str, Shape] = {
    "api!": TEXT,
    "project!": TEXT,
    "basicAuth": _LOGIN,
    "bearerToken": _BEARER,
    "insecure": FLAG,
    "caRef": _CA,
}
_REPOSITORIES: dict[str, Shape] = {
    **_POLLED,
    "cloneProtocol": TEXT,
    "filters": [
        {
            **dict.fromkeys(("repositoryMatch", "branchMatch", "labelMatch"), TEXT),
            "pathsExist": TEXTS,
            "pathsDoNotExist": TEXTS,
        }
    ],
    "github": {
        **_TOKEN,
        "organization!": TEXT,
        "appSecretName": TEXT,
        "allBranches": FLAG,
        "excludeArchivedRepos": FLAG,
    },
    "gitlab": {
        **_TOKEN,
        "group!": TEXT,
        "topic": TEXT,
        "caRef": _CA,
        **dict.fromkeys(("allBranches", "includeArchivedRepos", "includeSharedProjects", "includeSubgroups"), FLAG),
        "insecure": FLAG,
    },
    "gitea": {
        **_TOKEN,
        "api!": TEXT,
        "owner!": TEXT,
        **dict.fromkeys(("allBranches", "excludeArchivedRepos", "insecure"), FLAG),
    },
    "bitbucketServer": {**_SERVER, "allBranches": FLAG},
    "bitbucket": {"owner!": TEXT, "user!": TEXT, "appPasswordRef!": _SECRET, "allBranches": FLAG},
    "azureDevOps": {
        **dict.fromkeys(("organization!", "teamProject!", "api"), TEXT),
        "accessTokenRef!": _SECRET,
        "allBranches": FLAG,
    },
    "awsCodeCommit": {
        "region": TEXT,
        "role": TEXT,
        "tagFilters": [{"key!": TEXT, "value": TEXT}],
        "allBranches": FLAG,
    },
}
_PULL_REQUESTS: dict[str, Shape] = {
    **_POLLED,
    "continueOnRepoNotFoundError": FLAG,
    "filters": [dict.fromkeys(("branchMatch", "targetBranchMatch", "titleMatch"), TEXT)],
    "github": {**_TOKEN, "owner!": TEXT, "repo!": TEXT, "appSecretName": TEXT, "labels": TEXTS},
    "gitlab": {
        **_TOKEN,
        "project!": TEXT,
        "labels": TEXTS,
        "pullRequestState": TEXT,
        "insecure": FLAG,
        "caRef": _CA,
    },
    "gitea": {**_TOKEN, "api!": TEXT, "owner!": TEXT, "repo!": TEXT, "labels": TEXTS, "insecure": FLAG},
    "bitbucketServer": {**_SERVER, "repo!": TEXT},
    "bitbucket": {"api": TEXT, "owner!": TEXT, "repo!": TEXT, "basicAuth": _LOGIN, "bearerToken": _BEARER},
    "azuredevops": {**_TOKEN, **dict.fromkeys(("organization!", "project!", "repo!"), TEXT), "labels": TEXTS},
}
_PATHS = [{"path!": TEXT, "exclude": FLAG}]
_GENERATORS: dict[str, Shape] = {
    "list": {"elements": [ANY], "elementsYaml": TEXT, "template": _TEMPLATE},
    "clusters": {**_GENERATED, "selector": SELECTOR, "flatList": FLAG},
    "git": {
        **_POLLED,
        "repoURL!": TEXT,
        "revision!": TEXT,
        "pathParamPrefix": TEXT,
        "directories": _PATHS,
        "files": _PATHS,
    },
    "scmProvider": _REPOSITORIES,
    "pullRequest": _PULL_REQUESTS,
    "clusterDecisionResource": {**_POLLED, "configMapRef!": TEXT, "name": TEXT, "labelSelector": SELECTOR},
    "plugin": {**_POLLED, "configMapRef!": {"name!": TEXT}, "input": {"parameters": OBJECT}},
    "selector": SELECTOR,
}
# A generator inside of another may hold a third one, of which no definition says more.
_INNER = [{**_GENERATORS, "matrix": ANY, "merge": ANY}]
_APPLICATION_SET: dict[str, Shape] = {
    "goTemplate": FLAG,
    "goTemplateOptions": TEXTS,
    "generators!": [
        {
            **_GENERATORS,
            "matrix": {"generators!": _INNER, "template": _TEMPLATE},
            "merge": {"generators!": _INNER, "mergeKeys!": TEXTS, "template": _TEMPLATE},
        }
    ],
    "template!": _TEMPLATE,
    "templatePatch": TEXT,
    "syncPolicy": {
        "preserveResourcesOnDeletion": FLAG,
        "applicationsSync": ("create-only", "create-update", "create-delete", "sync"),
    },
    "strategy": {
        "type": TEXT,
        "rollingSync": {
            "steps": [
                {
                    "matchExpressions": [{"key": TEXT, "operator": TEXT, "values": TEXTS}],
                    "maxUpdate": NUMBER_OR_TEXT,
                }
            ]
        },
        "deletionOrder": TEXT,
    },
    "preservedFields": {"annotations": TEXTS, "labels": TEXTS},
    "ignoreApplicationDifferences": [{"name": TEXT, "jsonPointers": TEXTS, "jqPathExpressions": TEXTS}],
    "applyNestedSelectors": FLAG,
}
_GROUP_KIND: dict[str, Shape] = {"group!": TEXT, "kind!": TEXT}
_PROJECT: dict[str, Shape] = {
    "description": Text(most=255),
    "sourceRepos": TEXTS,
    "sourceNamespaces": TEXTS,
    "destinations": [{"server": TEXT, "name": TEXT, "namespace": TEXT}],
    "destinationServiceAccounts": [{"server!": TEXT, "namespace": TEXT, "defaultServiceAccount!": TEXT}],
    "roles": [
        {
            "name!": TEXT,
            "description": TEXT,
            "policies": TEXTS,
            "groups": TEXTS,
            "jwtTokens": [{"iat!": NUMBER, "exp": NUMBER, "id": TEXT}],
        }
    ],
    "clusterResourceWhitelist": [{**_GROUP_KIND, "name": TEXT}],
    "clusterResourceBlacklist": [{**_GROUP_KIND, "name": TEXT}],
    "namespaceResourceWhitelist": [_GROUP_KIND],
    "namespaceResourceBlacklist": [_GROUP_KIND],
    "orphanedResources": {"warn": FLAG, "ignore": [{"group": TEXT, "kind": TEXT, "name": TEXT}]},
    "signatureKeys": [{"keyID!": TEXT}],
    "sourceIntegrity": {"git!": {"policies!": [{"repos!": [{"url!": TEXT}], "gpg!": {"mode!": TEXT, "keys!": TEXTS}}]}},
    "permitOnlyProjectScopedClusters": FLAG,
    "syncWindows": [
        {
            "kind!": ("allow", "deny"),
            **dict.fromkeys(("schedule", "duration", "timeZone", "description"), TEXT),
            **dict.fromkeys(("applications", "namespaces", "clusters"), TEXTS),
            **dict.fromkeys(("manualSync", "andOperator", "syncOverrun"), FLAG),
        }
    ],
}
# kind -> its shape
KINDS: dict[str, Shape] = {
    "Application": {**HEAD, "spec!": _APPLICATION, "operation": ANY},
    "ApplicationSet": {**HEAD, "spec!": _APPLICATION_SET},
    "AppProject": {**HEAD, "spec!": _PROJECT},
}
