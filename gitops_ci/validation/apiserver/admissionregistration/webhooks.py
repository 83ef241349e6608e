"""Webhook configurations, and what admission policies share with them, without CEL.

Source: k8s.io/kubernetes pkg/apis/admissionregistration/validation/validation.go; k8s.io/apiserver pkg/util/webhook.
"""

from __future__ import annotations

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector
from gitops_ci.validation.cel.compile import admission
from gitops_ci.validation.go.url import NoUrlError, parse_url

__all__ = ["admitted", "client_config", "match_conditions", "static_name", "webhooks"]

_STATIC = ".static.k8s.io"
_OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT", "*")


def webhooks(document: Field) -> None:
    static_name(document)
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


def static_name(document: Field) -> None:
    """Names that are kept for what a server reads from files (ValidateStaticSuffix)."""
    if document.on(gates.STATIC_NAMES) and document.at("metadata").text("name").endswith(_STATIC):
        document.at("metadata", "name").bad(
            "name", f"names that end with {_STATIC} are reserved for files of the server"
        )


def _hook(hook: Field) -> None:
    hook.one_of("webhook", "failurePolicy", ("Ignore", "Fail"), pointer=True)
    hook.one_of("webhook", "matchPolicy", ("Exact", "Equivalent"), pointer=True)
    hook.one_of("webhook", "sideEffects", ("None", "NoneOnDryRun"), pointer=True)
    hook.one_of("webhook", "reinvocationPolicy", ("Never", "IfNeeded"), pointer=True)
    hook.within("webhook", "timeoutSeconds", 1, 30)
    for key in ("namespaceSelector", "objectSelector"):
        label_selector(hook.at(key))
    for rule in hook.each("rules"):
        admitted(rule, "webhook")
    versions = hook.strings("admissionReviewVersions")
    if versions and not {"v1", "v1beta1"} & set(versions):
        hook.at("admissionReviewVersions").bad("webhook", "must include v1 or v1beta1")
    for index, version in enumerate(versions):
        why = "is given twice" if version in versions[:index] else formats.dns_label_1035(version)
        if why:
            hook.at("admissionReviewVersions").item(index).bad("webhook", f"'{version}' {why}")
    client_config(hook.at("clientConfig"), "webhook")
    match_conditions(hook, "webhook")


def client_config(config: Field, rule: str) -> None:
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
        url = parse_url(text)
    except NoUrlError as error:
        return f"must be a URL such as https://example.com/path: {error}"
    if url.scheme != "https":
        return "must start with https://"
    if not url.host:
        return "must have a host"
    if url.user is not None:
        return "must not have user information"
    if url.fragment:
        return "must not have a fragment"
    return "must not have a query" if url.query else None


def _service_path(service: Field, path: str, rule: str) -> None:
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


def admitted(rule: Field, name: str) -> None:
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


def _resources(rule: Field, resources: list[str], name: str) -> None:
    place = rule.at("resources")
    if "*/*" in resources and len(resources) > 1:
        place.bad(name, "'*/*' must be alone")
        return
    # The server looks at the last resource without a subresource only.
    plain = [one for one in resources if "/" not in one]
    if "*" in plain and plain[-1] != "*":
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


def match_conditions(place: Field, rule: str, names: tuple[str, ...] = ()) -> None:
    seen: set[str] = set()
    if place.count("matchConditions") > 64:
        place.at("matchConditions").bad(rule, "must have no more than 64 conditions")
    for condition in place.each("matchConditions"):
        name = condition.text("name")
        condition.fits(rule, "name", formats.qualified_name)
        if name in seen:
            condition.at("name").bad("duplicate", f"the condition '{name}' is given twice")
        seen.add(name)
        if not condition.text("expression").strip():
            condition.missing(rule, "expression")
        admission(condition, "expression", rule, names, "BOOL")
