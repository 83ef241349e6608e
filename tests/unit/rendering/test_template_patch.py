"""A templatePatch over an Application. Expected values are those of k8s.io/apimachinery 0.37 with Argo CD's fields."""

from __future__ import annotations

import json

import pytest

from gitops_ci.rendering.argocd_template_patch import PatchError, patched
from tests.unit.rendering.support import repository, unit_of

SOURCE = {"repoURL": "u", "path": "p"}


def helm(**values):
    return {"spec": {"source": {"helm": values}}}


@pytest.mark.parametrize(
    ("application", "patch", "expected"),
    [
        (
            {"metadata": {"labels": {"x": "y"}, "finalizers": ["f1"]}},
            {"metadata": {"labels": {"x": None, "z": "1"}, "finalizers": ["f2"]}},
            {"metadata": {"labels": {"z": "1"}, "finalizers": ["f2", "f1"]}},
        ),
        (
            helm(parameters=[{"name": "n", "value": "v"}]),
            helm(parameters=[{"name": "m", "value": "w"}]),
            helm(parameters=[{"name": "m", "value": "w"}]),
        ),
        (
            {"spec": {"syncPolicy": {"automated": {"prune": True}, "syncOptions": ["A=b"]}}},
            {"spec": {"syncPolicy": {"automated": None, "syncOptions": ["C=d"]}}},
            {"spec": {"syncPolicy": {"syncOptions": ["C=d"]}}},
        ),
        (
            {"spec": {"syncPolicy": {"automated": {}, "syncOptions": ["A=b"]}}},
            {"spec": {"syncPolicy": {"$retainKeys": ["automated"], "automated": {"prune": True}}}},
            {"spec": {"syncPolicy": {"automated": {"prune": True}}}},
        ),
        ({"spec": {"source": SOURCE}}, {"spec": {"source": {"$patch": "replace", "repoURL": "w"}}}, None),
        ({"spec": {"source": SOURCE}}, {"spec": {"source": {"$patch": "delete"}}}, {"spec": {"source": {}}}),
        (
            {"spec": {"source": SOURCE}},
            {"spec": {"source": None, "sources": [{"repoURL": "x", "path": None}]}},
            {"spec": {"sources": [{"repoURL": "x"}]}},
        ),
        (
            helm(valuesObject={"a": {"b": 1}, "s": "t"}),
            helm(valuesObject={"s": "u", "z": {"q": 1, "r": None}}),
            helm(valuesObject={"a": {"b": 1}, "s": "u", "z": {"q": 1}}),
        ),
        (helm(valuesObject={"a": {"b": 1}}), helm(valuesObject={"a": 3}), helm(valuesObject={"a": 3})),
        (helm(valuesObject={"a": {"b": 1}}), helm(valuesObject={"a": None}), helm(valuesObject={})),
        ({"spec": {"project": "p"}}, {"spec": {"project": "other"}}, {"spec": {"project": "p"}}),
    ],
)
def test_a_patch_is_a_strategic_merge_patch(application, patch, expected):
    assert patched(application, patch) == ({"spec": {"source": {"repoURL": "w"}}} if expected is None else expected)


@pytest.mark.parametrize("value", [{"c": 1}, {"b": 2}, {"b": None}])
def test_values_that_are_there_cannot_be_merged(value):
    with pytest.raises(PatchError, match="changes 'a' of valuesObject"):
        patched(helm(valuesObject={"a": {"b": 1}}), helm(valuesObject={"a": value}))
    with pytest.raises(PatchError, match="changes 'a' of valuesObject"):
        patched(helm(valuesObject={"a": [1]}), helm(valuesObject={"a": [2]}))


def test_the_patch_of_a_set_is_filled_in_and_laid_over_each_application():
    template = {
        "metadata": {"name": "{{env}}"},
        "spec": {"project": "p", "source": {"repoURL": "u", "path": "x", "helm": {"valuesObject": {"a": {"b": 1}}}}},
    }
    spec = {
        "generators": [{"list": {"elements": [{"env": "eu", "key": "z"}, {"env": "us", "key": "a"}]}}],
        "template": template,
        "templatePatch": "spec: {project: other, source: {helm: {valuesObject: {'{{key}}': {n: '{{env}}'}}}}}\n",
    }
    head = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s, namespace: argocd}\n"
    _, _, recipe = unit_of(repository({"s.yaml": head + f"spec: {json.dumps(spec)}\n"}), "applicationset:argocd/s")
    made = recipe.finish("")
    first = json.loads(made.text.split("---")[0])
    assert first["spec"]["source"]["helm"]["valuesObject"] == {"a": {"b": 1}, "z": {"n": "eu"}}
    assert first["spec"]["project"] == "p"
    assert made.errors == ("its templatePatch changes 'a' of valuesObject, which Argo CD cannot merge",)
