"""`promote` against a real registry: what ran in one environment goes to the next, and nothing else does."""

import itertools
import json

import pytest

from tests.flows.conftest import run  # noqa: F401 - the command line as a fixture
from tests.support.git_repo import commit_files
from tests.support.layouts import LayoutWriter
from tests.support.manifests import LIMITED
from tests.support.past import CONFIG, Past
from tests.support.world import world_on

_numbers = itertools.count(1)
PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMNsIhOkrJc10fDc61xrwQ2qq00po
XcqfhQYuL9l65KwkmwZ3gzYvZlAVnhFbGy906b3C2Qa+bfKlYEBPWpCdOg==
-----END PUBLIC KEY-----
"""
AUTO = CONFIG.replace("promote-from: dev", "promote-from: dev, promote: auto, mode: push").replace(
    "promote-from: staging", "promote-from: staging, promote: auto, mode: push"
)


@pytest.fixture(scope="module")
def images(registry, tmp_path_factory):
    """Pushes tags of one repository: `images("shop", "1.0.0", "1.1.0")` gives its name."""
    folder = tmp_path_factory.mktemp("images")
    writer = LayoutWriter(folder / "built")
    for content in map(str, range(8)):
        writer.simple(content, [{"content": content.encode()}])
    from gitops_ci.cli import run_command_line

    def push(name, *tags, moved=()):
        full = name if "/" in name else f"{registry}/promote-{next(_numbers)}/{name}"
        for content, tag in enumerate(tags):
            source = f"oci:{folder}/built:{content if tag not in moved else 7}"
            assert run_command_line(["image", "push", source, "--to", f"{full}:{tag}", "--quiet", "--allow-move"]) == 0
        return full

    return push


@pytest.fixture(scope="module")
def shop(images):
    return images("shop", "1.0.0", "1.1.0", "1.2.0")


@pytest.fixture
def moving(images, past):
    """An image of its own, for tests that move its tags: staging has 1.0.0, dev 1.1.0."""
    name = images("moving", "1.0.0", "1.1.0")
    past.set("staging", f"{name}:1.0.0")
    past.set("dev", f"{name}:1.1.0")
    return name


@pytest.fixture
def past(tmp_path, shop):
    """Three environments at 1.0.0, dev at 1.1.0 by now."""
    past = Past.at(tmp_path / "config.git")
    for name in ("dev", "staging", "production"):
        past.set(name, f"{shop}:1.0.0")
    past.set("dev", f"{shop}:1.1.0")
    return past


@pytest.fixture
def call(run, past):  # noqa: F811
    def call(*arguments, code=0, command="promote", mode="push"):
        where = ["--config-repo", past.repo.path, "--forge", "git", "--output", "json"]
        where += ["--mode", mode] if mode else []
        ran = run(command, *arguments, *where)
        assert ran.code == code, (ran.out, ran.err)
        return ran

    return call


def configure(past, text):
    commit_files(past.repo, {".gitops-ci.yaml": text}, message="Settings")


def version(past, environment="production", app="shop", ref="main"):
    return past.repo.read(past.path(app, environment), ref).decode().partition('newTag: "')[2].partition('"')[0]


def digest(run, image):  # noqa: F811
    return json.loads(run("image", "digest", image, "--output", "json").out)["images"][0]["digest"]


def gates(ran, state):
    return [gate["gate"] for gate in ran.document["gates"] if gate["state"] == state]


# What goes where.


def test_the_version_of_the_environment_before_goes_to_the_next_and_nothing_else_changes(call, past, shop, run):  # noqa: F811
    before, brought = past.repo.read(past.path("shop", "staging")), past.repo.head()
    ran = call("--to", "staging")
    assert past.repo.read(past.path("shop", "staging")) == before.replace(b"1.0.0", b"1.1.0")
    assert past.repo.git("diff", "--name-only", "main~1", "main") == past.path("shop", "staging")
    expected = {
        f"Image: {shop}:1.1.0@{digest(run, f'{shop}:1.1.0')}".partition("@")[0],
        f"Image-Digest: {digest(run, f'{shop}:1.1.0')}",
        "Promoted-From: dev",
        f"Promoted-Commit: {brought}",
    }
    message = set(past.repo.message().splitlines())
    assert expected - message == set()
    assert set(gates(ran, "open")) == {"age", "soak", "hold", "source-agrees", "stage", "status", "window", "validate"}
    assert (ran.document["status"], ran.document["proposals"][0]["state"]) == ("changed", "pushed")
    kinds = call("--limit", "1", command="history", mode=None).document["deployments"]
    assert [(one["environment"], one["kind"], one["to"]) for one in kinds] == [("staging", "promote", "1.1.0")]


def test_a_chain_tells_of_an_image_that_no_environment_has_and_moves_the_others(call, past, shop):
    configure(past, AUTO)
    ran = call(shop, "ghcr.io/acme/shpo", "--to", "auto", mode=None, code=8)
    assert "ghcr.io/acme/shpo is not in both" in ran.document["error"]["message"]
    assert (ran.document["summary"]["changed"], version(past, "staging")) == (1, "1.1.0")


def test_a_chain_leaves_environments_alone_that_are_promoted_to_by_hand(call, past):
    configure(past, AUTO.replace("promote-from: staging, promote: auto", "promote-from: staging"))
    for _ in range(3):
        call("--to", "auto", mode=None)
    assert (version(past, "staging"), version(past)) == ("1.1.0", "1.0.0")


def test_a_tag_that_was_moved_since_is_refused(call, past, images, moving, run):  # noqa: F811
    ran_there = digest(run, f"{moving}:1.1.0")
    past.set("dev", f"{moving}:1.1.0@{ran_there}")
    images(moving, "1.1.0", moved=("1.1.0",))
    tip = past.repo.head()
    ran = call("--to", "staging", code=1)
    said = ran.document["error"]["message"]
    assert (ran_there in said, digest(run, f"{moving}:1.1.0") in said) == (True, True)
    assert (gates(ran, "closed"), past.repo.head()) == (["source-agrees"], tip)


def test_the_digest_of_the_commit_counts_where_the_manifest_has_none(call, past, images, moving, run):  # noqa: F811
    message = f"Bump\n\nImage: {moving}:1.1.0\nImage-Digest: {digest(run, f'{moving}:1.1.0')}\n"
    past.set("dev", f"{moving}:1.0.0")
    past.set("dev", f"{moving}:1.1.0", message=message)
    images(moving, "1.1.0", moved=("1.1.0",))
    assert "was moved" in call("--to", "staging", code=1).document["error"]["message"]
    call("--to", "staging", "--skip-gate", "source-agrees", "--reason", "rebuilt on purpose")
    assert "Gate-Skipped: source-agrees: rebuilt on purpose" in past.repo.message()


def test_an_image_that_is_gone_is_an_error_of_the_registry(call, past, shop):
    past.set("dev", f"{shop}:9.9.9")
    ran = call("--to", "staging", code=4)
    assert (ran.document["error"]["kind"], "soak" in gates(ran, "open")) == ("registry", True)


def test_a_target_that_pins_gets_the_digest_that_the_source_ran(call, past, shop, run):  # noqa: F811
    past.set("staging", f"{shop}:1.0.0@{digest(run, f'{shop}:1.0.0')}")
    call("--to", "staging")
    assert digest(run, f"{shop}:1.1.0") in past.repo.read(past.path("shop", "staging")).decode()


def test_another_registry_gets_the_image_first(call, past, images, shop, make_registry):
    other = f"{make_registry().host}/{shop.partition('/')[2]}"
    images(other, "1.0.0")
    past.set("staging", f"{other}:1.0.0")
    assert "does not have" in call("--to", "staging", "--match-name", code=4).document["error"]["message"]
    call("--to", "staging", "--match-name", "--copy", mode="dry-run")
    assert call("--to", "staging", "--match-name", code=4)
    call("--to", "staging", "--match-name", "--copy")
    assert f"{other}\n" in past.repo.read(past.path("shop", "staging")).decode()
    assert version(past, "staging") == "1.1.0"


# Gates.


def test_a_version_that_soaks_waits_and_says_until_when(call, past):
    configure(past, CONFIG.replace("promote-from: dev", "promote-from: dev, soak: 5000w"))
    ran = call("--to", "staging")
    assert (ran.document["status"], gates(ran, "waiting"), version(past, "staging")) == ("unchanged", ["soak"], "1.0.0")
    assert next(gate["opens"] for gate in ran.document["gates"] if gate["gate"] == "soak") == "2121-10-30T00:04:00Z"
    assert "waits for soak: 1.1.0 has been in dev for" in ran.err
    call("--to", "staging", "--fail-on", "held", code=1)
    call("--to", "staging", "--skip-gate", "soak", "--reason", "hotfix")
    assert version(past, "staging") == "1.1.0"
    assert "Gate-Skipped: soak: hotfix" in past.repo.message()


def test_something_newer_is_never_replaced(call, past, shop):
    past.set("staging", f"{shop}:1.2.0")
    ran = call("--to", "staging", code=1)
    assert (gates(ran, "closed"), version(past, "staging")) == (["age"], "1.2.0")
    call("--to", "staging", "--allow-downgrade")
    assert version(past, "staging") == "1.1.0"


def test_a_version_that_was_taken_back_in_the_target_does_not_come_again(call, past, shop):
    past.set("staging", f"{shop}:1.1.0")
    call(shop, "--environment", "staging", command="rollback")
    ran = call("--to", "staging")
    assert (gates(ran, "waiting"), version(past, "staging")) == (["hold"], "1.0.0")
    past.set("dev", f"{shop}:1.2.0")
    call("--to", "staging")
    assert version(past, "staging") == "1.2.0"
    assert ".gitops-ci/holds/staging" not in past.repo.git("ls-tree", "-r", "--name-only", "main")


def test_an_environment_with_two_versions_gives_none_unless_one_is_named(call, past, shop):
    past.set("dev", f"{shop}:1.2.0", app="canary")
    ran = call("--to", "staging", code=1)
    assert "apps/canary/overlays/dev/kustomization.yaml:4" in ran.document["error"]["message"]
    assert "--version" in ran.document["error"]["hint"]
    ran = call("--to", "staging", "--skip-gate", "source-agrees", "--reason", "no version to write", code=1)
    assert gates(ran, "closed") == ["source-agrees"]
    call(shop, "--to", "staging", "--version", "1.1.0")
    assert version(past, "staging") == "1.1.0"


def test_a_stage_is_left_out_for_a_reason_only(call, past):
    ran = call("--to", "production", "--from", "dev", code=1)
    assert gates(ran, "closed") == ["stage"]
    call("--to", "production", "--from", "dev", "--skip-gate", "stage", "--reason", "staging is down")
    assert version(past) == "1.1.0"


def test_what_the_check_refuses_is_a_closed_gate(call, past, shop):
    limited = LIMITED.replace(":1[.]4[.]", ":1[.]0[.]").replace("ghcr.io/acme/shop:1.4.1", f"{shop}:1.0.0")
    commit_files(past.repo, {"apps/widget/overlays/staging/widget.yaml": limited}, message="A definition")
    tip = past.repo.head()
    ran = call("--to", "staging", code=1)
    assert (gates(ran, "closed"), past.repo.head()) == (["validate"], tip)
    assert [finding["rule"] for finding in ran.document["findings"]] == ["schema/value"]


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_an_image_that_nobody_signed_goes_nowhere(call, past, shop, command):
    rule = f'verify: {{"{shop}": {{key: cosign.pub}}}}\n'
    commit_files(past.repo, {"cosign.pub": PUBLIC_KEY, ".gitops-ci.yaml": CONFIG + rule}, message="Signatures")
    tip = past.repo.head()
    arguments = {"promote": ["--to", "staging"], "rollback": [shop, "--environment", "dev"]}
    ran = call(*arguments[command], code=1, command=command)
    message = ran.document["error"]["message"]
    assert ("is not signed by key cosign.pub" in message, message.count("sha256:")) == (True, 1)
    assert past.repo.head() == tip


# Sets.


@pytest.fixture
def pair(past, images, shop):
    worker = images("worker", "1.0.0", "1.1.0", "1.2.0")
    for name in ("dev", "staging", "production"):
        past.set(name, f"{worker}:1.0.0", app="worker")
    configure(past, f"{CONFIG}promotion:\n  together: [[{shop}, {worker}]]\n")
    return worker


def test_a_set_waits_until_all_of_it_is_there_and_goes_in_one_commit(call, past, pair):
    ran = call("--to", "staging")
    assert (gates(ran, "waiting"), version(past, "staging")) == (["set"], "1.0.0")
    assert f"{pair} is at 1.0.0" in ran.err
    past.set("dev", f"{pair}:1.1.0", app="worker")
    before = past.repo.head()
    call("--to", "staging")
    assert past.repo.head("main~1") == before
    assert (version(past, "staging"), version(past, "staging", "worker")) == ("1.1.0", "1.1.0")


def test_a_held_image_holds_its_set(call, past, pair):
    past.set("dev", f"{pair}:1.1.0", app="worker")
    call(pair, "--environment", "staging", command="hold")
    tip = past.repo.head()
    assert gates(call("--to", "staging"), "waiting") == ["hold"]
    assert past.repo.head() == tip


# Pull requests.


def test_a_promotion_and_a_bump_share_one_pull_request_and_a_set_closes_those_of_its_images(
    run,  # noqa: F811
    git_server,
    past,
    pair,
    shop,
):
    files = {
        path: past.repo.read(path).decode() for path in past.repo.git("ls-tree", "-r", "--name-only", "main").split()
    }
    plain = {**files, ".gitops-ci.yaml": CONFIG}
    with world_on("github", run, git_server, plain) as world:
        first = world.call("promote", shop, "--to", "staging")
        assert first.code == 0, first.err
        assert "has been in dev" in world.stub.pulls[0].body
        again = world.call("promote", shop, "--to", "staging")
        assert (again.document["status"], len(world.stub.pulls)) == ("unchanged", 1)
        bumped = world.call("bump", f"{shop}:1.1.0", "--environment", "staging")
        assert (bumped.code, len(world.stub.pulls)) == (0, 1)
        changed = {
            ".gitops-ci.yaml": files[".gitops-ci.yaml"],
            past.path("worker", "dev"): files[past.path("worker", "dev")].replace("1.0.0", "1.1.0"),
        }
        commit_files(world.repo, changed, message="Together")
        done = world.call("promote", "--to", "staging")
        assert done.code == 0, done.err
        assert [pull.status for pull in world.stub.pulls] == ["closed", "open"]
        assert world.stub.pulls[1].head.startswith("gitops-ci/staging@group/2-images-")


# An environment in a repository of its own.


def test_an_environment_may_have_a_repository_of_its_own(run, past, shop, tmp_path):  # noqa: F811
    """Only the file beside the pipeline names it: what the config repository says of hosts is not obeyed."""
    own = Past.at(tmp_path / "own.git")
    own.set("staging", f"{shop}:1.0.0")
    mine = CONFIG.replace("promote-from: dev", f"promote-from: dev, config-repo: {own.repo.path}")
    configure(past, mine.replace(str(own.repo.path), "https://evil.example/a/b"))
    (tmp_path / ".gitops-ci.yaml").write_text(f"config-repo: {past.repo.path}\nforge: git\nmode: push\n{mine}")
    tip = past.repo.head()
    ran = run("promote", "--to", "staging", "--output", "json")
    assert (ran.code, version(own, "staging"), past.repo.head()) == (0, "1.1.0", tip), ran.out + ran.err
    assert "Promoted-From: dev" in own.repo.message()
    (tmp_path / ".gitops-ci.yaml").write_text(f"config-repo: {past.repo.path}\nforge: git\nmode: push\n")
    assert run("promote", "--to", "staging").code == 0
    assert version(past, "staging") == "1.1.0"


# What cannot be.


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "No environment is given"),
        (("--to", "prod"), 2, "production"),
        (("--to", "dev"), 2, "No environment is set from which dev gets its images"),
        (("--to", "staging", "--from", "staging"), 2, "from itself"),
        (("--to", "auto"), 2, "No environment has promote: auto"),
        (("--to", "auto", "--from", "dev"), 2, "excludes --from"),
        (("--to", "staging", "--skip-gate", "soak"), 2, "--reason"),
        (("--to", "staging", "--version", "1.1.0"), 2, "Name the image"),
        (("ghcr.io/acme/other", "--to", "staging"), 8, "is not in both staging and dev"),
        (("ghcr.io/acme/other:1", "--to", "staging"), 2, "has a version"),
    ],
)
def test_what_cannot_be_is_told(call, past, arguments, code, said):
    tip = past.repo.tips()
    ran = call(*arguments, code=code)
    assert said in ran.out + ran.err
    assert past.repo.tips() == tip


def test_a_circle_is_an_error_of_the_settings(call, past):
    configure(past, CONFIG.replace('dev/**"]', 'dev/**"], promote-from: production'))
    assert "cycle" in call("--to", "staging", code=2).document["error"]["message"]


def test_a_version_that_never_was_there_is_told(call, shop):
    assert "never had 7.7.7" in call(shop, "--to", "staging", "--version", "7.7.7", code=2).out
