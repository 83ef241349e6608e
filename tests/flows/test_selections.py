"""Runs that look at other places, or at other images of one slug: nothing is taken out of a proposal.

On a stub GitHub and on plain Git; the table in `test_standing_table.py` has every host.
"""

import hashlib

import pytest

from tests.flows.test_standing_table import OF_PRODUCTION, OF_STAGING
from tests.support.git_repo import commit_files
from tests.support.world import PLACES

pytestmark = pytest.mark.parametrize("world", ["github", "git"], indirect=True)

HEAD = "gitops-ci/all/ghcr.io-acme-shop"
VALUES = "image: {{repository: {}, tag: 1.0.0}}\n"


def digits(text):
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def pulls(world, status="open"):
    return [pull for pull in world.stub.pulls if pull.status == status]


@pytest.mark.parametrize(
    ("one", "other", "proposed"),
    [
        (OF_STAGING, OF_PRODUCTION, ["production 1.5.0", "staging 1.5.0"]),
        (("--exclude", "base/**"), ("--path", "base/**"), ["base 1.5.0", "production 1.5.0, staging 1.5.0"]),
        (("--format", "kubernetes"), ("--format", "kustomize"), ["base 1.5.0", "production 1.5.0, staging 1.5.0"]),
    ],
)
def test_selections_side_by_side_each_have_a_branch_however_often_they_run(world, one, other, proposed):
    for _ in range(2):
        for selection in (one, other):
            assert world.bump("1.5.0", *selection).code == 0
    assert world.proposed() == proposed
    tips = {head: world.repo.head(head) for head in world.heads()}
    assert world.bump("1.5.0", *one).document["status"] == "unchanged"
    assert {head: world.repo.head(head) for head in world.heads()} == tips
    assert all(head.startswith(f"{HEAD}-") for head in tips)


def test_the_digits_of_a_selection_do_not_depend_on_how_it_is_written(world):
    world.bump("1.5.0", "--path", "overlays/staging/", "--path", "base")
    world.bump("1.5.0", "--path", "./base", "--path", "overlays/staging")
    assert world.heads() == [f"{HEAD}-{digits('path base' + chr(10) + 'path overlays/staging')}"]


def test_a_narrow_run_joins_the_open_proposal_and_a_whole_one_goes_on_from_it(world):
    world.bump("1.5.0")
    assert world.bump("1.6.0", *OF_STAGING).code == 0
    assert world.heads() == [HEAD]
    assert world.proposed() == ["base 1.5.0, production 1.5.0, staging 1.6.0"]
    assert world.bump("1.5.5").code == 1
    assert world.bump("1.7.0").code == 0
    assert (world.heads(), world.proposed()) == ([HEAD], ["all 1.7.0"])


def test_joined_places_stand_on_the_base_as_it_is(world):
    world.bump("1.5.0")
    path, _ = PLACES["production"]
    text = world.repo.read(path).decode()
    commit_files(world.repo, {path: "# ours\n" + text, PLACES["base"][0]: world.repo.read(PLACES["base"][0], HEAD)})
    assert world.bump("1.6.0", *OF_STAGING).code == 0
    assert world.proposed() == ["production 1.5.0, staging 1.6.0"]
    assert world.repo.read(path, HEAD).decode() == "# ours\n" + text.replace("1.4.1", "1.5.0")
    assert world.repo.git("rev-parse", f"{HEAD}^") == world.repo.head()


def test_a_person_at_work_on_the_whole_proposal_does_not_stop_a_selection(world):
    world.bump("1.5.0")
    tip = commit_files(world.repo, {"notes.md": "checked by hand\n"}, branch=HEAD)
    assert world.bump("1.6.0").code == 5
    assert world.bump("1.6.0", *OF_STAGING).code == 0
    assert world.repo.head(HEAD) == tip
    assert [head for head in world.heads() if head != HEAD] == [f"{HEAD}-{digits('path overlays/staging/**')}"]


def test_another_selection_is_not_refused_with_the_one_that_a_person_closed(world):
    world.bump("1.5.0", *OF_STAGING)
    if world.stub:
        world.stub.pulls[0].status = "closed"
        ran = world.bump("1.5.0", *OF_STAGING)
        assert (ran.document["status"], "--reopen" in ran.err) == ("unchanged", True)
        assert world.bump("1.5.0", *OF_PRODUCTION).document["pull_request"]["state"] == "opened"
        assert world.proposed() == ["production 1.5.0"]


