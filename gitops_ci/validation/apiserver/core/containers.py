"""Containers of every sort: names, images, ports, probes, life cycle.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, validateContainers and its siblings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apiserver.core import compute_resources, env, mounts, probes, security_context

__all__ = ["PROTOCOLS", "all_containers", "port_of"]

PROTOCOLS = ("TCP", "UDP", "SCTP")
_GROUPS = ("containers", "initContainers", "ephemeralContainers")
_NOT_EPHEMERAL = (
    *("ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy"),
    *("restartPolicy", "restartPolicyRules"),
)


def all_containers(spec: Field, volumes: Mapping[str, Any], *, is_pod: bool) -> None:
    names: set[str] = set()
    host_ports: set[tuple[str, str, int]] = set()
    for group in _GROUPS:
        for container in spec.each(group):
            _common(container, spec, volumes)
            name = container.text("name")
            if name and name in names:
                container.at("name").bad("duplicate", f"container name '{name}' is given twice")
            names.add(name)
            if group == "containers":
                _match_host(container, spec)
                _host_ports(container, host_ports, spec, is_pod=is_pod)
            elif group == "initContainers":
                _host_ports(container, set(), spec, is_pod=is_pod)
            image = container.text("image")
            if is_pod and image != image.strip():
                container.at("image").bad("image", "must not have leading or trailing whitespace")
    _special(spec)


def _common(container: Field, spec: Field, volumes: Mapping[str, Any]) -> None:
    container.fits("name", "name", formats.dns_label)
    if not container.text("image"):
        container.missing("image", "image")
    container.one_of("container", "terminationMessagePolicy", ("File", "FallbackToLogsOnError"))
    container.one_of("container", "imagePullPolicy", ("Always", "IfNotPresent", "Never"))
    _ports(container)
    env.environment(container, volumes)
    mounts.mounts(container, volumes)
    compute_resources.requirements(
        container.at("resources"), {claim.text("name") for claim in spec.each("resourceClaims")}
    )
    _resize(container, spec)
    security_context.container_security(container.at("securityContext"), host_users=spec.get("hostUsers") is not False)


def _special(spec: Field) -> None:
    for container in spec.each("containers"):
        probes.probes(container, spec)
        _restart(container)
    for container in spec.each("initContainers"):
        _restart(container)
        if container.text("restartPolicy") == "Always":
            probes.probes(container, spec)
        else:
            _not_a_sidecar(container)
    others = {other.text("name") for group in _GROUPS[:2] for other in spec.each(group)}
    for container in spec.each("ephemeralContainers"):
        for key in _NOT_EPHEMERAL:
            if container.get(key) not in (None, [], {}, ""):
                container.at(key).bad("container", f"'{key}' cannot be set for an ephemeral container")
        target = container.text("targetContainerName")
        if target and target not in others:
            container.at("targetContainerName").bad("container", f"there is no container '{target}'")


def _not_a_sidecar(container: Field) -> None:
    """An init container that runs to its end has no probes, and nothing to restart when it is resized."""
    for key in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        # A life cycle of nothing but a stopSignal is dropped before validation (ContainerStopSignals is off).
        if container.has(key) and not (key == "lifecycle" and container.mapping(key).keys() == {"stopSignal"}):
            said = f"'{key}' may not be set for init containers without restartPolicy: Always"
            container.at(key).bad("container", said)
    for policy in container.each("resizePolicy") if container.on(gates.RESIZE_OF_INIT_CONTAINERS) else ():
        if policy.text("restartPolicy") == "RestartContainer":
            said = "RestartContainer may not be set for init containers without restartPolicy: Always"
            policy.at("restartPolicy").bad("container", said)


def _restart(container: Field) -> None:
    """A container's own restart policy: of init containers only, until the feature ContainerRestartRules."""
    init = container.path is not None and container.path[0] is not None and container.path[0][1] == "initContainers"
    if not container.on(gates.CONTAINER_RESTART_RULES):
        if container.on(gates.KNOWN_RESTART_RULES):
            return
        if init:
            container.one_of("container", "restartPolicy", ("Always",), pointer=True)
        elif container.has("restartPolicy"):
            container.at("restartPolicy").bad("container", "may only be set for init containers")
        return
    container.one_of("container", "restartPolicy", ("Always", "OnFailure", "Never"), pointer=True)
    if container.count("restartPolicyRules") and not container.has("restartPolicy"):
        container.at("restartPolicyRules").bad("container", "needs a restartPolicy")
    if container.count("restartPolicyRules"):
        _restart_rules(container, sidecar=init and container.text("restartPolicy") == "Always")


