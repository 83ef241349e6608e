"""`rollback`, `hold` and `unhold`, and what `bump` does about them."""

import pytest

from tests.support.git_repo import commit_files
from tests.support.past import Past, overlay
from tests.support.world import world_on

SHOP = "ghcr.io/acme/shop"
WORKER = "ghcr.io/acme/worker"
HOLD = ".gitops-ci/holds/production/ghcr.io-acme-shop.yaml"
ROLLBACK = "gitops-ci/production@rollback/ghcr.io-acme-shop"


@pytest.fixture
def past(tmp_path):
    past = Past.at(tmp_path / "config.git", dev="1.0.0", staging="1.0.0", production="1.0.0")
    past.shop("production", "1.1.0")
    past.shop("production", "1.2.0")
    return past


@pytest.fixture
def call(run, past):
    """Runs a command on the production environment of the repository, by default straight to the branch."""

    def call(command, *arguments, mode="push", code=0, environment="production"):
        ran = run(
            command, *arguments, "--config-repo", past.repo.path, "--environment", environment, "--mode", mode,
            "--forge", "git", "--output", "json",
        )  # fmt: skip
        assert ran.code == code, ran.err
        return ran

    return call


def version(past, environment="production", app="shop"):
    text = past.repo.read(past.path(app, environment)).decode()
    return text.partition('newTag: "')[2].partition('"')[0]


# Where a rollback goes.


def test_it_goes_to_the_version_before_and_changes_nothing_else(call, past):
    before = past.repo.read(past.path("shop", "production"))
    ran = call("rollback", SHOP, "--reason", "500s at checkout, INC-812")
    assert past.repo.read(past.path("shop", "production")) == before.replace(b"1.2.0", b"1.1.0")
    assert past.repo.git("diff", "--name-only", "main~1", "main").split() == [HOLD, past.path("shop", "production")]
    message = past.repo.message()
    assert message.startswith("production: shop back to 1.1.0\n")
    bad = past.repo.head("main~1")
    reason = "Reason: 500s at checkout, INC-812"
    expected = {f"Image: {SHOP}:1.1.0", f"Rollback-Of: {bad}", f"Rollback-From: {SHOP}:1.2.0", reason}
    assert expected <= set(message.splitlines())
    assert "1.2.0 for" in ran.err
    assert "before that 1.1.0 for 1 min, before that 1.0.0" in ran.err
    assert [(hold["image"], hold["blocked"]) for hold in ran.document["holds"]] == [
        (SHOP, [{"tag": "1.2.0", "digest": None}])
    ]


def test_done_twice_it_goes_back_once(call, past):
    call("rollback", SHOP)
    tip = past.repo.head()
    ran = call("rollback", SHOP)
    assert (ran.document["status"], past.repo.head()) == ("unchanged", tip)
    assert "taken back already" in ran.err


def test_a_version_that_was_taken_back_is_skipped(call, past):
    call("rollback", SHOP)  # 1.2.0 -> 1.1.0
    past.shop("production", "1.3.0")
    call("rollback", SHOP)
    assert version(past) == "1.1.0"
    call("rollback", SHOP, "--to", "previous")
    assert version(past) == "1.0.0"


@pytest.mark.parametrize(
    ("to", "expected"),
    [("previous", "1.1.0"), ("-1", "1.1.0"), ("-2", "1.0.0"), ("1.0.0", "1.0.0"), ("2026-01-01T00:01:30Z", "1.1.0")],
)
def test_it_goes_where_it_is_told(call, past, to, expected):
    call("rollback", SHOP, "--to", to)
    assert version(past) == expected


def test_it_goes_to_the_state_of_a_commit(call, past):
    first = past.repo.git("rev-list", "--max-parents=0", "main")
    call("rollback", SHOP, "--to", first[:10])
    assert version(past) == "1.0.0"


def test_a_commit_names_its_images(call, past):
    both = past.set("production", f"{SHOP}:1.3.0", f"{WORKER}:2.0")
    past.set("production", f"{SHOP}:1.4.0", f"{WORKER}:2.1")
    call("rollback", "--to", both)
    text = past.repo.read(past.path("shop", "production")).decode()
    assert '"1.3.0"' in text
    assert '"2.0"' in text


@pytest.mark.parametrize("at", ["@", ""])
def test_it_goes_to_a_digest_of_the_history(call, past, at):
    one, other = ("sha256:" + c * 64 for c in "ab")
    past.shop("production", f"1.3.0@{one}")
    past.shop("production", f"1.4.0@{other}")
    call("rollback", SHOP, "--to", f"{at}{one}")
    text = past.repo.read(past.path("shop", "production")).decode()
    assert '"1.3.0"' in text
    assert one in text
    assert other not in text


