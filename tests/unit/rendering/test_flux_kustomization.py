"""Flux Kustomizations. Expected values are those of github.com/fluxcd/pkg/kustomize 1.35 for the same folders."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gitops_ci.rendering.flux_variables import Variables, substituted, variables_of
from gitops_ci.rendering.kinds import closure_of
from tests.unit.rendering.support import CONFIGMAP, URL, repository, unit_of, units, written_json

HEAD = (
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n"
)
ID = "flux-kustomization:flux-system/apps"


def kustomization(spec):
    return HEAD + "spec: " + json.dumps({"path": "./apps", "sourceRef": {"kind": "GitRepository", "name": "x"}} | spec)


def built(spec, files):
    made = repository({"clusters/apps.yaml": kustomization(spec), **files})
    return unit_of(made, ID)


def test_a_folder_without_kustomization_gets_one_in_the_order_of_a_walk():
    files = {
        "apps/a-b.yaml": CONFIGMAP % "1",
        "apps/a/z.yml": CONFIGMAP % "2",
        "apps/sub/kustomization.yaml": "resources: [x.yaml]\n",
        "apps/sub/x.yaml": CONFIGMAP % "3",
        "apps/sub/deep/kustomization.yaml": "resources: []\n",
        "apps/notes.md": "",
        "apps/.sops.yaml": "creation_rules: []\n",
        "apps/.github/workflows/x.yaml": "on: push\n",
    }
    _, closure, recipe = built({}, files)
    assert written_json(recipe, "apps/kustomization.yaml")["resources"] == ["./a/z.yml", "./a-b.yaml", "./sub"]
    assert closure.files == {"apps/a/z.yml", "apps/a-b.yaml", "apps/sub/kustomization.yaml", "apps/sub/x.yaml"}


def test_what_the_kustomization_says_goes_into_the_folder_s_own():
    own = "namespace: old\nimages: [{name: a, newTag: 1.25}, {name: b, digest: sha256:1}]\n"
    own += "resources: [x.yaml]\nunknown: 1\n"
    spec = {
        "targetNamespace": "new",
        "namePrefix": "p-",
        "nameSuffix": "-s",
        "patches": [{"patch": "- op: remove\n", "target": {"kind": "Deployment", "other": 1}}],
        "components": ["../part"],
        "images": [{"name": "a", "newName": "c"}, {"name": "b", "newTag": "2"}, {"name": "d", "newTag": "3"}],
        "commonMetadata": {"labels": {"l": "v"}},
    }
    files = {
        "apps/kustomization.yaml": own,
        "apps/x.yaml": CONFIGMAP % "x",
        "part/kustomization.yaml": "kind: Component\n",
    }
    _, closure, recipe = built(spec, files)
    made = written_json(recipe, "apps/kustomization.yaml")
    assert (made["namespace"], made["namePrefix"], made["nameSuffix"]) == ("new", "p-", "-s")
    assert made["images"] == [
        {"name": "a", "newTag": "1.25", "newName": "c"},
        {"name": "b", "digest": "", "newTag": "2"},
        {"name": "d", "newTag": "3"},
    ]
    assert made["patches"] == [{"patch": "- op: remove\n", "target": {"kind": "Deployment"}}]
    assert made["components"] == ["../part"]
    assert "unknown" not in made
    assert json.loads(made["transformers"][0])["fieldSpecs"] == [{"path": "metadata/labels", "create": True}]
    assert "part/kustomization.yaml" in closure.files
    assert recipe.steps[0].arguments == ("--load-restrictor", "LoadRestrictionsNone", "--", "./apps")


@pytest.mark.parametrize("component", ["../../outside", "/etc", "../link"])
def test_a_component_outside_is_refused(component):
    made = repository(
        {"k.yaml": kustomization({"components": [component]}), "apps/x.yaml": CONFIGMAP % "x"}, {"link": "../secret"}
    )
    assert closure_of(units(made)[ID], made).refused


@pytest.mark.parametrize("path", ["../apps", "/apps", "./apps/", "apps/../apps"])
def test_a_path_starts_at_the_root_of_the_source(path):
    _, closure, _ = built({"path": path}, {"apps/x.yaml": CONFIGMAP % "x"})
    assert closure.files == {"apps/x.yaml"}


SOURCE = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: %s\nmetadata: {name: x, namespace: flux-system}\nspec: %s\n"


@pytest.mark.parametrize(
    ("kind", "spec", "is_here"),
    [
        ("GitRepository", {"url": URL}, True),
        ("GitRepository", {"url": "ssh://git@github.com/Acme/config.git", "ref": {"branch": "main"}}, True),
        ("GitRepository", {"url": "https://github.com/acme/other"}, False),
        ("GitRepository", {"url": URL, "ref": {"branch": "release"}}, False),
        ("GitRepository", {"url": URL, "ref": {"tag": "v1"}}, False),
        ("OCIRepository", {"url": "oci://ghcr.io/acme/config"}, False),
        ("Bucket", {"bucketName": "x"}, False),
    ],
)
def test_a_source_is_this_repository_or_it_is_told(kind, spec, is_here):
    files = {
        "k.yaml": kustomization({"sourceRef": {"kind": kind, "name": "x"}}),
        "s.yaml": SOURCE % (kind, json.dumps(spec)),
        "apps/x.yaml": CONFIGMAP % "x",
    }
    made = repository(files)
    assert bool(closure_of(units(made)[ID], made).skip) != is_here


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["deploy/apps/x.yaml"], "deploy/apps/x.yaml"),
        (["deploy/apps/x.yaml", "deploy/clusters/apps/x.yaml"], "deploy/apps/x.yaml"),
        (["apps/x.yaml", "deploy/apps/x.yaml"], "apps/x.yaml"),
        (["other/apps/x.yaml"], None),
    ],
)
def test_an_artifact_is_pushed_from_a_folder_around_what_takes_it(files, expected):
    made = repository(
        {
            "deploy/clusters/one/k.yaml": kustomization(
                {"sourceRef": {"kind": "OCIRepository", "name": "flux-system"}}
            ),
            **dict.fromkeys(files, CONFIGMAP % "x"),
        }
    )
    closure = closure_of(units(made)[ID], made)
    assert closure.files == ({expected} if expected else set())
    assert bool(closure.skip) == (expected is None)


def test_an_artifact_that_is_copied_from_an_artifact_of_a_folder():
    generator = {
        "sources": [{"alias": "repo", "kind": "OCIRepository", "name": "flux-system"}],
        "artifacts": [{"name": "apps", "copy": [{"from": "@repo/teams/a/", "to": "@artifact/apps/"}]}],
    }
    files = {
        "deploy/k.yaml": kustomization({"sourceRef": {"kind": "ExternalArtifact", "name": "apps"}}),
        "deploy/g.yaml": SOURCE.replace("source.toolkit", "source.extensions")
        % ("ArtifactGenerator", json.dumps(generator)),
        "deploy/teams/a/x.yaml": CONFIGMAP % "x",
    }
    _, closure, _ = unit_of(repository(files), ID)
    assert closure.files == {"deploy/teams/a/x.yaml"}


def test_an_artifact_that_is_copied_from_here():
    generator = {
        "sources": [{"alias": "repo", "kind": "GitRepository", "name": "x"}],
        "artifacts": [
            {"name": "base", "copy": [{"from": "@repo/infra/**", "to": "@artifact/"}]},
            {"name": "apps", "copy": [{"from": "@repo/teams/a/**", "to": "@artifact/apps/"}]},
        ],
    }
    files = {
        "k.yaml": kustomization({"sourceRef": {"kind": "ExternalArtifact", "name": "apps"}}),
        "g.yaml": SOURCE.replace("source.toolkit", "source.extensions") % ("ArtifactGenerator", json.dumps(generator)),
        "teams/a/x.yaml": CONFIGMAP % "x",
    }
    _, closure, _ = unit_of(repository(files), ID)
    assert closure.files == {"teams/a/x.yaml"}


def test_older_patches_are_no_files():
    patch = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "b"}}
    _, closure, recipe = built({"patchesStrategicMerge": [patch]}, {"apps/x.yaml": CONFIGMAP % "x"})
    assert closure.parts == set()
    assert [json.loads(one) for one in written_json(recipe, "apps/kustomization.yaml")["patchesStrategicMerge"]] == [
        patch
    ]


def variables(post, files):
    _, _, recipe = built({"postBuild": post}, {"apps/x.yaml": CONFIGMAP % "x", **files})
    return recipe.finish


def test_later_sources_of_variables_win_and_inline_ones_over_all():
    def config(name, data):
        return CONFIGMAP % f"{name}, namespace: flux-system" + f"data: {json.dumps(data)}\n"

    finish = variables(
        {
            "substituteFrom": [{"kind": "ConfigMap", "name": "one"}, {"kind": "ConfigMap", "name": "two"}],
            "substitute": {"c": "inline", "number": 3, "lines": "a\nb"},
        },
        {
            "v/one.yaml": config("one", {"a": "1", "b": "1", "c": "1"}),
            "v/two.yaml": config("two", {"b": "2", "c": "2"}),
        },
    )
    made = finish("x: ${a} ${b} ${c} ${number} ${lines} ${d:=default}\n")
    assert (made.text, made.undefined) == ("x: 1 2 inline 3 ab default\n", ())


def test_an_undefined_variable_is_reported_once_all_sources_are_known():
    assert variables({"substitute": {"a": "1"}}, {})("x: ${b} ${b}\n").undefined == ("b",)
    unknown = {"substituteFrom": [{"kind": "ConfigMap", "name": "elsewhere"}], "substitute": {"a": "1"}}
    made = variables(unknown, {})("x: ${a} ${b}\n")
    assert (made.text, made.undefined) == ("x: 1 ${b}\n", ())


@pytest.mark.parametrize("name", ["one", "elsewhere"])
def test_only_what_no_source_can_define_is_empty(name):
    post = {"substituteFrom": [{"kind": "ConfigMap", "name": name}]}
    config = CONFIGMAP % "one, namespace: flux-system" + 'data: {a: "1"}\n'
    made = variables(post, {"v/one.yaml": config})("x: v${b#*@}\n")
    assert (made.text, made.undefined) == (("x: v\n", ("b",)) if name == "one" else ("x: v${b#*@}\n", ()))


def test_what_cannot_be_rendered_may_define_variables_of_what_it_holds():
    files = {"apps/x.yaml": CONFIGMAP % "x"}
    unit, _, _ = built({"postBuild": {"substitute": {"a": "1"}}}, files)
    assert not variables_of(unit, repository(files)).is_open
    assert variables_of(replace(unit, is_assumed=True), repository(files)).is_open


def test_what_a_definition_describes_is_no_variable():
    text = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\ndescription: ${b^^}\n---\nkind: A\n"
    assert substituted(text, Variables({"a": "1"}, is_used=True)).undefined == ()


def test_the_value_of_a_secret_is_not_known():
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: flux-system}\nstringData: {token: hunter2}\n"
    made = variables({"substituteFrom": [{"kind": "Secret", "name": "s"}]}, {"v/s.yaml": secret})("x: ${token} ${a}\n")
    assert (made.text, made.undefined) == ("x: ${token} ${a}\n", ("a",))


@pytest.mark.parametrize("post", [{}, {"substitute": {}}, None])
def test_without_variables_nothing_is_filled_in(post):
    assert variables(post, {})("x: ${a:=b} $$\n").text == "x: ${a:=b} $$\n"


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_an_object_that_switches_substitution_off_stays(where):
    off = f"metadata:\n  {where}:\n    kustomize.toolkit.fluxcd.io/substitute: disabled\n  name: ${{a}}\n"
    text = f"{off}---\nmetadata:\n  name: ${{a}}\n"
    made = substituted(text, Variables({"a": "1"}, is_used=True))
    assert made.text == f"{off}---\nmetadata:\n  name: 1\n"


def test_what_flux_refuses_is_an_error():
    assert substituted("x: ${a-b}\n", Variables({"a": "1"}, is_used=True)).errors
    assert variables({"substitute": {"a-b": "1"}}, {})("x: 1\n").errors
