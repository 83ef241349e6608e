"""FlowSchemas and PriorityLevelConfigurations.

Source: k8s.io/kubernetes pkg/apis/flowcontrol/validation/validation.go.
"""

from __future__ import annotations

import math

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["flow_schema", "priority_level"]

_VERBS = frozenset(["get", "list", "create", "update", "delete", "deletecollection", "patch", "watch", "proxy"])
_HASH_BITS = 60
_KINDS = {"ServiceAccount": "serviceAccount", "User": "user", "Group": "group"}


def flow_schema(document: Field) -> None:
    spec = document.at("spec")
    # Absent (and 0) is 1000, by default.
    precedence = spec.number("matchingPrecedence")
    if spec.has("matchingPrecedence") and precedence and not 1 <= precedence <= 10000:
        spec.at("matchingPrecedence").bad("flow-schema", f"{precedence} must be between 1 and 10000")
    if precedence == 1 and document.at("metadata").text("name") != "exempt":
        spec.at("matchingPrecedence").bad("flow-schema", "1 is for the schema named 'exempt' only")
    spec.at("distinguisherMethod").one_of("flow-schema", "type", ("ByUser", "ByNamespace"), pointer=True)
    spec.at("priorityLevelConfiguration").fits("name", "name", formats.dns_subdomain)
    for rule in spec.each("rules"):
        for subject in rule.each("subjects"):
            _subject(subject)
        if not rule.count("resourceRules") and not rule.count("nonResourceRules"):
            rule.bad("flow-schema", "needs resourceRules or nonResourceRules")
        for resource in rule.each("resourceRules"):
            _verbs(resource)
            for key in ("apiGroups", "resources", "namespaces"):
                _alone(resource, key)
            if not resource.count("namespaces") and not resource.flag("clusterScope"):
                resource.missing("flow-schema", "namespaces", "'namespaces' is required without clusterScope: true")
            for index, name in enumerate(resource.strings("namespaces")):
                if name != "*" and (why := formats.dns_label(name)):
                    resource.at("namespaces").item(index).bad("flow-schema", f"'{name}' {why}")
        for other in rule.each("nonResourceRules"):
            _verbs(other)
            _alone(other, "nonResourceURLs")
            for index, url in enumerate(other.strings("nonResourceURLs")):
                if why := _why_no_path(url):
                    other.at("nonResourceURLs").item(index).bad("flow-schema", f"'{url}' {why}")


def _subject(subject: Field) -> None:
    kind = subject.text("kind")
    subject.one_of("flow-schema", "kind", tuple(_KINDS))
    wanted = _KINDS.get(kind)
    for key in _KINDS.values():
        if key == wanted and not subject.has(key):
            subject.missing("flow-schema", key, f"'{key}' is required for a subject of kind {kind}")
        elif key != wanted and subject.has(key) and wanted:
            subject.at(key).bad("flow-schema", f"may not be given for a subject of kind {kind}")
    account = subject.at("serviceAccount")
    if account.text("name") != "*":
        account.fits("name", "name", formats.dns_subdomain)
    account.fits("name", "namespace", formats.dns_label)


def _verbs(rule: Field) -> None:
    _alone(rule, "verbs")
    for index, verb in enumerate(rule.strings("verbs")):
        if verb != "*" and verb not in _VERBS:
            rule.at("verbs").item(index).bad(
                "flow-schema", f"'{verb}' is not supported; one of {', '.join(sorted(_VERBS))}"
            )


def _alone(rule: Field, key: str) -> None:
    values = rule.strings(key)
    if "*" in values and len(values) > 1:
        rule.at(key).bad("flow-schema", "'*' must be alone")


def _why_no_path(url: str) -> str | None:
    if url in {"*", "/"}:
        return None
    if not url.startswith("/"):
        return "must start with '/'"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slashes"
    star = url.find("*")
    if star != -1 and (star != len(url) - 1 or not url.endswith("/*")):
        return "may have '*' only as its last segment"
    return None


def priority_level(document: Field) -> None:
    spec = document.at("spec")
    kind = spec.text("type")
    spec.one_of("priority-level", "type", ("Exempt", "Limited"))
    if (document.at("metadata").text("name") == "exempt") != (kind == "Exempt"):
        spec.at("type").bad("priority-level", "must be Exempt for the level named 'exempt', and for no other")
    if kind == "Exempt" and spec.has("limited"):
        spec.at("limited").bad("priority-level", "may not be given when the type is Exempt")
    if kind == "Limited" and not spec.has("limited"):
        spec.missing("priority-level", "limited", "'limited' is required when the type is Limited")
    if kind == "Limited" and spec.has("exempt"):
        spec.at("exempt").bad("priority-level", "may not be given when the type is Limited")
    limited = spec.at("limited")
    for place in (limited, spec.at("exempt")):
        for key in ("nominalConcurrencyShares", "assuredConcurrencyShares"):
            place.at_least("priority-level", key, 0)
        place.within("priority-level", "lendablePercent", 0, 100)
        place.at_least("priority-level", "borrowingLimitPercent", 0)
    # Versions before v1 read 0 as absent.
    explicit = document.text("apiVersion").endswith("/v1") and limited.get("nominalConcurrencyShares") == 0
    if explicit and not spec.on(gates.ZERO_SHARES):
        limited.at("nominalConcurrencyShares").bad("priority-level", "must be positive")
    if limited.has("limitResponse") or kind == "Limited":
        _response(limited.at("limitResponse"), limited)


def _response(response: Field, limited: Field) -> None:
    if not response.text("type"):
        place = response if limited.has("limitResponse") else limited
        place.bad("priority-level", "'limitResponse.type' is required: Queue or Reject")
    response.one_of("priority-level", "type", ("Queue", "Reject"))
    queuing = response.at("queuing")
    if response.text("type") == "Reject" and response.has("queuing"):
        queuing.bad("priority-level", "may not be given when the type is Reject")
    if response.text("type") == "Queue" and not response.has("queuing"):
        response.missing("priority-level", "queuing", "'queuing' is required when the type is Queue")
    for key, most in (("queues", 10_000_000), ("queueLengthLimit", 2**31 - 1), ("handSize", 2**31 - 1)):
        queuing.within("priority-level", key, 0, most)
    if response.text("type") == "Queue" and response.has("queuing"):
        _deal(queuing, queuing.number("queues") or 64, queuing.number("handSize") or 8)


def _deal(queuing: Field, queues: int, hand: int) -> None:
    """Hands are dealt by a hash of 60 bits (apiserver pkg/util/shufflesharding)."""
    place = queuing.at("handSize") if queuing.has("handSize") else queuing
    if hand > queues:
        place.bad("priority-level", f"'handSize' ({hand}) must be no more than queues ({queues})")
    elif queues > 0 and math.ceil(math.log2(queues) * hand) > _HASH_BITS:
        place.bad("priority-level", f"'handSize' ({hand}) is too large for {queues} queues")
