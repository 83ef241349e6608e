"""A unit that could not be rendered is an error only if its user could not render it either."""

from __future__ import annotations

import pytest

from gitops_ci.errors import ProgramError
from gitops_ci.rendering.deployment import Closure, DeploymentUnit
from gitops_ci.rendering.failures import failure_of
from tests.unit.rendering.support import CONFIGMAP, repository

REQUIRED = "helm failed with exit code 1: Error: execution error at (web/templates/x.yaml:1:4): set a"
PARSE = "helm failed with exit code 1: Error: parse error at (web/templates/x.yaml:1): missing value for if"
RELEASE = {"metadata": {"name": "web"}, "spec": {"valuesFrom": [{"kind": "ConfigMap", "name": "x"}]}}
SECRET = {"metadata": {"name": "web"}, "spec": {"valuesFrom": [{"kind": "Secret", "name": "x"}]}}


@pytest.mark.parametrize(
    ("kind", "value", "is_assumed", "message", "is_error"),
    [
        ("chart", {}, True, REQUIRED, False),
        ("chart", {}, True, PARSE, True),
        ("application", {}, False, REQUIRED, True),
        ("application", {}, True, REQUIRED, False),
        ("helmrelease", RELEASE, False, REQUIRED, True),
        ("helmrelease", SECRET, False, REQUIRED, False),
        ("helmrelease", SECRET, False, PARSE, True),
        ("kustomization", {}, False, "kustomize failed with exit code 1: error: no matches for Id X", True),
        ("kustomization", {}, False, "kustomize is not installed", False),
        ("kustomization", {}, False, "helm was ended: it used more than 2048 MiB of memory", False),
    ],
)
def test_who_else_would_fail(kind, value, is_assumed, message, is_error):
    unit = DeploymentUnit("x", kind, "x.yaml", value=value, is_assumed=is_assumed)
    made = repository({"cm.yaml": CONFIGMAP % "x" + "data: {values.yaml: 'a: 1'}\n"})
    assert failure_of(unit, Closure(), ProgramError(message), made).is_error == is_error


def test_the_words_are_the_program_s_own():
    text = "kustomize failed with exit code 1: # Warning: 'x' is deprecated\nerror: no matches for Id X; failed"
    unit = DeploymentUnit("x", "kustomization", "x.yaml")
    assert failure_of(unit, Closure(), ProgramError(text), repository({})).message == "no matches for Id X; failed"
