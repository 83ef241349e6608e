import pytest

from gitops_ci.errors import UsageError
from gitops_ci.flows.environment import Environment, by_convention, matcher, named


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("apps/*/overlays/staging/**", "apps/shop/overlays/staging/kustomization.yaml", True),
        ("apps/*/overlays/staging/**", "apps/a/b/overlays/staging/kustomization.yaml", False),
        ("apps/staging", "apps/staging/deep/er/x.yaml", True),
        ("apps/staging/", "apps/staging/x.yaml", True),
        ("apps/staging", "apps/staging-two/x.yaml", False),
        ("**/values.yaml", "values.yaml", True),
        ("**/values.yaml", "a/b/values.yaml", True),
        ("./values-?.yaml", "values-1.yaml", True),
        ("*.yaml", "a/b.yaml", False),
        ("a.b", "aXb", False),
    ],
)
def test_globs(glob, path, expected):
    assert matcher([glob])(path) is expected


def test_no_glob_means_everything_and_exclude_wins():
    assert matcher([])("any/where.yaml")
    assert not matcher(["apps"], exclude=["apps/old/**"])("apps/old/x.yaml")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("apps/staging/x.yaml", True),
        ("charts/values-staging.yaml", True),
        ("staging.yaml", True),
        ("apps/staging2/x.yaml", False),
        ("apps/prestaging/x.yaml", False),
    ],
)
def test_a_name_without_definition_means_paths_that_bear_it(path, expected):
    assert by_convention("staging")(path) is expected


def test_an_unknown_environment_lists_the_known_ones():
    known = {"staging": Environment("staging"), "production": Environment("production")}
    with pytest.raises(UsageError, match="stagign.*did you mean 'staging'") as refused:
        named("stagign", {}, known)
    assert refused.value.hint == "Known environments: production, staging."


def test_the_first_layout_that_has_it_wins():
    assert named("a", {"a": Environment("a", base="x")}, {"a": Environment("a", base="y")}) == Environment(
        "a", base="x"
    )
    assert named("a", {}, {}) is None
