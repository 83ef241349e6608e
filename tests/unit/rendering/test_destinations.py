"""Which units go to one cluster."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ci.flows.validate.destinations import destination_of
from gitops_ci.rendering.deployment import Closure, DeploymentUnit, Repository
from gitops_ci.rendering.discovery import Deployment, Found
from gitops_ci.rendering.tree import SourceTree

OWN = "https://kubernetes.default.svc"


def unit(kind: str, path: str, spec: dict[str, Any], within: str = "") -> Found:
    value = {"metadata": {"name": "x", "namespace": "apps"}, "spec": spec}
    return Found(DeploymentUnit(f"{kind}:{path}", kind, path, value=value), Closure(), within)


def cluster(found: Found, *above: Found) -> str | None:
    deployment = Deployment(Repository(SourceTree(_Nothing())))
    deployment.units = {one.unit.id: one for one in above}
    to = destination_of(found, deployment)
    return to.cluster if to else None


class _Nothing:
    def names(self) -> tuple[str, ...]:
        return ()

    def data(self, path: str) -> bytes | None:
        raise AssertionError(path)

    def links(self) -> dict[str, str]:
        return {}


def application(path: str, **to: str) -> Found:
    return unit("application", path, {"destination": to})


ROOTS = [unit("application", f"roots/{name}.yaml", {}) for name in ("eu", "us")]
SAME = [
    (application("a/x.yaml", server=OWN), application("a/y.yaml", name="in-cluster")),
    (application("a/x.yaml", server="https://eu.example"), application("b/y.yaml", server="https://eu.example")),
    (unit("flux-kustomization", "c/x.yaml", {}), unit("helmrelease", "c/y.yaml", {})),
    (unit("application", "x", {}, ROOTS[0].unit.id), unit("application", "y/y", {}, ROOTS[0].unit.id)),
]
OTHER = [
    (application("a/x.yaml", server=OWN), application("b/y.yaml", server=OWN)),
    (application("a/x.yaml", server="https://eu.example"), application("a/y.yaml", server="https://us.example")),
    (unit("flux-kustomization", "c/x.yaml", {}), unit("helmrelease", "d/y.yaml", {})),
    (unit("application", "x", {}, ROOTS[0].unit.id), unit("application", "x", {}, ROOTS[1].unit.id)),
    (
        unit("flux-kustomization", "c/x.yaml", {"kubeConfig": {"secretRef": {"name": "eu"}}}),
        unit("flux-kustomization", "c/y.yaml", {}),
    ),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_units_of_one_cluster(first, second):
    assert cluster(first, *ROOTS) == cluster(second, *ROOTS) is not None


@pytest.mark.parametrize(("first", "second"), OTHER)
def test_units_of_two_clusters(first, second):
    assert cluster(first, *ROOTS) != cluster(second, *ROOTS)


def test_a_folder_goes_wherever_a_person_sends_it():
    assert cluster(unit("kustomization", "a/kustomization.yaml", {})) is None
