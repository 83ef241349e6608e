"""What a kustomization loads is known before a program starts, and what leads away is refused.

Each field that sigs.k8s.io/kustomize/api 0.21 loads a file by is here; the way to write it is not taken for granted.
"""

from __future__ import annotations

import json

import pytest

from gitops_ci.rendering.kustomization_files import collect
from tests.unit.rendering.support import CONFIGMAP, repository, why_not

FIELDS = [
    "resources: [{path}]",
    "Resources: [{path}]",
    "<<: {{resources: [{path}]}}",
    "bases: [{path}]",
    "components: [{path}]",
    "crds: [{path}]",
    "configurations: [{path}]",
    "generators: [{path}]",
    "transformers: [{path}]",
    "validators: [{path}]",
    "openapi: {{path: {path}}}",
    "patches: [{{path: {path}}}]",
    "patches: [{path}]",
    "patchesStrategicMerge: [{path}]",
    "patchesJson6902: [{{path: {path}, target: {{kind: X, name: y}}}}]",
    "replacements: [{{path: {path}}}]",
    "configMapGenerator: [{{name: x, files: [{path}]}}]",
    "configMapGenerator: [{{name: x, files: [key={path}]}}]",
    "configMapGenerator: [{{name: x, envs: [{path}]}}]",
    "secretGenerator: [{{name: x, env: {path}}}]",
    "generators: ['{{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {{name: x}}, files: [{path}]}}']",
    "transformers: ['{{apiVersion: builtin, kind: PatchTransformer, metadata: {{name: x}}, path: {path}}}']",
    "transformers: ['{{apiVersion: builtin, kind: ReplacementTransformer, replacements: [{{path: {path}}}]}}']",
    "transformers: ['{{apiVersion: builtin, kind: PatchStrategicMergeTransformer, paths: [{path}]}}']",
]


def closure_of(text, *, more=None, links=None, folder="app"):
    files = {f"{folder}/kustomization.yaml": text, "other/x.yaml": CONFIGMAP % "x", **(more or {})}
    return collect(folder, repository(files, links).tree)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("path", ["../../outside", "../../../etc/passwd", "/etc/passwd", "out/x.yaml"])
def test_what_leads_out_is_refused(field, path):
    closure = closure_of(field.format(path=path), links={"app/out": "../../elsewhere"})
    assert closure.refused
    assert not {one for one in closure.files if ".." in one or one.startswith("/")}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "path", ["http://127.0.0.1:1/x", "HTTPS://host/x.yaml", "https:/host/x", "git::https://h/x", "git@host:a/b"]
)
def test_an_address_is_told_and_never_fetched(field, path):
    # A folder of that name changes nothing: kustomize looks at the address first.
    closure = closure_of(field.format(path=path), more={f"app/{path}": CONFIGMAP % "x"})
    assert closure.remote
    assert closure.skip


@pytest.mark.parametrize("field", [one for one in FIELDS if "bases" not in one and "components" not in one])
def test_a_file_elsewhere_in_the_repository_is_part_of_it(field):
    config = "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: x}\n"
    closure = closure_of(field.format(path="../other/y.yaml"), more={"other/y.yaml": config})
    assert "other/y.yaml" in closure.files
    assert why_not(closure) == ""
    assert ("other/y.yaml" in closure.parts) == (not field.lower().startswith(("resources", "<<", "crds")))


def test_bases_and_components_are_followed():
    more = {
        "base/kustomization.yml": "resources: [x.yaml]\npatches: [{path: p.yaml}]\n",
        "base/x.yaml": CONFIGMAP % "x",
        "base/p.yaml": CONFIGMAP % "x",
        "part/Kustomization": "kind: Component\nresources: [../other/x.yaml]\n",
    }
    closure = closure_of("resources: [../base]\ncomponents: [../part]\n", more=more)
    assert closure.files == {"app/kustomization.yaml", "other/x.yaml", *more}
    assert closure.parts == {"base/p.yaml"}
    assert closure.folders == {"base", "part"}


def test_a_link_to_a_folder_is_followed_and_kept():
    more = {"base/kustomization.yaml": "resources: [../other/x.yaml]\n"}
    closure = closure_of("resources: [linked]\n", more=more, links={"app/linked": "../base"})
    assert closure.files == {"app/kustomization.yaml", "base/kustomization.yaml", "other/x.yaml"}
    assert closure.links == {"app/linked": "../base"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("resources: [gone.yaml]", "gone.yaml"),
        ("resources: [../other]", "no kustomization"),
        ("patches: [{path: gone.yaml}]", "gone.yaml"),
        ("resources: [.]", "includes itself"),
        ("resources: [", "cannot be read"),
    ],
)
def test_what_nobody_can_build_is_an_error(text, word):
    assert word in closure_of(text).error


def test_a_generator_that_is_a_program_is_left_out():
    more = {
        "app/ksops.yaml": "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata: {name: x}\nfiles: [./secret.enc.yaml]\n",
        "app/own.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\nliterals: [a=b]\n",
    }
    closure = closure_of("generators: [ksops.yaml, own.yaml]\nresources: [../other/x.yaml]\n", more=more)
    assert closure.rewritten == {
        "app/kustomization.yaml": {"generators": ["own.yaml"], "resources": ["../other/x.yaml"]}
    }
    assert len(closure.omitted) == 1
    assert why_not(closure) == ""


def test_a_path_in_an_object_is_no_file():
    config = "{apiVersion: builtin, kind: LabelTransformer, labels: {a: b}, fieldSpecs: [{path: /metadata/labels}]}"
    assert not closure_of(f"transformers: ['{config}']").refused


def test_many_bases_are_read_once():
    more = {f"b{n}/kustomization.yaml": f"resources: [../b{n + 1}, ../b{n + 1}/]\n" for n in range(40)}
    closure = closure_of("resources: [../b0]\n", more={**more, "b40/kustomization.yaml": "namePrefix: x\n"})
    assert len(closure.folders) == 41


@pytest.mark.parametrize(
    "order", ["resources: [../g]\ngenerators: [../g]\n", "generators: [../g]\nresources: [../g]\n"]
)
@pytest.mark.parametrize("path", ["../../outside", "http://127.0.0.1:1/x"])
def test_a_folder_of_generators_is_read_wherever_else_it_is_listed(order, path):
    config = f"apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {{name: x}}\nfiles: [{path}]\n"
    closure = closure_of(order, more={"g/kustomization.yaml": "resources: [g.yaml]\n", "g/g.yaml": config})
    assert closure.refused or closure.remote


@pytest.mark.parametrize("entry", ["/etc/x: y", "../../x: y", "kind: ConfigMap", "{kind: A, metadata: {}}"])
def test_what_is_no_object_is_the_name_of_a_file(entry):
    """Kustomize reads it as one, so it may not lead out."""
    made = repository({"app/kustomization.yaml": json.dumps({"patchesStrategicMerge": [entry]})})
    assert why_not(collect("app", made.tree))
