"""Charts, and who installs them: values, names, dependencies, and what would lead out of the repository."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from gitops_ci.rendering.chart_errors import is_broken
from gitops_ci.rendering.kinds import closure_of
from tests.unit.rendering.support import CONFIGMAP, URL, repository, unit_of, units

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
WEB = {"charts/web/Chart.yaml": CHART, "charts/web/values.yaml": "a: 1\n", "charts/web/templates/x.yaml": "x"}
RELEASE = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: apps}\nspec: "
APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec: "


def values_of(recipe):
    """What each --values of the first step says, in order."""
    names = [one.removeprefix("--values=./") for one in recipe.steps[0].arguments if one.startswith("--values=")]
    return [json.loads(recipe.written[name]) if name in recipe.written else recipe.copies[name] for name in names]


def test_a_chart_is_rendered_with_its_test_values_else_alone():
    files = {**WEB, "charts/web/ci/a-values.yaml": "", "charts/web/ci/b-values.yml": "", "charts/web/ci/notes.yaml": ""}
    assert sorted(units(repository(files))) == ["chart:charts/web#ci/a-values.yaml", "chart:charts/web#ci/b-values.yml"]
    assert sorted(units(repository(WEB))) == ["chart:charts/web"]
    made = repository(files)
    made.values = {"charts/web": ("prod.yaml",)}
    assert [unit.values for unit in units(made).values()] == [("prod.yaml",)]


def test_nothing_of_a_repository_is_an_option():
    files = {"--post-renderer=./run/Chart.yaml": CHART, "--post-renderer=./run/ci/--set=a-values.yaml": ""}
    unit = next(iter(units(repository(files))))
    _, _, recipe = unit_of(repository(files), unit)
    before, after = recipe.steps[0].arguments[:-3], recipe.steps[0].arguments[-3:]
    assert after == ("--", "release-name", "./--post-renderer=./run")
    assert before == ("template", "--include-crds", "--values=./.gitops-ci-unit/values-0.yaml")


@pytest.mark.parametrize(
    ("schema", "is_refused"),
    [
        ({"$ref": "http://127.0.0.1/x"}, True),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, True),
        ({"properties": {"a": [{"$ref": "../../x.json"}]}}, True),
        ({"$schema": "https://example.com/schema"}, True),
        ({"$dynamicRef": "x"}, True),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/x"}, False),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, False),
        ({"properties": {"url": {"default": "https://example.com"}}}, False),
    ],
)
@pytest.mark.parametrize(
    "where", ["charts/web/values.schema.json", "charts/web/charts/sub/values.schema.json", "packed"]
)
def test_a_schema_that_names_another_one_is_refused(schema, is_refused, where):
    text = json.dumps(schema)
    if where == "packed":
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz") as archive:
            member = tarfile.TarInfo("sub/values.schema.json")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
        made = repository({**WEB, "charts/web/charts/sub-1.0.0.tgz": data.getvalue()})
    else:
        made = repository({**WEB, where: text})
    assert bool(closure_of(units(made)["chart:charts/web"], made).refused) == is_refused


@pytest.mark.parametrize("target", ["../../../outside", "/etc/passwd"])
def test_a_link_out_of_the_repository_is_refused(target):
    made = repository(WEB, {"charts/web/files": target})
    assert closure_of(units(made)["chart:charts/web"], made).refused


def test_a_link_to_another_folder_brings_its_files():
    made = repository({**WEB, "shared/a.txt": "a"}, {"charts/web/files": "../../shared"})
    closure = closure_of(units(made)["chart:charts/web"], made)
    assert "shared/a.txt" in closure.files
    assert closure.links == {"charts/web/files": "../../shared"}


DEPENDENT = CHART + "dependencies: [{name: lib, version: 1.0.0, repository: '%s'}]\n"


def test_a_local_dependency_is_put_where_helm_looks():
    deeper = "apiVersion: v2\nname: lib\nversion: 1.0.0\ndependencies: [{name: base, repository: 'file://../base'}]\n"
    files = {
        "charts/web/Chart.yaml": DEPENDENT % "file://../lib",
        "charts/lib/Chart.yaml": deeper,
        "charts/lib/templates/_x.tpl": "",
        "charts/base/Chart.yaml": "apiVersion: v2\nname: base\nversion: 1.0.0\n",
    }
    _, closure, recipe = unit_of(repository(files), "chart:charts/web")
    assert recipe.copies == {
        "charts/web/charts/lib/Chart.yaml": "charts/lib/Chart.yaml",
        "charts/web/charts/lib/templates/_x.tpl": "charts/lib/templates/_x.tpl",
        "charts/lib/charts/base/Chart.yaml": "charts/base/Chart.yaml",
        "charts/web/charts/lib/charts/base/Chart.yaml": "charts/base/Chart.yaml",
    }
    assert closure.folders == {"charts/web", "charts/lib", "charts/base"}


@pytest.mark.parametrize(
    ("origin", "attribute"),
    [
        ("file://../../../outside", "refused"),
        ("file:///etc", "refused"),
        ("file://../gone", "error"),
        ("file://../web", "error"),
        ("https://charts.example.com", "skip"),
        ("", "skip"),
    ],
)
def test_a_dependency_that_is_not_here(origin, attribute):
    made = repository({**WEB, "charts/web/Chart.yaml": DEPENDENT % origin})
    assert getattr(closure_of(units(made)["chart:charts/web"], made), attribute)


@pytest.mark.parametrize("vendored", ["charts/web/charts/lib/Chart.yaml", "charts/web/charts/lib-1.0.0.tgz"])
def test_a_vendored_dependency_needs_nothing(vendored):
    unit_of(repository({**WEB, "charts/web/Chart.yaml": DEPENDENT % "https://x", vendored: CHART}), "chart:charts/web")


# The words of helm 3.17 and 4.1 for charts written for it.
SCHEMA = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n"


@pytest.mark.parametrize(
    "message",
    [
        "Error: parse error at (web/templates/c.yaml:3): missing value for if",
        'error calling include: template: no template "nosuch" associated with template "gotpl"',
        'template "helm-guestbook.fullname" not defined',
        'parse error at (web/templates/c.yaml:1): function "nosuch" not defined',
        "Error: YAML parse error on web/templates/c.yaml: error converting YAML to JSON: yaml: line 2",
        SCHEMA + "- at '/replicas': got string, want integer",
        "Error: Chart.yaml file is missing",
    ],
)
def test_what_no_values_can_mend_is_broken(message):
    assert is_broken(message)


@pytest.mark.parametrize(
    "message",
    [
        "Error: execution error at (web/templates/c.yaml:3:4): host is required",
        "error calling required: set host",
        "<.Values.a.list>: nil pointer evaluating interface {}.list",
        SCHEMA + "- (root): host is required",
        SCHEMA + "- at '': missing property 'host'",
    ],
)
def test_what_its_user_s_values_can_mend_is_not(message):
    assert not is_broken(message)


CHART_IN_GIT = {"chart": {"spec": {"chart": "./charts/web", "sourceRef": {"kind": "GitRepository", "name": "x"}}}}


def release(spec, files=None, name="helmrelease:apps/web"):
    return unit_of(repository({**WEB, "hr.yaml": RELEASE + json.dumps(CHART_IN_GIT | spec), **(files or {})}), name)


def test_a_release_has_its_values_in_flux_s_order():
    def config(name, text):
        return CONFIGMAP % f"{name}, namespace: apps" + "data: " + json.dumps({"values.yaml": text, "one": "7"}) + "\n"

    spec = {
        "valuesFrom": [
            {"kind": "ConfigMap", "name": "a"},
            {"kind": "ConfigMap", "name": "b"},
            {"kind": "ConfigMap", "name": "a", "valuesKey": "one", "targetPath": "deep.x\\.y"},
            {"kind": "Secret", "name": "s", "optional": True},
        ],
        "values": {"inline": True, "both": None},
    }
    files = {"a.yaml": config("a", "a: 1\nboth: a\nmap: {x: 1}"), "b.yaml": config("b", "b: 2\nmap: {y: 2}")}
    _, _, recipe = release(spec, files)
    assert values_of(recipe) == [
        {"a": 1, "both": None, "map": {"x": 1, "y": 2}, "b": 2, "deep": {"x.y": 7}, "inline": True}
    ]


@pytest.mark.parametrize(
    ("path", "text", "more", "made"),
    [
        ("a", "false", {}, {"a": False}),
        ("a", "'false'", {}, {"a": "false"}),
        ("a", "007", {}, {"a": "007"}),
        ("a", "-7", {}, {"a": -7}),
        ("a", "null", {}, {"a": None}),
        ("a", "{x,1}", {}, {"a": ["x", 1]}),
        ("a", r"x\,y", {}, {"a": "x,y"}),
        ("a", "{x,1}", {"literal": True}, {"a": "{x,1}"}),
        ("a.b[1].c", "1", {}, {"a": {"b": [None, {"c": 1}]}}),
        ("a[0]", "1", {}, {"a": [1]}),
    ],
)
def test_a_value_for_a_path_is_read_as_helm_reads_it(path, text, more, made):
    """helm.sh/helm/v4 pkg/strvals; github.com/fluxcd/pkg/chartutil, ReplacePathValue."""
    config = CONFIGMAP % "a, namespace: apps" + "data: " + json.dumps({"one": text}) + "\n"
    reference = {"kind": "ConfigMap", "name": "a", "valuesKey": "one", "targetPath": path, **more}
    _, _, recipe = release({"valuesFrom": [reference]}, {"a.yaml": config})
    assert values_of(recipe) == [made]


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [("a", "x,y", "a comma"), ("a", "{x", "brace"), ("[0]", "1", "not a path"), ("a[9999999]", "1", "not a path")],
)
def test_a_value_that_cannot_be_set_is_an_error_of_the_release(path, text, why):
    config = CONFIGMAP % "a, namespace: apps" + "data: " + json.dumps({"one": text}) + "\n"
    reference = {"kind": "ConfigMap", "name": "a", "valuesKey": "one", "targetPath": path}
    made = repository(
        {**WEB, "a.yaml": config, "hr.yaml": RELEASE + json.dumps(CHART_IN_GIT | {"valuesFrom": [reference]})}
    )
    assert why in closure_of(units(made)["helmrelease:apps/web"], made).error


def test_a_release_of_a_helm_chart_object():
    chart = {"chart": "./charts/web", "sourceRef": {"kind": "GitRepository", "name": "x"}}
    described = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmChart\nmetadata: {name: web, namespace: apps}\n"
    files = {"chart.yaml": described + "spec: " + json.dumps(chart) + "\n"}
    _, closure, recipe = release({"chart": None, "chartRef": {"kind": "HelmChart", "name": "web"}}, files)
    assert "charts/web/Chart.yaml" in closure.files
    assert recipe.steps[0].arguments[-1] == "./charts/web"


@pytest.mark.parametrize(
    ("spec", "name", "namespace"),
    [
        ({}, "web", "apps"),
        ({"targetNamespace": "shop"}, "shop-web", "shop"),
        ({"releaseName": "own", "targetNamespace": "shop"}, "own", "shop"),
        ({"targetNamespace": "n" * 60}, "n" * 40 + "-2ebc43336d39", "n" * 60),
    ],
)
def test_the_name_of_a_release(spec, name, namespace):
    _, _, recipe = release(spec)
    made = recipe.steps[0].arguments[-2]
    assert f"--namespace={namespace}" in recipe.steps[0].arguments
    assert made == name
    assert len(made) <= 53


def test_values_files_of_a_release_take_the_place_of_the_chart_s_own():
    chart = {
        "chart": "./charts/web",
        "valuesFiles": ["charts/web/values.yaml", "./prod.yaml"],
        "sourceRef": {"kind": "GitRepository", "name": "x"},
    }
    _, closure, recipe = release({"chart": {"spec": chart}}, {"prod.yaml": "b: 2\n"})
    assert json.loads(recipe.written["charts/web/values.yaml"]) == {"a": 1, "b": 2}
    assert "prod.yaml" in closure.files


def test_post_renderers_come_one_after_the_other():
    patch = {"patch": "- op: remove", "path": "../../../etc/passwd", "target": {"kind": "X"}}
    spec = {
        "postRenderers": [
            {"kustomize": {"patches": [patch]}},
            {"kustomize": {"images": [{"name": "a", "newTag": "1"}]}},
        ],
        "commonMetadata": {"labels": {"a": "b"}},
    }
    _, _, recipe = release(spec)
    assert [step.program for step in recipe.steps] == ["helm", "kustomize", "kustomize", "kustomize"]
    assert [step.into for step in recipe.steps[:-1]] == [f".gitops-ci-unit/post-{n}/input.yaml" for n in range(3)]
    assert "etc/passwd" not in recipe.written[".gitops-ci-unit/post-0/kustomization.yaml"]


@pytest.mark.parametrize("kind", ["HelmRepository", "Bucket"])
def test_a_chart_that_is_elsewhere_is_told(kind):
    spec = {"chart": {"spec": {"chart": "web", "version": "1.x", "sourceRef": {"kind": kind, "name": "x"}}}}
    made = repository({"hr.yaml": RELEASE + json.dumps(spec)})
    assert closure_of(units(made)["helmrelease:apps/web"], made).skip == f"it needs chart web 1.x of the {kind} 'x'"


def application(source, files=None, **spec):
    whole = {"destination": {"namespace": "shop"}, "source": {"repoURL": URL, "path": "charts/web"} | source} | spec
    return repository({**WEB, "app.yaml": APPLICATION + json.dumps(whole), **(files or {})})


def test_values_of_an_application_in_argo_cd_s_order():
    helm = {
        "releaseName": "own",
        "valueFiles": ["values.yaml", "/envs/*.yaml", "gone.yaml"],
        "ignoreMissingValueFiles": True,
        "values": "ignored: true",
        "valuesObject": {"v": 1},
        "parameters": [
            {"name": "a.b", "value": "x,y"},
            {"name": "s", "value": "1", "forceString": True},
            {"name": "l", "value": "{a,b}"},
            {"name": "o", "value": "{a,b"},
        ],
        "fileParameters": [{"name": "f", "path": "files/a.txt"}],
        "skipCrds": True,
        "apiVersions": ["a/v1"],
        "kubeVersion": "1.30",
    }
    files = {"envs/b.yaml": "", "envs/a.yaml": "", "charts/web/files/a.txt": "text"}
    _, _, recipe = unit_of(application({"helm": helm}, files), "application:argocd/web")
    assert values_of(recipe) == ["charts/web/values.yaml", "envs/a.yaml", "envs/b.yaml", {"v": 1}]
    arguments = recipe.steps[0].arguments
    assert arguments[:5] == (
        "template",
        "--namespace=shop",
        "--kube-version=v1.30.0",
        "--api-versions=a/v1",
        "--values=./.gitops-ci-unit/0-values-0.yaml",
    )
    assert [one for one in arguments if one.startswith("--set")] == [
        "--set=a.b=x\\,y",
        "--set-string=s=1",
        "--set=l={a,b}",
        "--set=o={a\\,b",
        "--set-file=f=./.gitops-ci-unit/0-file-4.txt",
    ]
    assert arguments[-3:] == ("--", "own", "./charts/web")


@pytest.mark.parametrize("path", ["../../../outside.yaml", "/../outside", "out.yaml"])
@pytest.mark.parametrize("field", ["valueFiles", "fileParameters"])
def test_values_outside_of_the_repository_are_refused(path, field):
    helm = {field: [path if field == "valueFiles" else {"name": "x", "path": path}]}
    made = repository(
        {**WEB, "app.yaml": APPLICATION + json.dumps({"source": {"repoURL": URL, "path": "charts/web", "helm": helm}})},
        {"charts/web/out.yaml": "../../../secret"},
    )
    assert closure_of(units(made)["application:argocd/web"], made).refused


def test_values_of_another_source():
    sources = [
        {"repoURL": URL, "path": "charts/web", "helm": {"valueFiles": ["$values/envs/a.yaml"]}},
        {"repoURL": URL, "ref": "values"},
    ]
    made = application({}, {"envs/a.yaml": "a: 2\n"}, sources=sources)
    assert values_of(unit_of(made, "application:argocd/web")[2]) == ["envs/a.yaml"]
    sources[1]["repoURL"] = "https://github.com/acme/other"
    made = application({}, {"envs/a.yaml": "a: 2\n"}, sources=sources)
    assert "acme/other" in closure_of(units(made)["application:argocd/web"], made).skip


def test_a_reference_that_no_source_has_is_an_error():
    """argo-cd reposerver/repository/repository.go, resolveReferencedSources; with one source a dollar is a variable."""
    helm = {"valueFiles": ["$other/envs/a.yaml"]}
    sources = [{"repoURL": URL, "path": "charts/web", "helm": helm}, {"repoURL": URL, "ref": "values"}]
    made = application({}, {"envs/a.yaml": "a: 2\n"}, sources=sources)
    assert "'ref: other'" in closure_of(units(made)["application:argocd/web"], made).error
    assert values_of(unit_of(application({"helm": helm}, {"envs/a.yaml": "a: 2\n"}), "application:argocd/web")[2])


def test_the_build_environment_of_an_application():
    """argo-cd.readthedocs.io/en/stable/user-guide/build-environment."""
    helm = {
        "valueFiles": ["values-$ARGOCD_APP_NAME.yaml", "/envs/${ARGOCD_APP_NAMESPACE}.yaml"],
        "parameters": [{"name": "a", "value": "$ARGOCD_APP_NAME-$$x-$UNKNOWN."}],
        "fileParameters": [{"name": "f", "path": "$ARGOCD_APP_NAME.txt"}],
        "skipSchemaValidation": True,
    }
    files = {"charts/web/values-web.yaml": "", "envs/shop.yaml": "", "charts/web/web.txt": ""}
    _, _, recipe = unit_of(application({"helm": helm}, files), "application:argocd/web")
    assert values_of(recipe) == ["charts/web/values-web.yaml", "envs/shop.yaml"]
    assert "--set=a=web-$x-." in recipe.steps[0].arguments
    assert "--skip-schema-validation" in recipe.steps[0].arguments
    assert "charts/web/web.txt" in recipe.copies.values()
    options = {
        "commonLabels": {"app": "${ARGOCD_APP_NAME}", "at": "$ARGOCD_APP_REVISION_SHORT"},
        "images": ["a:$ARGOCD_APP_REVISION"],
        "commonAnnotations": {"x": "$ARGOCD_APP_NAME"},
    }
    for more, annotation in (({}, "$ARGOCD_APP_NAME"), ({"commonAnnotationsEnvsubst": True}, "web")):
        made = application({"path": "k", "kustomize": options | more}, {"k/kustomization.yaml": "resources: []\n"})
        _, _, recipe = unit_of(made, "application:argocd/web")
        written = json.loads(recipe.written["k/kustomization.yaml"])
        assert written["commonLabels"] == {"app": "web", "at": "0000000"}
        assert written["images"] == [{"name": "a", "newTag": "0" * 40}]
        assert written["commonAnnotations"] == {"x": annotation}


def test_globs_of_values_files_go_through_folders_and_leave_what_is_named():
    helm = {"valueFiles": ["envs/**/*.yaml", "envs/a/z.yaml"]}
    files = {f"charts/web/envs/{name}.yaml": "" for name in ("a/z", "b", "c/d/e")}
    _, _, recipe = unit_of(application({"helm": helm}, files), "application:argocd/web")
    assert values_of(recipe) == [f"charts/web/envs/{name}.yaml" for name in ("b", "c/d/e", "a/z")]


def test_what_the_hydrator_writes_is_rendered_from_its_source():
    dry = {"repoURL": URL, "path": "charts/web", "targetRevision": "HEAD"}
    hydrator = {"drySource": dry, "syncSource": {"targetBranch": "env/x", "path": "web"}}
    _, _, recipe = unit_of(application({"path": "nosuch"}, sourceHydrator=hydrator), "application:argocd/web")
    assert recipe.steps[0].arguments[-1] == "./charts/web"


@pytest.mark.parametrize(
    ("own", "options", "expected"),
    [
        ("", {"commonLabels": {"a": "1", "b": "2"}}, {"commonLabels": {"a": "1", "b": "2"}}),
        ("commonLabels: {b: x}", {"commonLabels": {"a": "1"}}, {"commonLabels": {"a": "1", "b": "x"}}),
        ("commonLabels: {a: '1'}", {"commonLabels": {"a": "1"}}, "commonLabels has 'a'"),
        ("CommonLabels: {a: '1'}", {"commonLabels": {"a": "2"}}, "kustomize needs forceCommonLabels"),
        (
            "commonLabels: {a: x}",
            {"commonLabels": {"a": "1"}, "forceCommonLabels": True},
            {"commonLabels": {"a": "1"}},
        ),
        ("commonLabels: {a: x}", {"commonLabels": {"a": "1"}, "forceCommonAnnotations": True}, "commonLabels has 'a'"),
        (
            "labels: [{pairs: {a: x}, includeSelectors: true}]",
            {"commonLabels": {"a": "1"}},
            {"labels": [{"pairs": {"a": "x"}, "includeSelectors": True}], "commonLabels": {"a": "1"}},
        ),
        ("commonAnnotations: {a: x}", {"commonAnnotations": {"a": "1"}}, "kustomize needs forceCommonAnnotations"),
        (
            "commonAnnotations: {a: x}",
            {"commonAnnotations": {"a": "1"}, "forceCommonAnnotations": True},
            {"commonAnnotations": {"a": "1"}},
        ),
        (
            "labels: [{pairs: {a: x}, includeSelectors: true}, {pairs: {b: x}, fields: [{path: spec/l}]}]",
            {"commonLabels": {"a": "1", "c": "2"}, "labelWithoutSelector": True},
            {
                "labels": [
                    {"pairs": {"a": "x"}, "includeSelectors": True},
                    {"pairs": {"a": "1", "b": "x", "c": "2"}, "fields": [{"path": "spec/l"}]},
                ]
            },
        ),
        (
            "labels: [{pairs: {a: x}}]",
            {"commonLabels": {"a": "1"}, "labelWithoutSelector": True},
            "commonLabels has 'a'",
        ),
        (
            "labels: [{pairs: {a: x}}]",
            {"commonLabels": {"a": "1"}, "labelWithoutSelector": True, "labelIncludeTemplates": True},
            {"labels": [{"pairs": {"a": "x"}}, {"pairs": {"a": "1"}, "includeTemplates": True}]},
        ),
        ("", {"commonLabels": {"a": "1"}, "labelIncludeTemplates": True}, "labelIncludeTemplates needs"),
        ("", {"labelIncludeTemplates": True}, {}),
    ],
)
def test_labels_and_annotations_are_added_as_kustomize_edit_does(own, options, expected):
    """Each expected value is that of `kustomize edit add label` and `annotation` of kustomize 5.8.1."""
    made = application({"path": "k", "kustomize": options}, {"k/kustomization.yaml": f"resources: []\n{own}\n"})
    if isinstance(expected, str):
        assert expected in closure_of(units(made)["application:argocd/web"], made).error
        return
    _, _, recipe = unit_of(made, "application:argocd/web")
    written = json.loads(recipe.written["k/kustomization.yaml"])
    assert {key: one for key, one in written.items() if key != "resources"} == expected


DIGEST = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("own", "images", "expected"),
    [
        ("", ["a=r/n"], [{"name": "a", "newName": "r/n"}]),
        ("", [f"a=r/n:2@{DIGEST}"], [{"name": "a", "newName": "r/n", "newTag": "2", "digest": DIGEST}]),
        ("", ["r:5000/a/b:7"], [{"name": "r:5000/a/b", "newTag": "7"}]),
        ("", ["r:5000/a=l:80/x"], [{"name": "r:5000/a", "newName": "l:80/x"}]),
        ("", ["b:1", "a:1", "b:2"], [{"name": "a", "newTag": "1"}, {"name": "b", "newTag": "2"}]),
        ("{name: a, newTag: '1'}", ["a=r/n"], [{"name": "a", "newName": "r/n"}]),
        ("{name: a, newName: r/n, digest: x}", ["a:2"], [{"name": "a", "newTag": "2"}]),
        ("{name: a, newName: r/n, newTag: '1'}", ["a=*:2"], [{"name": "a", "newName": "r/n", "newTag": "2"}]),
        ("{name: a, newName: r/n, newTag: '1'}", ["a=s:*"], [{"name": "a", "newName": "s", "newTag": "1"}]),
        ("{name: a, tagSuffix: -x}, {name: b, tagSuffix: -x}", ["a=s"], None),
        ("", ["a"], "the image 'a'"),
        ("", ["r:5000/a"], "the image 'r:5000/a'"),
    ],
)
def test_images_are_set_as_kustomize_edit_does(own, images, expected):
    """Each expected value is that of `kustomize edit set image` of kustomize 5.8.1."""
    files = {"k/kustomization.yaml": f"resources: []\nimages: [{own}]\n"}
    made = application({"path": "k", "kustomize": {"images": images}}, files)
    if isinstance(expected, str):
        assert expected in closure_of(units(made)["application:argocd/web"], made).error
        return
    _, _, recipe = unit_of(made, "application:argocd/web")
    others = [{"name": "a", "newName": "s"}, {"name": "b", "tagSuffix": "-x"}]
    assert json.loads(recipe.written["k/kustomization.yaml"])["images"] == (expected or others)


def test_a_glob_of_components_is_what_it_matches():
    part = "kind: Component\n"
    files = {"k/kustomization.yaml": "resources: []\n"}
    files |= {f"parts/{name}/kustomization.yaml": part for name in ("b", "a", "c/d")}
    made = application({"path": "k", "kustomize": {"components": ["../parts/[ab]"]}}, files)
    _, _, recipe = unit_of(made, "application:argocd/web")
    assert json.loads(recipe.written["k/kustomization.yaml"])["components"] == ["../parts/a", "../parts/b"]


def test_options_of_kustomize_need_a_kustomization():
    made = application({"path": "k", "kustomize": {"namePrefix": "p-"}}, {"k/a.yaml": CONFIGMAP % "a"})
    assert "no kustomization in 'k'" in closure_of(units(made)["application:argocd/web"], made).error


def test_components_of_an_application():
    files = {"k/kustomization.yaml": "components: [../c]\n", "c/kustomization.yaml": "kind: Component\n"}
    options = {"components": ["../c", "../nosuch"], "ignoreMissingComponents": True}
    _, _, recipe = unit_of(application({"path": "k", "kustomize": options}, files), "application:argocd/web")
    assert json.loads(recipe.written["k/kustomization.yaml"])["components"] == ["../c"], "each once, as edit adds them"
    made = application({"path": "k", "kustomize": {"components": ["../nosuch"]}}, files)
    assert closure_of(units(made)["application:argocd/web"], made).error


def test_what_a_plugin_makes_manifests_of_is_no_manifest():
    files = {"p/a.yaml": "a: {{ .x }}\n", "p/b.yaml": "a: [\n", "p/c.yaml": CONFIGMAP % "c"}
    made = application({"path": "p", "plugin": {"name": "x"}}, files)
    assert closure_of(units(made)["application:argocd/web"], made).parts == {"p/a.yaml", "p/b.yaml"}


def test_overrides_beside_the_chart():
    files = {
        "charts/web/.argocd-source.yaml": "helm: {parameters: [{name: a, value: all}]}\n",
        "charts/web/.argocd-source-web.yaml": "helm: {parameters: [{name: a, value: own}], releaseName: r}\n",
        "charts/web/.argocd-source-other.yaml": "helm: {releaseName: other}\n",
    }
    _, _, recipe = unit_of(application({}, files), "application:argocd/web")
    assert [one for one in recipe.steps[0].arguments if one.startswith("--set")] == ["--set=a=own"]
    assert recipe.steps[0].arguments[-2] == "r"


@pytest.mark.parametrize("count", ["many", "", "1.5", 2.5, "²", "9" * 5000, None])
def test_a_count_that_is_no_number_is_an_error_of_the_application(count):
    options = {"replicas": [{"name": "web", "count": count}]}
    files = {"k/kustomization.yaml": "resources: [x.yaml]\n", "k/x.yaml": CONFIGMAP % "x"}
    made = application({"path": "k", "kustomize": options}, files)
    error = closure_of(units(made)["application:argocd/web"], made).error
    assert error.startswith("kustomize.replicas: the count of 'web' is '")
    assert len(error) < 120


def test_options_of_kustomize_are_edits():
    options = {
        "namePrefix": "p-",
        "namespace": "n",
        "images": ["a=b:2", "c:3", "d@sha256:1", "e=*:5"],
        "replicas": [{"name": "x", "count": "4"}, {"name": "y", "count": 0}, {"name": "z", "count": "-1"}],
        "commonLabels": {"l": 1},
        "commonAnnotations": {"a": "b"},
        "patches": [{"patch": "x", "target": {"kind": "Y"}}],
    }
    files = {
        "k/kustomization.yaml": "Images: [{name: c, newTag: '1', newName: z}]\nresources: [x.yaml]\n",
        "k/x.yaml": "",
    }
    _, _, recipe = unit_of(application({"path": "k", "kustomize": options}, files), "application:argocd/web")
    made = json.loads(recipe.written["k/kustomization.yaml"])
    assert made["images"] == [
        {"name": "a", "newName": "b", "newTag": "2"},
        {"name": "c", "newTag": "3"},
        {"name": "d", "digest": "sha256:1"},
        {"name": "e", "newTag": "5"},
    ]
    assert (made["namePrefix"], made["namespace"]) == ("p-", "n")
    assert [one["count"] for one in made["replicas"]] == [4, 0, -1]
    assert (made["commonLabels"], made["commonAnnotations"]) == ({"l": "1"}, {"a": "b"})
    assert made["patches"] == options["patches"]


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        ({}, ["m/a.yaml", "m/b.json"]),
        ({"recurse": True}, ["m/a.yaml", "m/b.json", "m/sub/c.yml"]),
        ({"recurse": True, "include": "*.y*ml"}, ["m/a.yaml", "m/sub/c.yml"]),
        ({"recurse": True, "exclude": "{a.yaml,sub/*}"}, ["m/b.json"]),
        ({"include": "{*.yaml,*.sealed}"}, ["m/a.yaml"]),
        ({"include": "{*.yaml,*.sealed}", "disableExtensionFilter": True}, ["m/a.yaml", "m/d.yaml.sealed"]),
        ({"disableExtensionFilter": True}, ["m/a.yaml", "m/b.json", "m/d.yaml.sealed", "m/like.txt"]),
        ({"disableExtensionFilter": "true"}, ["m/a.yaml", "m/b.json"]),
    ],
)
def test_a_folder_of_manifests(directory, expected):
    files = {
        "m/a.yaml": CONFIGMAP % "a",
        "m/b.json": "{}",
        "m/sub/c.yml": CONFIGMAP % "c",
        "m/skipped.yaml": "# +argocd:skip-file-rendering\n",
        "m/d.yaml.sealed": CONFIGMAP % "d",
        "m/notes.md": "# Notes\n\n- [x\n",
        "m/LICENSE": "a text\n",
        "m/values.yaml": "kind: [\n",
        "m/other.yml": "a: 1\n",
        "m/like.txt": "apiVersion: v1\nkind: [\nmetadata: {}\n",
        "m/image.png": b"\x89PNG\xff",
        "m/x.jsonnet": "",
    }
    _, closure, recipe = unit_of(application({"path": "m", "directory": directory}, files), "application:argocd/web")
    assert sorted(closure.files) == expected
    assert "m/skipped.yaml" in closure.left_out
    assert recipe.steps == ()
    assert [
        line.removeprefix("# Source: ") for line in recipe.text.splitlines() if line.startswith("# Source")
    ] == expected


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ({"repoURL": "https://github.com/acme/other"}, "acme/other"),
        ({"targetRevision": "v1.2.3"}, "v1.2.3"),
        ({"chart": "web", "repoURL": "https://charts.example.com", "targetRevision": "1.x"}, "chart web 1.x"),
        ({"plugin": {"name": "x"}}, "plugin"),
    ],
)
def test_an_application_of_something_else_is_told(source, word):
    made = application(source)
    assert word in closure_of(units(made)["application:argocd/web"], made).skip
