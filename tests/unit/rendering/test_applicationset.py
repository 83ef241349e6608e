"""Parameters of generators, and the Applications made of them.

Expected values are those of argo-cd's documentation of each generator (operator-manual/applicationset).
"""

from __future__ import annotations

import json
import re

import pytest

from gitops_ci.rendering.argocd_generators import Refused, Undecided, parameter_sets
from gitops_ci.rendering.argocd_templates import for_helm
from gitops_ci.rendering.deployment import Cluster
from gitops_ci.rendering.kinds import closure_of
from tests.unit.rendering.support import CONFIGMAP, URL, repository, unit_of, units

FILES = {
    "apps/a/x.yaml": CONFIGMAP % "a",
    "apps/b_2/x.yaml": CONFIGMAP % "b",
    "apps/b_2/deep/x.yaml": CONFIGMAP % "c",
    "apps/.hidden/x.yaml": "",
    "envs/eu/config.json": '{"name": "EU West", "app": {"tag": "1.2", "ports": [80]}}',
    "envs/us/config.json": '[{"name": "one"}, {"name": "two"}]',
}
CLUSTERS = (
    Cluster("eu_1", "https://eu", {"env": "prod", "region": "eu"}, {"a": "b"}),
    Cluster("us-1", "https://us", {"env": "dev"}),
)


def sets(*generators, go=False, clusters=CLUSTERS):
    made = repository(FILES)
    made.clusters = clusters
    return [one.values for one in parameter_sets({"goTemplate": go, "generators": list(generators)}, made, set())]


def git(**value):
    return {"git": {"repoURL": URL, "revision": "HEAD", **value}}


def test_list():
    generator = {"list": {"elements": [{"a": "1", "values": {"x": "y"}}, {"a": "2"}]}}
    assert sets(generator) == [{"a": "1", "values.x": "y"}, {"a": "2"}]
    typed = {"list": {"elements": [{"a": 1, "values": {"x": True}}], "elementsYaml": "[{a: {b: 2}}]"}}
    assert sets(typed, go=True) == [{"a": 1, "values": {"x": True}}, {"a": {"b": 2}}]


def test_git_directories():
    generator = git(
        directories=[{"path": "apps/*"}, {"path": "apps/a", "exclude": True}], values={"v": "x-{{path.basename}}"}
    )
    assert sets(generator) == [
        {
            "path": "apps/b_2",
            "path.basename": "b_2",
            "path.basenameNormalized": "b-2",
            "path[0]": "apps",
            "path[1]": "b_2",
            "values.v": "x-b_2",
        }
    ]
    assert sets(git(directories=[{"path": "apps/*/*"}], pathParamPrefix="p"), go=True) == [
        {
            "p": {
                "path": {
                    "path": "apps/b_2/deep",
                    "basename": "deep",
                    "basenameNormalized": "deep",
                    "segments": ["apps", "b_2", "deep"],
                }
            }
        }
    ]


def test_git_files():
    made = sets(git(files=[{"path": "envs/**/config.json"}]))
    assert [one["name"] for one in made] == ["EU West", "one", "two"]
    assert (
        made[0] | {"path.filename": "config.json", "path": "envs/eu", "app.tag": "1.2", "app.ports.0": "80"} == made[0]
    )
    assert sets(git(files=[{"path": "envs/eu/*"}]), go=True)[0]["app"] == {"tag": "1.2", "ports": [80]}


def test_clusters():
    generator = {"clusters": {"selector": {"matchLabels": {"env": "prod"}}}}
    assert sets(generator) == [
        {
            "name": "eu_1",
            "nameNormalized": "eu-1",
            "server": "https://eu",
            "project": "",
            "metadata.labels.env": "prod",
            "metadata.labels.region": "eu",
            "metadata.annotations.a": "b",
        }
    ]
    assert [one["name"] for one in sets({"clusters": {}}, go=True)] == ["eu_1", "us-1", "in-cluster"]
    (flat,) = sets({"clusters": {"flatList": True, "selector": {"matchLabels": {"env": "dev"}}}}, go=True)
    assert [one["name"] for one in flat["clusters"]] == ["us-1"]
    here = Cluster("mine", "https://kubernetes.default.svc")
    assert [one["name"] for one in sets({"clusters": {}}, clusters=(here,))] == ["mine"]
    excluded = {"matchExpressions": [{"key": "region", "operator": "DoesNotExist"}]}
    assert [one["name"] for one in sets({"clusters": {"selector": excluded}})] == ["us-1"]


