"""`--at`: the value a user points at."""

import pytest

from gitops_ci.errors import UsageError
from gitops_ci.formats import ManifestText
from gitops_ci.formats.pointer import Pointer, find
from gitops_ci.imageref import ImageRef

IMAGE = ImageRef.parse("acme/shop:2")
TEXT = """\
kind: A
spec:
  images:
    - {name: shop, tag: "1", meta: {role: web}}
    - {name: other, tag: "7"}
  "odd.key": acme/shop:1
  text: |
    inner:
      tag: v1
  shared: &s {tag: v3}
  used: *s
---
kind: B
spec: {images: [{tag: "9"}]}
"""


def at(path, text=TEXT):
    return [*find(ManifestText("x.yaml", text), Pointer.parse(f"x.yaml:{path}"), IMAGE)]


@pytest.mark.parametrize(
    ("path", "versions"),
    [
        ('$.spec.images[?name=="shop"].tag', ["1"]),
        ("$.spec.images[?(@.name=='shop')].tag", ["1"]),
        ("$.spec.images[?meta.role==web].tag", ["1"]),
        ("$.spec.images[0].tag", ["1", "9"]),
        ("$.spec.images[-1].tag", ["7", "9"]),
        ("$.spec.images[*].tag", ["1", "7", "9"]),
        ('$[?kind=="B"].spec.images.*.tag', ["9"]),
        ('$.spec["odd.key"]', ["1"]),
        ("$.spec.text.inner.tag", ["v1"]),
        ("$.spec.used.tag", ["v3"]),
        ("$.spec.nothing.here", []),
        ("$.spec.images[5].tag", []),
        ("$.spec.images", []),
    ],
)
def test_paths(path, versions):
    assert [site.image.tag for site in at(path)] == versions


def test_a_value_behind_an_alias_says_where_its_anchor_is():
    [site] = at("$.spec.used.tag")
    assert site.fields[0].anchor.name == "s"


def test_a_value_that_is_no_version_has_a_problem():
    [site] = at("$.kind", "kind: not a tag\n")
    assert "no part of acme/shop" in site.problem


@pytest.mark.parametrize(
    "text", ["x.yaml", "$.a", "x.yaml:$", "/x.yaml:$.a", "../x.yaml:$.a", "x.yaml:$.a[", "x.yaml:$a b", "x.yaml:$..a"]
)
def test_what_points_nowhere_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as refused:
        Pointer.parse(text)
    assert "--at" in refused.value.hint


TF = 'variable "a" {}\nimage_tag = "1.4.1" # shop\nother_tag = "1.4.1"\n'


def in_text(pattern, text=TF, path="main.tf"):
    return [*find(ManifestText(path, text), Pointer.parse(f"{path}:/{pattern}/"), IMAGE)]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [('image_tag = "(.+)"', TF), ('image_tag = (?:")([0-9.]+)', TF), ("^v/tag: (.+)$", "v/tag: 1.4.1\r\nx: 1\n")],
)
def test_a_regular_expression_points_into_any_text(pattern, text):
    (site,) = in_text(pattern, text)
    assert site.fields[0].text == site.image.tag == "1.4.1"
    assert text[site.fields[0].span.start : site.fields[0].span.end] == "1.4.1"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ('_tag = "(.+)"', "matches 2 times (lines 2, 3)"),
        ('no_tag = "(.+)"', "matches nowhere"),
        ("image_tag", "has 0 groups"),
        ("(image)_(tag)", "has 2 groups"),
        ("(image", "no regular expression"),
        ("(a+)+b", "may take too long"),
        ("(a)\\1", "may take too long"),
        ("(?=a)(b)", "may take too long"),
        (".*.*.*.*(a)", "may take too long"),
    ],
)
def test_a_regular_expression_matches_once_in_bounded_time(pattern, said):
    with pytest.raises(UsageError, match=r"--at|main\.tf") as error:
        in_text(pattern)
    assert said in error.value.message
