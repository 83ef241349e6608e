"""Deployments, StatefulSets, DaemonSets, ReplicaSets and ReplicationControllers.

Sources: k8s.io/kubernetes pkg/apis/apps/validation/validation.go; pkg/apis/core/validation, ReplicationController.
"""

from __future__ import annotations

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector, matches
from gitops_ci.validation.apiserver.core.persistent_volume_claims import claim_spec

__all__ = ["daemon_set", "deployment", "replica_set", "replication_controller", "revision", "stateful_set"]


def deployment(document: Field) -> None:
    _workload(document)
    _deployment(document.at("spec"))


def daemon_set(document: Field) -> None:
    _workload(document)
    _daemon_set(document.at("spec"))


def stateful_set(document: Field) -> None:
    _counts(document.at("spec"), "replicas", "minReadySeconds")  # a negative limit keeps all revisions
    _selector(document.at("spec"), "StatefulSet")
    _template(document.at("spec"), "StatefulSet")
    _stateful_set(document.at("spec"))


def replica_set(document: Field) -> None:
    _workload(document)


def replication_controller(document: Field) -> None:
    spec = document.at("spec")
    _counts(spec, "replicas", "minReadySeconds", "revisionHistoryLimit")
    _controller(spec)


def _workload(document: Field) -> None:
    spec, kind = document.at("spec"), document.text("kind")
    _counts(spec, "replicas", "minReadySeconds", "revisionHistoryLimit")
    _selector(spec, kind)
    _template(spec, kind)


def _counts(spec: Field, *keys: str) -> None:
    for key in keys:
        spec.at_least("workload", key, 0)


def _selector(spec: Field, kind: str) -> None:
    selector = spec.at("selector")
    if type(selector.value) is not dict:
        return
    label_selector(selector)
    if not selector.count("matchLabels") and not selector.count("matchExpressions"):
        selector.bad("selector", f"an empty selector is invalid for a {kind}")
        return
    found = spec.at("template", "metadata").mapping("labels")
    # A missing template is reported as such, but a StatefulSet's may be missing before gates.STATEFUL_SET_TEMPLATES.
    if (spec.has("template") or kind == "StatefulSet") and not matches(selector, found):
        place = spec.at("template", "metadata", "labels")
        shown = ", ".join(f"{key}: {value}" for key, value in selector.mapping("matchLabels").items())
        place.bad(
            "selector",
            "the selector does not match the template's labels",
            f"The selector requires {shown}." if shown else "",
        )


def _template(spec: Field, kind: str) -> None:
    pod = spec.at("template", "spec")
    if pod.text("restartPolicy") not in {"", "Always"}:
        pod.at("restartPolicy").bad("workload", f"must be Always in a {kind}")
    if pod.has("activeDeadlineSeconds"):
        pod.at("activeDeadlineSeconds").bad("workload", f"may not be set in a {kind}")


def _controller(spec: Field) -> None:
    selector = spec.mapping("selector")
    if not spec.has("template"):
        return
    labels = spec.at("template", "metadata").mapping("labels")
    # Without a selector the template's labels become it, by default.
    if not selector and not labels:
        spec.missing("selector", "selector")
    if any(labels.get(key) != value for key, value in selector.items()):
        spec.at("template", "metadata", "labels").bad("selector", "the selector does not match the template's labels")
    _template(spec, "ReplicationController")


def amount(field: Field, key: str) -> int | None:
    """Check an integer or a percentage; returns it as a number when it is one."""
    value = field.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        if why := formats.percent(value):
            field.at(key).bad("rollout", f"'{value}' {why}")
            return None
        return int(value[:-1])
    if int(value) < 0:
        field.at(key).bad("rollout", f"{value} must not be negative")
    return int(value)


def _percent_cap(field: Field, key: str) -> None:
    value = field.get(key)
    if isinstance(value, str) and formats.percent(value) is None and int(value[:-1]) > 100:
        field.at(key).bad("rollout", f"'{value}' must not be more than 100%")