def test_matrix_fills_the_first_into_the_second():
    first = {"list": {"elements": [{"env": "eu"}, {"env": "us"}]}}
    second = git(files=[{"path": "envs/{{env}}/config.json"}])
    assert [(one["env"], one["name"]) for one in sets({"matrix": {"generators": [first, second]}})] == [
        ("eu", "EU West"),
        ("us", "one"),
        ("us", "two"),
    ]
    second = git(files=[{"path": "envs/{{ .env }}/config.json"}])
    assert len(sets({"matrix": {"generators": [first, second]}}, go=True)) == 3


def test_matrix_of_a_file_with_a_list():
    """The example of operator-manual/applicationset/Generators-List (Dynamically generated elements)."""
    files = git(files=[{"path": "envs/us/config.json"}])
    for text in ("{{ .names | toJson }}", "{{ toJson .names }}"):
        first = {"list": {"elements": [{"names": [{"a": 1}, {"a": 2}]}]}}
        made = sets({"matrix": {"generators": [first, {"list": {"elementsYaml": text}}]}}, go=True)
        assert [one["a"] for one in made] == [1, 2]
    second = {"list": {"elements": [{"b": "{{ index .path.segments 1 }}"}]}}
    made = sets({"matrix": {"generators": [files, second]}}, go=True)
    assert [(one["name"], one["b"]) for one in made] == [("one", "us"), ("two", "us")]


def test_the_first_of_a_matrix_wins():
    generators = [{"list": {"elements": [{"a": "1"}]}}, {"list": {"elements": [{"a": "2", "b": "3"}]}}]
    assert sets({"matrix": {"generators": generators}}, go=True) == [{"a": "1", "b": "3"}]


def test_files_of_a_git_generator_are_a_pathspec_of_git():
    """operator-manual/applicationset/Generators-Git-File-Globbing: a star takes slashes by default."""
    names = lambda glob: [one["path.path"] for one in flat(sets(git(files=[{"path": glob}]), go=True))]  # noqa: E731
    assert names("env*/config.json") == ["envs/eu", "envs/us", "envs/us"]
    assert names("envs/us") == ["envs/us", "envs/us"]
    assert names("envs/{us,eu}/config.json") == []


def flat(found):
    return [{f"path.{key}": value for key, value in one["path"].items()} for one in found]


@pytest.mark.parametrize(
    ("generator", "why"),
    [
        ({"list": {"elements": [{"a": 1}]}}, "'a' is none: quote it"),
        ({"list": {"elements": [{"values": {"a": True}}]}}, "'values.a' is none"),
        ({"list": {"elementsYaml": "a: ["}}, "not YAML"),
        ({"matrix": {"generators": [{"list": {}}]}}, "two generators"),
        (
            {"matrix": {"generators": [{"list": {"elements": [{"a": "1"}]}}, {"list": {"elements": [{"a": "2"}]}}]}},
            "set 'a', to different values",
        ),
        ({"merge": {"mergeKeys": ["a"], "generators": [{"list": {}}]}}, "two generators"),
        ({"merge": {"generators": [{"list": {}}, {"list": {}}]}}, "needs mergeKeys"),
        (
            {"merge": {"mergeKeys": ["a"], "generators": [{"list": {"elements": [{"b": "1"}, {"b": "2"}]}}] * 2}},
            "two sets with the same a",
        ),
    ],
)
def test_what_argo_cd_refuses_is_an_error_of_the_set(generator, why):
    with pytest.raises(Refused, match=re.escape(why)):
        sets(generator)
    made = repository({"set.yaml": HEAD + json.dumps({"generators": [generator]})})
    assert why in closure_of(units(made)["applicationset:argocd/s"], made).error


def test_merge_changes_what_has_the_same_keys():
    generators = [
        {"clusters": {"values": {"ha": "false"}}},
        {
            "list": {
                "elements": [
                    {"server": "https://eu", "values.ha": "true"},
                    {"server": "https://gone", "values.ha": "x"},
                ]
            }
        },
    ]
    made = sets({"merge": {"mergeKeys": ["server"], "generators": generators}})
    expected = [("eu_1", "true"), ("us-1", "false"), ("in-cluster", "false")]
    assert [(one["name"], one["values.ha"]) for one in made] == expected


def test_a_selector_of_a_generator():
    generator = {"list": {"elements": [{"env": "a"}, {"env": "b"}]}, "selector": {"matchLabels": {"env": "b"}}}
    assert sets(generator) == [{"env": "b"}]


@pytest.mark.parametrize(
    "generator",
    [
        {"scmProvider": {}},
        {"pullRequest": {}},
        {"plugin": {}},
        {"clusterDecisionResource": {}},
        {"git": {"repoURL": "https://github.com/acme/other", "directories": [{"path": "*"}]}},
        git(revision="v1", directories=[{"path": "*"}]),
        {"matrix": {"generators": [{"list": {"elements": [{"a": "1"}]}}, {"pullRequest": {}}]}},
        {"list": {"elementsYaml": "{{ .x }}"}},
    ],
)
def test_what_is_known_only_elsewhere_is_told(generator):
    with pytest.raises(Undecided):
        sets(generator)


