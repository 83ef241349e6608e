"""Probes and life cycle handlers.

Source: k8s.io/kubernetes pkg/apis/core/validation/validation.go, validateProbe and validateHandler.
"""

from __future__ import annotations

from gitops_ci.validation import gates
from gitops_ci.validation.apimachinery import formats
from gitops_ci.validation.apimachinery.field import Field

__all__ = ["probes"]

_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_LIFECYCLE_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")


def probes(container: Field, spec: Field) -> None:
    grace = spec.number("terminationGracePeriodSeconds") if spec.has("terminationGracePeriodSeconds") else 30
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.has(key):
            _probe(container.at(key), key, grace)
    lifecycle = container.at("lifecycle")
    for key in ("postStart", "preStop"):
        if lifecycle.has(key):
            _handler(lifecycle.at(key), _LIFECYCLE_HANDLERS, grace)


def _probe(probe: Field, name: str, grace: int) -> None:
    _handler(probe, _PROBE_HANDLERS, grace)
    for key in _NUMBERS:
        probe.at_least("probe", key, 0)
    if name != "readinessProbe" and probe.number("successThreshold") > 1:
        probe.at("successThreshold").bad("probe", f"must be 1 for a {name}")
    if probe.has("terminationGracePeriodSeconds"):
        period = probe.at("terminationGracePeriodSeconds")
        if name == "readinessProbe":
            period.bad("probe", "must not be set for a readinessProbe")
        elif probe.number("terminationGracePeriodSeconds") <= 0:
            period.bad("probe", "must be greater than 0")


def _handler(handler: Field, known: tuple[str, ...], grace: int) -> None:
    given = [key for key in known if handler.has(key)]
    if not given:
        handler.bad("probe", f"must have one of {', '.join(known)}")
    for key in given[1:]:
        handler.at(key).bad("probe", f"only one of {', '.join(known)} may be given")
    for key in given[:1]:
        action = handler.at(key)
        if key == "exec" and not action.count("command"):
            action.missing("probe", "command")
        elif key == "httpGet":
            _http(action)
        elif key == "sleep":
            _sleep(action, grace)
        elif key != "exec":
            _port(action)


def _http(action: Field) -> None:
    _port(action)
    action.one_of("probe", "scheme", ("HTTP", "HTTPS"))
    for header in action.each("httpHeaders"):
        header.fits("probe", "name", formats.http_header)


def _port(action: Field) -> None:
    value = action.get("port")
    if isinstance(value, str) and value:
        action.fits("port", "port", formats.port_name)
    elif isinstance(value, int | float) and (why := formats.port_number(int(value))):
        action.at("port").bad("port", f"{value} {why}")


def _sleep(action: Field, grace: int) -> None:
    seconds = action.number("seconds")
    if seconds < 0 or seconds > grace or (seconds == 0 and not action.on(gates.SLEEP_OF_ZERO)):
        action.at("seconds").bad("probe", f"{seconds} must not be negative or exceed the grace period of {grace} s")
