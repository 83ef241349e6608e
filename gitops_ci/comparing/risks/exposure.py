"""What can be reached from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ci.comparing.risks.base import Subject, dig
from gitops_ci.model.rendered import Risk

__all__ = ["exposure"]

_ROUTES = frozenset({"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute", "Gateway", "IngressRoute", "Route"})
_OUTSIDE = ("LoadBalancer", "NodePort")


def exposure(subject: Subject) -> Iterator[Risk]:
    kind, before, after = subject.kind, dict(subject.before or {}), dict(subject.after or {})
    if kind in {"Ingress", *_ROUTES} and after:
        new = sorted(_hosts(after) - _hosts(before))
        if new or not before:
            yield Risk("exposure", f"reachable as {', '.join(new[:3])}" if new else f"{kind} added")
        if before and dig(before, "spec", "tls") and not dig(after, "spec", "tls"):
            yield Risk("exposure", "no TLS any more", "/spec/tls")
    if kind == "Service" and dig(after, "spec", "type") in _OUTSIDE != dig(before, "spec", "type"):
        was = dig(before, "spec", "type")
        if was != dig(after, "spec", "type"):
            yield Risk("exposure", f"type {dig(after, 'spec', 'type')}, reachable from outside", "/spec/type")
    if kind == "NetworkPolicy" and before:
        yield from _policy(subject, before, after)


def _hosts(value: Mapping[str, Any]) -> set[str]:
    spec = value.get("spec")
    found = {str(one) for one in (dig(spec, "hostnames") or []) if isinstance(one, str)}
    for listed in ("rules", "listeners"):
        for one in dig(spec, listed) or []:
            host = dig(one, "host") or dig(one, "hostname")
            found |= {str(host)} if host else set()
    return found


def _policy(subject: Subject, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Risk]:
    if subject.state == "removed":
        yield Risk("exposure", "a network policy goes: what it kept apart is open")
        return
    for side in ("ingress", "egress"):
        old, new = dig(before, "spec", side), dig(after, "spec", side)
        if isinstance(new, list) and len(new) > len(old if isinstance(old, list) else []):
            yield Risk("exposure", f"the network policy allows more {side}", f"/spec/{side}")
    types = dig(before, "spec", "policyTypes")
    gone = {str(one) for one in types or []} - {str(one) for one in dig(after, "spec", "policyTypes") or []}
    if gone:
        yield Risk("exposure", f"the network policy is no longer about {', '.join(sorted(gone))}", "/spec/policyTypes")
