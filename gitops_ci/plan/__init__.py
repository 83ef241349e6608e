"""Files and wanted images to a plan: what to edit, what is so already, what is left alone and why. Pure.

Every file is parsed once, whatever the number of images. Edits are spliced and the result is read again: a file in
which anything but the planned values would differ is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from itertools import chain

from gitops_ci import formats
from gitops_ci.errors import UsageError
from gitops_ci.formats import ManifestText, flux_policies, kustomize
from gitops_ci.formats.document import chart_repositories
from gitops_ci.formats.pointer import Pointer
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Plan, Skip
from gitops_ci.plan import chart_locks, related_files
from gitops_ci.plan.apply import plan_file
from gitops_ci.plan.decisions import Decisions
from gitops_ci.plan.file_plan import read
from gitops_ci.plan.kustomizations import Together
from gitops_ci.plan.layers import Layers
from gitops_ci.plan.leftovers import ENVIRONMENTS, near, old_tags, possible
from gitops_ci.plan.patched_values import with_patched
from gitops_ci.plan.pointer_rules import PointedPlace, PointerRule
from gitops_ci.plan.policy import Age, BumpPolicy, Twin
from gitops_ci.plan.related_files import RelatedFiles
from gitops_ci.plan.relation_lines import WORDS as RELATIONS
from gitops_ci.plan.relation_lines import RelationLines
from gitops_ci.plan.replacements import Replacements
from gitops_ci.plan.targets import Targets
from gitops_ci.yamltext import YamlError

__all__ = [
    "ENVIRONMENTS",
    "RELATIONS",
    "Age",
    "BumpPolicy",
    "PointedPlace",
    "Pointer",
    "PointerRule",
    "RelatedFiles",
    "RelationLines",
    "Twin",
    "make",
    "make_from",
    "near",
    "nearest",
    "needles",
    "old_tags",
    "parse",
    "possible",
    "related",
    "written",
]


def needles(targets: Sequence[ImageRef], policy: BumpPolicy) -> tuple[str, ...]:  # noqa: ARG001
    """What a file must contain one of to be worth reading: for a search of the whole repository."""
    return tuple(dict.fromkeys(target.basename for target in targets))


def parse(files: Iterable[tuple[str, str]], targets: Sequence[ImageRef], policy: BumpPolicy) -> list[ManifestText]:
    """The files (path and decoded text) as texts that are parsed once, when a plan or a relation first needs it."""
    wanted = Targets(targets, match_name=policy.match_name)
    return [ManifestText(path, text, wanted.mentioned) for path, text in files]


def related(
    paths: Iterable[str], targets: Sequence[ImageRef], policy: BumpPolicy, lines: RelationLines
) -> RelatedFiles:
    """What to read beside the files that contain a needle: files that name no image and belong to one."""
    return RelatedFiles(paths, Targets(targets, match_name=policy.match_name), lines)


def make(
    files: Iterable[tuple[str, str]],
    targets: Sequence[ImageRef],
    policy: BumpPolicy,
    *,
    pointers: Sequence[Pointer] = (),
    is_older: Age | None = None,
) -> Plan:
    """The plan for `files` (path and decoded text, byte order mark and line ends kept), in the order given.

    See `make_from`.
    """
    return make_from(parse(files, targets, policy), targets, policy, pointers=pointers, is_older=is_older)


def make_from(
    sources: Sequence[ManifestText],
    targets: Sequence[ImageRef],
    policy: BumpPolicy,
    *,
    pointers: Sequence[Pointer] = (),
    is_older: Age | None = None,
    has_twin: Twin | None = None,
    is_selected: Callable[[str], bool] = lambda _: True,
) -> Plan:
    """The plan for texts that `parse` made for the same targets.

    Files that are not `is_selected` only say what others mean. `is_older` is asked where two tags do not tell which of
    them is older, `has_twin` where a place writes its tag with a `v` and the wanted tag has none.

    Raises:
        UsageError: two targets ask for different versions of one image, or a pointer does not say which is meant.
    """
    if len(targets) != 1 and any(pointer.image is None for pointer in pointers):
        raise UsageError("--at needs exactly one image", hint="Run once for each image that is pointed at.")
    wanted = Targets(targets, match_name=policy.match_name)
    replacements = Replacements(sources)
    drafts = read(sources, wanted, policy, replacements)
    named = chain.from_iterable(map(flux_policies.named, sources))
    repositories = chain.from_iterable(map(chart_repositories.named, sources))
    found, below = with_patched(
        sources, (site for draft in drafts for site in draft.sites), related_files.layered(sources)
    )
    layers = Layers(found, below, named, repositories, Together(sources))
    known = {draft.source.path for draft in drafts}
    drafts = [draft for draft in drafts if is_selected(draft.source.path)]
    for draft in drafts:
        draft.select(layers, wanted, policy)
        draft.add_pointers(pointers, wanted, targets[0])
    meant = [site for draft in drafts for site, _ in draft.meant]
    decisions = Decisions(
        policy, wanted, is_older, has_twin, meant, kustomize.Reach(sources), layers.completed | replacements.completed
    )
    plans = [plan_file(draft, decisions) for draft in drafts]
    lost = [at for at in pointers if at.path not in known]
    skips = [Skip(at.path, 0, f"{at.title}: there is no such file", failed=True) for at in lost]
    return chart_locks.with_locks(_joined([*plans, Plan(skipped=tuple(skips))]), sources)


def written(files: Iterable[tuple[str, str]], targets: Sequence[ImageRef], policy: BumpPolicy) -> tuple[Skip, ...]:
    """Every line with the whole name of a target, in any text: for images that no format finds."""
    wanted = Targets(targets, match_name=policy.match_name)
    return tuple(chain.from_iterable(wanted.written(ManifestText(path, text)) for path, text in files))


_LIKELY = re.compile(r"image|repository|name", re.IGNORECASE)


def nearest(files: Iterable[tuple[str, str]], image: ImageRef) -> tuple[str, ...]:
    """Up to five image names written in `files`, the most similar to `image` first."""
    names: dict[str, float] = {}
    for path, text in files:
        if not _LIKELY.search(text):
            continue
        try:
            sites = [*formats.find(ManifestText(path, text))]
        except YamlError:
            continue
        for site in sites:
            if site.image.repository and site.image.familiar not in names:
                names[site.image.familiar] = SequenceMatcher(None, site.image.name, image.name).ratio()
    return tuple(sorted(names, key=lambda name: (-names[name], name))[:5])


def _joined(plans: Sequence[Plan]) -> Plan:
    return Plan(
        tuple(chain.from_iterable(plan.changes for plan in plans)),
        tuple(chain.from_iterable(plan.unchanged for plan in plans)),
        tuple(chain.from_iterable(plan.skipped for plan in plans)),
        tuple(chain.from_iterable(plan.files for plan in plans)),
        tuple(chain.from_iterable(plan.refused for plan in plans)),
        tuple(chain.from_iterable(plan.meant for plan in plans)),
    )
