"""What a plan leaves open: images that it finds nowhere, and places that may be theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gitops_ci import plan as planning
from gitops_ci.configrepo import Snapshot
from gitops_ci.errors import NothingMatched
from gitops_ci.flows.bump.reading import decoded
from gitops_ci.flows.globs import Paths
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Plan, Skip
from gitops_ci.plan import BumpPolicy

__all__ = ["missing", "nowhere", "possible", "untouched", "written"]

# The error that lists similar names reads this many files at most.
_ENOUGH = 2000


def missing(plan: Plan, images: Sequence[ImageRef], policy: BumpPolicy) -> list[ImageRef]:
    """The images that the plan names nowhere, not even where it leaves a place alone."""
    # Of a file that nobody can read it is not known which image it names.
    left = {skip.image for skip in plan.skipped}
    return [image for image in untouched(plan, images, policy) if not left & {"", image.name}]


def written(images: Sequence[ImageRef], snapshot: Snapshot, selection: Paths, policy: BumpPolicy) -> Sequence[Skip]:
    """The lines of any text that have the name of an image which no format finds."""
    if not images or policy.formats:
        return ()
    needles = planning.needles(images, policy)
    return planning.written(decoded(snapshot, snapshot.search(needles, selection), needles)[0], images, policy)


def possible(
    plan: Plan, snapshot: Snapshot, selection: Paths, images: Sequence[ImageRef], policy: BumpPolicy
) -> Sequence[Skip]:
    """Places of other environments that still hold a tag which the plan replaces, and that nothing explains."""
    tags = planning.old_tags(plan)
    if not tags or policy.formats:
        return ()
    near = planning.near(plan, snapshot.paths(selection))[:_ENOUGH]
    files = [(path, text) for path, text in decoded(snapshot, near, ())[0] if any(tag in text for tag in tags)]
    # What these are laid over explains them.
    files += [(file.path, file.before) for file in plan.files]
    return planning.possible(plan, planning.parse(files, images, policy))


def untouched(plan: Plan, images: Sequence[ImageRef], policy: BumpPolicy) -> tuple[ImageRef, ...]:
    """The images of which no place is changed or has the version already."""
    changed = {change.image for change in plan.changes}
    present: dict[str, list[ImageRef]] = {}
    for site in plan.unchanged:
        present.setdefault(site.image.repository, []).append(site.image)
    return tuple(
        image
        for image in images
        if image not in changed and not _is_present(image, present.get(image.repository, ()), policy)
    )


def _is_present(image: ImageRef, here: Iterable[ImageRef], policy: BumpPolicy) -> bool:
    """Whether one of the images of the same repository that are up to date is this one."""
    # Another flavor of the image that is up to date is not a place of this one.
    same = {None, image.tag, f"v{image.tag}", f"V{image.tag}"}
    alike = (one for one in here if not image.tag or one.tag in same)
    return any(policy.match_name or one.same_image(image) for one in alike)


def nowhere(image: ImageRef, snapshot: Snapshot, selection: Paths, policy: BumpPolicy, where: str) -> NothingMatched:
    """The error that says where the image is named instead, or which names are similar.

    `where` is what was searched, for people.
    """
    message = f"{image.familiar} is not referenced in {where}"
    if selection != Paths():
        elsewhere = snapshot.search(planning.needles((image,), policy), Paths())[:50]
        outside = _naming(image, decoded(snapshot, elsewhere, (image.basename,))[0], policy)
        if outside:
            listed = ", ".join(outside[:5])
            return NothingMatched(message, hint=f"It is named in {listed}: widen --path or the environment's paths.")
    yaml = [path for path in snapshot.paths(Paths()) if path.endswith((".yaml", ".yml"))][:_ENOUGH]
    near = planning.nearest(decoded(snapshot, yaml, ())[0], image)
    hint = f"Nearest names there: {', '.join(near)}." if near else "No image is named there at all."
    return NothingMatched(message, hint=hint)


def _naming(image: ImageRef, files: Sequence[tuple[str, str]], policy: BumpPolicy) -> list[str]:
    plan = planning.make(files, (image,), replace(policy, allow_downgrade=True, any_flavour=True))
    return sorted({change.path for change in plan.changes} | {site.path for site in plan.unchanged})
