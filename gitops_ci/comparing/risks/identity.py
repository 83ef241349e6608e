"""Objects that are another one to the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.comparing.risks.base import Subject
from gitops_ci.model.rendered import Risk

__all__ = ["api_version", "moved", "renamed"]


def moved(subject: Subject) -> Iterator[Risk]:
    if subject.state == "moved":
        yield Risk("moved", f"was {subject.was}: the operators delete it there and create it here, in any order")


def renamed(subject: Subject) -> Iterator[Risk]:
    if subject.state == "renamed":
        yield Risk("renamed", f"was {subject.was}: Kubernetes has no rename, it is deleted and created")


def api_version(subject: Subject) -> Iterator[Risk]:
    for one in subject.changes("/apiVersion"):
        yield Risk("api-version", f"{one.old} -> {one.new}", one.head_pointer)
