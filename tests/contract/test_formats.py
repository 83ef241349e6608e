"""Every kind of manifest keeps the same promises, judged over all cases and the files that kinds share."""

import ast
import inspect
from pathlib import PurePosixPath

import pytest

from gitops_ci import formats, plan
from gitops_ci.formats import FORMATS, ManifestText, flux_policies
from gitops_ci.yamltext import YamlError
from tests.support import CHECKOUT

CASES = CHECKOUT / "tests" / "cases"
FILES = sorted(path for path in CASES.glob("*/*/before/**/*") if path.is_file())
HOSTILE = [
    "", "\n", "---\n", "...\n", "# a/b:1\n", "[]", "x", "- image: a/b:1\n- [image, a/b:1]\n", "image: [a/b:1]\n",
    "image: {image: {image: a/b:1}}\n", "? image\n: a/b:1\n", "? [a]\n: b\n", "image:\n  repository:\n  tag:\n",
    "image: {repository: [a], tag: {b: c}}\n", "images: {newTag: 1}\n", "apiVersion: v1\nkind: []\nimage: a/b:1\n",
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {helm: {parameters: [1, {name: x}, *a]}}}\n",
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {kustomize: {images: [1, {a: b}, null]}}}\n",
    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {images: x, patches: [null]}\n",
    "services: [image]\n", "services: {a: b}\n", "helm: []\ntargetCustomizations: {}\n", "appVersion: [1]\n",
    "a: &a {<<: *a, image: a/b:1}\n", "<<: [1, {image: a/b:1}]\n", "image: !!binary aGVsbG8=\n",
    "# gitops-ci: image=\n# gitops-ci: image=a/b part=\n", 'x: # {"$imagepolicy": "a:b"}\n', "image: '\\u0000'\n",
]  # fmt: skip
NAMES = ["values.yaml", "kustomization.yaml", "fleet.yaml", "Chart.yaml", "compose.yaml", ".argocd-source.yaml", "x.tf"]


def sites(name, path, text):
    try:
        return [*FORMATS[name].find(ManifestText(path, text))]
    except YamlError:
        return []


@pytest.mark.parametrize("name", FORMATS)
def test_a_kind_is_a_module_that_says_its_name_and_reads_no_more_than_it_is_given(name):
    module = FORMATS[name]
    assert name == module.ID
    assert module.__doc__
    assert [*inspect.signature(module.find).parameters] == ["source"]
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= {"re", "posixpath"}


@pytest.mark.parametrize("name", FORMATS)
def test_fields_hold_what_the_file_says_at_their_place(name):
    seen = 0
    for file in FILES:
        text = file.read_bytes().decode()
        path = file.relative_to(CASES).as_posix().split("/before/")[1]
        found = sites(name, path, text)
        assert found == sites(name, path, text), "twice the same question, twice the same answer"
        for site in found:
            seen += 1
            assert site.format == name
            assert site.path == path
            assert site.fields or site.problem or site.image.repository
            for field in site.fields:
                span = field.span
                assert 0 <= span.start <= span.end <= len(text)
                assert span.line == 1 + text[: span.start].replace("\r\n", "\n").replace("\r", "\n").count("\n")
                written = text[span.start : span.end].strip("\"'")
                assert field.text in written or field.spelling.quote == '"' or "''" in written, (file, field)
                assert not field.text or not field.key.strip(), "what is to be inserted is not there yet"
    assert seen, "no case has one"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_shape_makes_a_kind_stumble(text):
    for path in NAMES:
        for name in FORMATS:
            sites(name, path, text)
        planned = plan.make([(path, text)], [plan_target()], plan.BumpPolicy())
        for changed in planned.files:
            assert changed.before == text


def plan_target():
    from gitops_ci.imageref import ImageRef

    return ImageRef.parse("a/b:2")


def test_every_place_belongs_to_one_kind():
    for file in FILES:
        text = file.read_bytes().decode()
        path = PurePosixPath(file.relative_to(CASES).as_posix().split("/before/")[1])
        try:
            found = [*formats.find(ManifestText(str(path), text))]
        except YamlError:
            continue
        # A version without a name has two ways to learn it: from what it is laid over, and from a policy's marker.
        told = [site for site in found if site.image.repository or site.layers != flux_policies.LAYER]
        places = [(field.span, field.key, bool(field.anchor)) for site in told for field in site.fields]
        assert len(places) == len(set(places)), file