def test_both_places_of_a_split_environment_go_back(call, past):
    past.set("production", f"{SHOP}:1.3.0", app="canary")
    call("rollback", SHOP, "--to", "1.1.0")
    assert (version(past), version(past, app="canary")) == ("1.1.0", "1.1.0")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((SHOP, "--to", "9.9.9"), 2, "never had 9.9.9"),
        ((SHOP, "--to", "-9"), 1, "no such earlier version"),
        ((SHOP, "--to", "2025-12-31"), 2, "was not in production at 2025-12-31"),
        ((f"{SHOP}:1.1.0",), 2, "has a version"),
        (("ghcr.io/acme/shopp",), 8, "Did you mean"),
        ((), 2, "No image is given"),
        (("--all",), 2, "--all needs a commit or a date"),
        ((SHOP, "--until", "2026-12-24"), 2, "--until goes with --hold"),
        ((SHOP, "--hold", "--no-block"), 2, "contradict"),
        ((SHOP, "--hold", "--until", "tomorrow"), 2, "'tomorrow' is not a date"),
        ((SHOP, "--to", "2999-01-01"), 2, "--to 2999-01-01 is in the future"),
        ((SHOP, "--to", "-0"), 1, "no such earlier version"),
        ((SHOP, "--to", "2026-02-30"), 2, "'2026-02-30' is not a date"),
        ((SHOP, "--to", "@sha256:abc"), 2, "is not a digest"),
        ((SHOP, "--to", "HEAD"), 2, "never had HEAD"),
        ((SHOP, WORKER), 8, f"{WORKER} is not in production"),
    ],
)
def test_what_cannot_be_is_told(call, past, arguments, code, said):
    tip = past.repo.head()
    ran = call("rollback", *arguments, code=code)
    assert said in ran.out + ran.err
    assert past.repo.head() == tip


def test_an_image_with_one_version_has_nothing_to_go_back_to(call):
    said = call("rollback", SHOP, environment="staging", code=1).out
    assert f"{SHOP} in staging has no earlier version: it has had only one" in said


def test_an_environment_has_to_be_named(run, past):
    ran = run("rollback", SHOP, "--config-repo", past.repo.path)
    assert (ran.code, "No environment is given" in ran.err + ran.out) == (2, True)


def test_history_calls_it_a_rollback(call, past, run):
    call("rollback", SHOP)
    newest = run("history", "--config-repo", past.repo.path, "--output", "json").document["deployments"][0]
    assert (newest["kind"], newest["from"], newest["to"]) == ("rollback", "1.2.0", "1.1.0")


def test_automation_that_would_undo_it_is_named(call, past):
    text = overlay(f"{SHOP}:1.3.0").replace("# by CI", '# {"$imagepolicy": "flux-system:shop:tag"}')
    commit_files(past.repo, {past.path("shop", "production"): text})
    assert "Flux image automation" in call("rollback", SHOP).err


# Blocks and holds.


def test_the_version_that_was_taken_back_is_not_proposed_and_a_newer_one_ends_the_block(call, past):
    call("rollback", SHOP, "--reason", "INC-812")
    ran = call("bump", f"{SHOP}:1.2.0")
    assert (ran.document["status"], ran.document["summary"]["held"]) == ("unchanged", 1)
    assert "1.2.0 was taken back in production" in ran.err
    assert "INC-812" in ran.err
    call("bump", f"{SHOP}:1.2.0", "--fail-on", "held", code=1)
    assert version(past) == "1.1.0"
    call("bump", f"{SHOP}:1.3.0")
    assert version(past) == "1.3.0"
    assert HOLD not in past.repo.files()


def test_a_block_can_be_left_out(call, past):
    call("rollback", SHOP, "--no-block")
    call("bump", f"{SHOP}:1.2.0")
    assert version(past) == "1.2.0"


def test_ignoring_a_block_is_recorded(call, past):
    call("rollback", SHOP)
    ran = call("bump", f"{SHOP}:1.2.0", "--ignore-hold")
    assert version(past) == "1.2.0"
    assert f"Hold-Ignored: {HOLD}" in past.repo.message()
    assert "in spite of" in ran.err


def test_a_block_is_about_one_environment(call, past):
    call("rollback", SHOP)
    call("bump", f"{SHOP}:1.2.0", environment="staging")
    assert version(past, "staging") == "1.2.0"


