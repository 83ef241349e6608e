"""Flux's kinds. Source: fluxcd.io/flux/components, the API reference of each controller."""

from __future__ import annotations

from gitops_ci.schemas.lint.shapes import ANY, FLAG, MAP, NUMBER, TEXT, TEXTS, Shape

__all__ = ["SPECS"]

_REF: dict[str, Shape] = {"name!": TEXT}
_ACCESS: dict[str, Shape] = {"namespaceSelectors": ANY}
_PLACE: dict[str, Shape] = {"apiVersion": TEXT, "kind!": TEXT, "name!": TEXT, "namespace": TEXT}
_CHARTS_FROM: dict[str, Shape] = {**_PLACE, "kind!": ("HelmRepository", "GitRepository", "Bucket")}
_DEPENDS = [{"name!": TEXT, "namespace": TEXT, "readyExpr": TEXT}]
_VERIFY: dict[str, Shape] = {
    "provider": TEXT,
    "secretRef": _REF,
    "trustedRootSecretRef": _REF,
    "matchOIDCIdentity": ANY,
}
_FETCHED: dict[str, Shape] = {"interval": TEXT, "timeout": TEXT, "suspend": FLAG}
_META: dict[str, Shape] = {"annotations": MAP, "labels": MAP}
_SECRETS: dict[str, Shape] = dict.fromkeys(("secretRef", "certSecretRef", "proxySecretRef"), _REF)

