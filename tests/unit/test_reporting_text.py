"""What a person reads."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gitops_ci.model import ErrorDetail, Finding, Outcome, PushedTag, Skip
from gitops_ci.reporting import text
from gitops_ci.reporting.summary import sentence
from tests.support.outcomes import BUMP, DIGEST, OUTCOMES, change

_RELEASED = f"""\
Image ghcr.io/acme/shop@{DIGEST}
  pushed        1.5.0, 1.5
  already there latest

Changed
  apps/shop/production/kustomization.yaml:7:13  1.4.2 -> 1.5.0  (Kustomization/shop)
  charts/shop/values.yaml:3:9                   1.4.2 -> 1.5.0

Skipped
  apps/legacy/deploy.yaml:33: the tag comes from a template expression
      Set the value in values.yaml

Commit 0a1b2c3d4e5f on gitops-ci/production/ghcr.io-acme-shop
Pull request #42 opened: https://github.com/acme/shop-config/pull/42
  production: shop 1.5.0
  gitops-ci/production/ghcr.io-acme-shop -> main
  warning: the reviewer acme/sre could not be asked

release: changed 2 places in 2 files, pushed 2 tags, 1 skipped (files 12)
"""

_INVALID = """\
Skipped
  apps/broken/app.yaml:7: error: not YAML: a tab where indentation was expected
      Use spaces
  apps/legacy/deploy.yaml:33: the tag comes from a template expression
      Set the value in values.yaml

apps/cache.yaml:22:18: warning repo/mutable-tag: tag "latest" can change (StatefulSet/cache)

apps/shop/deployment.yaml:12:7: error schema/unknown-field: unknown field "replica" in spec (Deployment/shop)
    Did you mean "replicas"?
apps/shop/deployment.yaml:31:15: error api/duplicate-port: port 80 twice (Deployment/shop)
apps/shop/deployment.yaml:39:15: error api/duplicate-port: port 80 twice (Deployment/shop)

apps/unused: note gitops/note: nothing deploys this folder

validate: 3 errors, 1 warning and 1 note in 3 files, 2 skipped (files 12, documents 40, valid 37)
"""

_FAILED = """\
bump: failed
error: No manifest names ghcr.io/acme/shpo
    nearest names:
    ghcr.io/acme/shop
