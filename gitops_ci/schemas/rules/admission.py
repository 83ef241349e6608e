"""Webhook configurations and admission policies, without their CEL.

Source: k8s.io/kubernetes pkg/apis/admissionregistration/validation/validation.go; k8s.io/apiserver pkg/util/webhook.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from gitops_ci.schemas.rules import formats
from gitops_ci.schemas.rules.base import Spot
from gitops_ci.schemas.rules.labels import label_selector

__all__ = ["admission_policy", "policy_binding", "webhooks"]

_OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT", "*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def webhooks(document: Spot) -> None:
    names: set[str] = set()
    for hook in document.each("webhooks"):
        name = hook.text("name")
        if name:
            why = formats.dns_subdomain(name) or (
                None if name.count(".") >= 2 else "should be a domain with at least three segments"
            )
            if why:
                hook.at("name").bad("webhook", f"'{name}' {why}")
            elif name in names:
                hook.at("name").bad("duplicate", f"webhook '{name}' is given twice")
        names.add(name)
        _hook(hook)


def _hook(hook: Spot) -> None:
    hook.one_of("webhook", "failurePolicy", ("Ignore", "Fail"), pointer=True)
    hook.one_of("webhook", "matchPolicy", ("Exact", "Equivalent"), pointer=True)
    hook.one_of("webhook", "sideEffects", ("None", "NoneOnDryRun"), pointer=True)
    hook.one_of("webhook", "reinvocationPolicy", ("Never", "IfNeeded"), pointer=True)
    hook.within("webhook", "timeoutSeconds", 1, 30)
    for key in ("namespaceSelector", "objectSelector"):
        label_selector(hook.at(key))
    for rule in hook.each("rules"):
        _rule(rule, "webhook")
    versions = hook.strings("admissionReviewVersions")
    if versions and not {"v1", "v1beta1"} & set(versions):
        hook.at("admissionReviewVersions").bad("webhook", "must include v1 or v1beta1")
    for index, version in enumerate(versions):
        why = "is given twice" if version in versions[:index] else formats.dns_label_1035(version)
        if why:
            hook.at("admissionReviewVersions").item(index).bad("webhook", f"'{version}' {why}")
    client_config(hook.at("clientConfig"), "webhook")
    match_conditions(hook, "webhook")


def client_config(config: Spot, rule: str) -> None:
    """Where a webhook is called: a URL or a service (also for conversions)."""
    if type(config.value) is not dict:
        return
    if config.has("url") == config.has("service"):
        config.bad(rule, "needs exactly one of url and service")
    if config.has("url") and (why := _why_no_url(config.text("url"))):
        config.at("url").bad(rule, why)
    if config.has("service"):
        service = config.at("service")
        for key in ("namespace", "name"):
            if not service.text(key):
                service.missing(rule, key)
        service.within(rule, "port", 1, 65535)
        path = service.get("path")
        if isinstance(path, str):
            _service_path(service, path, rule)


def _why_no_url(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return "must be a URL such as https://example.com/path"
    if parts.scheme != "https":
        return "must start with https://"
    if not host:
        return "must have a host"
    if parts.username is not None:
        return "must not have user information"
    if parts.fragment or "#" in text:
        return "must not have a fragment"
    return "must not have a query" if "?" in text else None


def _service_path(service: Spot, path: str, rule: str) -> None:
    place = service.at("path")
    if path and not path.startswith("/"):
        place.bad(rule, f"'{path}' must start with '/'")
        return
    if path in {"", "/"}:
        return
    for segment in path.removeprefix("/").removesuffix("/").split("/"):
        if why := formats.dns_subdomain(segment) if segment else "must not be empty":
            place.bad(rule, f"the segment '{segment}' {why}")
            return


def _rule(rule: Spot, name: str) -> None:
    operations = rule.strings("operations")
    if not operations:
        rule.missing(name, "operations")
    if "*" in operations and len(operations) > 1:
        rule.at("operations").bad(name, "'*' must be alone")
    for index, operation in enumerate(operations):
        if operation not in _OPERATIONS:
            place = rule.at("operations").item(index)
            place.bad(name, f"'{operation}' is not supported; one of {', '.join(_OPERATIONS)}")
    for key in ("apiGroups", "apiVersions", "resources"):
        values = rule.strings(key)
        if not values:
            rule.missing(name, key)
        if key != "resources" and "*" in values and len(values) > 1:
            rule.at(key).bad(name, "'*' must be alone")
        if key != "apiGroups" and "" in values:
            rule.at(key).bad(name, "must not contain an empty value")
    _resources(rule, rule.strings("resources"), name)
    rule.one_of(name, "scope", ("Cluster", "Namespaced", "*"), pointer=True)


def _resources(rule: Spot, resources: list[str], name: str) -> None:
    place = rule.at("resources")
    if "*/*" in resources and len(resources) > 1:
        place.bad(name, "'*/*' must be alone")
        return
    # The server looks at the last resource without a subresource only.
    plain = [one for one in resources if "/" not in one]
    if ("*" in plain and plain[-1] != "*") or ("*" in plain and any(one != "*" for one in plain)):
        place.bad(name, "'*' goes only with subresources")
    parents: set[str] = set()
    children: set[str] = set()
    for index, one in enumerate(resources):
        parent, slash, child = one.partition("/")
        if not slash:
            continue
        if parent in parents or child in children:
            place.item(index).bad(name, f"'{one}' is covered by another resource")
        if child == "*":
            parents.add(parent)
        if parent == "*":
            children.add(child)


def match_conditions(place: Spot, rule: str) -> None:
    names: set[str] = set()
    if place.count("matchConditions") > 64:
        place.at("matchConditions").bad(rule, "must have no more than 64 conditions")
    for condition in place.each("matchConditions"):
        name = condition.text("name")
        condition.fits(rule, "name", formats.qualified_name)
        if name in names:
            condition.at("name").bad("duplicate", f"the condition '{name}' is given twice")
        names.add(name)
        if not condition.text("expression").strip():
            condition.missing(rule, "expression")


def admission_policy(document: Spot) -> None:
    spec = document.at("spec")
    spec.one_of("admission-policy", "failurePolicy", ("Ignore", "Fail"), pointer=True)
    if spec.has("paramKind"):
        for key in ("apiVersion", "kind"):
            if not spec.at("paramKind").text(key):
                spec.at("paramKind").missing("admission-policy", key)
        kind = spec.at("paramKind").text("kind")
        if kind and formats.dns_label_1035(kind.lower()):
            spec.at("paramKind", "kind").bad("admission-policy", f"'{kind}' is no name of a kind")
        version = spec.at("paramKind").text("apiVersion")
        if version and (version.count("/") > 1 or formats.dns_label_1035(version.rpartition("/")[2])):
            spec.at("paramKind", "apiVersion").bad("admission-policy", f"'{version}' is no API version")
    if not spec.has("matchConstraints"):
        spec.missing("admission-policy", "matchConstraints")
    else:
        _match(spec.at("matchConstraints"), constraints=True)
    match_conditions(spec, "admission-policy")
    _variables(spec)
    if document.text("kind") == "ValidatingAdmissionPolicy":
        _validations(spec, document.at("metadata").text("name"))
    else:
        _mutations(spec)


def _match(match: Spot, *, constraints: bool) -> None:
    for key in ("namespaceSelector", "objectSelector"):
        label_selector(match.at(key))
    match.one_of("admission-policy", "matchPolicy", ("Exact", "Equivalent"), pointer=True)
    if constraints and not match.count("resourceRules"):
        match.missing("admission-policy", "resourceRules", "at least one of 'resourceRules' is required")
    for key in ("resourceRules", "excludeResourceRules"):
        for rule in match.each(key):
            _rule(rule, "admission-policy")
            names = rule.strings("resourceNames")
            if len(set(names)) < len(names):
                rule.at("resourceNames").bad("duplicate", "a name is given twice")


def _variables(spec: Spot) -> None:
    names: set[str] = set()
    for variable in spec.each("variables"):
        name = variable.text("name")
        if name and not _IDENTIFIER.fullmatch(name):
            variable.at("name").bad("admission-policy", f"'{name}' is no identifier")
        if name in names:
            variable.at("name").bad("duplicate", f"the variable '{name}' is given twice")
        names.add(name)
        if not variable.text("expression").strip():
            variable.missing("admission-policy", "expression")


def _validations(spec: Spot, name: str) -> None:
    if not spec.count("validations") and not spec.count("auditAnnotations"):
        spec.missing("admission-policy", "validations", "one of 'validations' and 'auditAnnotations' is required")
    for validation in spec.each("validations"):
        if not validation.text("expression").strip():
            validation.missing("admission-policy", "expression")
        message = validation.get("message")
        if isinstance(message, str):
            if "\n" in message.strip():
                validation.at("message").bad("admission-policy", "must not contain line breaks")
            elif message and not message.strip():
                validation.at("message").bad("admission-policy", "must not be blank")
        expression = validation.text("expression").strip()
        if "\n" in expression and not validation.text("message"):
            validation.missing(
                "admission-policy", "message", "'message' is required for an expression of several lines"
            )
        validation.one_of(
            "admission-policy",
            "reason",
            ("Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"),
            pointer=True,
        )
        if validation.has("messageExpression") and not validation.text("messageExpression").strip():
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


def _mutations(spec: Spot) -> None:
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
            elif key != wanted and mutation.has(key) and wanted:
                mutation.at(key).bad("admission-policy", f"may not be given for {mutation.text('patchType')}")


def policy_binding(document: Spot) -> None:
    spec = document.at("spec")
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