def test_all_images_go_back_to_a_date_and_those_that_came_later_stay(call, past):
    past.set("production", f"{SHOP}:1.2.0", f"{WORKER}:2.0")
    ran = call("rollback", "--all", "--to", "2026-01-01T00:01:30Z")
    text = past.repo.read(past.path("shop", "production")).decode()
    assert ('"1.1.0"' in text, '"2.0"' in text) == (True, True)
    assert f"{WORKER} was not in production at 2026-01-01T00:01:30Z" in ran.err
    assert call("rollback", "--all", "--to", "2025-12-31", code=2).document["error"]["kind"] == "usage"


def test_an_image_that_is_named_twice_goes_back_once(call, past):
    assert call("rollback", SHOP, SHOP).err.count("before that") == 2
    assert version(past) == "1.1.0"


def test_what_is_shared_with_another_environment_is_named(call, past):
    settings = 'environments:\n  eu: {paths: ["apps/**"]}\n  production: {paths: ["apps/*/overlays/production/**"]}\n'
    commit_files(past.repo, {".gitops-ci.yaml": settings})
    ran = call("rollback", SHOP)
    assert f"{past.path('shop', 'production')} belongs to eu, too" in ran.err


def test_the_way_forward_again_blocks_no_older_version(call, past):
    call("rollback", SHOP)  # 1.2.0 -> 1.1.0
    ran = call("rollback", SHOP, "--to", "1.2.0", "--ignore-hold")
    assert (version(past), HOLD in past.repo.files(), ran.document["holds"]) == ("1.2.0", False, [])
    call("rollback", SHOP)
    assert version(past) == "1.1.0"


def test_what_was_taken_back_cannot_be_rolled_back_to(call, past):
    call("rollback", SHOP)
    call("rollback", SHOP, "--to", "1.2.0", code=1)
    call("rollback", SHOP, "--to", "1.2.0", "--ignore-hold")
    assert version(past) == "1.2.0"


def test_a_hold_stops_every_version_until_it_is_lifted(call, past):
    call("rollback", SHOP, "--hold", "--reason", "freeze")
    for tag in ("1.2.0", "1.3.0"):
        assert call("bump", f"{SHOP}:{tag}").document["summary"]["held"] == 1
    call("unhold", SHOP)
    assert HOLD not in past.repo.files()
    call("bump", f"{SHOP}:1.3.0")
    assert version(past) == "1.3.0"


def test_hold_and_unhold_are_idempotent(call, past):
    assert call("hold", SHOP, "--reason", "audit").document["status"] == "changed"
    tip = past.repo.head()
    assert call("hold", SHOP, "--reason", "audit").document["status"] == "unchanged"
    assert past.repo.head() == tip
    assert call("unhold", SHOP).document["status"] == "changed"
    assert call("unhold", SHOP).document["status"] == "unchanged"


def test_other_images_of_a_run_go_on(call, past):
    past.set("production", f"{SHOP}:1.2.0", f"{WORKER}:1.0")
    call("hold", SHOP)
    ran = call("bump", f"{SHOP}:1.3.0", f"{WORKER}:1.1")
    assert [change["new"] for change in ran.document["changes"]] == ["1.1"]
    assert ran.document["summary"]["held"] == 1


def hold_file(*lines, image=SHOP):
    return "".join(f"{line}\n" for line in (f"image: {image}", *lines))


def test_a_hold_ends_by_its_date_and_leaves_the_blocks(call, past):
    commit_files(past.repo, {HOLD: hold_file("hold: true", "blocked: [1.3.0]", "until: 2026-01-02")})
    ran = call("bump", f"{SHOP}:1.3.0")
    assert ran.document["summary"]["held"] == 1
    assert "1.3.0 was taken back" in ran.err
    call("bump", f"{SHOP}:1.4.0")
    assert version(past) == "1.4.0"
    assert HOLD not in past.repo.files()


def test_a_hold_whose_time_is_over_is_not_renewed_by_a_rollback(call, past):
    commit_files(past.repo, {HOLD: hold_file("hold: true", "until: 2026-01-02")})
    hold = call("rollback", SHOP).document["holds"][0]
    assert (hold["hold"], hold["until"], hold["blocked"]) == (False, None, [{"tag": "1.2.0", "digest": None}])
    call("bump", f"{SHOP}:1.3.0")
    assert version(past) == "1.3.0"


def test_a_rollback_leaves_a_hold_its_end_and_reason(call, past):
    call("hold", SHOP, "--until", "2999-01-04", "--reason", "audit")
    hold = call("rollback", SHOP).document["holds"][0]
    assert (hold["hold"], hold["until"], hold["reason"]) == (True, "2999-01-04T23:59:59Z", "audit")


