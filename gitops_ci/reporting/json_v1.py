"""The document of `--output json`, version 1. `outcome.schema.json` beside this file describes it.

Keys are added, never renamed, and always all there: a script may index without asking.
"""

from __future__ import annotations

import json
from typing import Any

from gitops_ci.model import (
    Change,
    Commit,
    ErrorDetail,
    Finding,
    ImageDetails,
    ImagePart,
    Job,
    Outcome,
    PullRequest,
    PushedTag,
    Skip,
)
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.diff import unified

__all__ = ["ID", "document", "report"]

ID = "json"


def report(outcome: Outcome) -> str:
    r"""One document, ASCII only: nothing in it can control a terminal.

    `##` is written `#\u0023`, which JSON reads as the same: GitHub's and Azure's runners would take `##[…]` in a log
    for a command.
    """
    return json.dumps(document(outcome), indent=2).replace("##", "#\\u0023") + "\n"


def document(outcome: Outcome) -> dict[str, Any]:
    outcome = prepare(outcome)
    return {
        "schema": 1,
        "command": outcome.command,
        "status": outcome.status,
        "exit_code": outcome.exit_code,
        "dry_run": outcome.dry_run,
        "images": [_image(image) for image in outcome.images],
        "changes": [_change(change) for change in outcome.changes],
        "skipped": [_skip(skip) for skip in outcome.skipped],
        "findings": [_finding(finding) for finding in outcome.findings],
        "summary": dict(sorted(outcome.summary.items())),
        "commit": _commit(outcome.commit) if outcome.commit else None,
        "pull_request": _pull_request(outcome.pull_request) if outcome.pull_request else None,
        "diff": unified(outcome.files),
        "jobs": [_job(job) for job in outcome.jobs],
        "inspected": [_details(details) for details in outcome.inspected],
        "labels": dict(outcome.labels),
        "error": _error(outcome.error) if outcome.error else None,
    }


def _image(image: PushedTag) -> dict[str, Any]:
    return {"reference": image.reference, "tag": image.tag, "digest": image.digest, "state": image.state}


def _details(details: ImageDetails) -> dict[str, Any]:
    return {
        "reference": details.reference,
        "digest": details.digest,
        "media_type": details.media_type,
        "artifact_type": details.artifact_type,
        "size": details.size,
        "created": details.created,
        "labels": dict(details.labels),
        "annotations": dict(details.annotations),
        "platforms": [_part(part) for part in details.platforms],
        "layers": [_part(part) for part in details.layers],
        "referrers": [_part(part) for part in details.referrers],
        "manifest": details.manifest,
        "config": details.config,
    }


def _part(part: ImagePart) -> dict[str, Any]:
    return {
        "digest": part.digest,
        "media_type": part.media_type,
        "size": part.size,
        "platform": part.platform,
        "artifact_type": part.artifact_type,
    }


def _change(change: Change) -> dict[str, Any]:
    edit = change.edit
    return {
        "path": change.path,
        "line": edit.span.line,
        "column": edit.span.column,
        "format": change.format,
        "resource": change.resource,
        "image": change.image.familiar,
        "old": edit.old,
        "new": edit.new,
    }


def _skip(skip: Skip) -> dict[str, Any]:
    return {"path": skip.path, "line": skip.line, "reason": skip.reason, "hint": skip.hint, "failed": skip.failed}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "resource": finding.resource,
        "hint": finding.hint,
        "field": finding.field,
    }


def _commit(commit: Commit) -> dict[str, Any]:
    return {"sha": commit.sha, "branch": commit.branch}


def _pull_request(request: PullRequest) -> dict[str, Any]:
    return {
        "number": request.number,
        "url": request.url,
        "branch": request.head,
        "base": request.base,
        "title": request.title,
        "body": request.body,
        "state": request.state,
        "warnings": list(request.warnings),
    }


def _job(job: Job) -> dict[str, Any]:
    return {"name": job.name, "command": job.command, "arguments": list(job.arguments), "options": dict(job.options)}


def _error(error: ErrorDetail) -> dict[str, Any]:
    return {"kind": error.kind, "message": error.message, "hint": error.hint, "exit_code": error.exit_code}
