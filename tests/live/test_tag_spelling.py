"""A tag keeps the `v` that the config repository writes, if the registry has the new image under that tag, too."""

import itertools

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.git_repo import make_repo
from tests.support.layouts import LayoutWriter

_numbers = itertools.count(1)
VALUES = "image:\n  repository: {name}\n  tag: {tag} # ours\n"


@pytest.fixture
def name(registry, run, tmp_path):  # noqa: F811
    """A repository with 1.3.0 and v1.3.0 of one image, and with 1.4.0 and v1.4.0 of two."""
    name = f"{registry}/spelling/shop-{next(_numbers)}"
    writer = LayoutWriter(tmp_path / "built")
    for content in ("one", "two", "three"):
        writer.simple(content, [{"content": content.encode()}])
    for content, tag in (("one", "1.3.0"), ("one", "v1.3.0"), ("two", "1.4.0"), ("three", "v1.4.0"), ("two", "1.5.0")):
        ran = run("image", "push", f"oci:built:{content}", "--to", f"{name}:{tag}")
        assert ran.code == 0, ran.err
    return name


@pytest.fixture
def bump(run, name, tmp_path):  # noqa: F811
    def call(present, wanted, *more):
        repo = make_repo(
            tmp_path / f"config-{next(_numbers)}.git", {"values.yaml": VALUES.format(name=name, tag=present)}
        )
        ran = run("bump", f"{name}:{wanted}", "--config-repo", repo.path, "--mode", "push", "--forge", "git", *more)
        return ran, repo.read("values.yaml").decode().splitlines()[-1].strip()

    return call


def test_the_v_stays_where_the_registry_has_the_same_image_with_it(bump):
    ran, line = bump("v1.2.0", "1.3.0")
    assert (ran.code, line) == (0, "tag: v1.3.0 # ours")
    assert "without the v" not in ran.err


@pytest.mark.parametrize("wanted", ["1.4.0", "1.5.0"])
def test_another_image_or_no_image_under_that_tag_is_a_warning(bump, wanted):
    ran, line = bump("v1.2.0", wanted)
    assert (ran.code, line) == (0, f"tag: {wanted} # ours")
    assert f"v1.2.0 becomes {wanted} without the v, because the registry does not show v{wanted}" in ran.err


def test_the_same_version_with_its_v_is_up_to_date(bump):
    ran, line = bump("v1.3.0", "1.3.0")
    assert (ran.code, line) == (0, "tag: v1.3.0 # ours")
    assert "already up to date" in ran.err


def test_what_has_no_v_gets_what_was_given(bump):
    assert bump("1.2.0", "1.3.0")[1] == "tag: 1.3.0 # ours"
    assert bump("1.2.0", "v1.3.0")[1] == "tag: v1.3.0 # ours"
    assert bump("v1.2.0", "v1.4.0")[1] == "tag: v1.4.0 # ours"


def test_an_older_version_is_refused_before_the_registry_is_asked(bump):
    ran, line = bump("v1.4.0", "1.3.0")
    assert (ran.code, line) == (1, "tag: v1.4.0 # ours")


def test_a_release_that_pushes_both_spellings_keeps_the_v(run, registry, tmp_path):  # noqa: F811
    name = f"{registry}/spelling/shop-{next(_numbers)}"
    LayoutWriter(tmp_path / "new").simple("new", [{"content": b"new"}])
    repo = make_repo(tmp_path / "config.git", {"values.yaml": VALUES.format(name=name, tag="v1.2.0")})
    options = ("--version", "1.3.0", "--tags", "semver", "--tags", "raw=v1.3.0")
    where = ("--config-repo", repo.path, "--mode", "push", "--forge", "git")
    ran = run("release", "oci:new", "--to", name, *options, *where)
    assert ran.code == 0, ran.err
    assert b"tag: v1.3.0 # ours" in repo.read("values.yaml")
