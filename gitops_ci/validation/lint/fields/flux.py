"""What Flux's controllers ask of their kinds beyond the bundled definitions, or beyond what these say without CEL.

A field that is not here is the definition's. Two things no definition says: that a name may not be empty, and, for the
first beta versions, what a duration is. Source: fluxcd.io/flux/components, the API reference of each controller.
"""

from __future__ import annotations

import re
from typing import Any

from gitops_ci.validation.lint.field_tables import NAME, NOT_BOTH, ONE, SELECTOR, Needs, Shape, Text, with_others

__all__ = ["KINDS"]


def _duration(units: str) -> Text:
    return Text("is not a duration", re.compile(rf"(?:[0-9]+(?:\.[0-9]+)?(?:{units}))+"), "Write it as 5m or 1m30s.")


def _address(*schemes: str) -> Text:
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)
    return Text(f"must start with {wanted}", re.compile(rf"(?:{'|'.join(schemes)})://.*"))


_Fields = dict[Any, Shape]
_TIME, _SHORT_TIME = _duration("ms|s|m|h"), _duration("ms|s|m")
_REF = with_others({"name": NAME})
_SECRETS: _Fields = dict.fromkeys(("secretRef", "certSecretRef", "proxySecretRef"), _REF)
_FETCHED: _Fields = {"interval": _TIME, "timeout": _SHORT_TIME, **_SECRETS}
_VERIFIED: _Fields = {"verify": with_others({"secretRef": _REF, "trustedRootSecretRef": _REF})}
_CLUSTER = with_others({"configMapRef": _REF, "secretRef": _REF, ("configMapRef", "secretRef"): ONE})
_ACTION = with_others({"timeout": _TIME})
_CHANGE = with_others(
    {
        "timeout": _TIME,
        "strategy": with_others(
            {"retryInterval": _TIME, ("retryInterval",): Needs("name", ("RetryOnFailure",))},
        ),
    }
)
_LONG_NAME = Text(least=1, most=253)
_KUSTOMIZATION: _Fields = {
    **dict.fromkeys(("interval", "retryInterval", "timeout"), _TIME),
    "sourceRef": _REF,
    "dependsOn": [_REF],
    "decryption": with_others({"secretRef": _REF}),
    "healthChecks": [_REF],
    "kubeConfig": _CLUSTER,
    "postBuild": with_others({"substituteFrom": [_REF]}),
}
_RELEASE: _Fields = {
    **dict.fromkeys(("interval", "timeout"), _TIME),
    "serviceAccountName": _LONG_NAME,
    "chart": with_others(
        {
            "spec": with_others(
                {
                    "chart": Text(least=1, most=2048),
                    "interval": _TIME,
                    "sourceRef": with_others({"name": _LONG_NAME}),
                    "verify": with_others({"secretRef": _REF}),
                }
            )
        }
    ),
    "chartRef": with_others({"name": _LONG_NAME}),
    ("chart", "chartRef"): ONE,
    "dependsOn": [_REF],
    "install": _CHANGE,
    "upgrade": _CHANGE,
    **dict.fromkeys(("rollback", "uninstall", "test"), _ACTION),
    "kubeConfig": _CLUSTER,
    "valuesFrom": [
        with_others(
            {
                "name": _LONG_NAME,
                "valuesKey": Text("is not a key of a ConfigMap or Secret", re.compile(r"[-._a-zA-Z0-9]+"), most=253),
                "targetPath": Text(
                    "is not a path of a value", re.compile(r"(?:[a-zA-Z0-9_\-.\\/]|\[[0-9]{1,5}\])+"), most=250
                ),
            }
        )
    ],
}
# kind -> its shape
KINDS: dict[str, Shape] = {
    kind: with_others({"spec!": with_others(spec)})
    for kind, spec in {
        "GitRepository": {
            **_FETCHED,
            **_VERIFIED,
            "url": _address("http", "https", "ssh"),
            ("serviceAccountName",): Needs("provider", ("aws", "azure")),
            "include": [with_others({"repository": _REF})],
        },
        "HelmRepository": {**_FETCHED, "url": _address("http", "https", "oci")},
        "OCIRepository": {**_FETCHED, **_VERIFIED, "url": _address("oci")},
        "Bucket": {
            **_FETCHED,
            ("serviceAccountName",): Needs("provider", ("aws", "azure", "gcp")),
            ("secretRef", "serviceAccountName"): NOT_BOTH,
            ("sts",): Needs("provider", ("aws", "generic"), without="generic"),
            "sts": with_others(
                {
                    "endpoint": _address("http", "https"),
                    "secretRef": _REF,
                    "certSecretRef": _REF,
                    ("secretRef",): Needs("provider", ("ldap",)),
                    ("certSecretRef",): Needs("provider", ("ldap",)),
                }
            ),
        },
        "HelmChart": {
            **_VERIFIED,
            "interval": _TIME,
            "sourceRef": _REF,
            ("verify",): Needs("sourceRef.kind", ("HelmRepository",)),
        },
        "ExternalArtifact": {"sourceRef": _REF},
        "Kustomization": _KUSTOMIZATION,
        "HelmRelease": _RELEASE,
        "ImageRepository": _FETCHED,
        "ImagePolicy": {
            "imageRepositoryRef": _REF,
            "interval": _TIME,
            ("digestReflectionPolicy",): Needs("interval", when="Always"),
            ("interval",): Needs("digestReflectionPolicy", ("Always",)),
        },
        "ImageUpdateAutomation": {
            "interval": _TIME,
            "sourceRef": _REF,
            "git": with_others({"commit": with_others({"signingKey": with_others({"secretRef": _REF})})}),
            "policySelector": SELECTOR,
        },
    }.items()
}
