"""Names, namespaces, owners and finalizers of every object.

Sources: k8s.io/apimachinery pkg/api/validation/objectmeta.go and generic.go; the names of single kinds from their
validation.go in k8s.io/kubernetes pkg/apis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field, shown
from gitops_ci.validation.apimachinery.labels import check_annotations, labels
from gitops_ci.validation.kinds import Kind, kind_of

__all__ = ["NAME_FORMATS", "embedded_metadata", "metadata", "template_metadata"]

# Of a longer prefix this much is kept before the five random characters (apiserver pkg/storage/names/generate.go).
_GENERATED_FROM = 58
NameFormat = Callable[[str, int], str | None]

# Finalizers without a domain that Kubernetes itself uses (pkg/apis/core/helper, IsStandardFinalizerName).
_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
_MOST_VERSION = 1 << 64
# A custom object: its name is a subdomain, its finalizers are any.
_UNKNOWN = Kind()


def metadata(document: Field, *, built_in: bool) -> None:
    """The metadata of any kind, custom ones included."""
    # A custom kind may share the name of a built-in one, and none of its rules.
    row = kind_of(document.text("apiVersion"), document.text("kind")) if built_in else None
    kind = row or _UNKNOWN
    if kind.own_metadata:
        return
    meta = document.at("metadata")
    _name(meta, kind)
    namespace = meta.text("namespace")
    if namespace and not kind.cluster_scoped and (why := formats.dns_label(namespace)):
        meta.at("namespace").bad("name", f"'{shown(namespace)}' {why}")
    labels(meta)
    check_annotations(meta)
    _owners(meta)
    _finalizers(meta, standard=row is not None and not kind.any_finalizer)
    _version(meta)
    if meta.number("generation") < 0 and row and not _sets_generation(meta, kind):
        meta.at("generation").bad("metadata", "must not be negative")


def _sets_generation(meta: Field, kind: Kind) -> bool:
    """Whether the server overwrites what is given (PrepareForCreate of a kind's strategy)."""
    is_pod = kind.pod_template == ()
    return kind.server_sets_generation and (not is_pod or meta.on(gates.POD_GENERATION))


def template_metadata(meta: Field, rule: str) -> None:
    """The metadata of what is made from a template: labels and annotations, and nothing else."""
    labels(meta)
    check_annotations(meta)
    for key, value in meta.value.items() if type(meta.value) is dict else ():
        # A list is set even when it is empty.
        if key not in {"labels", "annotations"} and (value or type(value) is list):
            meta.at(key).bad(rule, "cannot be set in a template")


def embedded_metadata(meta: Field) -> None:
    """Metadata inside of a custom object (apiextensions pkg/apiserver/schema/objectmeta/validation.go)."""
    for key in ("name", "generateName", "namespace"):
        meta.fits("name", key, formats.dns_label if key == "namespace" else formats.path_segment)
    labels(meta)
    check_annotations(meta)
    _owners(meta)
    _finalizers(meta, standard=False)
    if meta.number("generation") < 0:
        meta.at("generation").bad("metadata", "must not be negative")


def _version(meta: Field) -> None:
    """A resourceVersion that the storage reads as a number (apiserver pkg/storage/api_object_versioner.go)."""
    version = meta.text("resourceVersion")
    if not version.isascii() or not version.isdigit() or not 0 < int(version[:25]) < _MOST_VERSION:
        return
    said = "may not be set on an object to be created"
    meta.at("resourceVersion").bad("metadata", said, "Remove what the cluster wrote into the manifest.")


def _name(meta: Field, kind: Kind) -> None:
    """The name, or the prefix of one to be made (apimachinery pkg/api/validation/objectmeta.go)."""
    name, generate = meta.text("name"), meta.text("generateName")
    if not name and not generate:
        if not kind.name_optional:
            meta.missing("name", "name", "'metadata.name' is required (or 'generateName')")
        return
    check = NAME_FORMATS[kind.name]
    if name and (why := check(name, meta.minor) or _too_long(name, kind)):
        meta.at("name").bad("name", f"'{shown(name)}' {why}")
    if not generate:
        return
    # What is generated ends in five letters, so that a trailing dash is fine.
    masked = f"{generate[:-2]}a" if len(generate) > 1 and generate.endswith("-") else generate
    if why := (_segment if kind.generate_name_unchecked else check)(masked, meta.minor):
        meta.at("generateName").bad("name", f"'{shown(generate)}' {why}")
        return
    made = f"{generate[:_GENERATED_FROM]}x7k2q"
    if not name and (why := check(made, meta.minor) or _too_long(made, kind)):
        meta.at("generateName").bad("name", f"'{shown(generate)}' makes names that are none: such a name {why}")


def _too_long(name: str, kind: Kind) -> str | None:
    longest = kind.max_name
    return f"must be no more than {longest} characters" if longest and len(name) > longest else None


def _subdomain(name: str, minor: int) -> str | None:
    del minor
    return formats.dns_subdomain(name)


def _label(name: str, minor: int) -> str | None:
    del minor
    return formats.dns_label(name)


def _service(name: str, minor: int) -> str | None:
    # RelaxedServiceNameValidation lets a name start with a digit.
    return formats.dns_label(name) if gates.RELAXED_SERVICE_NAMES.is_on(minor) else formats.dns_label_1035(name)


def _stateful_set(name: str, minor: int) -> str | None:
    # Its pods take it as their hostname.
    return formats.dns_label(name) if gates.STATEFUL_SET_LABEL_NAME.is_on(minor) else formats.dns_subdomain(name)


def _segment(name: str, minor: int) -> str | None:
    del minor
    return formats.path_segment(name)


def _ip_address(name: str, minor: int) -> str | None:
    del minor
    parsed = formats.parse_ip(name)
    return None if parsed and str(parsed) == name else "must be an IP address in canonical form"


def _config_key(name: str, minor: int) -> str | None:
    del minor
    return formats.config_key(name)


NAME_FORMATS: Mapping[str, NameFormat] = {
    "dns_subdomain": _subdomain,
    "dns_label": _label,
    "service": _service,
    "stateful_set": _stateful_set,
    "path_segment": _segment,
    "ip_address": _ip_address,
    "config_key": _config_key,
}


def _owners(meta: Field) -> None:
    controllers: list[object] = []
    for owner in meta.each("ownerReferences"):
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner.text(key):
                owner.missing("metadata", key)
        group, _, version = owner.text("apiVersion").rpartition("/")
        if owner.has("apiVersion") and (not version or "/" in group):
            owner.at("apiVersion").bad("metadata", f"'{shown(owner.text('apiVersion'))}' is not an API version")
        if owner.text("kind") == "Event" and version == "v1" and not group:
            owner.bad("metadata", "an Event may not be an owner")
        # Owners that are the same become one.
        if owner.flag("controller") and owner.value not in controllers:
            controllers.append(owner.value)
    if len(controllers) > 1:
        meta.at("ownerReferences").bad("metadata", "only one owner can have 'controller' set to true")


def _finalizers(meta: Field, *, standard: bool) -> None:
    names = meta.strings("finalizers")
    if "orphan" in names and "foregroundDeletion" in names:
        meta.at("finalizers").bad("metadata", "orphan and foregroundDeletion exclude each other")
    for index, name in enumerate(names):
        why = formats.qualified_name(name)
        if why is None and standard and "/" not in name and name not in _FINALIZERS:
            why = "is neither a standard finalizer nor a name with a domain"
        if why:
            meta.at("finalizers").item(index).bad("metadata", f"'{shown(name)}' {why}")
