"""An older image never replaces a newer one, also where tags say nothing: real images in a real registry."""

import itertools

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.git_repo import make_repo
from tests.support.layouts import LayoutWriter

CREATED = "org.opencontainers.image.created"
_numbers = itertools.count(1)


@pytest.fixture
def name(registry, run, tmp_path):  # noqa: F811
    """A repository with the commits `monday` and `tuesday`, `plain` (without labels), and `index` of Wednesday."""
    name = f"{registry}/ages/shop-{next(_numbers)}"
    writer = LayoutWriter(tmp_path / "built")
    for day, tag in (("16", "monday"), ("17", "tuesday")):
        writer.simple(tag, [{"day": day.encode()}], labels={CREATED: f"2026-11-{day}T10:00:00Z"})
    writer.simple("plain", [{"day": b"none"}])
    writer.tag("index", writer.index({"linux/amd64": writer.image(labels={CREATED: "2026-11-18T10:00:00Z"})}))
    for tag in ("monday", "tuesday", "plain", "index"):
        ran = run("image", "push", f"oci:built:{tag}", "--to", f"{name}:{tag}")
        assert ran.code == 0, ran.err
    return name


@pytest.fixture
def bump(run, name, tmp_path):  # noqa: F811
    def call(present, wanted, *more):
        folder = tmp_path / f"config-{next(_numbers)}.git"
        repo = make_repo(folder, {"values.yaml": f"image:\n  repository: {name}\n  tag: {present}\n"})
        return run("bump", f"{name}:{wanted}", "--config-repo", repo.path, "--mode", "push", *more)

    return call


def test_the_label_tells_which_is_older(bump):
    refused = bump("tuesday", "monday")
    assert refused.code == 1
    assert f"from tuesday to monday, older by the label {CREATED}" in refused.err + refused.out
    assert "--allow-downgrade" in refused.err + refused.out
    assert bump("tuesday", "monday", "--allow-downgrade").code == 0
    assert bump("monday", "tuesday").code == 0
    assert bump("tuesday", "index").code == 0
    assert bump("index", "tuesday").code == 1


def test_images_that_say_nothing_or_are_not_there_are_not_compared(bump):
    assert bump("plain", "monday").code == 0
    gone = bump("never-pushed", "monday", "--verbose")
    assert gone.code == 0
    assert "is not in its registry: its age is not compared" in gone.err


def test_a_release_finds_out_before_anything_is_pushed(run, name, registry, tmp_path):  # noqa: F811
    repo = make_repo(tmp_path / "config.git", {"values.yaml": f"image:\n  repository: {name}\n  tag: tuesday\n"})
    LayoutWriter(tmp_path / "late").simple("late", [{"day": b"15"}], labels={CREATED: "2026-11-15T10:00:00Z"})
    asked = ("release", "oci:late", "--to", name, "--tags", "raw=sunday", "--config-repo", repo.path, "--mode", "push")
    ran = run(*asked)
    assert ran.code == 1
    assert "from tuesday to sunday" in ran.err + ran.out
    assert run("image", "retag", f"{name}:sunday", "anything").code == 4, "it was pushed all the same"
    assert run(*asked, "--allow-downgrade").code == 0
