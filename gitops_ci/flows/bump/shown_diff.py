"""What a proposal does to the rendered objects, shown on its own pull request, from the commit that the run holds."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import GitopsCiError
from gitops_ci.flows.bump.commit_files import CommitFiles
from gitops_ci.flows.bump.publication import PublishContext
from gitops_ci.flows.bump.survey import MOST, Survey, survey
from gitops_ci.flows.bump.units import first_units
from gitops_ci.flows.comment import put_comment
from gitops_ci.flows.globs import is_manifest
from gitops_ci.model import Plan
from gitops_ci.model.rendered import RenderedDiff
from gitops_ci.rendering.deployment import Repository
from gitops_ci.rendering.discovery import Deployment, Found
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.reporting.proposal_facts import DIFF

__all__ = ["comment_on", "rendered_change", "with_diff", "without_diff"]

_LEAST = 2_500  # bytes: less shows nothing


def rendered_change(to: PublishContext, snapshot: Snapshot, plan: Plan) -> RenderedDiff | None:
    """What a plan does to the objects of the units that hold its files; None, with a warning, where that is unknown."""
    from gitops_ci.flows.diff.compared import Asked, compared
    from gitops_ci.flows.diff.expansion import expand
    from gitops_ci.flows.diff.sides import Trees
    from gitops_ci.rendering.programs import ProgramSettings

    edits = {file.path: file.after for file in plan.files if file.after and is_manifest(file.path)}
    whole = snapshot.whole(MOST)
    if whole is None:
        to.log.warn(f"The effect on the rendered objects is not shown: there are more than {MOST:,} files")
        return None
    snapshot = whole
    there = _surveyed(to, snapshot, plan, edits)
    lock = Lock()
    after = SourceTree(CommitFiles(snapshot, edits, lock))
    differing = frozenset(edits)
    before = SourceTree(CommitFiles(snapshot, {}, lock), after, differing)
    trees = Trees(snapshot.commit, "", before, after, differing)
    settings = to.rendering
    repository = Repository(
        after,
        values=settings.values,
        kubernetes_version=settings.checks.kubernetes_versions[-1],
        **(there.repository if there else {}),
    )

    def start(deployment: Deployment) -> list[Found]:
        return first_units(deployment, there) if there else deployment.start((), objects_in=())

    wish = to.publication.diff
    asked = Asked(fold=wish.fold, masks=wish.masks, large=wish.large)
    try:
        expansion = expand(trees, repository, ProgramSettings(settings.limits), to.log, start=start)
        return compared(trees, expansion, asked).rendered
    except GitopsCiError as error:
        to.log.warn(f"The effect on the rendered objects is not shown: {error.message}. {error.hint}".rstrip())
        return None


def _surveyed(to: PublishContext, snapshot: Snapshot, plan: Plan, edits: dict[str, str]) -> Survey | None:
    return survey(
        snapshot,
        edits,
        url=to.repo.url,
        branch=to.base,
        values=to.rendering.values,
        words={text for change in plan.changes for text in (change.edit.old, change.edit.new) if text},
    )


def with_diff(body: str, rendered: RenderedDiff | None, limit: int) -> str:
    """A description with the diff below it, where there is room. It has no commits in it: they alone are not news."""
    from gitops_ci.reporting.base import masked
    from gitops_ci.reporting.rendered_markdown import rendered_markdown

    body = without_diff(body)
    left = limit - len(body.encode()) - len(DIFF) - 10
    if rendered is None or left < _LEAST:
        return body
    text = rendered_markdown(masked(replace(rendered, base="", head="")), left)
    return f"{body}\n\n{DIFF}\n\n{text}"


def without_diff(body: str) -> str:
    """A description without the diff below it."""
    return body.partition(DIFF)[0].rstrip()


def comment_on(to: PublishContext, rendered: RenderedDiff | None) -> None:
    """Keep the one comment of this proposal current."""
    from gitops_ci.reporting.base import masked
    from gitops_ci.reporting.rendered_markdown import rendered_markdown

    found = to.journal.pull_request
    if rendered is None or found is None or found.number is None:
        return
    head = to.journal.commit.sha if to.journal.commit else ""
    shown: RenderedDiff = masked(replace(rendered, head=head))
    is_empty = not (shown.objects or any(one.reason for one in shown.units))
    link = to.publication.pipeline_url
    put_comment(
        to.forge,
        found.number,
        lambda limit: [rendered_markdown(shown, limit, link)],
        to.log,
        key="diff",
        is_empty=is_empty,
    )