def test_images_of_one_slug_have_proposals_of_their_own(world):
    names = ["ghcr.io/acme/shop-api", "ghcr.io/acme-shop/api", "ghcr.io/acme/shop/api"]
    commit_files(world.repo, {f"{n}/values.yaml": VALUES.format(name) for n, name in enumerate(names)})
    for version in ("1.1.0", "1.2.0"):
        for name in names:
            assert world.bump(version, image=name).code == 0
    slug = "gitops-ci/all/ghcr.io-acme-shop-api"
    assert sorted(world.heads()) == sorted([slug, *(f"{slug}-{digits(name)}" for name in names[:2])])
    for n, name in enumerate(names):
        head = slug if n == 2 else f"{slug}-{digits(name)}"
        assert world.repo.git("diff", "--name-only", "main", head) == f"{n}/values.yaml"
        assert b"tag: 1.2.0" in world.repo.read(f"{n}/values.yaml", head)


def test_an_environment_called_all_is_not_the_lack_of_one(world):
    commit_files(world.repo, {".gitops-ci.yaml": "environments: {all: {paths: ['base/**']}}\n"})
    world.bump("1.5.0", "--environment", "all")
    world.bump("1.6.0")
    assert sorted(world.heads()) == sorted([HEAD, HEAD.replace("/all/", f"/all-{digits('all')}/")])
    assert world.proposed() == ["all 1.6.0", "base 1.5.0"]


def test_an_open_proposal_on_a_name_of_an_earlier_release_is_found_and_continued(world):
    name, old = "ghcr.io/acme/shop-api", "gitops-ci/all/ghcr.io-acme-shop-api"
    commit_files(world.repo, {"values.yaml": VALUES.format(name)})
    world.bump("1.1.0", image=name)
    [new] = world.heads()
    assert new != old
    world.repo.git("branch", "-m", new, old)
    if world.stub:
        world.stub.pulls[0].head = old
    ran = world.bump("1.2.0", image=name)
    assert (ran.code, ran.document["commit"]["branch"], world.heads()) == (0, old, [old])
    if world.stub:
        assert [(pull.head, pull.title) for pull in world.stub.pulls] == [(old, "Bump shop-api to 1.2.0")]
        # And its refusal holds, with the branch or without it.
        world.stub.pulls[0].status = "closed"
        world.repo.git("branch", "-D", old)
        assert world.bump("1.2.0", image=name).document["status"] == "unchanged"
        assert world.heads() == []


def test_an_earlier_name_that_another_image_has_is_left_to_it(world):
    taken, name = "ghcr.io/acme/shop/api", "ghcr.io/acme/shop-api"
    commit_files(world.repo, {"a.yaml": VALUES.format(taken), "b.yaml": VALUES.format(name)})
    world.bump("1.1.0", image=taken)
    [head] = world.heads()
    tip = world.repo.head(head)
    assert world.bump("1.1.0", image=name).code == 0
    assert world.bump("1.0.0", image=name).document["status"] == "unchanged"
    assert (len(world.heads()), world.repo.head(head)) == (2, tip)


def test_an_open_proposal_on_a_narrow_branch_is_closed_when_the_base_has_it(world):
    world.bump("1.5.0", *OF_STAGING)
    world.bump("1.5.0", "--mode", "push")
    ran = world.bump("1.5.0", *OF_STAGING)
    if world.stub:
        assert ran.document["pull_request"]["state"] == "closed"
    assert world.proposed() == [] if world.stub else ran.code == 0


def test_words_name_only_what_changes(world):
    files = {"front.yaml": VALUES.format("ghcr.io/acme/front"), "back.yaml": VALUES.format("ghcr.io/acme/back")}
    files["front.yaml"] = files["front.yaml"].replace("1.0.0", "1.3.0")
    commit_files(world.repo, files)
    ran = world.bump("1.1.0", "ghcr.io/acme/back:1.2.0", image="ghcr.io/acme/front")
    assert ran.code == 1, ran  # one of the images had no place that could be changed
    found = ran.document["pull_request"]
    assert found["title"] == "Bump back to 1.2.0"
    assert "front" not in found["body"]
    [head] = world.heads()
    assert "Image: ghcr.io/acme/back:1.2.0" in world.repo.message(head)
    assert "front" not in world.repo.message(head)
    assert "front.yaml:1: " in ran.err
    assert world.bump("1.1.0", "ghcr.io/acme/back:1.2.0", image="ghcr.io/acme/front").document["status"] == "unchanged"
