"""The document of `--output json`, version 1. `outcome.schema.json` beside this file describes it.

Keys are added, never renamed, and always all there: a script may index without asking.
"""

from __future__ import annotations

import json
from typing import Any

from gitops_ci.model import (
    Change,
    Commit,
    Deployment,
    ErrorDetail,
    Finding,
    Gate,
    Hold,
    ImageDetails,
    ImagePart,
    Inventory,
    Job,
    Metrics,
    Outcome,
    PullRequest,
    PushedTag,
    Refreshed,
    RunningVersion,
    Setting,
    Skip,
    VerifiedImage,
    VersionsInEnvironment,
)
from gitops_ci.moments import rfc3339
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.diff import unified
from gitops_ci.reporting.rendered_json import rendered_document

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
        "verified": [_verified(image) for image in outcome.verified],
        "deployments": [_deployment(deployment) for deployment in outcome.deployments],
        "metrics": {one.environment: _metrics(one) for one in outcome.metrics},
        "inventory": _inventory(outcome.inventory) if outcome.inventory else None,
        "gates": [_gate(gate) for gate in outcome.gates],
        "holds": [_hold(hold) for hold in outcome.holds],
        "rendered": rendered_document(outcome.rendered) if outcome.rendered else None,
        "proposals": [_proposal(one) for one in outcome.proposals],
        "settings": [_setting(one) for one in outcome.settings],
        "error": _error(outcome.error) if outcome.error else None,
    }


def _setting(one: Setting) -> dict[str, Any]:
    value = list(one.value) if isinstance(one.value, tuple) else one.value
    return {"option": one.option, "value": value, "source": one.source}


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


def _verified(image: VerifiedImage) -> dict[str, Any]:
    return {
        "reference": image.reference,
        "tag": image.tag,
        "digest": image.digest,
        "signer": image.signer,
        "found_in": image.found_in,
        "attestation": image.attestation,
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


def _time(seconds: int | None) -> str | None:
    return rfc3339(seconds) if seconds else None


def _deployment(one: Deployment) -> dict[str, Any]:
    return {
        "time": rfc3339(one.time),
        "environment": one.environment,
        "image": one.image,
        "from": one.old,
        "to": one.new,
        "digest": one.digest,
        "kind": one.kind,
        "by": one.by,
        "commit": one.commit,
        "pull_request": one.pull_request,
        "source_commit": one.source_commit,
        "merged_by": one.merged_by,
        "merged": _time(one.merged),
    }


def _metrics(one: Metrics) -> dict[str, Any]:
    return {
        "period": {"from": rfc3339(one.start), "to": rfc3339(one.end)},
        "deployments_per_day": one.per_day,
        "change_failure_rate": one.change_failure_rate,
        "time_to_restore_seconds": one.restore_median,
        "stage_time_seconds": one.stage_median,
        "stage_from": one.stage_from,
        "lead_time_seconds": one.lead_median,
        "lead_time_p90_seconds": one.lead_p90,
        "counts": {
            "deployments": one.deployments,
            "taken_back": one.taken_back,
            "stage_versions": one.stage_count,
            "lead_versions": one.lead_count,
            "lead_unknown": one.lead_unknown,
        },
    }


def _inventory(found: Inventory) -> dict[str, Any]:
    return {
        "environments": list(found.environments),
        "images": [
            {"image": row.image, "in": {name: _versions(cell) for name, cell in row.environments.items()}}
            for row in found.images
        ],
        "differences": [
            {"image": one.image, "state": one.state, "in": {k: list(v) for k, v in one.environments.items()}}
            for one in found.differences
        ],
    }


def _versions(cell: VersionsInEnvironment) -> dict[str, Any]:
    return {
        "versions": [_running(version) for version in cell.versions],
        "behind": cell.behind,
        "held": cell.held,
        "blocked": list(cell.blocked),
    }


def _running(version: RunningVersion) -> dict[str, Any]:
    return {
        "tag": version.tag,
        "digest": version.digest,
        "since": _time(version.since),
        "commit": version.commit,
        "places": list(version.places),
    }


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "environment": gate.environment,
        "images": list(gate.images),
        "gate": gate.gate,
        "state": gate.state,
        "reason": gate.reason,
        "opens": _time(gate.opens),
    }


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "environment": hold.environment,
        "image": hold.image,
        "hold": hold.hold,
        "blocked": [{"tag": tag, "digest": digest} for tag, digest in hold.blocked],
        "until": _time(hold.until),
        "reason": hold.reason,
        "by": hold.by,
        "since": _time(hold.since),
        "path": hold.path,
    }


def _proposal(one: Refreshed) -> dict[str, Any]:
    return {
        "branch": one.branch,
        "base": one.base,
        "environment": one.environment,
        "images": list(one.images),
        "state": one.state,
        "reason": one.reason,
        "pull_request": _pull_request(one.pull_request) if one.pull_request else None,
    }


def _error(error: ErrorDetail) -> dict[str, Any]:
    return {"kind": error.kind, "message": error.message, "hint": error.hint, "exit_code": error.exit_code}
