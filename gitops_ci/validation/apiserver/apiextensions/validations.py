"""Rules in CEL as the schema of a CustomResourceDefinition holds them.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

import re
from typing import Any

from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apiserver.apiextensions.paths import NoPathError, target
from gitops_ci.validation.cel.compile import compiles
from gitops_ci.validation.cel.schema_rules import without_strings
from gitops_ci.validation.cel.types import has_type, scope

__all__ = ["validations"]

_REASONS = ("FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate")
_OLD = re.compile(r"\boldSelf\b")


def validations(schema: Field, *, correlated: bool, is_root: bool = False) -> None:
    """The rules of one schema. `correlated` tells whether a value here can be compared with the one it replaces."""
    if schema.count("x-kubernetes-validations") and not (is_root or has_type(schema.value)):
        schema.at("x-kubernetes-validations").bad("crd", "a rule needs a value of known type")
    for rule in schema.each("x-kubernetes-validations"):
        rule.one_of("crd", "reason", _REASONS, pointer=True)
        source = rule.text("rule")
        if not source.strip():
            rule.missing("crd", "rule")
            continue
        _messages(rule, source, schema.value)
        for key, returns in (("rule", "BOOL"), ("messageExpression", "STRING")):
            _expression(rule, key, returns, {**schema.value, "x-kubernetes-embedded-resource": is_root})
        old = bool(_OLD.search(without_strings(source)))
        if old and not correlated:
            said = "oldSelf cannot be used here: items of such a list cannot be told from those they replace"
            rule.at("rule").bad("crd", said, "It takes a list with x-kubernetes-list-type: map.")
        if rule.has("optionalOldSelf") and not old:
            rule.at("optionalOldSelf").bad("crd", "may not be set when the rule does not use oldSelf")


def _expression(rule: Field, key: str, returns: str, schema: dict[str, Any]) -> None:
    """The expression compiles over the types of the schema."""
    schemas = {"self": schema} if rule.flag("optionalOldSelf") else {"self": schema, "oldSelf": schema}
    dynamic = ("oldSelf",) if rule.flag("optionalOldSelf") else ()
    compiles(rule, key, "crd", scope(rule.text(key), schemas, dynamic=dynamic), returns)


def _messages(rule: Field, source: str, schema: Any) -> None:
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
    path = rule.text("fieldPath")
    if _breaks(path):
        rule.at("fieldPath").bad("crd", "must not contain line breaks")
    elif path.strip():
        try:
            target(path, schema)
        except NoPathError as error:
            rule.at("fieldPath").bad("crd", f"'{path}' is not a path of this schema: {error}")


def _breaks(text: str) -> bool:
    return "\n" in text or "\r" in text
