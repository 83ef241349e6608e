"""Names of head branches: the same run finds the same one, and no two things share one."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ci.errors import UsageError
from gitops_ci.flows.bump.branches import branch_name, selection_of
from gitops_ci.flows.bump.search import Search
from gitops_ci.flows.environments import Environment
from gitops_ci.imageref import ImageRef
from gitops_ci.plan import BumpPolicy, Pointer


def name(image, environment="prod", **more):
    return branch_name(environment, (ImageRef.parse(image),), **more)


def slug(image):
    return name(image).removeprefix("gitops-ci/prod/")


@pytest.mark.parametrize(
    ("image", "readable"),
    [
        ("nginx", "nginx"),
        ("acme/shop", "acme-shop"),
        ("ghcr.io/acme/shop", "ghcr.io-acme-shop"),
        ("ghcr.io/acme/shop_api", "ghcr.io-acme-shop_api"),
        ("registry.gitlab.com/acme/platform/shop/api", "registry.gitlab.com-acme-platform-shop-api"),
        ("localhost:5000/acme/shop", "localhost-5000-acme-shop"),
        ("registry.acme.io:5000/shop", "registry.acme.io-5000-shop"),
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com-shop",
        ),
        ("europe-west1-docker.pkg.dev/acme/images/shop", "europe-west1-docker.pkg.dev-acme-images-shop"),
    ],
)
def test_a_name_that_its_slug_belongs_to_is_not_lengthened(image, readable):
    assert slug(image) == readable


@pytest.mark.parametrize(
    "image",
    ["ghcr.io/acme/shop-api", "ghcr.io/acme-shop/api", "acme/shop--api", "registry.acme.io/5000/shop", "h:5/a.b"],
)
def test_a_name_whose_slug_could_belong_to_another_gets_digits_of_its_full_name(image):
    ref = ImageRef.parse(image)
    assert re.fullmatch(rf"{re.escape(ref.slug)}-[0-9a-f]{{10}}", slug(image))
    assert slug(image) == slug(f"{image}:1.2.3")


@pytest.mark.parametrize(
    "images",
    [
        ("ghcr.io/acme/shop-api", "ghcr.io/acme-shop/api", "ghcr.io/acme/shop/api", "ghcr.io/acme/shop--api"),
        ("registry.acme.io:5000/shop", "registry.acme.io/5000/shop", "registry.acme.io-5000/shop"),
        ("ghcr.io/acme/shop", "ghcr.io/acme-shop", "ghcr.io-acme/shop", "ghcr.io-acme-shop"),
        ("acme/shop-0123456789", "acme/shop/0123456789"),
    ],
)
def test_images_of_one_slug_have_branches_of_their_own(images):
    assert len({ImageRef.parse(image).slug for image in images}) == 1 or "0123456789" in images[0]
    assert len({slug(image) for image in images}) == len(images)


_WORD = st.text(alphabet="ab-._", min_size=1, max_size=3)


@given(st.lists(_WORD, min_size=1, max_size=3).map("/".join), st.lists(_WORD, min_size=1, max_size=3).map("/".join))
@settings(max_examples=500, deadline=None, derandomize=True)
def test_two_images_never_share_a_branch(one, other):
    refs = [ref for ref in map(ImageRef.try_parse, (f"r.io/{one}", f"r.io/{other}", one, other)) if ref]
    for first, second in itertools.combinations(refs, 2):
        if first.name != second.name:
            assert branch_name("prod", (first,)) != branch_name("prod", (second,))


def test_an_environment_is_none_other():
    image = (ImageRef.parse("ghcr.io/acme/shop"),)
    environments = [None, "all", "prod", "prod@release", "prod/eu"]
    names = [branch_name(environment, image) for environment in environments]
    names.append(branch_name("prod", image, "release"))
    assert len(set(names)) == len(names)
    assert names[0] == "gitops-ci/all/ghcr.io-acme-shop"
    assert re.fullmatch(r"gitops-ci/all-[0-9a-f]{10}/ghcr\.io-acme-shop", names[1])
    assert names[2] == "gitops-ci/prod/ghcr.io-acme-shop"
    assert names[-1] == "gitops-ci/prod@release/ghcr.io-acme-shop"


@pytest.mark.parametrize("environment", ["a/", "/a", "a//b", "..", "a..b", "all.lock/x", "@{u}"])
def test_a_name_that_no_branch_can_have_is_refused_even_where_digits_would_hide_it(environment):
    with pytest.raises(UsageError):
        name("ghcr.io/acme/shop", environment)


def test_a_selection_of_its_own_is_in_the_name():
    own = name("ghcr.io/acme/shop", selection="path eu/**")
    assert re.fullmatch(r"gitops-ci/prod/ghcr\.io-acme-shop-[0-9a-f]{10}", own)
    assert own != name("ghcr.io/acme/shop", selection="path us/**")


PROD = Environment("prod", ("eu/**", "us/**"))


@pytest.mark.parametrize(
    ("search", "selection"),
    [
        (Search(()), ""),
        (Search((), paths=("us/**", "./eu/**")), ""),
        (Search((), paths=("eu/**",)), "path eu/**"),
        (Search((), paths=("eu/",)), "path eu"),
        (Search((), exclude=("eu/old/**",)), "exclude eu/old/**"),
        (Search((), policy=BumpPolicy(formats=("kustomize", "helm-values"))), "format helm-values\nformat kustomize"),
        (Search((), pointers=(Pointer.parse("a.yaml:$.tag"),)), "at a.yaml:$.tag"),
    ],
)
def test_a_selection_is_named_by_what_differs_from_the_environments_own(search, selection):
    assert selection_of(search, PROD) == selection
