"""Work divided among jobs of a CI system: shares of a validation, or one bump for each environment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from gitops_ci.errors import UsageError
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.validate import ValidateRequest, selected
from gitops_ci.flows.validate.inputs import read_manifests
from gitops_ci.flows.validate.selection import branch_point, partition
from gitops_ci.model import Job, Log, Outcome

__all__ = ["MOST", "plan_bumps", "plan_validation"]

# Jobs of one matrix of GitHub Actions.
MOST = 256
# CPU seconds that are worth a job of their own: a job takes about half as long to get ready and to read everything.
_WORTH = 60.0


def plan_validation(request: ValidateRequest, shards: int | None, log: Log) -> Outcome:
    """One job a share, as many as are asked for or, with None, as are worth it; never more than there are parts.

    Raises:
        UsageError: a path or reference does not exist.
    """
    sources = read_manifests(request.paths, request.stdin, request.exclude)
    files = dict(sources.files)
    selection = selected(request, sources)
    chosen, units = selection.files, selection.listed
    parts = partition(chosen, units, files, rendered=request.render == "auto")
    seconds = sum(part.seconds for part in parts)
    number = min(len(parts), MOST, shards or math.ceil(seconds / _WORTH) or 1)
    rendered = sum(not unit.inner for unit in units) if request.render == "auto" else 0
    log.step(f"{len(chosen)} files and {rendered} renderings in {len(parts)} parts, about {seconds:.0f} s of a CPU")
    # The jobs are told a commit: what `auto` means may differ where they run.
    base = branch_point(request.changed_since) if request.changed_since else ""
    jobs = (Job(name, "validate", {"shard": name, "changed-since": base}, request.paths) for name in _shares(number))
    return _outcome(tuple(jobs), {"files": len(chosen), "renderings": rendered, "parts": len(parts)})


def plan_bumps(
    references: Sequence[str], environments: Mapping[str, Environment], wanted: Sequence[str], log: Log
) -> Outcome:
    """One job for each environment: those whose names the wanted globs fit, all without any.

    Raises:
        UsageError: no environment is defined, a glob fits none, or they are more than a matrix takes.
    """
    if not environments:
        raise UsageError("No environment is defined here", hint="Write environments: into .gitops-ci.yaml.")
    for glob in wanted:
        if not any(fnmatchcase(name, glob) for name in environments):
            raise UsageError(
                f"There is no environment '{glob}'", hint=f"Known environments: {', '.join(sorted(environments))}."
            )
    chosen = [
        environment
        for name, environment in environments.items()
        if not wanted or any(fnmatchcase(name, glob) for glob in wanted)
    ]
    if len(chosen) > MOST:
        raise UsageError(
            f"{len(chosen)} environments are more than the {MOST} jobs of a matrix",
            hint="Plan them in several steps: --environment 'eu-*'",
        )
    log.step(f"{len(chosen)} of {len(environments)} environments")
    return _outcome(tuple(_bump(one, references) for one in chosen), {"environments": len(chosen)})


def _bump(environment: Environment, references: Sequence[str]) -> Job:
    options = {"environment": environment.name, "base": environment.base or "", "path": " ".join(environment.paths)}
    return Job(environment.name, "bump", options, tuple(references))


def _shares(number: int) -> list[str]:
    return [f"{index}/{number}" for index in range(1, number + 1)]


def _outcome(jobs: tuple[Job, ...], counts: Mapping[str, int]) -> Outcome:
    return Outcome(command="plan", status="unchanged", jobs=jobs, summary={**counts, "jobs": len(jobs)})
