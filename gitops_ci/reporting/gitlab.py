"""What GitLab CI hands to later jobs: a dotenv report.

Source: docs.gitlab.com "GitLab CI/CD artifacts reports types", `artifacts:reports:dotenv`: `KEY=value` a line, UTF-8,
no blank lines, no comments, values taken as they are (no quotes), at most 5 kB in all.
"""

from __future__ import annotations

from urllib.parse import quote

from gitops_ci.model import Outcome
from gitops_ci.reporting.results import Results

__all__ = ["PREFIX", "dotenv"]

# Not GITOPS_CI_ alone: that is the prefix of this program's own options, and what one job reports would silently
# become an option of gitops-ci in the next job (GITOPS_CI_TAGS is `--tags`).
PREFIX = "GITOPS_CI_RESULT_"
LIMIT = 5 * 1024
# A `$` would be expanded where GitLab uses the variable; blanks, quotes and backslashes differ between readers.
_SAFE = "/:@.,+-_~=&?#!"


def dotenv(outcome: Outcome) -> str:
    """Every key always there. Characters outside a plain set are percent-encoded."""
    results = Results.of(outcome)
    tags = list(results.tags)
    while len(text := _lines(results, tags)) > LIMIT and tags:
        tags.pop()
    return text


def _lines(results: Results, tags: list[str]) -> str:
    values = {
        "STATUS": results.status,
        "CHANGED": results.changed,
        "IMAGE": results.image,
        "TAG": results.tag,
        "TAGS": ",".join(tags),
        "DIGEST": results.digest,
        "REFERENCE": results.reference,
        "COMMIT": results.commit,
        "PULL_REQUEST_URL": results.pull_request_url,
        "PULL_REQUEST_NUMBER": results.pull_request_number,
        "FINDINGS": results.findings,
    }
    return "".join(f"{PREFIX}{key}={quote(value, safe=_SAFE, errors='replace')}\n" for key, value in values.items())
