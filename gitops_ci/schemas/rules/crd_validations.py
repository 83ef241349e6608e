"""Rules in CEL as the schema of a CustomResourceDefinition holds them.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

import re

from gitops_ci.schemas.rules.base import Spot
from gitops_ci.schemas.rules.expressions import compiles, fields_of_self, without_strings

__all__ = ["validations"]

_REASONS = ("FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate")
_OLD = re.compile(r"\boldSelf\b")


def validations(schema: Spot, *, correlated: bool) -> None:
    """The rules of one schema. `correlated` tells whether a value here can be compared with the one it replaces."""
    for rule in schema.each("x-kubernetes-validations"):
        rule.one_of("crd", "reason", _REASONS, pointer=True)
        source = rule.text("rule")
        if not source.strip():
            rule.missing("crd", "rule")
            continue
        _messages(rule, source)
        compiles(rule, "rule", "crd", ("self", "oldSelf"), "BOOL")
        compiles(rule, "messageExpression", "crd", ("self", "oldSelf"), "STRING")
        fields_of_self(rule, schema)
        old = bool(_OLD.search(without_strings(source)))
        if old and not correlated:
            said = "oldSelf cannot be used here: items of such a list cannot be told from those they replace"
            rule.at("rule").bad("crd", said, "It takes a list with x-kubernetes-list-type: map.")
        if rule.has("optionalOldSelf") and not old:
            rule.at("optionalOldSelf").bad("crd", "may not be set when the rule does not use oldSelf")


def _messages(rule: Spot, source: str) -> None:
    message = rule.text("message")
    if rule.text("message") and not message.strip():
        rule.at("message").bad("crd", "must not be blank")
    elif _breaks(message.strip()):
        rule.at("message").bad("crd", "must not contain line breaks")
    elif _breaks(source.strip()) and not message.strip():
        rule.missing("crd", "message", "'message' is required for a rule of several lines")
    for key in ("messageExpression", "fieldPath"):
        if rule.text(key) and not rule.text(key).strip():
            rule.at(key).bad("crd", "must not be blank")
    if _breaks(rule.text("fieldPath")):
        rule.at("fieldPath").bad("crd", "must not contain line breaks")


def _breaks(text: str) -> bool:
    return "\n" in text or "\r" in text
