"""Rules of the settings that lead to versions by the names of files."""

import pytest

from gitops_ci import plan
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.plan import PointerRule

PATHS = ["image-tags/production/shop", "image-tags/staging/shop", "image-tags/staging/cart", "image-tags/shop", "a/b/c"]
BY_FILE = PointerRule.parse("image-tags/{environment}/{name}", "$.image_tag", "ghcr.io/acme/{name}")
BY_KEY = PointerRule.parse("versions/{environment}.yaml", "$.{name}.tag", "ghcr.io/acme/{name}")


def test_a_rule_leads_to_the_files_of_an_image():
    found = [*BY_FILE.pointers(PATHS, ImageRef.parse("ghcr.io/acme/shop:1.5.0"))]
    assert [(place.pointer.path, place.fields) for place in found] == [
        ("image-tags/production/shop", {"environment": "production", "name": "shop"}),
        ("image-tags/staging/shop", {"environment": "staging", "name": "shop"}),
    ]
    assert {str(place.image) for place in found} == {"ghcr.io/acme/shop"}


@pytest.mark.parametrize(
    "image", ["ghcr.io/acme/web:1", "ghcr.io/other/shop:1", "ghcr.io/acme/team/shop:1", "acme/shop:1"]
)
def test_a_rule_is_for_its_own_images(image):
    assert not [*BY_FILE.pointers(PATHS, ImageRef.parse(image))]


def test_a_mirror_counts_where_names_alone_do():
    mirrored = ImageRef.parse("mirror.example/acme/shop:1")
    assert len([*BY_FILE.pointers(PATHS, mirrored, match_name=True)]) == 2


def test_docker_hub_is_written_as_people_write_it():
    rule = PointerRule.parse("tags/{name}", "$.tag", "acme/{name}")
    assert len([*rule.pointers(["tags/shop"], ImageRef.parse("docker.io/acme/shop:1"))]) == 1


def test_what_files_tell_about_images_without_asking_for_one():
    found = {(place.pointer.path, str(place.image)) for place in BY_FILE.places(PATHS)}
    assert found == {
        ("image-tags/production/shop", "ghcr.io/acme/shop"),
        ("image-tags/staging/shop", "ghcr.io/acme/shop"),
        ("image-tags/staging/cart", "ghcr.io/acme/cart"),
    }
    assert not [*BY_KEY.places(["versions/staging.yaml"])], "the image stands in the file"


def test_values_of_files_without_an_ending_are_edited():
    files = [("image-tags/production/shop", "image_tag: v1694\nother: v1694\n"), ("image-tags/staging/shop", "x: 1\n")]
    image = ImageRef.parse("ghcr.io/acme/shop:v1700")
    pointers = [place.pointer for place in BY_FILE.pointers([path for path, _ in files], image)]
    made = plan.make(files, [image, ImageRef.parse("ghcr.io/acme/cart:2")], plan.BumpPolicy(), pointers=pointers)
    assert [(file.path, file.after) for file in made.files] == [(files[0][0], "image_tag: v1700\nother: v1694\n")]
    (skip,) = made.skipped
    assert (skip.path, skip.image) == ("image-tags/staging/shop", "ghcr.io/acme/shop")
    assert "there is no such value" in skip.reason


def test_a_key_may_be_the_name_even_with_dots():
    text = "my.shop: {tag: 1.4.1}\nmy: {shop: {tag: 1.4.1}}\n"
    image = ImageRef.parse("ghcr.io/acme/my.shop:1.5.0")
    pointers = [place.pointer for place in BY_KEY.pointers(["versions/prod.yaml"], image)]
    made = plan.make([("versions/prod.yaml", text)], [image], plan.BumpPolicy(), pointers=pointers)
    assert [file.after for file in made.files] == [text.replace("1.4.1", "1.5.0", 1)]


def test_a_pattern_takes_the_name_as_it_is_written():
    rule = PointerRule.parse("{environment}.tfvars", '/{name}_tag = "(.+)"/', "ghcr.io/acme/{name}")
    text = 'a.b_tag = "1.4.1"\naxb_tag = "1.4.1"\n'
    image = ImageRef.parse("ghcr.io/acme/a.b:1.5.0")
    pointers = [place.pointer for place in rule.pointers(["prod.tfvars"], image)]
    made = plan.make([("prod.tfvars", text)], [image], plan.BumpPolicy(), pointers=pointers)
    assert [file.after for file in made.files] == [text.replace("1.4.1", "1.5.0", 1)]


@pytest.mark.parametrize(
    ("file", "at", "image", "said"),
    [
        ("tags/x", "$.tag", "ghcr.io/acme/{name}", "{name} of the image"),
        ("tags/x", "$.{name}", "ghcr.io/acme/shop", "{name} of '$.{name}'"),
        ("tags/{a}{b}{c}", "$.tag", "ghcr.io/acme/shop", "more than 2 fields"),
        ("tags/{name}", "$.tag", "ghcr.io/acme/{name}:1", "not an image without a version"),
        ("tags/{name}", "$.tag", "GHCR.io/Acme/{name}", "not an image without a version"),
        ("/tags/{name}", "$.tag", "ghcr.io/acme/{name}", "does not name a place in a file"),
        ("../{name}", "$.tag", "ghcr.io/acme/{name}", "does not name a place in a file"),
        ("tags/{name}", "tag", "ghcr.io/acme/{name}", "does not name a place in a file"),
        ("tags/{name}", "/(a+)+/", "ghcr.io/acme/{name}", "may take too long"),
    ],
)
def test_a_rule_that_leads_nowhere_is_refused(file, at, image, said):
    with pytest.raises(UsageError) as refused:
        PointerRule.parse(file, at, image)
    assert said in refused.value.message