def test_clusters_have_to_be_given():
    with pytest.raises(Undecided, match="--clusters"):
        sets({"clusters": {}}, clusters=None)


HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s, namespace: argocd}\nspec: "


def test_applications_of_plain_templates():
    spec = {
        "generators": [{"list": {"elements": [{"env": "a", "n": "1"}, {"env": "b", "n": "2"}]}}],
        "template": {
            "metadata": {"name": "{{env}}-{{ n }}", "labels": {"{{env}}": "x"}},
            "spec": {"project": "{{unknown}}"},
        },
    }
    _, _, recipe = unit_of(repository({"set.yaml": HEAD + json.dumps(spec)}), "applicationset:argocd/s")
    made = [json.loads(one) for one in recipe.finish("").text.split("\n---\n")]
    assert [one["metadata"] for one in made] == [
        {"name": "a-1", "labels": {"a": "x"}, "namespace": "argocd"},
        {"name": "b-2", "labels": {"b": "x"}, "namespace": "argocd"},
    ]
    assert made[0]["spec"] == {"project": "{{unknown}}"}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{a}}-{{ a }}-{{\ta\n}}", "1-1-1"),
        ("{{.a}}", "{{.a}}"),
        ("{{ .a }}{{a}}", "{{ .a }}1"),
        ("{{- a -}}", "{{- a -}}"),
        ("{{ {{a}}", "{{ {{a}}"),
        ("{{}}{{ }}{{n}}{{b.c}}{{unknown}}", "{{}}{{ }}{{n}}{{b.c}}{{unknown}}"),
        ("{{x-y/z[0]}}", "2"),
        ("{{a\n}}", "{{a\n}}"),
        ("{{ a", "{{ a"),
    ],
)
def test_without_go_templates_only_a_plain_name_of_a_text_is_filled_in(text, made):
    """Source: argo-cd applicationset/utils/utils.go (Replace); github.com/valyala/fasttemplate 1.2."""
    generator = {"list": {"elementsYaml": "[{a: '1', n: 1, b: {c: x}, 'x-y/z[0]': '2'}]"}}
    spec = {"generators": [generator], "template": {"metadata": {"name": text}}}
    _, _, recipe = unit_of(repository({"set.yaml": HEAD + json.dumps(spec)}), "applicationset:argocd/s")
    assert json.loads(recipe.finish("").text)["metadata"]["name"] == made


def test_braces_that_are_not_closed_are_an_error_of_the_set():
    spec = {"generators": [{"list": {"elements": [{"a": "1"}]}}], "template": {"metadata": {"name": "{{a}}-{{a"}}}
    made = repository({"set.yaml": HEAD + json.dumps(spec)})
    error = closure_of(units(made)["applicationset:argocd/s"], made).error
    assert error == "a template has {{ without }}: {{a"


def test_two_applications_of_one_name_are_an_error():
    spec = {"generators": [{"list": {"elements": [{"a": "1"}, {"a": "2"}]}}], "template": {"metadata": {"name": "x"}}}
    _, _, recipe = unit_of(repository({"set.yaml": HEAD + json.dumps(spec)}), "applicationset:argocd/s")
    assert recipe.finish("").errors == ("it makes two Applications of the name 'x'",)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{{ normalize .a }}", '{{ include "normalize" .a }}'),
        ("{{ .a | normalize | trunc 3 }}", '{{ .a | include "normalize" | trunc 3 }}'),
        ("{{ .normalize }} {{ $normalize }} normalize", "{{ .normalize }} {{ $normalize }} normalize"),
        ('{{ "slugify" }} {{ `slugify` }} {{/* slugify */}}', '{{ "slugify" }} {{ `slugify` }} {{/* slugify */}}'),
        ("{{ slugify .a }}", '{{ list .a  | include "slugify" }}'),
        ("{{ .a | slugify 23 true | upper }}", '{{ .a | list 23 true  | include "slugify" | upper }}'),
        ("{{- (slugify 2 .a) -}}", '{{- (list 2 .a | include "slugify" ) -}}'),
        ("{{ slugify (slugify .a) }}", '{{ list (list .a | include "slugify" )  | include "slugify" }}'),
        ('{{ slugify "a | b" }}', '{{ list "a | b"  | include "slugify" }}'),
    ],
)
def test_functions_of_argo_cd_are_written_for_helm(text, written):
    assert for_helm(text) == written
