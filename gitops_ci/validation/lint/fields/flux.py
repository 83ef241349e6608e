"""Flux's kinds. Source: fluxcd.io/flux/components, the API reference of each controller."""

from __future__ import annotations

import re
from typing import Any

from gitops_ci.validation.lint.field_tables import (
    ANY,
    FLAG,
    MAP,
    NAME,
    NOT_BOTH,
    NUMBER,
    ONE,
    SELECTOR,
    TEXT,
    TEXTS,
    Needs,
    Shape,
    Text,
)
from gitops_ci.validation.lint.fields import HEAD

__all__ = ["KINDS", "PAST"]


def _duration(units: str) -> Text:
    return Text("is no duration", re.compile(rf"(?:[0-9]+(?:\.[0-9]+)?(?:{units}))+"), "Write it as 5m or 1m30s.")


def _address(*schemes: str) -> Text:
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)
    return Text(f"must start with {wanted}", re.compile(rf"(?:{'|'.join(schemes)})://.*"))


_Fields = dict[Any, Shape]
_TIME, _SHORT_TIME = _duration("ms|s|m|h"), _duration("ms|s|m")
_NAMESPACE, _LONG_NAME = Text(least=1, most=63), Text(least=1, most=253)
_REF: dict[str, Shape] = {"name!": NAME}
_ACCESS: dict[str, Shape] = {"namespaceSelectors!": [{"matchLabels": MAP}]}
_PLACE: dict[str, Shape] = {"apiVersion": TEXT, "kind!": TEXT, "name!": NAME, "namespace": TEXT}
_CHARTS_FROM = ("HelmRepository", "GitRepository", "Bucket")
_DEPENDS = [{"name!": NAME, "namespace": TEXT, "readyExpr": TEXT}]
_IDENTITY = [{"issuer!": TEXT, "subject!": TEXT}]
_VERIFY: dict[str, Shape] = {"provider": ("cosign", "notation"), "secretRef": _REF, "matchOIDCIdentity": _IDENTITY}
_META: dict[str, Shape] = {"annotations": MAP, "labels": MAP}
_SECRETS: dict[str, Shape] = dict.fromkeys(("secretRef", "certSecretRef", "proxySecretRef"), _REF)
_FETCHED: dict[str, Shape] = {"interval!": _TIME, "timeout": _SHORT_TIME, "suspend": FLAG}
_CLOUDS = ("generic", "aws", "azure", "gcp")
_GIT_REF: dict[str, Shape] = dict.fromkeys(("branch", "tag", "semver", "name", "commit"), TEXT)
_TARGET: dict[str, Shape] = dict.fromkeys(
    ("group", "version", "kind", "name", "namespace", "annotationSelector", "labelSelector"), TEXT
)
_PATCHES = [{"patch!": TEXT, "target": _TARGET}]
_IGNORED = [{"paths!": TEXTS, "target": _TARGET}]
_IMAGES = [{"name!": TEXT, "newName": TEXT, "newTag": TEXT, "digest": TEXT}]
_HEALTH = [{"apiVersion!": TEXT, "kind": TEXT, "current!": TEXT, "inProgress": TEXT, "failed": TEXT}]
_CLUSTER: _Fields = {
    "configMapRef": _REF,
    "secretRef": {"name!": NAME, "key": TEXT},
    ("configMapRef", "secretRef"): ONE,
}

