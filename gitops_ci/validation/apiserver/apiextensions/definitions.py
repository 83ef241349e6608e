"""CustomResourceDefinitions: names, versions, columns, subresources and conversion.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apiserver.admissionregistration.webhooks import client_config
from gitops_ci.validation.apiserver.apiextensions.paths import NoPathError, target
from gitops_ci.validation.apiserver.apiextensions.schemas import root

__all__ = ["definition"]

_COLUMN_TYPES = ("integer", "number", "string", "boolean", "date")
_COLUMN_FORMATS = ("int32", "int64", "float", "double", "byte", "date", "date-time", "password")
_SELECTABLE = ("string", "boolean", "integer")
_MOST_SELECTABLE = 8


def definition(document: Field) -> None:
    spec = document.at("spec")
    names = spec.at("names")
    group, plural = spec.text("group"), names.text("plural")
    if group:
        why = formats.dns_subdomain(group) or (None if "." in group else "should be a domain with at least one dot")
        if why:
            spec.at("group").bad("crd", f"'{group}' {why}")
    name = document.at("metadata").text("name")
    if name and plural and group and name != f"{plural}.{group}":
        document.at("metadata", "name").bad("crd", f"must be '{plural}.{group}', spec.names.plural and spec.group")
    generate = document.at("metadata").text("generateName")
    if generate and generate != f"{plural}.{group}":
        document.at("metadata", "generateName").bad("crd", "the name of a definition cannot be generated")
    spec.one_of("crd", "scope", ("Cluster", "Namespaced"))
    if group.endswith((".k8s.io", ".kubernetes.io")) or group in {"k8s.io", "kubernetes.io"}:
        _approval(document)
    if spec.flag("preserveUnknownFields"):
        spec.at("preserveUnknownFields").bad("crd", "must be false in apiextensions.k8s.io/v1")
    _names(names)
    _versions(spec)
    _conversion(spec)


def _approval(document: Field) -> None:
    annotation = "api-approved.kubernetes.io"
    text = document.at("metadata", "annotations").text(annotation)
    if not text:
        document.at("metadata").bad("crd", f"protected groups need the annotation {annotation}")
    elif not text.startswith(("unapproved", "https://", "http://")):
        document.at("metadata", "annotations", annotation).bad("crd", "must be a URL, or start with 'unapproved'")


def _names(names: Field) -> None:
    for key in ("plural", "singular"):
        names.fits("crd", key, formats.dns_label_1035)
    for key in ("kind", "listKind"):
        text = names.text(key)
        if text and (why := formats.dns_label_1035(text.lower())):
            names.at(key).bad("crd", f"'{text}' {why}")
    if names.text("kind") and names.text("kind") == names.text("listKind"):
        names.at("listKind").bad("crd", "kind and listKind may not be the same")
    for key in ("shortNames", "categories"):
        for index, text in enumerate(names.strings(key)):
            if why := formats.dns_label_1035(text):
                names.at(key).item(index).bad("crd", f"'{text}' {why}")


def _versions(spec: Field) -> None:
    seen: set[str] = set()
    stored = 0
    for version in spec.each("versions"):
        name = version.text("name")
        version.fits("crd", "name", formats.dns_label_1035)
        if name in seen:
            version.at("name").bad("duplicate", f"version '{name}' is given twice")
        seen.add(name)
        stored += version.flag("storage")
        if version.has("deprecationWarning"):
            warning = version.text("deprecationWarning")
            if not version.flag("deprecated"):
                version.at("deprecationWarning").bad("crd", "may only be given for a deprecated version")
            if not warning or len(warning) > 256 or "\n" in warning:
                version.at("deprecationWarning").bad("crd", "must be one line of 1 to 256 characters")
        schema = version.at("schema", "openAPIV3Schema")
        if type(schema.value) is not dict:
            version.missing("crd", "schema", "'schema.openAPIV3Schema' is required")
        else:
            root(schema, with_status=version.at("subresources").has("status"))
        _columns(version)
        _subresources(version)
    if spec.count("versions") and stored != 1:
        spec.at("versions").bad("crd", "exactly one version must have storage: true")


def _columns(version: Field) -> None:
    for column in version.each("additionalPrinterColumns"):
        for key in ("name", "type", "jsonPath"):
            if not column.text(key):
                column.missing("crd", key)
        column.one_of("crd", "type", _COLUMN_TYPES)
        column.one_of("crd", "format", _COLUMN_FORMATS)
        path = column.text("jsonPath")
        if path and not path.startswith("."):
            column.at("jsonPath").bad("crd", f"'{path}' must start with '.'")
    _selectable(version)


def _selectable(version: Field) -> None:
    seen: set[str] = set()
    schema = version.at("schema", "openAPIV3Schema").value
    for field in version.each("selectableFields"):
        path = field.text("jsonPath")
        if not path:
            field.missing("crd", "jsonPath")
            continue
        try:
            found = target(path, schema, brackets=False)
        except NoPathError as error:
            field.at("jsonPath").bad("crd", f"'{path}' is not a path of the schema: {error}")
            continue
        if path == ".metadata" or path.startswith(".metadata."):
            field.at("jsonPath").bad("crd", "must not point to metadata")
        if found.get("type") not in _SELECTABLE:
            field.at("jsonPath").bad("crd", f"'{path}' must point to a string, boolean or integer of the schema")
        if path in seen:
            field.at("jsonPath").bad("duplicate", f"'{path}' is given twice")
        seen.add(path)
    if len(seen) > _MOST_SELECTABLE:
        version.at("selectableFields").bad("crd", f"must have no more than {_MOST_SELECTABLE} fields")


def _subresources(version: Field) -> None:
    if not version.at("subresources").has("scale"):
        return
    scale = version.at("subresources", "scale")
    for key, prefix in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status."), ("labelSelectorPath", "")):
        path = scale.text(key)
        if not path:
            continue
        prefixes = (prefix,) if prefix else (".spec.", ".status.")
        if not path.startswith(prefixes):
            scale.at(key).bad("crd", f"'{path}' must be a path below {' or '.join(prefixes)}")


def _conversion(spec: Field) -> None:
    if not spec.has("conversion"):
        return
    conversion = spec.at("conversion")
    conversion.one_of("crd", "strategy", ("None", "Webhook"))
    webhook = conversion.at("webhook")
    if conversion.text("strategy") != "Webhook":
        if webhook.has("clientConfig") or webhook.count("conversionReviewVersions"):
            webhook.bad("crd", "may only be given with strategy: Webhook")
        return
    if webhook.value and not webhook.count("conversionReviewVersions"):
        webhook.missing("crd", "conversionReviewVersions")
    if not webhook.has("clientConfig"):
        conversion.missing("crd", "webhook", "'webhook.clientConfig' is required with strategy: Webhook")
    client_config(webhook.at("clientConfig"), "crd")
    versions = webhook.strings("conversionReviewVersions")
    if versions and not {"v1", "v1beta1"} & set(versions):
        webhook.at("conversionReviewVersions").bad("crd", "must include v1 or v1beta1")
    for index, version in enumerate(versions):
        why = "is given twice" if version in versions[:index] else formats.dns_label_1035(version)
        if why:
            webhook.at("conversionReviewVersions").item(index).bad("crd", f"'{version}' {why}")
