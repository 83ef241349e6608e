"""What CI systems read: annotations, outputs, job summaries, dotenv reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_ci.imageref import ImageRef
from gitops_ci.model import ErrorDetail, FileChange, Finding, Outcome, PushedTag
from gitops_ci.reporting import github, gitlab, markdown
from gitops_ci.reporting.base import relocate
from gitops_ci.secret import Secret
from tests.support.outcomes import BUMP, DIGEST, OUTCOMES, change, everywhere


def _findings(number: int, severity: str) -> tuple[Finding, ...]:
    return tuple(Finding(f"api/{severity}", severity, f"m{n}", f"{severity}.yaml", n) for n in range(1, number + 1))


class TestAnnotations:
    def test_finding_stands_at_its_line(self) -> None:
        assert (
            "::error file=apps/shop/deployment.yaml,line=12,col=7,title=schema/unknown-field"
            '::unknown field "replica" in spec (Deployment/shop)%0ADid you mean "replicas"?\n'
        ) in github.report(OUTCOMES["invalid"])

    def test_files_of_another_repository_are_named_in_the_message(self) -> None:
        report = github.report(OUTCOMES["refused"])
        assert (
            "::error title=api/duplicate-port::apps/shop/deployment.yaml:31:15: port 80 twice (Deployment/shop)\n"
            in report
        )
        assert "file=" not in report

    def test_more_than_github_shows_are_counted_and_errors_come_first(self) -> None:
        findings = (*_findings(12, "note"), *_findings(14, "warning"), *_findings(25, "error"))
        lines = github.report(Outcome("validate", "failed", 1, findings=findings)).splitlines()
        assert [line.partition(" ")[0] for line in lines] == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"] * 10
        assert lines[-1] == "::notice title=gitops-ci::22 more findings: see the job summary or the log"

    def test_nothing_is_counted_when_all_fit(self) -> None:
        findings = (*_findings(9, "note"), *_findings(10, "error"))
        assert "more finding" not in github.report(Outcome("validate", "failed", 1, findings=findings))

    def test_error_says_what_to_do(self) -> None:
        outcome = Outcome(
            "bump", "failed", 6, error=ErrorDetail("forge", "403: not allowed, 100%", "Ask for access", 6)
        )
        assert github.report(outcome) == "::error title=gitops-ci bump::403: not allowed, 100%25%0AAsk for access\n"

    def test_error_about_findings_does_not_repeat_them(self) -> None:
        assert "2 manifests are invalid" not in github.report(OUTCOMES["invalid"])

    def test_properties_escape_what_would_end_them(self) -> None:
        outcome = Outcome("validate", "failed", 1, findings=(Finding("api/x", "error", "m", "a,b:c%.yaml", 1, 1),))
        assert github.report(outcome).startswith("::error file=a%2Cb%3Ac%25.yaml,line=1,col=1,title=api/x::")

    def test_quiet_success_annotates_nothing(self) -> None:
        assert github.report(OUTCOMES["valid"]) == ""


class TestOutputs:
    def test_outputs_of_a_release(self) -> None:
        assert github.outputs(BUMP) == {
            "digest": DIGEST,
            "tags": "1.5.0,1.5,latest",
            "reference": f"ghcr.io/acme/shop:1.5.0@{DIGEST}",
            "pull-request-url": "https://github.com/acme/shop-config/pull/42",
            "pull-request-number": "42",
            "changed": "true",
            "commit": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
            "findings": "0",
            "status": "changed",
            "matrix": "",
            "jobs": "",
        }

    def test_reference_can_be_given_to_bump(self) -> None:
        assert ImageRef.parse(github.outputs(BUMP)["reference"]).digest == DIGEST

    def test_every_output_is_there_when_nothing_happened(self) -> None:
        outputs = github.outputs(OUTCOMES["failed"])
        assert list(outputs) == list(github.outputs(BUMP))
        assert outputs["status"] == "failed"
        assert outputs["findings"] == "0"

    def test_outputs_are_written_one_block_each(self) -> None:
        assert github.output_file({"digest": "a", "tags": ""}, "gitops-ci-0123456789abcdef") == (
            "digest<<gitops-ci-0123456789abcdef\na\ngitops-ci-0123456789abcdef\n"
            "tags<<gitops-ci-0123456789abcdef\n\ngitops-ci-0123456789abcdef\n"
        )


def test_outputs_and_dotenv_never_show_a_secret() -> None:
    Secret("0utput-c4n4ry")
    outcome = everywhere("x-0utput-c4n4ry-y")
    for shown in (str(github.outputs(outcome)), gitlab.dotenv(outcome)):
        assert "c4n4ry" not in shown
        assert "x-***-y" in shown or "x-%2A%2A%2A-y" in shown


class TestDotenv:
    def test_values_of_a_release(self) -> None:
        assert gitlab.dotenv(BUMP) == (
            "GITOPS_CI_RESULT_STATUS=changed\n"
            "GITOPS_CI_RESULT_CHANGED=true\n"
            "GITOPS_CI_RESULT_IMAGE=ghcr.io/acme/shop\n"
            "GITOPS_CI_RESULT_TAG=1.5.0\n"
            "GITOPS_CI_RESULT_TAGS=1.5.0,1.5,latest\n"
            f"GITOPS_CI_RESULT_DIGEST={DIGEST}\n"
            f"GITOPS_CI_RESULT_REFERENCE=ghcr.io/acme/shop:1.5.0@{DIGEST}\n"
            "GITOPS_CI_RESULT_COMMIT=0a1b2c3d4e5f60718293a4b5c6d7e8f901234567\n"
            "GITOPS_CI_RESULT_PULL_REQUEST_URL=https://github.com/acme/shop-config/pull/42\n"
            "GITOPS_CI_RESULT_PULL_REQUEST_NUMBER=42\n"
            "GITOPS_CI_RESULT_FINDINGS=0\n"
        )

    def test_report_stays_within_what_gitlab_takes(self) -> None:
        images = tuple(PushedTag(f"r.example/a:{n:0>120}", f"{n:0>120}", None, "pushed") for n in range(100))
        text = gitlab.dotenv(replace(BUMP, images=images))
        assert 4_000 < len(text.encode()) <= 5 * 1024
        assert "GITOPS_CI_RESULT_FINDINGS=0\n" in text


class TestMarkdown:
    def test_released(self) -> None:
        report = markdown.report(BUMP)
        assert report.startswith("### ✅ gitops-ci release: changed 2 places in 2 files, pushed 2 tags, 1 skipped")
        assert "- Pull request opened: <https://github.com/acme/shop-config/pull/42>\n" in report
        assert "| `apps/shop/production/kustomization.yaml:7` | `Kustomization/shop` | `1.4.2` | `1.5.0` |\n" in report
        assert "<details><summary>Diff</summary>\n\n```diff\n--- a/apps/shop" in report

    def test_findings_say_where_what_and_what_to_do(self) -> None:
        assert (
            "| ❌ error | `apps/shop/deployment.yaml:12:7` | `schema/unknown-field` "
            '| unknown field "replica" in spec `Deployment/shop` — Did you mean "replicas"? |\n'
        ) in markdown.report(OUTCOMES["invalid"])

    def test_errors_come_before_what_may_be_cut_off(self) -> None:
        findings = (*_findings(500, "note"), *_findings(3, "error"), *_findings(3, "warning"))
        page = markdown.report(Outcome("validate", "failed", 1, findings=findings), limit=6_000)
        assert page.count("| ❌ error |") == 3
        assert page.count("| ⚠️ warning |") == 3
        assert page.index("❌ error") < page.index("⚠️ warning") < page.index("ℹ️ note")

    @pytest.mark.parametrize("limit", [4_000, 20_000, 65_536, 1_000_000])
    def test_page_stays_within_its_limit_and_counts_what_is_left_out(self, limit: int) -> None:
        lines = "".join(f"line {n} `` of a long file\n" for n in range(20_000))
        outcome = replace(
            OUTCOMES["refused"],
            findings=_findings(1_000, "error"),
            changes=tuple(change(f"{n}.yaml", 1, 1, "", "1", "2") for n in range(1_000)),
            files=(FileChange("long.yaml", lines, lines.replace("long", "very long")),),
        )
        page = markdown.report(outcome, limit=limit)
        assert len(page.encode()) <= limit
        assert len(page.encode()) > limit * 0.4
        assert "more" in page or "too many" in page
        assert page.count("```diff") == page.count("</details>") <= 1

    def test_step_summary_stays_below_a_mebibyte(self) -> None:
        findings = _findings(100_000, "error")
        assert len(github.step_summary(Outcome("validate", "failed", 1, findings=findings)).encode()) < 2**20


def test_paths_can_be_told_from_the_root_of_the_repository() -> None:
    moved = relocate(OUTCOMES["invalid"], "config/prod/")
    assert {finding.path.split("/")[:2] == ["config", "prod"] for finding in moved.findings} == {True}
    assert moved.skipped[0].path == "config/prod/apps/legacy/deploy.yaml"
    assert relocate(BUMP, ".") == BUMP
