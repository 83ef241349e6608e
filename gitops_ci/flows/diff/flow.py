"""Compare what both sides of a change render to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from gitops_ci.bounded import Limits
from gitops_ci.comparing import HINTS
from gitops_ci.errors import FindingsError, UsageError
from gitops_ci.flows.checkout import repository_branches, repository_root, repository_urls
from gitops_ci.flows.diff.compared import Asked, compared
from gitops_ci.flows.diff.definitions import definitions_of
from gitops_ci.flows.diff.expansion import Expansion, expand
from gitops_ci.flows.diff.sides import Trees, read_trees
from gitops_ci.model import ErrorDetail, Finding, Log, Outcome
from gitops_ci.model.rendered import ObjectChange, RenderedDiff, View
from gitops_ci.rendering.deployment import USUAL_BRANCHES, Cluster, Repository
from gitops_ci.rendering.programs import ProgramSettings
from gitops_ci.reporting.summary import count

__all__ = ["DiffRequest", "diff", "stored_diff"]


class DiffRequest(NamedTuple):
    """What to compare. `bases` are revisions of which the first that is here counts; `head` '' is the working tree.

    `paths` and `units` narrow the units: files or folders that they use, and globs of their ids. `fail_on` are
    `change`, `risk`, `skipped` and names of risks. `urls` are more addresses of this repository, `branches` those that
    the change is for, as far as the job says. `values` are files for charts by folder. `fold`, `masks` and `large` are
    those of the configuration file. With `tests` the tests of charts are compared, too.
    """

    bases: tuple[str, ...]
    head: str = ""
    paths: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    fail_on: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    branches: frozenset[str] = frozenset()
    clusters: tuple[Cluster, ...] | None = None
    allow_remote: bool = False
    kubernetes_version: str = ""
    limits: Limits = Limits()
    values: Mapping[str, Sequence[str]] = MappingProxyType({})
    fold: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    large: int = 100
    tests: bool = False
    view: View = View()


def diff(request: DiffRequest, log: Log) -> Outcome:
    """Compare both sides of a change.

    Raises:
        UsageError: this is not a repository, or a revision is not in it.
        GitError: git refused.
    """
    root = repository_root()
    if root is None:
        raise UsageError("This is not a Git repository", hint="Run diff inside a checkout of the repository.")
    trees = read_trees(root.path, request.bases, request.head)
    log.step(f"{count(len(trees.differing), 'file')} of the repository changed since {trees.base[:12]}")
    repository = Repository(
        trees.after,
        urls=(*repository_urls(root), *request.urls),
        branches=USUAL_BRANCHES | repository_branches(root) | request.branches,
        clusters=request.clusters,
        kubernetes_version=request.kubernetes_version,
        values=request.values,
    )
    settings = ProgramSettings(request.limits, allow_remote=request.allow_remote, checkout=root.path)
    expansion = expand(trees, repository, settings, log)
    return _outcome(request, trees, expansion)


def _outcome(request: DiffRequest, trees: Trees, expansion: Expansion) -> Outcome:
    asked = Asked(
        definitions_of(trees.after),
        *(request.paths, request.units, request.fold, request.masks, request.large, request.view, request.tests),
    )
    rendered, findings = compared(trees, expansion, asked)
    return _judged(request, rendered, findings)


def stored_diff(path: str, request: DiffRequest) -> Outcome:
    """The outcome of another run of `diff`, from its JSON report: what fails it is this run's choice.

    Raises:
        UsageError: the file is no such report.
    """
    from gitops_ci.flows.diff.stored import read_diff

    return _judged(request, read_diff(path, request.view), ())


def _judged(request: DiffRequest, rendered: RenderedDiff, findings: tuple[Finding, ...]) -> Outcome:
    failure = _failure(request, rendered, findings)
    is_changed = bool(rendered.objects) or bool(rendered.summary.get("units"))
    return Outcome(
        command="diff",
        status="failed" if failure else "changed" if is_changed else "unchanged",
        exit_code=failure.exit_code if failure else 0,
        findings=findings,
        summary=rendered.summary,
        rendered=rendered,
        error=ErrorDetail.of(failure) if failure else None,
    )


def _failure(request: DiffRequest, rendered: RenderedDiff, findings: Sequence[Finding]) -> FindingsError | None:
    if findings:
        return FindingsError(
            f"{count(len(findings), 'unit')} cannot be rendered any more", hint="Correct what the findings name."
        )
    if "change" in request.fail_on and any(not one.is_noise for one in rendered.objects):
        return FindingsError("The rendered objects differ", hint="--fail-on change makes that an error.")
    if "skipped" in request.fail_on and any(one.state in {"skipped", "failed"} for one in rendered.units):
        return FindingsError("Not every unit was rendered", hint="Each is listed with its reason and remedy.")
    if names := _failing(request.fail_on, rendered.objects):
        hint = "Change it, or leave the risk out of --fail-on once somebody has accepted it."
        return FindingsError(f"The change has a risk that --fail-on names: {', '.join(names)}", hint=hint)
    return None


def _failing(fail_on: Sequence[str], objects: Iterable[ObjectChange]) -> list[str]:
    found = {risk.name for one in objects for risk in one.risks}
    return sorted(name for name in found if name in fail_on or ("risk" in fail_on and name not in HINTS))
