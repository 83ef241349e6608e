"""References as distribution/reference reads them, with Docker Hub's defaults."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ci.errors import UsageError
from gitops_ci.flows.image.verify import Rule
from gitops_ci.imageref import ImageRef
from tests.support.effort import examples

SHA = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("nginx", "docker.io", "library/nginx", None, None),
        ("nginx:1.27", "docker.io", "library/nginx", "1.27", None),
        ("docker.io/nginx", "docker.io", "library/nginx", None, None),
        ("index.docker.io/library/nginx", "docker.io", "library/nginx", None, None),
        ("acme/shop", "docker.io", "acme/shop", None, None),
        ("localhost/shop", "localhost", "shop", None, None),
        ("localhost:5000/a/b/c:1", "localhost:5000", "a/b/c", "1", None),
        ("[::1]:5000/shop", "[::1]:5000", "shop", None, None),
        (f"ghcr.io/acme/shop@{SHA}", "ghcr.io", "acme/shop", None, SHA),
        (f"ghcr.io/acme/shop:v1@{SHA}", "ghcr.io", "acme/shop", "v1", SHA),
        ("a__b/c---d.e:_x", "docker.io", "a__b/c---d.e", "_x", None),
        ("UPPER.host/shop", "UPPER.host", "shop", None, None),
    ],
)
def test_parts(text, registry, repository, tag, digest):
    ref = ImageRef.parse(text)
    assert (ref.registry, ref.repository, ref.tag, ref.digest) == (registry, repository, tag, digest)
    assert str(ref) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acme/Shop", "lower case"),
        ("acme/shop:", "is not a tag"),
        ("acme/shop:" + "a" * 129, "is not a tag"),
        ("acme/shop:-x", "is not a tag"),
        ("acme/shop@sha256:123", "is not a digest"),
        ("acme/shop@sha256:" + "A" * 64, "lower-case"),
        ("https://ghcr.io/acme/shop", "is not"),
        ("a" * 64, "image id"),
        ("example.com/" + "x" * 256, "path is longer than 255"),
        ("x" * 248, "path is longer than 255"),  # library/ comes before it
        ("x/" * 1000 + "y", "more than 1024"),
        ("acme//shop", "is not a repository"),
        ("acme/shop:1\n", "is not a tag"),
        ("acme/é", "is not a repository"),
        ("", "is not a repository"),
        ("a..b/c:1", "is not a repository"),
    ],
)
def test_what_is_none_says_which_part_is_wrong(text, said):
    with pytest.raises(UsageError, match=said):
        ImageRef.parse(text)
    assert ImageRef.try_parse(text) is None


def test_the_same_image_by_another_spelling():
    assert ImageRef.parse("nginx:1").same_image(ImageRef.parse("docker.io/library/nginx:2"))
    assert not ImageRef.parse("library/nginx").same_image(ImageRef.parse("ghcr.io/library/nginx"))
    assert not ImageRef.parse("ghcr.io/a/b").same_image(ImageRef.parse("ghcr.io:443/a/b"))


def test_the_name_is_written_as_its_author_did_and_compares_without_that():
    ref = ImageRef.parse("docker.io/library/nginx")
    assert ref.familiar == "docker.io/library/nginx"
    assert ref == ImageRef.parse("nginx")
    assert ImageRef("docker.io", "library/nginx").familiar == "nginx"
    assert ref.basename == "nginx"


@pytest.mark.parametrize(
    ("text", "slug"), [("ghcr.io/Acme".lower() + "/shop", "ghcr.io-acme-shop"), ("h:5/a", "h-5-a")]
)
def test_slugs_fit_into_a_branch_name(text, slug):
    assert ImageRef.parse(text).slug == slug


@given(st.text(alphabet="aZ09.:/@-_ \n", max_size=40))
@settings(max_examples=examples(500))
def test_whatever_is_read_is_written_back(text):
    ref = ImageRef.try_parse(text)
    if ref:
        assert str(ref) == text
        assert ImageRef.parse(str(ref)) == ref


@pytest.mark.parametrize(
    "name",
    ["example.com/" + "a" * 255, "123456789012.dkr.ecr.eu-central-1.amazonaws.com/" + "team/" * 48 + "api", "x" * 247],
)
def test_the_host_does_not_count_towards_the_length_of_a_path(name):
    assert str(ImageRef.parse(f"{name}:1.0")) == f"{name}:1.0"


@pytest.mark.parametrize(
    ("written", "glob"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("docker.io/nginx", "nginx"),
        ("index.docker.io/library/nginx", "docker.io/nginx"),
        ("docker.io/acme/shop", "acme/*"),
        ("acme/shop", "docker.io/*"),
        ("acme/shop", "registry-1.docker.io/acme/shop"),
        ("GHCR.io/acme/shop", "ghcr.io/acme/*"),
        ("ghcr.io/acme/shop", "GHCR.io/Acme/*"),
        ("ghcr.io/acme/a/b", "ghcr.io/acme/*"),
    ],
)
def test_a_rule_for_signatures_covers_an_image_however_it_is_written(written, glob):
    assert Rule(glob, ()).covers(ImageRef.parse(written))


@pytest.mark.parametrize(("written", "glob"), [("ghcr.io/acme/shop", "acme/*"), ("quay.io/nginx", "nginx")])
def test_a_rule_for_signatures_is_for_its_registry(written, glob):
    assert not Rule(glob, ()).covers(ImageRef.parse(written))
