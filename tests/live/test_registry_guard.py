"""A released tag stays on registries of every kind: those that deny or refuse HEAD, and those that two jobs push to."""

from __future__ import annotations

import itertools
import json
import threading

import pytest

from gitops_ci.errors import RegistryError
from gitops_ci.flows.image import tagging as flow
from gitops_ci.flows.image.push import PushRequest, push_image
from gitops_ci.flows.image.tags import TagRules
from gitops_ci.registry.base import Silent
from gitops_ci.tags import BuildFacts
from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support import delivery
from tests.support.layouts import LayoutWriter
from tests.support.quirks import absent_is_denied, blob_head_says, head_says, reads_are_denied
from tests.support.registry_state import pulled, tags

ALL_TAGS = ("1.2.3", "1.2", "1", "latest")
REFUSALS = (400, 401, 403, 404, 405, 501)
ACCOUNT = {"GITOPS_CI_REGISTRY_USER": "bot", "GITOPS_CI_REGISTRY_PASSWORD": "a-password-of-the-bot"}
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def quiet_proxy(proxy, monkeypatch):
    monkeypatch.setattr(flow, "_PATIENCE", 2.0)
    yield
    proxy.clear()


@pytest.fixture
def name():
    return f"guard/shop-{next(_numbers)}"


@pytest.fixture
def builds(tmp_path):
    """Two images in layouts `a` and `b`; their digests."""
    return [LayoutWriter(tmp_path / folder).simple("x", [{folder: b"1" * 4000}]) for folder in "ab"]


@pytest.fixture
def image_push(run, builds, proxy, name):  # noqa: F811
    """Push a layout to the registry behind the proxy."""

    def call(source, version="1.2.3", *more, code=0, environment=None):
        to = f"{proxy.host}/{name}"
        ran = run(
            "image", "push", f"oci:{source}", "--to", to, "--version", version, "--output", "json", *more,
            environment=environment,
        )  # fmt: skip
        assert ran.code == code, ran.out + ran.err
        return ran.document

    return call


def the_guard_holds(image_push, registry, name, builds):
    """A first push, the same again, another image as the same version, as a new version, and on purpose."""
    image_push("a")
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, builds[0])
    assert image_push("a")["status"] == "unchanged"
    assert "is released already" in image_push("b", code=4)["error"]["message"]
    assert "is released already" in image_push("b", "1.2.3", "--dry-run", code=4)["error"]["message"]
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, builds[0])
    image_push("b", "1.2.4", "--dry-run")
    image_push("b", "1.2.4")
    assert tags(f"{registry}/{name}") == {"1.2.3": builds[0]} | dict.fromkeys(("1.2.4", *ALL_TAGS[1:]), builds[1])
    image_push("b", "1.2.3", "--allow-move")
    assert tags(f"{registry}/{name}")["1.2.3"] == builds[1]


@pytest.mark.parametrize("status", REFUSALS)
def test_what_head_says_of_a_tag_is_not_believed(image_push, proxy, registry, name, builds, status):
    proxy.script = head_says(status)
    the_guard_holds(image_push, registry, name, builds)


@pytest.mark.parametrize("status", REFUSALS)
def test_what_head_says_of_a_layer_is_not_believed(image_push, proxy, registry, name, builds, status):
    proxy.script = blob_head_says(status)
    the_guard_holds(image_push, registry, name, builds)
    assert len(pulled(f"{registry}/{name}", "1.2.4")) == 3


