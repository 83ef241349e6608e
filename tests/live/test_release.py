"""`gitops-ci release` on real parts: Docker Engine, registry, Git over HTTP; only GitHub is a stub."""

import pytest
import requests

from tests.flows.conftest import run  # noqa: F401 - a fixture
from tests.support.forge_github import GitHubStub
from tests.support.git_repo import commit_files
from tests.support.layouts import LayoutWriter

MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
)


@pytest.fixture
def name(registry, request):
    """A repository of the registry that no other test uses."""
    return f"{registry}/acme/{request.node.name.replace('_', '-').split('[')[0]}"


@pytest.fixture
def repo(git_server, name):
    files = {
        "apps/staging/kustomization.yaml": f"images:\n  - name: shop\n    newName: {name}\n    newTag: '1.4.1'  # CI\n",
        "apps/production/kustomization.yaml": f"images:\n  - name: shop\n    newName: {name}\n    newTag: '1.4.1'\n",
    }
    return git_server.make_repo("acme/config", files)


@pytest.fixture
def github(git_server, repo):
    with GitHubStub(lambda branch: branch in repo.branches(), token=git_server.token) as stub:
        stub.tip = repo.head
        yield stub


@pytest.fixture
def release(run, git_server, github, engine, name):  # noqa: F811
    def call(source, version, *more, environment=None):
        usual = {
            "--to": name,
            "--environment": "staging",
            "--base": "main",
            "--forge": "github",
            "--api-url": github.api_url,
        }
        rest = (word for option, value in usual.items() if option not in more for word in (option, value))
        return run(
            "release", source, "--version", version, "--config-repo", git_server.url_of("acme/config"),
            "--output", "json", *rest, *more,
            environment={"DOCKER_HOST": engine, "GITOPS_CI_TOKEN": git_server.token} | (environment or {}),
        )  # fmt: skip

    return call


def digest_of(name, tag):
    host, _, path = name.partition("/")
    url = f"http://{host}/v2/{path}/manifests/{tag}"
    answer = requests.head(url, headers={"Accept": MANIFESTS}, timeout=10)
    return answer.headers["Docker-Content-Digest"] if answer.status_code == 200 else None


def test_the_whole_journey_and_again_and_a_newer_image(release, github, repo, name, built_image, make_image):
    first = release(built_image, "1.4.2")
    assert first.code == 0, first.out
    document = first.document
    digest = digest_of(name, "1.4.2")
    assert [(i["tag"], i["digest"], i["state"]) for i in document["images"]] == [
        (tag, digest, "pushed") for tag in ("1.4.2", "1.4", "1", "latest")
    ]
    [pull] = github.pulls
    assert document["pull_request"]["number"] == pull.number
    assert repo.diff("main", pull.head).count("\n+ ") == 1
    assert b"    newTag: '1.4.2'  # CI\n" in repo.read("apps/staging/kustomization.yaml", pull.head)
    assert f"Image-Digest: {digest}" in repo.message(pull.head)

    again = release(built_image, "1.4.2").document
    assert again["status"] == "unchanged"
    assert {image["state"] for image in again["images"]} == {"present"}

    make_image("gitops-ci-tests/shop:next", {"app": b"2"})
    newer = release("gitops-ci-tests/shop:next", "1.5.0").document
    assert newer["pull_request"]["number"] == pull.number
    assert newer["pull_request"]["state"] == "updated"
    assert len(github.pulls) == 1


def test_a_dry_run_pushes_no_image_and_no_branch(release, github, repo, name, built_image):
    ran = release(built_image, "1.4.2", "--mode", "dry-run")
    assert ran.code == 0, ran.out
    assert {image["state"] for image in ran.document["images"]} == {"planned"}
    assert "+    newTag: '1.4.2'  # CI" in ran.document["diff"]
    assert digest_of(name, "1.4.2") is None
    assert repo.branches() == ["main"]
    assert github.pulls == []