@pytest.mark.parametrize("command", [("hold",), ("rollback", "--hold")])
def test_a_hold_that_would_be_over_when_it_begins_is_refused(call, past, command):
    tip = past.repo.head()
    ran = call(command[0], SHOP, *command[1:], "--until", "2026-01-02", code=2)
    assert "in the past" in ran.out + ran.err
    assert past.repo.head() == tip


def test_a_hold_needs_an_environment_where_there_are_some(run, past):
    ran = run("hold", SHOP, "--config-repo", past.repo.path, "--mode", "push", "--forge", "git")
    assert (ran.code, "one of: dev, staging, production" in ran.out + ran.err) == (2, True)


@pytest.mark.parametrize("text", ["image: [\n", "image: ghcr.io/acme/other\nhold: true\n"])
def test_status_counts_a_file_that_nobody_can_read_as_a_hold(past, run, text):
    commit_files(past.repo, {HOLD: text})
    ran = run("status", "--config-repo", past.repo.path, "--fail-on", "held")
    assert (ran.code, "1.2.0" in ran.out, "; held" in ran.out) == (1, True, True)
    assert HOLD in ran.err


def test_a_file_of_another_name_stops_nothing_and_status_says_so(call, past, run):
    other = ".gitops-ci/holds/production/stop-the-shop.yaml"
    commit_files(past.repo, {other: hold_file("hold: true")})
    call("bump", f"{SHOP}:1.3.0")
    assert version(past) == "1.3.0"
    ran = run("status", "--config-repo", past.repo.path)
    assert f"{other} does not stop {SHOP}: the file of its hold is {HOLD}" in ran.err


@pytest.mark.parametrize(
    "text", ["image: [\n", "- a\n", "image: x\nhold: perhaps\n", "image: ghcr.io/acme/other\n", "\xff"]
)
def test_a_file_that_nobody_can_read_counts_as_a_hold(call, past, text):
    commit_files(past.repo, {HOLD: text.encode("latin-1")})
    ran = call("bump", f"{SHOP}:1.3.0")
    assert ran.document["summary"]["held"] == 1
    assert HOLD in ran.err


def test_a_hold_of_an_image_that_nothing_names_is_a_warning(call):
    assert "names ghcr.io/acme/ghost" in call("hold", "ghcr.io/acme/ghost").err


def test_status_shows_holds_and_fails_on_them_when_asked(call, past, run):
    call("hold", SHOP, "--until", "2999-01-01", "--reason", "audit")
    ran = run("status", "--config-repo", past.repo.path)
    assert "held" in ran.out
    assert "audit" in ran.out
    assert "2999-01-01" in ran.out
    assert run("status", "--config-repo", past.repo.path, "--fail-on", "held").code == 1


def test_hold_files_are_no_manifests(run, past, call):
    call("rollback", SHOP, "--hold")
    ran = run("status", "--config-repo", past.repo.path, "--output", "json")
    assert [row["image"] for row in ran.document["inventory"]["images"]] == [SHOP]


# A person's revert.


def _revert(past, commit, *, of="1.2.0", to="1.1.0"):
    text = past.repo.read(past.path("shop", "production")).decode().replace(of, to)
    message = f'Revert "production: shop {of}"\n\nThis reverts commit {commit}.\n'
    return commit_files(past.repo, {past.path("shop", "production"): text}, message=message)


def test_what_a_person_reverted_is_not_proposed_again_and_a_newer_version_is(call, past):
    call("bump", f"{SHOP}:1.3.0")
    brought = past.repo.head()
    revert = _revert(past, brought, of="1.3.0", to="1.2.0")
    ran = call("bump", f"{SHOP}:1.3.0")
    assert (ran.document["status"], ran.document["summary"]["held"]) == ("unchanged", 1)
    assert f"reverted by {revert[:12]}" in ran.err
    assert "--reopen" in ran.err
    call("bump", f"{SHOP}:1.4.0")
    assert version(past) == "1.4.0"


def test_reopen_proposes_what_a_person_reverted(call, past):
    call("bump", f"{SHOP}:1.3.0")
    _revert(past, past.repo.head(), of="1.3.0", to="1.2.0")
    call("bump", f"{SHOP}:1.3.0", "--reopen")
    assert version(past) == "1.3.0"


def test_a_revert_of_the_revert_brings_it_back(call, past):
    call("bump", f"{SHOP}:1.3.0")
    revert = _revert(past, past.repo.head(), of="1.3.0", to="1.2.0")
    _revert(past, revert, of="1.2.0", to="1.3.0")
    past.shop("production", "1.2.0")
    call("bump", f"{SHOP}:1.3.0")
    assert version(past) == "1.3.0"


