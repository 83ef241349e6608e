"""Events of both groups, and Bindings of pods.

Sources: k8s.io/kubernetes pkg/apis/core/validation/events.go; ValidatePodBinding in pkg/apis/core/validation.
"""

from __future__ import annotations

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["binding", "event"]

_MOST_NOTE = 1024
_MOST = 128
_DEPRECATED = ("deprecatedCount", "deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedSource")


def binding(document: Field) -> None:
    target = document.at("target")
    target.one_of("binding", "kind", ("Node",))
    if not target.text("name"):
        target.missing("binding", "name")
    elif target.on(gates.NODE_OF_BINDING):
        target.fits("name", "name", formats.dns_subdomain)
    meta = document.at("metadata")
    if not meta.text("name"):
        meta.missing("name", "name", "'metadata.name' is required: the pod's")
    meta.fits("name", "name", formats.path_segment)
    meta.fits("name", "namespace", formats.dns_label)


def event(document: Field) -> None:
    """An Event of v1, or of events.k8s.io, where more is asked for."""
    old = document.text("apiVersion") == "v1"
    about = document.at("involvedObject" if old else "regarding")
    _namespaces(document, about)
    if document.has("eventTime"):
        _reported(document, "reportingComponent" if old else "reportingController", "message" if old else "note")
    if old:
        return
    if not document.has("eventTime"):
        document.missing("event", "eventTime")
    if document.text("type") not in {"Normal", "Warning"}:
        document.missing("event", "type", "'type' must be Normal or Warning")
    for key in _DEPRECATED:
        value = document.get(key)
        if any(value.values()) if type(value) is dict else value:
            document.at(key).bad("event", "may not be set on a new event")
    if document.has("series"):
        _series(document.at("series"))


def _namespaces(document: Field, about: Field) -> None:
    """An event is in the namespace of what it is about; of the cluster's own objects, in a default one."""
    own, other = document.at("metadata").text("namespace"), about.text("namespace")
    if not own:
        return  # whoever applies it gives it one
    if other:
        wrong = own != other and not document.has("eventTime")
    else:
        wrong = own not in ({"default", "kube-system"} if document.has("eventTime") else {"default"})
    if wrong:
        (about.at("namespace") if other else about).bad("event", f"'namespace' must be that of the event, {own}")


def _reported(document: Field, reporter: str, note: str) -> None:
    for key in (reporter, "reportingInstance", "action", "reason"):
        if not document.text(key):
            document.missing("event", key, f"'{key}' is required with eventTime")
    document.fits("event", reporter, formats.qualified_name)
    for key, most in (("reportingInstance", _MOST), ("action", _MOST), ("reason", _MOST), (note, _MOST_NOTE)):
        if len(document.text(key).encode()) > most:
            document.at(key).bad("event", f"may have no more than {most} bytes")


def _series(series: Field) -> None:
    if series.number("count") < 2:
        place = series.at("count") if series.has("count") else series
        place.bad("event", "'count' of a series must be at least 2")
    if not series.has("lastObservedTime"):
        series.missing("event", "lastObservedTime")