def _deployment(spec: Field) -> None:
    strategy = spec.at("strategy")
    strategy.one_of("rollout", "type", ("Recreate", "RollingUpdate"))
    rolling = strategy.at("rollingUpdate")
    if strategy.text("type") == "Recreate" and strategy.has("rollingUpdate"):
        rolling.bad("rollout", "may not be given when the strategy's type is Recreate")
    elif type(rolling.value) is dict:
        unavailable, surge = amount(rolling, "maxUnavailable"), amount(rolling, "maxSurge")
        _percent_cap(rolling, "maxUnavailable")
        if unavailable == 0 and surge == 0:
            rolling.at("maxUnavailable").bad("rollout", "may not be 0 when maxSurge is 0")
    progress = spec.number("progressDeadlineSeconds") if spec.has("progressDeadlineSeconds") else 600
    if progress < 0:
        spec.at("progressDeadlineSeconds").bad("rollout", f"{progress} must not be negative")
    if progress <= spec.number("minReadySeconds"):
        place = (
            spec.at("progressDeadlineSeconds") if spec.has("progressDeadlineSeconds") else spec.at("minReadySeconds")
        )
        place.bad("rollout", f"progressDeadlineSeconds ({progress}) must be greater than minReadySeconds")


def _daemon_set(spec: Field) -> None:
    strategy = spec.at("updateStrategy")
    strategy.one_of("rollout", "type", ("RollingUpdate", "OnDelete"))
    rolling = strategy.at("rollingUpdate")
    if strategy.text("type") == "OnDelete" or type(rolling.value) is not dict:
        return
    unavailable, surge = amount(rolling, "maxUnavailable"), amount(rolling, "maxSurge")
    for key in ("maxUnavailable", "maxSurge"):
        _percent_cap(rolling, key)
    if unavailable and surge:
        rolling.at("maxSurge").bad("rollout", "may not be given together with maxUnavailable")
    if unavailable == 0 and not surge:
        rolling.at("maxUnavailable").bad("rollout", "may not be 0 when maxSurge is 0")
    if surge and not rolling.has("maxUnavailable"):
        rolling.at("maxSurge").bad("rollout", "needs maxUnavailable to be 0 (it is 1 by default)")


def _stateful_set(spec: Field) -> None:
    strategy = spec.at("updateStrategy")
    strategy.one_of("rollout", "type", ("RollingUpdate", "OnDelete"))
    rolling = strategy.at("rollingUpdate")
    if strategy.text("type") == "OnDelete" and strategy.has("rollingUpdate"):
        rolling.bad("rollout", "is only allowed for updateStrategy RollingUpdate")
    elif type(rolling.value) is dict:
        rolling.at_least("rollout", "partition", 0)
        if amount(rolling, "maxUnavailable") == 0:
            rolling.at("maxUnavailable").bad("rollout", "may not be 0")
        _percent_cap(rolling, "maxUnavailable")
    spec.one_of("workload", "podManagementPolicy", ("OrderedReady", "Parallel"))
    spec.at("ordinals").at_least("workload", "start", 0)
    retention = spec.at("persistentVolumeClaimRetentionPolicy")
    for key in ("whenDeleted", "whenScaled"):
        retention.one_of("workload", key, ("Retain", "Delete"))
    if spec.on(gates.SERVICE_OF_STATEFUL_SET):
        spec.fits("name", "serviceName", formats.dns_label)
    for claim in spec.each("volumeClaimTemplates") if spec.on(gates.STATEFUL_SET_TEMPLATES) else ():
        if not claim.at("metadata").text("name"):
            claim.bad("name", "'metadata.name' is required in a volume claim template")
        claim_spec(claim.at("spec"))


def revision(document: Field) -> None:
    if not document.has("data"):
        document.missing("revision", "data", "'data' is required")
    elif document.on(gates.REVISION_DATA) and type(document.get("data")) is not dict:
        document.at("data").bad("revision", "must be a mapping: what the controller kept")
    document.at_least("revision", "revision", 0)
