"""HorizontalPodAutoscalers and PodDisruptionBudgets.

Sources: k8s.io/kubernetes pkg/apis/autoscaling/validation/validation.go, pkg/apis/policy/validation/validation.go.
"""

from __future__ import annotations

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_selector
from gitops_ci.validation.apimachinery.scalars import quantity
from gitops_ci.validation.apiserver.core.compute_resources import container_resource_name

__all__ = ["disruption_budget", "pod_autoscaler"]

_SOURCES = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "External": "external",
}


def pod_autoscaler(document: Field) -> None:
    spec = document.at("spec")
    # Zero replicas need the feature HPAScaleToZero and a metric from outside.
    least = spec.number("minReplicas") if spec.has("minReplicas") else 1
    lowest = 0 if spec.on(gates.SCALE_TO_ZERO) else 1
    if least < lowest:
        spec.at("minReplicas").bad("hpa", f"{least} is too small: must be at least {lowest}")
    most = spec.number("maxReplicas")
    if spec.has("maxReplicas") and most < 1:
        spec.at("maxReplicas").bad("hpa", f"{most} is too small: must be at least 1")
    elif spec.has("maxReplicas") and most < least:
        spec.at("maxReplicas").bad("hpa", f"{most} must be at least minReplicas ({least})")
    target = spec.at("scaleTargetRef")
    _reference(target, with_group=target.text("kind") != "ReplicationController")
    if document.text("apiVersion") == "autoscaling/v1":
        if spec.has("targetCPUUtilizationPercentage"):
            spec.at_least("hpa", "targetCPUUtilizationPercentage", 1)
        return
    for metric in spec.each("metrics"):
        _metric(metric)
    kinds = {metric.text("type") for metric in spec.each("metrics")}
    if least == lowest == 0 and not kinds & {"Object", "External"}:
        place = spec.at("metrics") if spec.has("metrics") else spec.at("minReplicas")
        place.bad("hpa", "minReplicas 0 needs a metric of type Object or External")
    for direction in ("scaleUp", "scaleDown"):
        if spec.at("behavior").has(direction):
            _behavior(spec.at("behavior", direction))


def _reference(reference: Field, *, with_group: bool) -> None:
    for key in ("kind", "name"):
        reference.fits("hpa", key, formats.path_segment)
    text = reference.text("apiVersion")
    if not reference.on(gates.GROUP_OF_SCALE_TARGET) or type(reference.value) is not dict:
        return
    if text.count("/") > 1:
        reference.at("apiVersion").bad("hpa", f"'{text}' is not an API version")
    elif with_group and text.find("/") < 1:
        said = f"'{text}' names no API group; written as apps/v1" if text else "'apiVersion' is required"
        reference.missing("hpa", "apiVersion", said)


def _metric(metric: Field) -> None:
    kind = metric.text("type")
    metric.one_of("hpa", "type", tuple(_SOURCES))
    given = [key for key in _SOURCES.values() if metric.has(key)]
    wanted = _SOURCES.get(kind)
    if wanted and wanted not in given:
        metric.missing("hpa", wanted, f"'{wanted}' is required for a metric of type {kind}")
    for key in given:
        if key != wanted and wanted:
            metric.at(key).bad("hpa", f"may not be given for a metric of type {kind}")
    if not wanted or wanted not in given:
        return
    source = metric.at(wanted)
    target = source.at("target")
    target.one_of("hpa", "type", ("Utilization", "Value", "AverageValue"))
    _values(target)
    if wanted in {"resource", "containerResource"}:
        if target.has("averageUtilization") == target.has("averageValue"):
            target.bad("hpa", "needs exactly one of averageUtilization and averageValue")
        if wanted == "containerResource":
            source.fits("hpa", "name", container_resource_name)
            source.fits("hpa", "container", formats.dns_label)
        return
    name = source.at("metric").text("name")
    if name and (why := formats.path_segment(name)):
        source.at("metric", "name").bad("hpa", f"'{name}' {why}")
    if wanted == "object":
        _reference(source.at("describedObject"), with_group=False)
        if not target.has("value") and not target.has("averageValue"):
            target.bad("hpa", "needs value or averageValue")
    elif wanted == "pods":
        if not target.has("averageValue"):
            target.missing("hpa", "averageValue", "a positive averageValue is required")
    elif target.has("value") == target.has("averageValue"):
        target.bad("hpa", "needs exactly one of value and averageValue")


def _values(target: Field) -> None:
    if target.has("averageUtilization"):
        target.at_least("hpa", "averageUtilization", 1)
    for key in ("value", "averageValue"):
        number = quantity(target.get(key)) if target.has(key) else None
        if number is not None and number <= 0:
            target.at(key).bad("hpa", f"'{target.get(key)}' must be positive")


def _behavior(rules: Field) -> None:
    rules.within("hpa", "stabilizationWindowSeconds", 0, 3600)
    rules.one_of("hpa", "selectPolicy", ("Max", "Min", "Disabled"), pointer=True)
    if rules.has("policies") and not rules.count("policies"):
        rules.at("policies").bad("hpa", "at least one policy is required")
    for policy in rules.each("policies"):
        policy.one_of("hpa", "type", ("Pods", "Percent"))
        if policy.has("value"):
            policy.at_least("hpa", "value", 1)
        if policy.has("periodSeconds"):
            policy.within("hpa", "periodSeconds", 1, 1800)
    tolerance = quantity(rules.get("tolerance")) if rules.has("tolerance") else None
    if tolerance is not None and tolerance < 0:
        rules.at("tolerance").bad("hpa", "must not be negative")


def disruption_budget(document: Field) -> None:
    spec = document.at("spec")
    if spec.has("minAvailable") and spec.has("maxUnavailable"):
        spec.at("maxUnavailable").bad("pdb", "minAvailable and maxUnavailable exclude each other")
    for key in ("minAvailable", "maxUnavailable"):
        value = spec.get(key)
        if isinstance(value, str):
            if why := formats.percent(value):
                spec.at(key).bad("pdb", f"'{value}' {why}")
            elif int(value[:-1]) > 100:
                spec.at(key).bad("pdb", f"'{value}' must not be more than 100%")
        elif isinstance(value, int | float) and value < 0:
            spec.at(key).bad("pdb", f"{value} must not be negative")
    spec.one_of("pdb", "unhealthyPodEvictionPolicy", ("IfHealthyBudget", "AlwaysAllow"), pointer=True)
    label_selector(spec.at("selector"))