_GIT: _Fields = {
    **_FETCHED,
    "url!": _address("http", "https", "ssh"),
    "serviceAccountName": TEXT,
    ("serviceAccountName",): Needs("provider", ("aws", "azure")),
    "ignore": TEXT,
    "provider": ("generic", "aws", "azure", "github"),
    "ref": _GIT_REF,
    "secretRef": _REF,
    "proxySecretRef": _REF,
    "verify": {"mode": ("head", "HEAD", "Tag", "TagAndHEAD"), "secretRef!": _REF},
    "recurseSubmodules": FLAG,
    "include": [{"repository!": _REF, "fromPath": TEXT, "toPath": TEXT}],
    "sparseCheckout": TEXTS,
}
_HELM_REPOSITORY: dict[str, Shape] = {
    "interval": _TIME,
    "timeout": _SHORT_TIME,
    "suspend": FLAG,
    "url!": _address("http", "https", "oci"),
    "secretRef": _REF,
    "certSecretRef": _REF,
    "passCredentials": FLAG,
    "insecure": FLAG,
    "type": ("default", "oci"),
    "provider": _CLOUDS,
    "accessFrom": _ACCESS,
}
_OCI: dict[str, Shape] = {
    **_FETCHED,
    **_SECRETS,
    "url!": _address("oci"),
    "serviceAccountName": TEXT,
    "ignore": TEXT,
    "ref": dict.fromkeys(("digest", "semver", "semverFilter", "tag"), TEXT),
    "layerSelector": {"mediaType": TEXT, "operation": ("extract", "copy")},
    "provider": _CLOUDS,
    "verify": {**_VERIFY, "trustedRootSecretRef": _REF},
    "insecure": FLAG,
}
_BUCKET: _Fields = {
    **_FETCHED,
    **_SECRETS,
    "bucketName!": TEXT,
    "endpoint!": TEXT,
    **dict.fromkeys(("region", "prefix", "ignore", "serviceAccountName"), TEXT),
    "provider": _CLOUDS,
    ("serviceAccountName",): Needs("provider", ("aws", "azure", "gcp")),
    ("secretRef", "serviceAccountName"): NOT_BOTH,
    ("sts",): Needs("provider", ("aws", "generic"), without="generic"),
    "sts": {
        ("secretRef",): Needs("provider", ("ldap",)),
        ("certSecretRef",): Needs("provider", ("ldap",)),
        "provider!": ("aws", "ldap"),
        "endpoint!": _address("http", "https"),
        "secretRef": _REF,
        "certSecretRef": _REF,
    },
    "insecure": FLAG,
}
_CHART: dict[str, Shape] = {
    "version": TEXT,
    "reconcileStrategy": ("ChartVersion", "Revision"),
    "valuesFiles": TEXTS,
    "ignoreMissingValuesFiles": FLAG,
}
_HELM_CHART: _Fields = {
    **_CHART,
    "chart!": TEXT,
    "interval!": _TIME,
    "sourceRef!": {"apiVersion": TEXT, "kind!": _CHARTS_FROM, "name!": NAME},
    "suspend": FLAG,
    "verify": _VERIFY,
    ("verify",): Needs("sourceRef.kind", ("HelmRepository",)),
}
_KUSTOMIZATION: dict[str, Shape] = {
    "interval!": _TIME,
    "retryInterval": _TIME,
    "timeout": _TIME,
    "path": TEXT,
    "serviceAccountName": TEXT,
    "targetNamespace": _NAMESPACE,
    **dict.fromkeys(("namePrefix", "nameSuffix"), Text(least=1, most=200)),
    "prune!": FLAG,
    "force": FLAG,
    **dict.fromkeys(("suspend", "wait", "ignoreMissingComponents"), FLAG),
    "sourceRef!": {**_PLACE, "kind!": ("OCIRepository", "GitRepository", "Bucket", "ExternalArtifact")},
    "dependsOn": _DEPENDS,
    "commonMetadata": _META,
    "components": TEXTS,
    "buildMetadata": [("originAnnotations", "transformerAnnotations")],
    "ignore": _IGNORED,
    "decryption": {"provider!": ("sops",), "serviceAccountName": TEXT, "secretRef": _REF},
    "deletionPolicy": ("MirrorPrune", "Delete", "WaitForTermination", "Orphan"),
    "healthChecks": [_PLACE],
    "healthCheckExprs": _HEALTH,
    "images": _IMAGES,
    "kubeConfig": _CLUSTER,
    "patches": _PATCHES,
    "postBuild": {
        "substitute": MAP,
        "substituteFrom": [{"kind!": ("Secret", "ConfigMap"), "name!": _LONG_NAME, "optional": FLAG}],
        "substituteStrategy": ("WithVariables", "Always"),
    },
}
_ACTION: dict[str, Shape] = {
    "timeout": _TIME,
    **dict.fromkeys(("disableHooks", "disableWait", "disableWaitForJobs"), FLAG),
}
_STRATEGY: _Fields = {
    "name!": ("RemediateOnFailure", "RetryOnFailure"),
    "retryInterval": _TIME,
    ("retryInterval",): Needs("name", ("RetryOnFailure",)),
}
_REMEDIATION: dict[str, Shape] = {"retries": NUMBER, "ignoreTestFailures": FLAG, "remediateLastFailure": FLAG}
_CHANGE: dict[str, Shape] = {
    **_ACTION,
    **dict.fromkeys(("disableOpenAPIValidation", "disableSchemaValidation", "disableTakeOwnership"), FLAG),
    "crds": ("Skip", "Create", "CreateReplace"),
    "strategy": _STRATEGY,
}
_SERVER_SIDE = ("enabled", "disabled", "auto")
_CHART_SPEC: dict[str, Shape] = {
    **_CHART,
    "chart!": Text(least=1, most=2048),
    "interval": _TIME,
    "sourceRef!": {"apiVersion": TEXT, "kind!": _CHARTS_FROM, "name!": _LONG_NAME, "namespace": _NAMESPACE},
    "verify": {"provider": ("cosign", "notation"), "secretRef": _REF},
}
_RELEASE: _Fields = {
    "interval!": _TIME,
    "timeout": _TIME,
    "releaseName": Text(least=1, most=53),
    "targetNamespace": _NAMESPACE,
    "storageNamespace": _NAMESPACE,
    "serviceAccountName": _LONG_NAME,
    "suspend": FLAG,
    "persistentClient": FLAG,
    "maxHistory": NUMBER,
    "chart": {"metadata": _META, "spec!": _CHART_SPEC},
    "chartRef": {
        "apiVersion": TEXT,
        "kind!": ("OCIRepository", "HelmChart", "ExternalArtifact"),
        "name!": _LONG_NAME,
        "namespace": _NAMESPACE,
    },
    ("chart", "chartRef"): ONE,
    "dependsOn": _DEPENDS,
    "commonMetadata": _META,
    "driftDetection": {"mode": ("enabled", "warn", "disabled"), "ignore": _IGNORED},
    "install": {
        **_CHANGE,
        **dict.fromkeys(("createNamespace", "replace", "serverSideApply", "skipCRDs"), FLAG),
        "remediation": _REMEDIATION,
    },
    "upgrade": {
        **_CHANGE,
        **dict.fromkeys(("cleanupOnFail", "force", "preserveValues"), FLAG),
        "chartNameChangeStrategy": ("InPlaceUpdate", "Reinstall"),
        "serverSideApply": _SERVER_SIDE,
        "remediation": {**_REMEDIATION, "strategy": ("rollback", "uninstall")},
    },
    "rollback": {
        **_ACTION,
        **dict.fromkeys(("cleanupOnFail", "force", "recreate"), FLAG),
        "serverSideApply": _SERVER_SIDE,
    },
    "uninstall": {
        **dict.fromkeys(("disableHooks", "disableWait", "keepHistory"), FLAG),
        "timeout": _TIME,
        "deletionPropagation": ("background", "foreground", "orphan"),
    },
    "test": {
        "enable": FLAG,
        "ignoreFailures": FLAG,
        "timeout": _TIME,
        "filters": [{"name!": _LONG_NAME, "exclude": FLAG}],
    },
    "postRenderers": [{"kustomize": {"patches": _PATCHES, "images": _IMAGES}}],
    "postRenderStrategy": ("nohooks", "combined", "separate"),
    "values": ANY,
    "healthCheckExprs": _HEALTH,
    "kubeConfig": _CLUSTER,
    "waitStrategy": {"name!": ("poller", "legacy")},
    "valuesFrom": [
        {
            "kind!": ("Secret", "ConfigMap"),
            "name!": _LONG_NAME,
            "valuesKey": Text("is no key of a ConfigMap or Secret", re.compile(r"[-._a-zA-Z0-9]+"), most=253),
            "targetPath": Text(
                "is no path of a value", re.compile(r"(?:[a-zA-Z0-9_\-.\\/]|\[[0-9]{1,5}\])+"), most=250
            ),
            "optional": FLAG,
            "literal": FLAG,
        }
    ],
}
_IMAGE_REPOSITORY: dict[str, Shape] = {
    **_SECRETS,
    "interval!": _TIME,
    "timeout": _SHORT_TIME,
    "suspend": FLAG,
    "image!": TEXT,
    "serviceAccountName": Text(most=253),
    "provider": _CLOUDS,
    "insecure": FLAG,
    "exclusionList": TEXTS,
    "accessFrom": _ACCESS,
}
_ORDER: dict[str, Shape] = {"order": ("asc", "desc")}
_IMAGE_POLICY: _Fields = {
    "imageRepositoryRef!": {"name!": NAME, "namespace": TEXT},
    "policy!": {
        "semver": {"range!": TEXT},
        "alphabetical": _ORDER,
        "numerical": _ORDER,
    },
    "filterTags": {"pattern": TEXT, "extract": TEXT},
    "digestReflectionPolicy": ("Always", "IfNotPresent", "Never"),
    ("digestReflectionPolicy",): Needs("interval", when="Always"),
    "interval": _TIME,
    ("interval",): Needs("digestReflectionPolicy", ("Always",)),
    "suspend": FLAG,
}
_AUTOMATION: dict[str, Shape] = {
    "interval!": _TIME,
    "suspend": FLAG,
    "sourceRef!": {"apiVersion": TEXT, "kind": ("GitRepository",), "name!": NAME, "namespace": TEXT},
    "git": {
        "checkout": {"ref!": _GIT_REF},
        "commit!": {
            "author!": {"name": TEXT, "email!": TEXT},
            "messageTemplate": TEXT,
            "messageTemplateValues": MAP,
            "signingKey": {"secretRef!": _REF, "type": ("gpg", "ssh")},
        },
        "push": {"branch": TEXT, "refspec": TEXT, "options": MAP},
    },
    "policySelector": SELECTOR,
    "update": {"strategy": ("Setters",), "path": TEXT},
}
# kind -> its shape
KINDS: dict[str, Shape] = {
    kind: {**HEAD, "spec!": spec}
    for kind, spec in {
        "GitRepository": _GIT,
        "HelmRepository": _HELM_REPOSITORY,
        "OCIRepository": _OCI,
        "Bucket": _BUCKET,
        "HelmChart": _HELM_CHART,
        "ExternalArtifact": {"sourceRef": _PLACE},
        "Kustomization": _KUSTOMIZATION,
        "HelmRelease": _RELEASE,
        "ImageRepository": _IMAGE_REPOSITORY,
        "ImagePolicy": _IMAGE_POLICY,
        "ImageUpdateAutomation": _AUTOMATION,
    }.items()
}
# kind -> further fields, or looser ones, of the spec of its beta versions
PAST: dict[str, dict[str, Shape]] = {
    "GitRepository": {"gitImplementation": TEXT, "accessFrom": _ACCESS},
    "Bucket": {"accessFrom": _ACCESS},
    "HelmChart": {"valuesFile": TEXT, "accessFrom": _ACCESS},
    "Kustomization": {
        "validation": TEXT,
        "patchesStrategicMerge": ANY,
        "patchesJson6902": ANY,
        "patches": ANY,
        "kubeConfig": ANY,
    },
    "HelmRelease": {
        "chart": {"metadata": _META, "spec!": {**_CHART_SPEC, "valuesFile": TEXT}},
        **dict.fromkeys(("postRenderers", "kubeConfig"), ANY),
    },
    "ImageUpdateAutomation": {"git": ANY, "sourceRef!": ANY},
}
