"""Shares of a repository: everything is in exactly one of them, and none has much more to do than the others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ci.errors import UsageError
from gitops_ci.flows.validate.selection import RenderUnit, Shard, affected_by, assign_shard, partition
from tests.support.effort import examples

PATHS = [f"{folder}/{name}.yaml" for folder in ("a", "b", "c/d", "c/e", ".") for name in "uvwxyz"]


@st.composite
def repositories(draw):
    """Files with texts, and units that share some of them."""
    files = {path: "x" * draw(st.integers(0, 9_000_000)) for path in draw(st.sets(st.sampled_from(PATHS)))}
    units = []
    for number in range(draw(st.integers(0, 4))):
        sources = frozenset(draw(st.sets(st.sampled_from(sorted(files))))) if files else frozenset()
        patches = frozenset(draw(st.sets(st.sampled_from(sorted(sources))))) if sources else frozenset()
        folder = f"k{number}"
        described = f"{folder}/kustomization.yaml"
        files[described] = ""
        inner = draw(st.booleans()) and number > 0
        units.append(RenderUnit(folder, described, frozenset(), sources | {described}, patches, inner=inner))
    return files, units


@settings(max_examples=examples(60))
@given(repositories(), st.integers(1, 64))
def test_each_file_and_unit_is_in_exactly_one_share(repository, total):
    files, units = repository
    shares = [assign_shard(partition(files, units, files), Shard(number, total)) for number in range(1, total + 1)]
    assert sorted(path for chosen, _ in shares for path in chosen) == sorted(files)
    assert sorted(unit.file for _, mine in shares for unit in mine) == sorted(unit.file for unit in units)


@settings(max_examples=examples(60))
@given(repositories())
def test_a_patch_is_where_a_unit_is_that_says_so(repository):
    files, units = repository
    for portion in partition(files, units, files):
        for path in portion.files:
            users = [unit for unit in units if path in unit.patches]
            assert not users or any(path in unit.patches for unit in portion.units)


@settings(max_examples=examples(60))
@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=40), st.integers(1, 8))
def test_no_share_is_much_longer_than_the_best_division(sizes, total):
    files = {f"{number}/f.yaml": "" for number in range(len(sizes))}
    parts = partition(files, [], files)
    for part, size in zip(parts, sizes, strict=True):
        part.seconds = size
    took = {part.files[0]: part.seconds for part in parts}
    loads = [sum(took[path] for path in assign_shard(parts, Shard(number, total))[0]) for number in range(1, total + 1)]
    lower_bound = max(*sizes, sum(sizes) / total)
    assert max(loads) <= sum(sizes) / total + max(sizes)
    assert max(loads) <= 2 * lower_bound


def test_a_patch_goes_where_the_unit_inside_of_another_goes():
    base = RenderUnit(
        "b", "b/k.yaml", frozenset(), frozenset({"b/k.yaml", "p.yaml"}), frozenset({"p.yaml"}), inner=True
    )
    overlay = RenderUnit("o", "o/k.yaml", frozenset(), frozenset({"b/k.yaml", "o/k.yaml"}), frozenset())
    files = dict.fromkeys(["b/k.yaml", "o/k.yaml", "p.yaml"], "")
    [portion] = partition(files, [base, overlay], files)
    assert portion.files == sorted(files)
    assert portion.units == [overlay, base]


def test_a_change_leaves_alone_what_belongs_to_other_units():
    files = dict.fromkeys(["p/a.yaml", "p/b.yaml", "p/c.yaml"], "")
    units = [
        RenderUnit(
            name,
            f"{name}/kustomization.yaml",
            frozenset(),
            frozenset({f"p/{name}.yaml"}),
            frozenset({f"p/{name}.yaml"}),
        )
        for name in "ab"
    ]
    assert affected_by({"p/a.yaml"}, files, files, units) == ({"p/a.yaml", "p/c.yaml"}, [units[0]])


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "a/b", "-1/2", "1/2/3", "1/ 2"])
def test_what_is_no_share(text):
    with pytest.raises(UsageError):
        Shard.parse(text)


CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  group: acme.example\n"
WIDGET = "apiVersion: acme.example/v1\nkind: Widget\n"


def test_a_changed_definition_concerns_the_objects_of_its_group_alone():
    files = {
        "crds/widgets.yaml": CRD,
        "apps/widget.yaml": WIDGET,
        "apps/other.yaml": "apiVersion: v1\nkind: ConfigMap\n",
        "hack/told.yaml": "rules: acme.example/v1\n",
        "k/widget.yaml": WIDGET,
        "k/kustomization.yaml": "",
    }
    unit = RenderUnit("k", "k/kustomization.yaml", frozenset(), frozenset({"k/widget.yaml", "k/kustomization.yaml"}))
    chosen, units = affected_by({"crds/widgets.yaml"}, files, files, [unit])
    assert chosen == {"crds/widgets.yaml", "apps/widget.yaml", "k/widget.yaml"}
    assert units == [unit]


def test_a_patch_of_a_definition_concerns_no_other_file():
    patch = "patches:\n- target: {group: apiextensions.k8s.io, kind: CustomResourceDefinition}\n"
    files = {"k/kustomization.yaml": patch, "apps/widget.yaml": WIDGET, "crds/widgets.yaml": CRD}
    assert affected_by({"k/kustomization.yaml"}, files, files, [])[0] == {"k/kustomization.yaml"}


@pytest.mark.parametrize("text", ["kind: CustomResourceDefinition\nspec: {group: '{{ .Values.group }}'}\n"])
def test_a_definition_whose_group_nobody_knows_concerns_everything(text):
    files = {"crds/widgets.yaml": text, "apps/widget.yaml": WIDGET}
    assert affected_by({"crds/widgets.yaml"}, files, files, [])[0] == set(files)


def test_changed_settings_concern_everything():
    files = {".gitops-ci.yaml": "", "apps/widget.yaml": WIDGET}
    assert affected_by({".gitops-ci.yaml"}, files, files, [])[0] == set(files)