@pytest.mark.usefixtures("no_second_try")
@pytest.mark.parametrize(
    ("source", "more", "code", "message"),
    [
        ("no/such:image", (), 4, "no/such:image"),
        ("OK", ("--environment", "nowhere", "--path", "none/**"), 8, "is not referenced in"),
        ("OK", ("--base", "absent"), 5, "no branch absent"),
        ("OK", ("--to", "127.0.0.1:9/acme/shop", "--allow-empty"), 4, "127.0.0.1:9"),
        ("OK", ("--to", "no-such-host.invalid/acme/shop", "--allow-empty"), 4, "no-such-host.invalid"),
        ("OK", ("--forge", "auto"), 2, "kind of code host"),
        ("OK", ("--api-url", "http://127.0.0.1:9/api/v3"), 6, "127.0.0.1:9"),
        ("OK", ("--to", "ghcr.io/acme/-shop", "--allow-empty"), 2, "not a repository name"),
    ],
)
def test_what_can_be_known_to_fail_fails_before_anything_is_pushed(
    release, github, repo, name, built_image, source, more, code, message
):
    ran = release(built_image if source == "OK" else source, "1.4.2", *more)
    assert ran.code == code, ran.out
    assert message in ran.document["error"]["message"]
    assert "Traceback" not in ran.err
    assert digest_of(name, "1.4.2") is None
    assert repo.branches() == ["main"]


def test_an_image_older_than_the_proposed_one_is_not_even_pushed(release, github, name, built_image, make_image):
    assert release(built_image, "1.5.0").code == 0
    make_image("gitops-ci-tests/shop:late", {"app": b"late"})
    ran = release("gitops-ci-tests/shop:late", "1.4.2")
    assert ran.code == 1
    assert "proposes a newer image already" in ran.document["error"]["message"]
    assert digest_of(name, "1.4.2") is None
    assert release("gitops-ci-tests/shop:late", "1.4.2", "--allow-downgrade").code == 0


def test_a_branch_that_a_person_works_on_is_seen_before_the_push(release, github, repo, name, tmp_path):
    for version in ("1.5.0", "1.6.0"):
        LayoutWriter(tmp_path / version).simple(version, [{"app": version.encode()}])
    assert release(f"oci:{tmp_path}/1.5.0", "1.5.0").code == 0
    commit_files(repo, {"notes.md": "checked by hand\n"}, branch=github.pulls[0].head)
    ran = release(f"oci:{tmp_path}/1.6.0", "1.6.0")
    assert ran.code == 5
    assert digest_of(name, "1.6.0") is None


def test_a_released_tag_does_not_move(release, name, built_image, make_image):
    assert release(built_image, "1.4.2").code == 0
    before = digest_of(name, "1.4.2")
    make_image("gitops-ci-tests/shop:other", {"app": b"other"})
    ran = release("gitops-ci-tests/shop:other", "1.4.2")
    assert ran.code == 4
    assert before in ran.document["error"]["message"]
    assert digest_of(name, "1.4.2") == before


def test_a_branch_build_is_tagged_by_branch_and_commit(release, repo, name, built_image, run, engine):  # noqa: F811
    environment = {
        "GITLAB_CI": "true",
        "CI_COMMIT_SHA": "3fa9c1e" + "0" * 33,
        "CI_COMMIT_BRANCH": "feature/Cart_2",
        "CI_DEFAULT_BRANCH": "main",
    }
    ran = run(
        "image",
        "push",
        built_image,
        "--to",
        name,
        "--output",
        "json",
        environment={**environment, "DOCKER_HOST": engine},
    )
    assert ran.code == 0, ran.out
    tag = ran.document["images"][0]["tag"]
    assert tag.endswith("-3fa9c1e")
    assert tag.lower().startswith("feature-cart")
    assert digest_of(name, tag)


def test_what_the_image_says_of_its_source_is_in_the_commit(release, github, repo, make_image):
    commit = "3fa9c1e0b5d2a7c64e8f1b90d3c2a1f0e9d8c7b6"
    labels = {"org.opencontainers.image.source": "https://github.com/acme/shop"}
    make_image(
        "gitops-ci-tests/labeled:1", {"app": b"l"}, labels=labels | {"org.opencontainers.image.revision": commit}
    )
    assert release("gitops-ci-tests/labeled:1", "1.4.2", "--expect-revision", commit).code == 0
    [pull] = github.pulls
    assert f"Source-Commit: {commit}" in repo.message(pull.head)
    assert "Source-Repository: https://github.com/acme/shop" in repo.message(pull.head)


def test_an_image_of_another_commit_goes_nowhere(release, github, repo, name, make_image):
    make_image("gitops-ci-tests/labeled:2", {"app": b"m"}, labels={"org.opencontainers.image.revision": "1" * 40})
    refused = release("gitops-ci-tests/labeled:2", "1.4.2", "--expect-revision", "2" * 40)
    assert (refused.code, refused.document["error"]["kind"]) == (4, "registry")
    assert digest_of(name, "1.4.2") is None
    assert github.pulls == []
