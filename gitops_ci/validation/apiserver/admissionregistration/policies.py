"""Admission policies and their bindings.

Source: k8s.io/kubernetes pkg/apis/admissionregistration/validation/validation.go.
"""

from __future__ import annotations

import re

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector
from gitops_ci.validation.apiserver.admissionregistration.webhooks import admitted, match_conditions, static_name
from gitops_ci.validation.cel.compile import admission, defined, gives_object
from gitops_ci.validation.cel.schema_rules import RESERVED

__all__ = ["admission_policy", "policy_binding"]

_GIVES = {"applyConfiguration": "an Object", "jsonPatch": "a list of JSONPatch"}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def admission_policy(document: Field) -> None:
    static_name(document)
    spec = document.at("spec")
    spec.one_of("admission-policy", "failurePolicy", ("Ignore", "Fail"), pointer=True)
    if spec.has("paramKind"):
        for key in ("apiVersion", "kind"):
            if not spec.at("paramKind").text(key):
                spec.at("paramKind").missing("admission-policy", key)
        kind = spec.at("paramKind").text("kind")
        if kind and formats.dns_label_1035(kind.lower()):
            spec.at("paramKind", "kind").bad("admission-policy", f"'{kind}' is not a name of a kind")
        group, slash, version = spec.at("paramKind").text("apiVersion").rpartition("/")
        if (version or slash) and (formats.dns_label_1035(version) or (group and formats.dns_subdomain(group))):
            spec.at("paramKind", "apiVersion").bad(
                "admission-policy", f"'{group}{slash}{version}' is not an API version"
            )
    if not spec.has("matchConstraints"):
        spec.missing("admission-policy", "matchConstraints")
    else:
        _match(spec.at("matchConstraints"), constraints=True)
    params = ("params",) if spec.has("paramKind") else ()
    match_conditions(spec, "admission-policy", params)
    names = (*params, "variables")
    _variables(spec, names)
    if document.text("kind") == "ValidatingAdmissionPolicy":
        _validations(spec, document.at("metadata").text("name"), names)
    else:
        _mutations(spec, names)


def _match(match: Field, *, constraints: bool) -> None:
    for key in ("namespaceSelector", "objectSelector"):
        label_selector(match.at(key))
    match.one_of("admission-policy", "matchPolicy", ("Exact", "Equivalent"), pointer=True)
    if constraints and not match.count("resourceRules"):
        match.missing("admission-policy", "resourceRules", "at least one of 'resourceRules' is required")
    for key in ("resourceRules", "excludeResourceRules"):
        for rule in match.each(key):
            admitted(rule, "admission-policy")
            names = rule.strings("resourceNames")
            if len(set(names)) < len(names):
                rule.at("resourceNames").bad("duplicate", "a name is given twice")
            for index, name in enumerate(names):
                if why := formats.path_segment(name):
                    rule.at("resourceNames").item(index).bad("name", f"'{name}' {why}")


def _variables(spec: Field, known: tuple[str, ...]) -> None:
    names: set[str] = set()
    for variable in spec.each("variables"):
        name = variable.text("name")
        if name and (not _IDENTIFIER.fullmatch(name) or name in RESERVED):
            variable.at("name").bad("admission-policy", f"'{name}' is not an identifier")
        if not variable.text("expression").strip():
            variable.missing("admission-policy", "expression")
        admission(variable, "expression", "admission-policy", known)
        defined(variable, "expression", "admission-policy", names)
        names.add(name)


