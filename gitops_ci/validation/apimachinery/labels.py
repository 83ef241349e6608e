"""Labels, annotations and label selectors.

Source: k8s.io/apimachinery pkg/apis/meta/v1/validation, pkg/api/validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field, shown

__all__ = ["check_annotations", "label_requirement", "label_selector", "labels", "matches", "operator_values"]

MOST_ANNOTATIONS = 256 * 1024  # bytes of keys and values together
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def labels(field: Field, key: str = "labels") -> None:
    for name, value in field.pairs(key):
        if why := formats.qualified_name(name):
            value.bad_key("label", f"the key '{shown(name)}' {why}")
        if type(value.value) is str and (why := formats.label_value(value.value)):
            value.bad("label", f"'{shown(value.value)}' {why}")


def check_annotations(field: Field) -> None:
    total = 0
    for name, value in field.pairs("annotations"):
        if why := formats.annotation_key(name):
            value.bad_key("annotation", f"the key '{shown(name)}' {why}")
        total += len(name.encode()) + len(str(value.value or "").encode())
    if total > MOST_ANNOTATIONS:
        field.at("annotations").bad("annotation", f"may not be more than {MOST_ANNOTATIONS} bytes, is {total}")


def label_selector(selector: Field) -> None:
    """A LabelSelector's keys, values and operators."""
    if type(selector.value) is not dict:
        return
    labels(selector, "matchLabels")
    for requirement in selector.each("matchExpressions"):
        label_requirement(requirement)
        if requirement.text("operator"):
            requirement.one_of("selector", "operator", _OPERATORS)
        else:
            requirement.missing("selector", "operator")


def label_requirement(requirement: Field) -> None:
    """A key, and the values that its operator asks for; the operator may be an unknown one."""
    operator_values(requirement, "selector")
    if why := formats.qualified_name(requirement.text("key")):
        place = requirement.at("key") if requirement.has("key") else requirement
        place.bad("selector", f"'{shown(requirement.text('key'))}' {why}")
    for index, value in enumerate(requirement.strings("values") if requirement.on(gates.SELECTOR_VALUES) else ()):
        if why := formats.label_value(value):
            requirement.at("values").item(index).bad("selector", f"'{shown(value)}' {why}")


def operator_values(requirement: Field, rule: str) -> None:
    """In and NotIn have values, Exists and DoesNotExist none."""
    operator = requirement.text("operator")
    if operator in {"In", "NotIn"} and not requirement.count("values"):
        requirement.missing(rule, "values", f"'values' is required with operator {operator}")
    elif operator in {"Exists", "DoesNotExist"} and requirement.count("values"):
        requirement.at("values").bad(rule, f"'values' may not be given with operator {operator}")


def matches(selector: Field, found: Mapping[str, Any]) -> bool:
    """Whether labels fulfill a LabelSelector."""
    for key, value in selector.mapping("matchLabels").items():
        if key not in found or (found[key] or "") != (value or ""):
            return False
    for requirement in selector.each("matchExpressions"):
        key, operator = requirement.text("key"), requirement.text("operator")
        values = requirement.strings("values")
        inside = key in found and (found[key] or "") in values
        if operator == "In" and not inside:
            return False
        if operator == "NotIn" and inside:
            return False
        if operator == "Exists" and key not in found:
            return False
        if operator == "DoesNotExist" and key in found:
            return False
    return True
