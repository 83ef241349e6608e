"""Small kinds of the cluster: Namespace, Node, PriorityClass, RuntimeClass, APIService, CertificateSigningRequest.

Sources: k8s.io/kubernetes pkg/apis/{core,scheduling,node,certificates}/validation; k8s.io/kube-aggregator
pkg/apis/apiregistration/validation; k8s.io/pod-security-admission api/helpers.go.
"""

from __future__ import annotations

import base64
import re

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import labels
from gitops_ci.validation.apiserver.core.compute_resources import overhead
from gitops_ci.validation.apiserver.core.pod_scheduling import EFFECTS, tolerations

__all__ = ["api_service", "certificate_request", "namespace", "node", "priority_class", "revision", "runtime_class"]

_USAGES = (
    *("signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment"),
    *("cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing"),
    *("email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing"),
    *("microsoft sgc", "netscape sgc"),
)
_REQUEST = re.compile(
    rb"-----BEGIN CERTIFICATE REQUEST-----\s(?P<body>[A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----"
)
_SECURITY = "pod-security.kubernetes.io/"
_MOST_PRIORITY = 1_000_000_000
_SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def namespace(document: Field) -> None:
    for index, name in enumerate(document.at("spec").strings("finalizers")):
        why = formats.qualified_name(name)
        if why is None and "/" not in name and name not in {"kubernetes", "orphan", "foregroundDeletion"}:
            why = "is neither a standard finalizer nor a name with a domain"
        if why:
            document.at("spec", "finalizers").item(index).bad("namespace", f"'{name}' {why}")
    for mode in ("enforce", "audit", "warn"):
        label = document.at("metadata", "labels")
        label.one_of("namespace", f"{_SECURITY}{mode}", ("privileged", "baseline", "restricted"), pointer=True)
        version = label.get(f"{_SECURITY}{mode}-version")
        if isinstance(version, str) and not re.fullmatch(r"latest|v1\.([0-9]|[1-9][0-9]*)", version):
            label.at(f"{_SECURITY}{mode}-version").bad("namespace", f"'{version}' must be latest or such as v1.30")


def node(document: Field) -> None:
    seen: set[tuple[str, str]] = set()
    for taint in document.at("spec").each("taints"):
        taint.fits("node", "key", formats.qualified_name)
        taint.fits("node", "value", formats.label_value)
        taint.one_of("node", "effect", EFFECTS)
        pair = (taint.text("key"), taint.text("effect"))
        if pair in seen:
            taint.bad("duplicate", f"the taint {pair[0]}:{pair[1]} is given twice")
        seen.add(pair)
    _pod_networks(document.at("spec"))


def _pod_networks(spec: Field) -> None:
    """PodCIDR is the first of podCIDRs, and counts where the two differ (pkg/apis/core/v1/conversion.go)."""
    one, several = spec.text("podCIDR"), spec.strings("podCIDRs")
    if one and several[:1] != [one]:
        spec.fits("node", "podCIDR", lambda value: formats.cidr(value, spec.minor))
        return
    families = []
    for index, value in enumerate(several):
        if why := formats.cidr(value, spec.minor):
            spec.at("podCIDRs").item(index).bad("node", f"'{value}' {why}")
        families.append(":" in value)
    if len(set(families)) < len(families):
        spec.at("podCIDRs").bad("node", "may have no more than one for each IP family")


def priority_class(document: Field) -> None:
    meta = document.at("metadata")
    name = meta.text("name") or meta.text("generateName")
    if name.startswith("system-"):
        known = document.number("value") == _SYSTEM_CLASSES.get(name) and not document.flag("globalDefault")
        if not known:
            place = meta.at("name" if meta.text("name") else "generateName")
            place.bad("priority", "names that start with 'system-' are reserved")
    elif document.number("value") > _MOST_PRIORITY:
        document.at("value").bad("priority", f"must be no more than {_MOST_PRIORITY}")
    document.one_of("priority", "preemptionPolicy", ("PreemptLowerPriority", "Never"), pointer=True)


def runtime_class(document: Field) -> None:
    document.fits("name", "handler", formats.dns_label)
    overhead(document.at("overhead"), "podFixed")
    scheduling = document.at("scheduling")
    labels(scheduling, "nodeSelector")
    tolerations(scheduling)
    seen: set[tuple[str, ...]] = set()
    for toleration in scheduling.each("tolerations"):
        identity = tuple(toleration.text(key) for key in ("key", "operator", "value", "effect"))
        if identity in seen:
            toleration.bad("duplicate", "the toleration is given twice")
        seen.add(identity)


def api_service(document: Field) -> None:
    spec = document.at("spec")
    group, version = spec.text("group"), spec.text("version")
    wanted = f"{version}.{group}"
    for key in ("name", "generateName"):
        if document.at("metadata").text(key) not in {"", wanted}:
            document.at("metadata", key).bad("api-service", f"must be '{wanted}', spec.version and spec.group")
    if not version:
        spec.missing("api-service", "version")
    spec.fits("api-service", "version", formats.dns_label_1035)
    spec.fits("api-service", "group", formats.dns_subdomain)
    if not group and version != "v1":
        spec.at("version").bad("api-service", "only v1 may have an empty group")
    for key, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        if spec.has(key):
            spec.within("api-service", key, 1, most)
    bundle, insecure = spec.text("caBundle"), spec.flag("insecureSkipTLSVerify")
    if not spec.has("service"):
        for key, given in (("caBundle", bool(bundle)), ("insecureSkipTLSVerify", insecure)):
            if given:
                spec.at(key).bad("api-service", "may not be given without a service")
        return
    service = spec.at("service")
    for key in ("namespace", "name"):
        if not service.text(key):
            service.missing("api-service", key)
    service.within("api-service", "port", 1, 65535)
    if insecure and bundle:
        spec.at("insecureSkipTLSVerify").bad("api-service", "may not be true when caBundle is given")


def certificate_request(document: Field) -> None:
    spec = document.at("spec")
    spec.fits("certificate", "signerName", formats.signer_name)
    if spec.text("signerName") == "kubernetes.io/legacy-unknown":
        spec.at("signerName").bad("certificate", "'kubernetes.io/legacy-unknown' is not allowed in this API version")
    if not _is_request(spec.text("request")):
        spec.at("request").bad("certificate", "must be a PEM block CERTIFICATE REQUEST, in base64")
    usages = spec.strings("usages")
    if not usages:
        spec.missing("certificate", "usages", "at least one usage is required")
    for index, usage in enumerate(usages):
        if usage not in _USAGES:
            said = f"'{usage}' is not supported; one of {', '.join(sorted(_USAGES))}"
            spec.at("usages").item(index).bad("certificate", said)
    if len(set(usages)) < len(usages):
        spec.at("usages").bad("duplicate", "a usage is given twice")
    if spec.has("expirationSeconds"):
        spec.at_least("certificate", "expirationSeconds", 600)


def _is_request(text: str) -> bool:
    """Whether it holds a PKCS #10 request: the outer shell only, the server parses on."""
    try:
        found = _REQUEST.search(base64.b64decode(text))
        der = base64.b64decode(b"".join(found["body"].split()), validate=True) if found else b""
    except ValueError:
        return False
    return der[:1] == b"\x30"


def revision(document: Field) -> None:
    if not document.has("data"):
        document.missing("revision", "data", "'data' is required")
    elif document.on(gates.REVISION_DATA) and type(document.get("data")) is not dict:
        document.at("data").bad("revision", "must be a mapping: what the controller kept")
    document.at_least("revision", "revision", 0)
