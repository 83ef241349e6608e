"""`images:` of the configuration file: a repository that builds several images, each with settings of its own."""

from pathlib import Path

import pytest

from gitops_ci.cli.image_settings import defaults_of_image
from gitops_ci.config import parse
from gitops_ci.errors import UsageError
from tests.support.git_repo import make_repo

SETTINGS = """\
tags: [semver]
environments: {staging: {paths: [everything/**]}}
images:
  - image: ghcr.io/acme/api
    path: apps/api/**
    environment: staging
  - image: ghcr.io/acme/web
    to: registry.example.com/acme/web
    path: apps/web/**
    tags: [sha]
"""
IMAGES = parse(SETTINGS, "f").images


@pytest.mark.parametrize(
    ("given", "environ", "found"),
    [
        (
            {"source": "api:build"},
            {},
            {"to": ("ghcr.io/acme/api",), "path": ("apps/api/**",), "environment": "staging"},
        ),
        ({"source": "oci-archive:x.tar", "image_name": "ghcr.io/acme/api"}, {}, {"to": ("ghcr.io/acme/api",)}),
        (
            {"source": "web:1"},
            {},
            {"to": ("registry.example.com/acme/web",), "image_name": "ghcr.io/acme/web", "tags": ("sha",)},
        ),
        ({"to": ["registry.example.com/Acme/Web"]}, {}, {"tags": ("sha",)}),
        ({"source": "x:1"}, {"GITOPS_CI_TO": "ghcr.io/acme/api"}, {"path": ("apps/api/**",)}),
        ({"references": ("ghcr.io/acme/web:1.0.0",)}, {}, {"path": ("apps/web/**",)}),
    ],
)
def test_the_named_image_decides(given, environ, found):
    assert found.items() <= defaults_of_image(IMAGES, given, environ).items()


@pytest.mark.parametrize(
    "given",
    [{"source": "shop:1"}, {"source": "oci:api"}, {"to": ["ghcr.io/other/api"]}, {"references": ("a/b:1",)}, {}],
)
def test_another_image_gets_none_of_them(given):
    assert defaults_of_image(IMAGES, given, {}) == {}


def test_images_with_different_paths_are_not_bumped_together():
    both = {"references": ("ghcr.io/acme/api:1", "ghcr.io/acme/web:1")}
    with pytest.raises(UsageError, match="different path for each of"):
        defaults_of_image(IMAGES, both, {})
    assert defaults_of_image(IMAGES, both | {"path": ["apps/**"]}, {}) == {"environment": "staging"}
    assert defaults_of_image(IMAGES, both, {"GITOPS_CI_PATH": "apps/**"}) == {"environment": "staging"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("images: {a: b}", "images is not a list"),
        ("images: [{path: a}]", "f:1:10: an item of images has no image"),
        ("images: [{image: ghcr.io/acme/a:1}]", "with a version"),
        ("images: [{image: ghcr.io/Acme/a}]", "lower case"),
        ("images: [{image: acme/a}, {image: docker.io/acme/a}]", "acme/a is in images twice"),
        ("images: [{image: acme/a, paths: x}]", "unknown key 'paths'"),
    ],
)
def test_mistakes_have_their_place(text, said):
    with pytest.raises(UsageError, match=said):
        parse(text, "f")


def test_a_bump_changes_the_files_of_its_image(run, tmp_path):
    manifest = "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: {}}}]}}\n"
    files = {f"apps/{name}/pod.yaml": manifest.format("ghcr.io/acme/api:1.0.0") for name in ("api", "web")}
    repo = make_repo(tmp_path / "config.git", files)
    Path(".gitops-ci.yaml").write_text(SETTINGS)
    bump = ("bump", "ghcr.io/acme/api:1.1.0", "--config-repo", repo.path, "--mode", "dry-run", "--output", "json")
    assert [change["path"] for change in run(*bump).document["changes"]] == ["apps/api/pod.yaml"]
    web = run(*bump, "--path", "apps/web/**").document
    assert [change["path"] for change in web["changes"]] == ["apps/web/pod.yaml"]


def test_tags_and_destinations_are_those_of_the_image(run):
    Path(".gitops-ci.yaml").write_text(SETTINGS)
    web = {"GITOPS_CI_TO": "registry.example.com/acme/web"}
    shown = run("config", "show", "--command", "image tags", "--output", "json", environment=web).document["settings"]
    assert {one["option"]: one["value"] for one in shown}["tags"] == ["sha"]
    refused = run("image", "push", "shop:build", "--version", "1.0.0")
    assert refused.code == 2
    assert "images: in .gitops-ci.yaml has ghcr.io/acme/api, ghcr.io/acme/web" in refused.out + refused.err


def test_check_and_show_know_the_images(run):
    Path(".gitops-ci.yaml").write_text(SETTINGS.replace("tags: [sha]", "tags: [shaa]"))
    assert "There is no tag strategy 'shaa'" in run("config", "check").out
    Path(".gitops-ci.yaml").write_text(SETTINGS.replace("environment: staging", "environment: stagin"))
    assert "ghcr.io/acme/api has the environment 'stagin'" in run("config", "check").out
    Path(".gitops-ci.yaml").write_text("tags: sha\nimages: [{image: ghcr.io/acme/api, tags: semver}]\n")
    shown = run("config", "show").out
    assert [line.split()[1:] for line in shown.splitlines() if line.startswith("tags")] == [
        ["semver", ".gitops-ci.yaml", "(images)"]
    ]
