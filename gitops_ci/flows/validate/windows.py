"""Whether a change may be merged now, by the windows and the freeze of the environments whose files it changes.

Both are read from the branch that the change goes to: a change does not decide when it may be merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gitops_ci import known_files
from gitops_ci.checkout import checkout_git
from gitops_ci.errors import ProgramError
from gitops_ci.flows.environments import Environment, by_convention
from gitops_ci.flows.freeze import FREEZE_FILE, freezes_of, window_gate
from gitops_ci.flows.globs import Paths
from gitops_ci.flows.validate.selection import branch_point, changed_files
from gitops_ci.model import Finding, Gate
from gitops_ci.moments import rfc3339

__all__ = ["window_findings"]

_RULE = "gitops/window"
_ANY = frozenset({0, 1, 128})
_HINT = "Merge it then. A rollback by `gitops-ci rollback` passes."


def window_findings(
    environments: Mapping[str, Environment], bases: Sequence[str], branch: str, now: float
) -> tuple[Finding, ...]:
    """A finding for each environment that the change is about, and that takes no changes now.

    `bases` are the revisions that the change is compared with, `branch` is where it comes from.

    Raises:
        UsageError: there is no common history with any of them.
    """
    everything = environments.values() or [Environment("")]
    freezes = freezes_of(_freeze_file(bases))
    chosen = [one for one in everything if freezes or one.windows.allow or one.windows.deny]
    if not bases or not chosen:
        return ()
    changed = changed_files(branch_point(bases))
    found = []
    for environment in chosen:
        if not _is_meant(environment, changed, bases) or _is_rollback(branch, environment.name):
            continue
        gate = window_gate(environment, freezes, now)
        if gate.state != "open":
            found.append(_finding(gate))
    return tuple(found)


def _finding(gate: Gate) -> Finding:
    opens = f", opens {rfc3339(gate.opens)}" if gate.opens else ""
    where = FREEZE_FILE if gate.state == "closed" else known_files.CONFIG
    return Finding(
        _RULE,
        "error",
        f"{gate.environment or 'the repository'} accepts no changes now: {gate.reason}{opens}",
        where,
        hint=_HINT,
    )


def _is_meant(environment: Environment, changed: Iterable[str], bases: Sequence[str]) -> bool:
    if environment.base and not {environment.base, f"origin/{environment.base}"} & set(bases):
        return False
    by_name = environment.name and not (environment.paths or environment.base)
    paths = Paths(bears=by_convention(environment.name)) if by_name else Paths(environment.paths)
    return any(paths.matches(path) for path in changed)


def _is_rollback(branch: str, environment: str) -> bool:
    return branch.startswith(f"gitops-ci/{environment}@rollback/")


def _freeze_file(bases: Sequence[str]) -> bytes | None:
    """The file at the first of the revisions that is here."""
    for base in bases:
        try:
            here = checkout_git(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}", allowed=_ANY
            )
            if here.code != 0:
                continue
            commit = here.stdout.decode("ascii", "replace").strip()
            done = checkout_git("cat-file", "blob", f"{commit}:{FREEZE_FILE}", allowed=_ANY)
        except ProgramError:
            return None
        return done.stdout if done.code == 0 else None
    return None