def test_a_revert_of_a_merge_counts_too(call, past):
    call("bump", f"{SHOP}:1.3.0", mode="pull-request")
    head = "gitops-ci/production/ghcr.io-acme-shop"
    tree = past.repo.git("rev-parse", f"{head}^{{tree}}")
    merge = past.repo.git("-c", "user.name=M", "-c", "user.email=m@x", "commit-tree", tree, "-p", "main", "-p", head,
                          "-m", f"Merge pull request #7 from acme/{head}")  # fmt: skip
    past.repo.git("update-ref", "refs/heads/main", merge)
    _revert(past, merge, of="1.3.0", to="1.2.0")
    assert call("bump", f"{SHOP}:1.3.0").document["summary"]["held"] == 1


def test_a_revert_of_another_environment_stops_nothing(call, past):
    call("bump", f"{SHOP}:1.3.0", environment="staging")
    _revert(past, past.repo.head())
    call("bump", f"{SHOP}:1.3.0")
    assert version(past) == "1.3.0"


# By pull request.


def test_by_pull_request_it_is_blocked_before_it_is_merged(call, past):
    call("rollback", SHOP, mode="pull-request")
    assert version(past) == "1.2.0"
    tip = past.repo.head(ROLLBACK)
    assert call("rollback", SHOP, mode="pull-request").document["status"] == "unchanged"
    assert past.repo.head(ROLLBACK) == tip
    past.shop("production", "1.1.0")  # so that a bump would have something to do
    assert call("bump", f"{SHOP}:1.2.0", mode="pull-request").document["summary"]["held"] == 1


# With a code host.

OVERLAYS = "environments:\n  production: {paths: ['overlays/**']}\n"


@pytest.fixture(params=["github", "gitlab"])
def host(request, run, git_server):
    """Production runs 1.4.1 in one of two places; the other one still has 1.4.0."""
    files = {f"overlays/{name}/kustomization.yaml": overlay(f"{SHOP}:1.4.0") for name in ("main", "canary")}
    with world_on(request.param, run, git_server, {".gitops-ci.yaml": OVERLAYS, **files}) as made:
        commit_files(made.repo, {"overlays/canary/kustomization.yaml": overlay(f"{SHOP}:1.4.1")})
        yield made


def test_the_open_proposal_of_what_was_taken_back_is_closed(host):
    opened = host.call("bump", f"{SHOP}:1.4.1", "--environment", "production").document["pull_request"]
    ran = host.call("rollback", SHOP, "--environment", "production", "--reason", "500s")
    assert ran.code == 0, ran.err
    by_head = {pull.head: pull for pull in host.stub.pulls}
    bad, good = by_head[opened["branch"]], by_head[ROLLBACK]
    assert (bad.status, good.status) == ("closed", "open")
    assert any("was taken back in production from 1.4.1 to 1.4.0" in text for text in bad.comments.values())
    assert good.title == "production: shop back to 1.4.0"
    assert "taken back" in good.body
    # Until it is merged, and afterward, nobody proposes the bad version again.
    assert host.call("bump", f"{SHOP}:1.4.1", "--environment", "production").document["summary"]["held"] == 1
    assert bad.status == "closed"


def test_the_open_proposal_of_a_newer_version_is_told_and_stays(host):
    opened = host.call("bump", f"{SHOP}:1.5.0", "--environment", "production").document["pull_request"]
    for _ in range(2):
        assert host.call("rollback", SHOP, "--environment", "production").code == 0
    newer = next(pull for pull in host.stub.pulls if pull.head == opened["branch"])
    assert newer.status == "open"
    assert sum("was taken back" in text for text in newer.comments.values()) == 1


def test_a_rollback_that_a_person_refused_blocks_nothing(host):
    host.call("rollback", SHOP, "--environment", "production")
    next(pull for pull in host.stub.pulls if pull.head == ROLLBACK).status = "closed"
    ran = host.call("bump", f"{SHOP}:1.4.1", "--environment", "production")
    assert (ran.code, ran.document["summary"]["held"]) == (0, 0)
    assert ran.document["status"] == "changed"


def test_a_hold_is_a_pull_request_of_its_own(host):
    ran = host.call("hold", SHOP, "--environment", "production", "--reason", "audit")
    assert ran.code == 0, ran.err
    again = host.call("hold", SHOP, "--environment", "production", "--reason", "audit")
    assert (again.document["status"], len(host.stub.pulls)) == ("unchanged", 1)
    assert host.stub.pulls[0].title == "production: hold shop"
