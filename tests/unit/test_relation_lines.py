"""Which kustomizations lead to a file, as the lines of a repository tell."""

import pytest

from gitops_ci.paths import folders_above
from gitops_ci.plan.layers import lies_over
from gitops_ci.plan.relation_lines import RelationLines

LINES = RelationLines(
    "".join(
        f"{path}\0{line}\n"
        for path, line in [
            ("apps/shop/overlays/prod/kustomization.yaml", "resources: [../../base, ../../../../lib/db.yaml]"),
            ("apps/shop/overlays/prod/kustomization.yaml", "  - patches/one.yaml"),
            ("clusters/prod/kustomization.yml", "- ../../apps/shop/base/ # both"),
            ("kustomization.yaml", "- apps/shop/base"),
            ("top/Kustomization", "- ../values.yaml"),
            ("docs/not-a-kustomization.yaml", "- ../apps/shop/base"),
            ("my-kustomization.yaml", "- apps/shop/base"),
            ("beside/kustomization.yaml", "- deployment.yaml"),
        ]
    )
)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            "apps/shop/base",
            {
                "apps/shop/overlays/prod/kustomization.yaml",
                "clusters/prod/kustomization.yml",
                "kustomization.yaml",
            },
        ),
        ("lib/db.yaml", {"apps/shop/overlays/prod/kustomization.yaml"}),
        ("values.yaml", {"top/Kustomization"}),
        ("shop/base", set()),
        ("base", set()),
    ],
)
def test_a_kustomization_leads_to_what_its_paths_resolve_to(target, expected):
    assert LINES.kustomizations_of(target) == expected


def test_the_folders_of_a_path_go_up_to_the_root():
    assert list(folders_above("a/b/c.yaml")) == ["a/b", "a", "."]
    assert list(folders_above("c.yaml")) == ["."]
    assert list(folders_above(".")) == []


@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        ("a/values-prod.yaml", "a/values.yaml", True),
        ("a/prod-values.yml", "a/values.yaml", True),
        ("a/values.prod.yaml", "a/values.yaml", True),
        ("b/values-prod.yaml", "a/values.yaml", False),
        ("a/values-prod.json", "a/values.yaml", False),
        ("a/values-prod.yaml", "a/values.json", False),
        ("a/valuesprod.yaml", "a/values.yaml", False),
        ("values-prod.yaml", "values.yaml", True),
    ],
)
def test_values_lie_over_those_beside_them_by_their_name(upper, lower, expected):
    assert lies_over(upper, lower) is expected