def _validations(spec: Field, name: str, names: tuple[str, ...]) -> None:
    if not spec.count("validations") and not spec.count("auditAnnotations"):
        spec.missing("admission-policy", "validations", "one of 'validations' and 'auditAnnotations' is required")
    variables = {variable.text("name") for variable in spec.each("variables")}
    for validation in spec.each("validations"):
        for key, returns in (("expression", "BOOL"), ("messageExpression", "STRING")):
            admission(validation, key, "admission-policy", names, returns)
            defined(validation, key, "admission-policy", variables)
        if not validation.text("expression").strip():
            validation.missing("admission-policy", "expression")
        message = validation.get("message")
        if isinstance(message, str):
            if "\n" in message.strip():
                validation.at("message").bad("admission-policy", "must not contain line breaks")
            elif message and not message.strip():
                validation.at("message").bad("admission-policy", "must not be blank")
        validation.one_of(
            "admission-policy",
            "reason",
            ("Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"),
            pointer=True,
        )
        if (said := validation.text("messageExpression")) and not said.strip():
            validation.at("messageExpression").bad("admission-policy", "must not be blank")
    keys: set[str] = set()
    if spec.count("auditAnnotations") > 20:
        spec.at("auditAnnotations").bad("admission-policy", "must have no more than 20")
    for annotation in spec.each("auditAnnotations"):
        key = annotation.text("key")
        if key and (why := formats.qualified_name(f"{name}/{key}")):
            annotation.at("key").bad("admission-policy", f"'{key}' {why}")
        if key in keys:
            annotation.at("key").bad("duplicate", f"'{key}' is given twice")
        keys.add(key)
        if not annotation.text("valueExpression").strip():
            annotation.missing("admission-policy", "valueExpression")
        admission(annotation, "valueExpression", "admission-policy", names, "STRING", "NULL")
        defined(annotation, "valueExpression", "admission-policy", variables)


def _mutations(spec: Field, names: tuple[str, ...]) -> None:
    _mutates(spec.at("matchConstraints"))
    if not spec.count("mutations"):
        spec.missing("admission-policy", "mutations")
    spec.one_of("admission-policy", "reinvocationPolicy", ("Never", "IfNeeded"))
    if spec.has("mutations") and not spec.text("reinvocationPolicy"):
        spec.missing("admission-policy", "reinvocationPolicy")
    for mutation in spec.each("mutations"):
        mutation.one_of("admission-policy", "patchType", ("ApplyConfiguration", "JSONPatch"))
        wanted = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}.get(mutation.text("patchType"))
        for key in ("applyConfiguration", "jsonPatch"):
            if key == wanted and not mutation.at(key).text("expression").strip():
                mutation.missing("admission-policy", key, f"'{key}.expression' is required")
            elif key == wanted:
                gives_object(mutation.at(key), "expression", "admission-policy", names, _GIVES[key])
            elif key != wanted and mutation.has(key) and wanted:
                mutation.at(key).bad("admission-policy", f"may not be given for {mutation.text('patchType')}")


def _mutates(match: Field) -> None:
    """Only what is created or updated can be changed on its way (supportedMutatingOperations)."""
    for rule in match.each("resourceRules"):
        for index, operation in enumerate(rule.strings("operations")):
            if operation == "DELETE":
                rule.at("operations").item(index).bad("admission-policy", "what is deleted cannot be mutated")


def policy_binding(document: Field) -> None:
    static_name(document)
    spec = document.at("spec")
    if document.text("kind") == "MutatingAdmissionPolicyBinding":
        _mutates(spec.at("matchResources"))
        if not spec.text("policyName"):
            spec.missing("admission-policy", "policyName")
    spec.fits("name", "policyName", formats.dns_subdomain)
    if spec.has("paramRef"):
        reference = spec.at("paramRef")
        if reference.has("selector") == bool(reference.text("name")):
            reference.bad("admission-policy", "needs exactly one of name and selector")
        reference.fits("name", "name", formats.path_segment)
        label_selector(reference.at("selector"))
        if not reference.text("parameterNotFoundAction"):
            reference.missing("admission-policy", "parameterNotFoundAction")
        reference.one_of("admission-policy", "parameterNotFoundAction", ("Allow", "Deny"))
    _match(spec.at("matchResources"), constraints=False)
    actions = spec.strings("validationActions")
    for index, action in enumerate(actions):
        place = spec.at("validationActions").item(index)
        if action not in {"Deny", "Warn", "Audit"}:
            place.bad("admission-policy", f"'{action}' is not supported; one of Deny, Warn, Audit")
        elif action in actions[:index]:
            place.bad("duplicate", f"'{action}' is given twice")
    if {"Deny", "Warn"} <= set(actions):
        spec.at("validationActions").bad("admission-policy", "must not contain both Deny and Warn")
