"""Which addresses are another repository's, in a checkout without a remote."""

from __future__ import annotations

import pytest

from gitops_ci.rendering.discovery import Deployment
from tests.unit.rendering.support import CONFIGMAP, repository

APPLICATION = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {source: {repoURL: u, %s}}\n"
)
FLUX = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a, namespace: f}\n"
FLUX += "spec: {path: '%s', sourceRef: {kind: GitRepository, name: x}}\n"
RELEASE = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a, namespace: f}\n"
RELEASE += "spec: {chart: {spec: {chart: '%s', sourceRef: {kind: %s, name: x}}}}\n"
SOURCE = (
    "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: x, namespace: f}\nspec: {url: u}\n"
)
FILES = {"apps/a.yaml": CONFIGMAP % "a", "chart/Chart.yaml": "name: a\n", "s.yaml": SOURCE}


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        (APPLICATION % "path: apps", False),
        (APPLICATION % "path: ./apps/", False),
        (APPLICATION % "path: gone", True),
        (APPLICATION % "chart: gone", False),
        (APPLICATION % "path: '{{ .path }}'", False),
        (FLUX % "./apps", False),
        (FLUX % "./gone", True),
        (FLUX % "./${cluster}", False),
        (FLUX % "", False),
        (RELEASE % ("./chart", "GitRepository"), False),
        (RELEASE % ("./apps", "GitRepository"), True),
        (RELEASE % ("gone", "HelmRepository"), False),
    ],
)
def test_an_address_whose_folders_are_not_here_is_another_ones(text, foreign):
    made = repository({**FILES, "o.yaml": text}, urls=())
    Deployment(made).start()
    assert made.is_own("u") is not foreign


def test_a_known_address_decides():
    made = repository({**FILES, "o.yaml": FLUX % "gone"}, urls=("u",))
    Deployment(made).start()
    assert made.is_own("u")
    assert not made.is_own("v")