hint: Check the name
"""


@pytest.mark.parametrize(("name", "expected"), [("released", _RELEASED), ("invalid", _INVALID), ("failed", _FAILED)])
def test_report_reads_like_this(name: str, expected: str) -> None:
    assert text.report(OUTCOMES[name]) == expected


def test_dry_run_shows_the_diff_and_says_that_nothing_was_done() -> None:
    report = text.report(OUTCOMES["planned"])
    assert "would push    1.5.0, 1.5, latest" in report
    assert "Would change\n" in report
    assert "-    newTag: 1.4.2 # keep\n+    newTag: 1.5.0 # keep\n" in report
    assert report.endswith("release: would change 2 places in 2 files, 1 skipped (files 12)\n")


def test_diff_is_left_out_when_a_commit_shows_it() -> None:
    assert "newTag" not in text.report(BUMP)


def test_plain_git_prints_the_pull_request_to_open() -> None:
    report = text.report(OUTCOMES["plain-git"])
    assert "Pull request to open by hand" in report
    assert "  gitops-ci/production/ghcr.io-acme-shop -> main\n  production: shop 1.5.0\n" in report
    assert "\n    Updates `ghcr.io/acme/shop` to `1.5.0`.\n\n    | Where | To |\n" in report


def test_plain_git_does_not_repeat_a_text_that_has_not_changed() -> None:
    request = OUTCOMES["plain-git"].pull_request
    assert request is not None
    report = text.report(replace(BUMP, pull_request=replace(request, state="unchanged")))
    assert "  production: shop 1.5.0\n\nrelease: " in report


def test_second_run_says_that_everything_is_there() -> None:
    report = text.report(OUTCOMES["again"])
    assert "already there 1.5.0, 1.5, latest" in report
    assert "Pull request #42 unchanged: https://" in report
    assert "release: already up to date" in report


def test_color_only_if_asked_and_then_the_same_words() -> None:
    for outcome in OUTCOMES.values():
        plain, colored = text.report(outcome), text.report(outcome, color=True)
        assert "\x1b" not in plain
        assert "\x1b[" in colored
        assert re.sub(r"\x1b\[\d+m", "", colored) == plain


def test_values_stay_in_one_column_and_a_long_path_does_not_push_them_away() -> None:
    long = "apps/" + "very-long-folder/" * 6 + "kustomization.yaml"
    changes = (
        change("a.yaml", 1, 2, "", "1", "2"),
        change("apps/b.yaml", 10, 20, "", "1", "2"),
        change(long, 3, 4, "", "1", "2"),
    )
    lines = text.report(replace(BUMP, changes=changes)).splitlines()
    assert "  a.yaml:1:2         1 -> 2" in lines
    assert "  apps/b.yaml:10:20  1 -> 2" in lines
    assert f"  {long}:3:4  1 -> 2" in lines


def test_references_of_one_image_show_only_what_differs() -> None:
    shown = text.report(
        replace(BUMP, changes=(change("a", 1, 1, "", "ghcr.io/acme/shop:1", f"ghcr.io/acme/shop:2@{DIGEST}"),))
    )
    assert "1 -> 2@sha256:0123456789ab\n" in shown


def test_another_name_is_shown_in_full() -> None:
    shown = text.report(replace(BUMP, changes=(change("a", 1, 1, "", "docker.io/acme/shop:1", "ghcr.io/acme/shop:1"),)))
    assert "docker.io/acme/shop:1 -> ghcr.io/acme/shop:1\n" in shown


def test_inserted_and_removed_values_are_named() -> None:
    shown = text.report(replace(BUMP, changes=(change("a", 1, 1, "", "", DIGEST), change("a", 2, 1, "", "1.0", ""))))
    assert "(none) -> sha256:0123456789ab\n" in shown
    assert "1.0 -> (removed)\n" in shown


def test_images_without_tag_or_digest_are_named_too() -> None:
    shown = text.report(Outcome("image push", "changed", images=(PushedTag("oci:build/shop", None, None, "pushed"),)))
    assert shown.startswith("Image oci:build/shop\n  pushed        (no tag)\n")


def test_finding_without_a_place_is_shown() -> None:
    finding = Finding("repo/x", "note", "about everything", "")
    assert "(no file): note repo/x: about everything\n" in text.report(
        Outcome("validate", "failed", 1, findings=(finding,))
    )


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("validate", "unchanged", summary={"files": 1200, "valid": 0}), "validate: no findings (files 1,200)"),
        (Outcome("bump", "unchanged", summary={"unchanged": 3}), "bump: already up to date (unchanged 3)"),
        (Outcome("bump", "failed", 8, error=ErrorDetail("nothing-matched", "m", "", 8)), "bump: failed"),
        (
            OUTCOMES["refused"],
            (
                "release: 2 places in 2 files left as they were, pushed 2 tags, "
                "3 errors, 1 warning and 1 note in 3 files, 1 skipped (files 12)"
            ),
        ),
        (
            Outcome("validate", "unchanged", findings=(Finding("a/b", "warning", "m", "f"),)),
            "validate: 1 warning in 1 file",
        ),
        (Outcome("init", "changed"), "init: changed"),
        (Outcome("bump", "failed", 1, skipped=(Skip("a", 1, "r", failed=True),)), "bump: failed, 1 skipped"),
    ],
)
def test_sentence(outcome: Outcome, expected: str) -> None:
    assert sentence(outcome) == expected


def test_many_skips_of_one_kind_are_counted_and_what_to_do_is_said_once():
    plain = tuple(Skip(f"charts/t{n}.yaml", 0, "a Helm template, not a manifest") for n in range(7))
    hinted = tuple(Skip(f"crd{n}.yaml", 3, "no schema for Shop", "Give --crd-path.") for n in range(3))
    other = Skip("more.yaml", 3, "no schema for Cart", "Give --crd-path.")
    unread = tuple(Skip(f"z{n}.yaml", 0, "cannot be read", failed=True) for n in range(9))
    named = tuple(Skip(f"n{n}.yaml", 0, f"its chart is the OCIRepository 'app-{n}'") for n in range(4))
    printed = text.report(Outcome("validate", "unchanged", skipped=(*plain, *hinted, other, *unread, *named)))
    assert "4 files, n0.yaml and others: its chart is the OCIRepository '…'" in printed
    assert "7 files, charts/t0.yaml and others: a Helm template, not a manifest" in printed
    assert "charts/t3.yaml" not in printed
    assert "3 places, crd0.yaml:3 and others: no schema for Shop" in printed
    assert "more.yaml:3: no schema for Cart" in printed
    assert printed.count("Give --crd-path.") == 1
    assert all(f"z{n}.yaml: error: cannot be read" in printed for n in range(9))
