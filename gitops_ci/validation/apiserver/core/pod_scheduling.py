"""Where a pod may run: node selector, affinity, tolerations, topology spread.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, validateAffinity, ValidateTolerations,
validateTopologySpreadConstraints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector, labels

__all__ = ["node_selector", "scheduling", "tolerations"]

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def scheduling(spec: Field, own: Mapping[str, Any]) -> None:
    """`own` are the labels of a Pod, none of a template: the keys of matchLabelKeys are looked up among them."""
    labels(spec, "nodeSelector")
    affinity = spec.at("affinity")
    node = affinity.at("nodeAffinity")
    if node.has(_REQUIRED):
        node_selector(node.at(_REQUIRED))
    for term in node.each(_PREFERRED):
        _weight(term)
        _node_term(term.at("preference"), values=False)
    for key in ("podAffinity", "podAntiAffinity"):
        for term in affinity.at(key).each(_REQUIRED):
            _pod_term(term, own)
        for weighted in affinity.at(key).each(_PREFERRED):
            _weight(weighted)
            _pod_term(weighted.at("podAffinityTerm"), own)
    tolerations(spec)
    _spread(spec, own)


def _weight(term: Field) -> None:
    if not 1 <= term.number("weight") <= 100:
        place = term.at("weight") if term.has("weight") else term
        place.bad("affinity", f"the weight {term.number('weight')} must be between 1 and 100")


def node_selector(selector: Field) -> None:
    if not selector.count("nodeSelectorTerms"):
        selector.missing("affinity", "nodeSelectorTerms", "at least one node selector term is required")
    for term in selector.each("nodeSelectorTerms"):
        _node_term(term, values=selector.on(gates.NODE_AFFINITY_VALUES))


def _node_term(term: Field, *, values: bool) -> None:
    for requirement in term.each("matchExpressions"):
        operator, given = requirement.text("operator"), requirement.strings("values")
        if operator in {"In", "NotIn"} and not given:
            requirement.missing("affinity", "values", f"'values' is required with operator {operator}")
        elif operator in {"Exists", "DoesNotExist"} and given:
            requirement.at("values").bad("affinity", f"'values' may not be given with operator {operator}")
        elif operator in {"Gt", "Lt"} and len(given) != 1:
            requirement.missing("affinity", "values", f"exactly one value is required with operator {operator}")
        requirement.one_of("affinity", "operator", _OPERATORS)
        requirement.fits("affinity", "key", formats.qualified_name)
        for index, value in enumerate(given):
            if values and (why := formats.label_value(value)):
                requirement.at("values").item(index).bad("affinity", f"'{value}' {why}")
    for requirement in term.each("matchFields"):
        requirement.one_of("affinity", "operator", ("In", "NotIn"))
        if len(requirement.strings("values")) != 1:
            requirement.missing("affinity", "values", "exactly one value is required for a field")
        requirement.one_of("affinity", "key", ("metadata.name",))
        for index, value in enumerate(requirement.strings("values")):
            if why := formats.dns_subdomain(value):
                requirement.at("values").item(index).bad("affinity", f"'{value}' {why}")


def _pod_term(term: Field, own: Mapping[str, Any]) -> None:
    label_selector(term.at("labelSelector"))
    label_selector(term.at("namespaceSelector"))
    for index, name in enumerate(term.strings("namespaces")):
        if why := formats.dns_label(name):
            term.at("namespaces").item(index).bad("affinity", f"'{name}' {why}")
    term.fits("affinity", "topologyKey", formats.qualified_name)
    if term.count("matchLabelKeys") or term.count("mismatchLabelKeys"):
        _label_keys(term, "affinity", own)


def _label_keys(place: Field, rule: str, own: Mapping[str, Any]) -> None:
    """Check matchLabelKeys and mismatchLabelKeys (ValidateMatchLabelKeysAndMismatchLabelKeys)."""
    for key in ("matchLabelKeys", "mismatchLabelKeys"):
        if place.count(key) and not place.has("labelSelector"):
            place.at(key).bad(rule, "must not be given without labelSelector")
        for index, name in enumerate(place.strings(key)):
            if why := formats.qualified_name(name):
                place.at(key).item(index).bad(rule, f"'{name}' {why}")
    keys = place.strings("matchLabelKeys")
    for name in set(keys) & {*place.strings("mismatchLabelKeys")}:
        said = f"'{name}' is in matchLabelKeys and mismatchLabelKeys"
        place.at("matchLabelKeys").item(keys.index(name)).bad(rule, said)
    if keys and place.has("labelSelector"):
        _not_in_both(place, rule, own)


def _not_in_both(place: Field, rule: str, own: Mapping[str, Any]) -> None:
    """A key of matchLabelKeys may not be in the selector as well.

    Before it looks, the server adds a requirement to a Pod's selector for each of them that is a label of the Pod
    (mutatePodAffinity, mutateTopologySpreadConstraints); then a key in two requirements is one too many.
    """
    selector, keys = place.at("labelSelector"), place.strings("matchLabelKeys")
    seen = set(selector.mapping("matchLabels"))
    added = [name for name in (*keys, *place.strings("mismatchLabelKeys")) if name in own]
    for name in (*(part.text("key") for part in selector.each("matchExpressions")), *added):
        if name in keys and name in seen:
            place.at("matchLabelKeys").item(keys.index(name)).bad(rule, f"'{name}' is in labelSelector as well")
        seen.add(name)


def tolerations(spec: Field) -> None:
    for toleration in spec.each("tolerations"):
        key, operator, value = (toleration.text(name) for name in ("key", "operator", "value"))
        toleration.fits("toleration", "key", formats.qualified_name)
        # Lt and Gt compare numbers behind a feature that is off by default.
        toleration.one_of("toleration", "operator", ("Exists", "Equal"))
        toleration.one_of("toleration", "effect", EFFECTS)
        if not key and operator != "Exists":
            toleration.bad("toleration", "operator must be Exists when key is empty")
        if toleration.has("tolerationSeconds") and toleration.text("effect") != "NoExecute":
            toleration.at("tolerationSeconds").bad(
                "toleration", "effect must be NoExecute when tolerationSeconds is set"
            )
        if operator in {"Equal", ""} and (why := formats.label_value(value)):
            toleration.at("value").bad("toleration", f"'{value}' {why}")
        if operator == "Exists" and value:
            toleration.at("value").bad("toleration", "must be empty when operator is Exists")


def _spread(spec: Field, own: Mapping[str, Any]) -> None:
    seen: set[tuple[str, str]] = set()
    for constraint in spec.each("topologySpreadConstraints"):
        if constraint.has("maxSkew"):
            constraint.at_least("spread", "maxSkew", 1)
        when = constraint.text("whenUnsatisfiable")
        constraint.one_of("spread", "whenUnsatisfiable", ("DoNotSchedule", "ScheduleAnyway"))
        pair = (constraint.text("topologyKey"), when)
        if pair in seen:
            constraint.bad("duplicate", f"topologyKey {pair[0]} with {when} is given twice")
        seen.add(pair)
        constraint.at_least("spread", "minDomains", 1)
        if constraint.has("minDomains") and when != "DoNotSchedule":
            constraint.at("minDomains").bad("spread", "may only be given with whenUnsatisfiable: DoNotSchedule")
        for key in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            constraint.one_of("spread", key, ("Honor", "Ignore"), pointer=True)
        if keys := constraint.strings("matchLabelKeys"):
            # Keys that are not merged into the selector simply may not be in it.
            merged = own if constraint.on(gates.MERGED_LABEL_KEYS) else dict.fromkeys(keys)
            _label_keys(constraint, "spread", merged)
        if constraint.on(gates.SPREAD_SELECTORS):
            label_selector(constraint.at("labelSelector"))
