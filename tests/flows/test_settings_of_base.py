"""A change cannot switch its own check off: in a pull request the settings of its base apply."""

import json
import subprocess
from pathlib import Path

import pytest

BAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NOT_A_NAME\n"
OFF = 'validate:\n  skip-rules: ["*"]\n'


def git(*arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def change(run, tmp_path):
    """A checkout whose last commit is the change of a pull request; `base` and `head` are contents of the settings."""

    def made(base, head, *, provider="github"):
        git("init", "-q", "-b", "main", ".")
        for settings in (base, head):
            file = tmp_path / ".gitops-ci.yaml"
            file.unlink(missing_ok=True)
            if settings is not None:
                file.write_text(settings)
            (tmp_path / "a.yaml").write_text(BAD if settings is head else BAD.replace("NOT_A_NAME", "a"))
            git("add", "-A")
            git("commit", "-q", "--allow-empty", "-m", "a")
        before, after = git("rev-parse", "HEAD^"), git("rev-parse", "HEAD")
        event = tmp_path / "event.json"
        request = {"number": 1, "base": {"sha": before}, "head": {"sha": after}}
        event.write_text(json.dumps({"pull_request": request}))
        if provider == "gitlab":
            return {"GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "1", "CI_MERGE_REQUEST_DIFF_BASE_SHA": before}
        github = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event)}
        return {**github, "GITHUB_SHA": after}

    return made


@pytest.mark.parametrize("provider", ["github", "gitlab"])
@pytest.mark.parametrize("base", [None, "", "validate:\n  missing-schema: ignore\n"], ids=["new", "empty", "other"])
def test_what_a_change_writes_into_its_settings_has_no_part_in_its_check(run, change, base, provider):
    environment = change(base, f"# other\n{OFF}", provider=provider)
    ran = run("validate", "a.yaml", environment=environment)
    assert ran.code == 1
    assert "is new in this change" in ran.err if base is None else ".gitops-ci.yaml is changed" in ran.err


def test_the_settings_of_the_base_apply_without_a_word_where_they_are_the_same(run, change):
    ran = run("validate", "a.yaml", environment=change(OFF, OFF))
    assert (ran.code, "settings" in ran.err) == (0, False)


def test_settings_that_a_change_removes_or_breaks_still_apply(run, change):
    assert run("validate", "a.yaml", environment=change(OFF, "validate: [")).code == 0


def test_outside_of_pull_requests_the_file_of_the_checkout_applies(run, change):
    change(None, OFF)
    assert run("validate", "a.yaml").code == 0


def test_a_file_that_the_pipeline_names_applies(run, change):
    assert run("validate", "a.yaml", "--config", ".gitops-ci.yaml", environment=change(None, OFF)).code == 0
    variables = change("", OFF) | {"GITOPS_CI_CONFIG": ".gitops-ci.yaml"}
    assert run("validate", "a.yaml", environment=variables).code == 0


def test_without_the_base_the_settings_of_the_change_are_not_used(run, change):
    environment = change(None, OFF) | {"GITHUB_SHA": "0" * 40}
    event = Path(environment["GITHUB_EVENT_PATH"])
    event.write_text(json.dumps({"pull_request": {"number": 1, "base": {"sha": "0" * 40}}}))
    ran = run("validate", "a.yaml", environment=environment)
    assert ran.code == 1
    assert "is not in the checkout" in ran.err


@pytest.mark.parametrize("option", ["--crd-path", "--schema-location"])
@pytest.mark.parametrize("place", ["schemas", "schemas/inner"])
def test_definitions_are_not_read_through_a_link_that_leads_out(run, tmp_path, tmp_path_factory, option, place):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "inner").mkdir()
    (tmp_path / "schemas").symlink_to(outside)
    (tmp_path / "a.yaml").write_text(BAD)
    ran = run("validate", "a.yaml", option, place)
    assert ran.code == 2
    assert f"{place} is a link that leads out of this folder" in ran.err
    assert run("validate", "a.yaml", option, str(outside)).code == 1, "outside where the pipeline names it"


def test_a_schema_that_is_a_link_out_is_not_read(run, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "shop.json"
    outside.write_text('{"type": "object", "required": ["x-out"]}')
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "Shop.json").symlink_to(outside)
    (tmp_path / "a.yaml").write_text("apiVersion: acme.io/v1\nkind: Shop\nmetadata:\n  name: a\n")
    ran = run("validate", "a.yaml", "--schema-location", "schemas/{{ .ResourceKind }}.json")
    assert "x-out" not in ran.out