@pytest.mark.parametrize("first_only", [True, False], ids=["repository", "tag"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_tag_that_was_never_pushed_may_be_denied(
    image_push, proxy, registry, name, builds, status, first_only, monkeypatch
):
    proxy.script = absent_is_denied(registry, status, first_only=first_only)
    # Nobody can tell which versions a repository has that denies its list: the others move with the next push.
    image_push("a", "1.2.3", environment=ACCOUNT)
    assert tags(f"{registry}/{name}")["1.2.3"] == builds[0]
    the_guard_holds(image_push, registry, name, builds)


@pytest.mark.parametrize("status", [401, 403])
def test_a_dry_run_of_a_first_push_that_is_denied(image_push, proxy, registry, name, status):
    proxy.script = absent_is_denied(registry, status, first_only=True)
    document = image_push("a", "1.2.3", "--dry-run")
    assert document["images"][0]["state"] == "planned"
    assert tags(f"{registry}/{name}") == {}
    assert not any(asked.method == "PUT" for asked in proxy.asked)


@pytest.mark.parametrize("status", [401, 403])
def test_tags_that_are_denied_are_planned(run, proxy, registry, name, status):  # noqa: F811
    proxy.script = absent_is_denied(registry, status, first_only=False)
    ran = run("image", "tags", "--to", f"{proxy.host}/{name}", "--version", "1.2.3", "--output", "json")
    assert ran.code == 0, ran.out
    assert {image["state"] for image in ran.document["images"]} == {"planned"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_release_that_cannot_be_seen_is_not_pushed_over(image_push, proxy, registry, name, builds, status):
    """An account that may push and not read: the tag may be there."""
    image_push("a")
    proxy.script = reads_are_denied(status)
    error = image_push("b", code=4)["error"]
    assert "read" in error["hint"]
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, builds[0])


@pytest.mark.parametrize("status", [403, 404, 405])
def test_promotion_to_such_a_registry(run, image_push, proxy, registry, name, builds, status):  # noqa: F811
    image_push("a")
    image_push("b", "1.3.0")
    deny = absent_is_denied(registry, 403, first_only=True)
    proxy.script = deny if status == 403 else head_says(status)
    to = f"{proxy.host}/{name}-prod"
    assert run("image", "retag", f"{proxy.host}/{name}:1.2.3", "1.2.3", "--to", to).code == 0
    refused = run("image", "retag", f"{proxy.host}/{name}:1.3.0", "1.2.3", "--to", to)
    assert refused.code == 4
    assert "is released already" in refused.out
    assert tags(f"{registry}/{name}-prod") == {"1.2.3": builds[0]}


@pytest.mark.engine
@pytest.mark.parametrize("status", [403, 404, 405])
def test_an_engine_pushes_to_such_a_registry(run, proxy, registry, name, engine, make_image, status):  # noqa: F811
    make_image("gitops-ci-tests/guarded:a", {"one": b"1"})
    make_image("gitops-ci-tests/guarded:b", {"two": b"2"})
    # The Engine itself asks for layers by HEAD, and believes what it hears.
    proxy.script = absent_is_denied(registry, 403, first_only=True) if status == 403 else head_says(status)
    to = ("--to", f"{proxy.host}/{name}:1.2.3")
    docker = {"DOCKER_HOST": engine}
    assert run("image", "push", "gitops-ci-tests/guarded:a", *to, environment=docker).code == 0
    released = tags(f"{registry}/{name}")
    refused = run("image", "push", "gitops-ci-tests/guarded:b", *to, environment=docker)
    assert refused.code == 4, refused.out
    assert "is released already" in refused.out
    assert tags(f"{registry}/{name}") == released


@pytest.mark.parametrize("status", [404, 405])
def test_a_release_to_such_a_registry(run, proxy, registry, name, builds, tmp_path, status):  # noqa: F811
    proxy.script = head_says(status)
    image = f"{proxy.host}/{name}"
    with delivery.github(tmp_path / "git", image) as to:
        where = ("--config-repo", to.url, "--forge", "github", "--api-url", to.forge.api_url, "--base", "main")
        version = ("--to", image, "--version", "1.4.2", "--environment", "staging")
        token = {"GITOPS_CI_TOKEN": to.token}
        ran = run("release", "oci:a", *version, *where, environment=token)
        assert ran.code == 0, ran.out + ran.err
        assert len(to.forge.pulls) == 1
        assert run("release", "oci:b", *version, *where, environment=token).code == 4
    assert tags(f"{registry}/{name}")["1.4.2"] == builds[0]


@pytest.mark.parametrize("status", [404, 405, 403])
def test_an_image_is_missing_only_when_it_cannot_be_fetched(run, image_push, proxy, name, status, tmp_path):  # noqa: F811
    image_push("a")
    proxy.script = head_says(status)
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: {0}}}]}}\n"
    (tmp_path / "pod.yaml").write_text(pod.format(f"{proxy.host}/{name}:1.2.3"))
    there = run("validate", "pod.yaml", "--check-images", "--output", "json")
    assert not [finding for finding in there.document["findings"] if "has no" in finding["message"]]
    (tmp_path / "pod.yaml").write_text(pod.format(f"{proxy.host}/{name}:9.9.9"))
    absent = run("validate", "pod.yaml", "--check-images", "--output", "json")
    assert [finding for finding in absent.document["findings"] if "has no" in finding["message"]]


# ---------------------------------------------------------------------------------------------- two jobs at once


class Quiet:
    """A log that nobody reads."""

    def step(self, message):
        pass

    detail = warn = step


def push(folder, to):
    request = PushRequest(f"oci:{folder}", to, TagRules(facts=BuildFacts(version="1.2.3")))
    return push_image(request, Quiet(), Silent())


