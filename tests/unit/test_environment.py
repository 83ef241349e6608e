import pytest

from gitops_ci.errors import UsageError
from gitops_ci.flows.environments import Environment, by_convention, named
from gitops_ci.flows.globs import Paths


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
    assert Paths((glob,)).matches(path) is expected


def test_no_glob_means_everything_and_exclude_wins():
    assert Paths().matches("any/where.yaml")
    assert not Paths(("apps",), exclude=("apps/old/**",)).matches("apps/old/x.yaml")


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
    with pytest.raises(UsageError, match=r"stagign.*did you mean 'staging'") as refused:
        named("stagign", {}, known)
    assert refused.value.hint == "Known environments: production, staging."


def test_the_first_layout_that_has_it_wins():
    assert named("a", {"a": Environment("a", base="x")}, {"a": Environment("a", base="y")}) == Environment(
        "a", base="x"
    )
    assert named("a", {}, {}) is None


@pytest.mark.parametrize(
    ("glob", "folder", "may_hold", "wants_all"),
    [
        ("apps/*/overlays/staging/**", "apps", True, False),
        ("apps/*/overlays/staging/**", "apps/shop", True, False),
        ("apps/*/overlays/staging/**", "apps/shop/base", False, False),
        ("apps/*/overlays/staging/**", "apps/shop/overlays/staging", True, True),
        ("apps/*/overlays/staging/**", "charts", False, False),
        ("apps/staging", "apps/staging", True, True),
        ("apps/staging", "apps/staging/deep", True, True),
        ("apps/staging", "apps/production", False, False),
        ("a/**/values.yaml", "a", True, True),
        ("a/**/values.yaml", "b", False, False),
        ("a/x.yaml", "a", True, False),
    ],
)
def test_folders_that_cannot_hold_a_match_stay_unopened(glob, folder, may_hold, wants_all):
    assert Paths((glob,)).may_hold(folder) is may_hold
    assert Paths((glob,)).wants_all(folder) is wants_all


def test_only_globs_that_begin_with_a_folder_leave_others_unopened():
    assert Paths(("apps/**", "charts/x.yaml")).is_narrow
    assert not Paths(("apps/**", "**/x.yaml")).is_narrow
    assert not Paths().is_narrow
