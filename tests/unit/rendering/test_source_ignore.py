"""What Flux leaves out of a source. Expected values are those of github.com/fluxcd/pkg/sourceignore 0.14."""

from __future__ import annotations

import json

import pytest

from gitops_ci.rendering.kinds import closure_of, recipe_of
from gitops_ci.rendering.source_ignore import hidden_files
from tests.unit.rendering.support import CONFIGMAP, URL, repository, units, why_not, written_json

FLUX = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: f}\n"
HELM = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: f}\n"
SOURCE = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: x, namespace: f}\n"
REFERENCE = {"kind": "GitRepository", "name": "x"}
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"


def source(ignore=None):
    return SOURCE + "spec: " + json.dumps({"url": URL} | ({} if ignore is None else {"ignore": ignore}))


def flux(path="./apps", **more):
    return FLUX + "spec: " + json.dumps({"path": path, "sourceRef": REFERENCE} | more)


@pytest.mark.parametrize(
    ("lines", "hidden"),
    [
        ("a.yaml", {"a.yaml", "x/a.yaml", "x/y/a.yaml"}),
        ("/a.yaml", {"a.yaml"}),
        ("x", {"x/a.yaml", "x/b.txt", "x/y/a.yaml"}),
        ("y/", {"x/y/a.yaml"}),
        ("a.yaml/", set()),
        ("x/*.yaml", {"x/a.yaml"}),
        ("x/**", {"x/a.yaml", "x/b.txt", "x/y/a.yaml"}),
        ("**/y", {"x/y/a.yaml"}),
        ("/**/y/a.yaml", {"x/y/a.yaml"}),
        ("*\n!x", {"a.yaml", "z.png"}),
        ("/*\n!/x/y", {"a.yaml", "x/a.yaml", "x/b.txt", "z.png"}),
        ("!a.yaml\na.yaml", {"a.yaml", "x/a.yaml", "x/y/a.yaml"}),
        ("# a.yaml\n\n  ", {"z.png"}),
        ("[a-b].*", {"a.yaml", "x/a.yaml", "x/b.txt", "x/y/a.yaml"}),
        ("[^a].*", {"x/b.txt", "z.png"}),
        ("[!a].*", {"a.yaml", "x/a.yaml", "x/y/a.yaml"}),
        ("[", set()),
        ("\\a.yaml", {"a.yaml", "x/a.yaml", "x/y/a.yaml"}),
        ("?.png", {"z.png"}),
    ],
)
def test_lines_are_read_as_flux_reads_them(lines, hidden):
    names = ["a.yaml", "x/a.yaml", "x/b.txt", "x/y/a.yaml", "z.png"]
    assert hidden_files(names, lambda path: None, lines) == hidden
    with_file = hidden_files([".sourceignore", *names], {".sourceignore": lines}.get, None)
    assert with_file - {".sourceignore"} == hidden


def test_without_lines_the_defaults_hold():
    names = [
        ".github/w.yaml",
        ".gitignore",
        "a/.sops.yaml",
        "a/b.yaml",
        "a/x.tar.gz",
        "appveyor.yml",
        "y/.github/z.yaml",
    ]
    hidden = hidden_files(names, lambda path: None, None)
    assert hidden == set(names) - {"a/b.yaml"}
    assert hidden_files(names, lambda path: None, "") == hidden
    # With lines of its own a source has only what is Git's of them.
    assert hidden_files(names, lambda path: None, "nothing") == {".gitignore"}


def test_a_file_holds_below_its_folder_and_the_source_has_the_last_word():
    names = [".sourceignore", "a/.sourceignore", "a/b/x.yaml", "a/x.yaml", "c/x.yaml"]
    texts = {".sourceignore": "x.yaml", "a/.sourceignore": "!x.yaml\n/b/"}
    assert hidden_files(names, texts.get, None) == {"c/x.yaml", "a/b/x.yaml"}
    assert hidden_files(names, texts.get, "!b\n/a/x.yaml") == {"c/x.yaml", "a/x.yaml"}


def test_a_generated_kustomization_lists_what_the_source_has():
    files = {"apps/a.yaml": CONFIGMAP % "a", "apps/test/b.yaml": CONFIGMAP % "b", ".sourceignore": "test/\n"}
    made = repository({"clusters/k.yaml": flux(), "clusters/s.yaml": source(), **files})
    unit = units(made)["flux-kustomization:f/apps"]
    closure = closure_of(unit, made)
    assert written_json(recipe_of(unit, closure, made), "apps/kustomization.yaml")["resources"] == ["./a.yaml"]
    assert closure.files == {"apps/a.yaml"}
    kept = repository({"clusters/k.yaml": flux(), "clusters/s.yaml": source("!test/"), **files})
    assert closure_of(units(kept)["flux-kustomization:f/apps"], kept).files == {"apps/a.yaml", "apps/test/b.yaml"}


@pytest.mark.parametrize(
    ("files", "ignore", "message"),
    [
        ({"apps/kustomization.yaml": "resources: [a.yaml]\n"}, "a.yaml", "'a.yaml' is not in the source"),
        (
            {"apps/kustomization.yaml": "configMapGenerator: [{name: a, files: [l.png]}]\n"},
            None,
            "'l.png' is not in the s",
        ),
        ({"apps/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: []\n"}, "/b", "'../b'"),
        ({}, "/apps", "'./apps' is not in its source"),
    ],
)
def test_what_a_unit_needs_and_the_source_lacks_is_an_error(files, ignore, message):
    more = {"apps/a.yaml": CONFIGMAP % "a", "apps/l.png": "x"}
    made = repository({"k.yaml": flux(), "s.yaml": source(ignore), **more, **files})
    closure = closure_of(units(made)["flux-kustomization:f/apps"], made)
    assert message in closure.error
    assert [one.rule for one in closure.problems] == ["missing-path"]


def test_others_have_every_file():
    """What people build by hand, and what Argo CD builds, comes from Git itself."""
    files = {
        "apps/kustomization.yaml": "resources: [a.yaml]\n",
        "apps/a.yaml": CONFIGMAP % "a",
        ".sourceignore": "a.yaml",
    }
    made = repository(files)
    assert why_not(closure_of(units(made)["kustomization:apps"], made)) == ""


def test_a_chart_comes_from_its_source():
    spec = {"chart": {"spec": {"chart": "./web", "sourceRef": REFERENCE}}}
    files = {"web/Chart.yaml": CHART, "web/templates/a.yaml": CONFIGMAP % "a", "web/templates/b.yaml": CONFIGMAP % "b"}
    made = repository(
        {"r.yaml": HELM + "spec: " + json.dumps(spec), "s.yaml": source("/web/templates/b.yaml"), **files}
    )
    closure = closure_of(units(made)["helmrelease:f/web"], made)
    assert why_not(closure) == ""
    assert closure.files == {"web/Chart.yaml", "web/templates/a.yaml"}
    gone = repository({"r.yaml": HELM + "spec: " + json.dumps(spec), "s.yaml": source("/web"), **files})
    assert closure_of(units(gone)["helmrelease:f/web"], gone).error == "there is no chart in './web'"