def is_put_of(tag):
    return lambda asked: asked.method == "PUT" and asked.path.endswith(f"/manifests/{tag}")


def test_the_last_request_before_a_release_is_a_look_at_it(proxy, registry, name, builds, tmp_path):
    push(tmp_path / "a", f"{proxy.host}/{name}")
    put = next(number for number, asked in enumerate(proxy.asked) if is_put_of("1.2.3")(asked))
    before, after = proxy.asked[put - 1], proxy.asked[put + 1]
    assert (before.method, before.path) == ("GET", proxy.asked[put].path)
    assert (after.method, after.path) == ("HEAD", proxy.asked[put].path)


def is_of_a_layer(asked):
    """A registry that shares layers between repositories is asked for them, and gets none."""
    return "/blobs/" in asked.path


def test_another_job_that_was_first_is_seen(proxy, registry, name, builds, tmp_path):
    """It pushes the same version while our layers are on their way."""
    met = []

    def script(asked):
        if is_of_a_layer(asked) and not met:
            met.append(asked)
            push(tmp_path / "b", f"{registry}/{name}")

    proxy.script = script
    with pytest.raises(RegistryError, match="is released already"):
        push(tmp_path / "a", f"{proxy.host}/{name}")
    assert met
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, builds[1])


def test_another_job_with_the_same_image_is_no_matter(proxy, registry, name, builds, tmp_path):
    met = []

    def script(asked):
        if is_of_a_layer(asked) and not met:
            met.append(asked)
            push(tmp_path / "a", f"{registry}/{name}")

    proxy.script = script
    pushed = push(tmp_path / "a", f"{proxy.host}/{name}")
    assert met
    assert pushed.images[0].state == "present"
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, builds[0])


def test_another_job_that_pushes_over_a_release_is_noticed(proxy, registry, name, builds, tmp_path):
    """It had looked before our version was there, and stores its own after ours was confirmed."""
    met = []

    def script(asked):
        if is_put_of("latest")(asked) and not met:
            met.append(asked)
            request = PushRequest(f"oci:{tmp_path}/b", f"{registry}/{name}:1.2.3", allow_move=True)
            push_image(request, Quiet(), Silent())

    proxy.script = script
    with pytest.raises(RegistryError, match="was pushed as") as lost:
        push(tmp_path / "a", f"{proxy.host}/{name}")
    assert met
    assert builds[1] in lost.value.message
    assert "another job" in lost.value.hint.lower()
    assert "1.2.3" not in {image.tag for image in lost.value.images}


def test_of_two_jobs_at_the_same_moment_one_fails(proxy, registry, name, builds, tmp_path):
    """Both have looked, both store: the one that is overwritten says so."""
    store, look, stored, looks = threading.Barrier(2), threading.Barrier(2), [], itertools.count()

    def script(asked):
        if is_put_of("1.2.3")(asked):
            store.wait(60)
            stored.append(asked)
        # Neither looks again before both have stored: else the first could be done before the second begins.
        elif stored and asked.path.endswith("/manifests/1.2.3") and next(looks) < 2:
            look.wait(60)

    proxy.script = script
    results = {}

    def job(folder):
        try:
            results[folder] = push(tmp_path / folder, f"{proxy.host}/{name}").images[0].digest
        except RegistryError as error:
            results[folder] = error

    jobs = [threading.Thread(target=job, args=(folder,)) for folder in "ab"]
    for thread in jobs:
        thread.start()
    for thread in jobs:
        thread.join()
    [lost] = [result for result in results.values() if isinstance(result, RegistryError)]
    [won] = [result for result in results.values() if not isinstance(result, RegistryError)]
    assert won == tags(f"{registry}/{name}")["1.2.3"]
    assert "another job" in lost.message + lost.hint.lower()


@pytest.mark.engine
def test_an_engine_looks_again_before_it_pushes(run, proxy, registry, name, builds, engine, built_image, tmp_path):  # noqa: F811
    met = []

    def script(asked):
        if asked.method == "HEAD" and asked.path.endswith("/manifests/1.2.3") and asked.number == 2:
            met.append(asked)
            push(tmp_path / "b", f"{registry}/{name}")

    proxy.script = script
    to = ("--to", f"{proxy.host}/{name}", "--version", "1.2.3", "--output", "json")
    ran = run("image", "push", built_image, *to, environment={"DOCKER_HOST": engine})
    assert met
    assert ran.code == 4
    assert "is released already" in json.loads(ran.out)["error"]["message"]
    assert tags(f"{registry}/{name}") == dict.fromkeys(ALL_TAGS, builds[1])