_GIT: dict[str, Shape] = {
    **_FETCHED,
    **dict.fromkeys(("url", "serviceAccountName", "ignore", "gitImplementation"), TEXT),
    "provider": ("generic", "aws", "azure", "github"),
    "ref": dict.fromkeys(("branch", "tag", "semver", "name", "commit"), TEXT),
    "secretRef": _REF,
    "proxySecretRef": _REF,
    "verify": {"mode": ("head", "HEAD", "Tag", "TagAndHEAD"), "secretRef!": _REF},
    "recurseSubmodules": FLAG,
    "include": [{"repository!": _REF, "fromPath": TEXT, "toPath": TEXT}],
    "sparseCheckout": TEXTS,
    "accessFrom": _ACCESS,
}
_HELM_REPOSITORY: dict[str, Shape] = {
    **_FETCHED,
    "url": TEXT,
    "secretRef": _REF,
    "certSecretRef": _REF,
    "passCredentials": FLAG,
    "insecure": FLAG,
    "type": ("default", "oci"),
    "provider": ("generic", "aws", "azure", "gcp"),
    "accessFrom": _ACCESS,
}
_OCI: dict[str, Shape] = {
    **_FETCHED,
    **_SECRETS,
    **dict.fromkeys(("url", "serviceAccountName", "ignore"), TEXT),
    "ref": dict.fromkeys(("digest", "semver", "semverFilter", "tag"), TEXT),
    "layerSelector": {"mediaType": TEXT, "operation": ("extract", "copy")},
    "provider": ("generic", "aws", "azure", "gcp"),
    "verify": _VERIFY,
    "insecure": FLAG,
}
_BUCKET: dict[str, Shape] = {
    **_FETCHED,
    **_SECRETS,
    **dict.fromkeys(("bucketName", "endpoint", "region", "prefix", "ignore", "serviceAccountName"), TEXT),
    "provider": ("generic", "aws", "gcp", "azure"),
    "sts": ANY,
    "insecure": FLAG,
    "accessFrom": _ACCESS,
}
_CHART: dict[str, Shape] = {
    "chart": TEXT,
    "version": TEXT,
    "interval": TEXT,
    "reconcileStrategy": ("ChartVersion", "Revision"),
    "valuesFiles": TEXTS,
    "valuesFile": TEXT,
    "ignoreMissingValuesFiles": FLAG,
    "verify": _VERIFY,
}
_IMAGES = [dict.fromkeys(("name", "newName", "newTag", "digest"), TEXT)]
_KUSTOMIZATION: dict[str, Shape] = {
    **dict.fromkeys(("interval", "retryInterval", "timeout", "path", "serviceAccountName", "targetNamespace"), TEXT),
    **dict.fromkeys(("namePrefix", "nameSuffix"), TEXT),
    **dict.fromkeys(("prune", "suspend", "force", "wait", "ignoreMissingComponents"), FLAG),
    "sourceRef": {**_PLACE, "kind!": ("OCIRepository", "GitRepository", "Bucket", "ExternalArtifact")},
    "dependsOn": _DEPENDS,
    "commonMetadata": _META,
    **dict.fromkeys(("components", "buildMetadata"), TEXTS),
    "ignore": ANY,
    "decryption": {"provider": ("sops",), "serviceAccountName": TEXT, "secretRef": _REF},
    "deletionPolicy": ("MirrorPrune", "Delete", "WaitForTermination", "Orphan"),
    "healthChecks": [_PLACE],
    "healthCheckExprs": ANY,
    "images": _IMAGES,
    "kubeConfig": ANY,
    "patches": [{"patch": TEXT, "target": {"*": TEXT}}],
    "patchesStrategicMerge": ANY,
    "patchesJson6902": ANY,
    "postBuild": {
        "substitute": MAP,
        "substituteFrom": [{"kind!": ("Secret", "ConfigMap"), "name!": TEXT, "optional": FLAG}],
        "substituteStrategy": ("WithVariables", "Always"),
    },
    "validation": TEXT,
}
_RELEASE: dict[str, Shape] = {
    **dict.fromkeys(("interval", "timeout", "releaseName", "targetNamespace", "storageNamespace"), TEXT),
    "serviceAccountName": TEXT,
    "postRenderStrategy": TEXT,
    "suspend": FLAG,
    "persistentClient": FLAG,
    "maxHistory": NUMBER,
    "chart": {"metadata": _META, "spec": {**_CHART, "sourceRef": _CHARTS_FROM}},
    "chartRef": {**_PLACE, "kind!": ("OCIRepository", "HelmChart", "ExternalArtifact")},
    "dependsOn": _DEPENDS,
    "commonMetadata": _META,
    "driftDetection": {"mode": ("enabled", "warn", "disabled"), "ignore": ANY},
    **dict.fromkeys(("install", "upgrade", "test", "rollback", "uninstall", "postRenderers", "values"), ANY),
    **dict.fromkeys(("healthCheckExprs", "kubeConfig", "waitStrategy"), ANY),
    "valuesFrom": [
        {
            "kind!": ("Secret", "ConfigMap"),
            "name!": TEXT,
            "valuesKey": TEXT,
            "targetPath": TEXT,
            "optional": FLAG,
            "literal": FLAG,
        }
    ],
}
_IMAGE_REPOSITORY: dict[str, Shape] = {
    **_FETCHED,
    **_SECRETS,
    "image": TEXT,
    "serviceAccountName": TEXT,
    "provider": ("generic", "aws", "azure", "gcp"),
    "insecure": FLAG,
    "exclusionList": TEXTS,
    "accessFrom": _ACCESS,
}
_IMAGE_POLICY: dict[str, Shape] = {
    "imageRepositoryRef": {"name!": TEXT, "namespace": TEXT},
    "policy": {
        "semver": {"range!": TEXT},
        "alphabetical": {"order": ("asc", "desc")},
        "numerical": {"order": ("asc", "desc")},
    },
    "filterTags": {"pattern": TEXT, "extract": TEXT},
    "digestReflectionPolicy": ("Always", "IfNotPresent", "Never"),
    "interval": TEXT,
    "suspend": FLAG,
}
_AUTOMATION: dict[str, Shape] = {
    "interval": TEXT,
    "suspend": FLAG,
    "sourceRef": {**_PLACE, "kind!": ("GitRepository",)},
    "git": {
        "checkout": ANY,
        "commit!": {
            "author!": {"name": TEXT, "email!": TEXT},
            "messageTemplate": TEXT,
            "messageTemplateValues": MAP,
            "signingKey": ANY,
        },
        "push": {"branch": TEXT, "refspec": TEXT, "options": MAP},
    },
    "policySelector": ANY,
    "update": {"strategy": ("Setters",), "path": TEXT},
}
# kind -> the shape of its spec
SPECS: dict[str, Shape] = {
    "GitRepository": _GIT,
    "HelmRepository": _HELM_REPOSITORY,
    "OCIRepository": _OCI,
    "Bucket": _BUCKET,
    "HelmChart": {**_CHART, "sourceRef": _CHARTS_FROM, "suspend": FLAG, "accessFrom": _ACCESS},
    "Kustomization": _KUSTOMIZATION,
    "HelmRelease": _RELEASE,
    "ImageRepository": _IMAGE_REPOSITORY,
    "ImagePolicy": _IMAGE_POLICY,
    "ImageUpdateAutomation": _AUTOMATION,
}