def _restart_rules(container: Field, *, sidecar: bool) -> None:
    # The feature also allows rules of sidecars.
    all_containers = container.on(gates.RESTART_ALL_CONTAINERS)
    if sidecar and not all_containers:
        container.at("restartPolicyRules").bad("container", "may not be set for init containers that always restart")
    if container.count("restartPolicyRules") > 20:
        container.at("restartPolicyRules").bad("container", "must have no more than 20 rules")
    for rule in container.each("restartPolicyRules"):
        rule.one_of("container", "action", ("Restart", "RestartAllContainers") if all_containers else ("Restart",))
        if not rule.has("exitCodes"):
            rule.missing("container", "exitCodes")
        rule.at("exitCodes").one_of("container", "operator", ("In", "NotIn"))
        if rule.at("exitCodes").count("values") > 255:
            rule.at("exitCodes", "values").bad("container", "must have no more than 255 values")


def _ports(container: Field) -> None:
    names: set[str] = set()
    for port in container.each("ports"):
        name = port.text("name")
        if name and (why := formats.port_name(name)):
            port.at("name").bad("port", f"'{name}' {why}")
        elif name and name in names:
            port.at("name").bad("duplicate", f"port name '{name}' is given twice")
        names.add(name)
        for key in ("containerPort", "hostPort"):
            number = port.number(key)
            if (number or (key == "containerPort" and port.has(key))) and (why := formats.port_number(number)):
                port.at(key).bad("port", f"{number} {why}")
        port.one_of("port", "protocol", PROTOCOLS)


def _match_host(container: Field, spec: Field) -> None:
    for port in container.each("ports") if spec.flag("hostNetwork") else ():
        number, inner = port.number("hostPort"), port.number("containerPort")
        if number and number != inner:
            port.at("hostPort").bad("port", f"{number} must match containerPort {inner} when hostNetwork is true")


def _host_ports(container: Field, seen: set[tuple[str, str, int]], spec: Field, *, is_pod: bool) -> None:
    # On the host's network the port of a Pod is its host port as well (defaulted before validation).
    on_host = is_pod and spec.flag("hostNetwork")
    for port in container.each("ports"):
        number = port.number("hostPort")
        used = number or (port.number("containerPort") if on_host else 0)
        key = (port.text("protocol") or "TCP", port.text("hostIP"), used)
        if used and key in seen:
            port.at("hostPort" if number else "containerPort").bad("duplicate", f"host port {used} is given twice")
        seen.add(key)


def _resize(container: Field, spec: Field) -> None:
    seen: set[str] = set()
    for policy in container.each("resizePolicy"):
        policy.one_of("container", "resourceName", ("cpu", "memory"))
        policy.one_of("container", "restartPolicy", ("NotRequired", "RestartContainer"))
        if policy.text("resourceName") in seen:
            policy.at("resourceName").bad("duplicate", f"'{policy.text('resourceName')}' is given twice")
        seen.add(policy.text("resourceName"))
        if spec.text("restartPolicy") == "Never" and policy.text("restartPolicy") == "RestartContainer":
            policy.at("restartPolicy").bad("container", "must be NotRequired when the pod's restartPolicy is Never")


def port_of(field: Field, key: str, rule: str = "port") -> None:
    """A port that is a number or a name."""
    value = field.get(key)
    if isinstance(value, str):
        if why := formats.port_name(value):
            field.at(key).bad(rule, f"'{value}' {why}")
    elif isinstance(value, int | float) and (why := formats.port_number(int(value))):
        field.at(key).bad(rule, f"{value} {why}")
