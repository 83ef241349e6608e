"""A guard for what no relation explains: places of other environments that still hold the old tag.

Such a place has no name of its own. It counts as a likely copy where the same keys hold the same tag, in the folder of
another environment, for an object or a file of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from gitops_ci import formats
from gitops_ci.formats import ManifestText
from gitops_ci.model import ImageSite, Plan, Skip
from gitops_ci.plan.layers import Layers
from gitops_ci.yamltext import YamlError

__all__ = ["ENVIRONMENTS", "near", "old_tags", "possible"]

# Folders of these names show that a repository keeps its environments apart.
ENVIRONMENTS = frozenset({
    "acceptance", "canary", "dev", "development", "integration", "live", "preprod", "prod", "production", "qa",
    "sandbox", "stage", "staging", "test", "uat",
})  # fmt: skip
_SHARED = frozenset({"base", "common", "default", "shared"})
_SHOWN = 5
_WORDS = re.compile(r"[-_.]")


def old_tags(plan: Plan) -> tuple[str, ...]:
    """The tags that the plan replaces in values: those that may stand elsewhere without a name."""
    return tuple(sorted({site.image.tag or "" for site in _changed(plan)} - {""}))


def near(plan: Plan, paths: Iterable[str]) -> list[str]:
    """The `paths` in folders of other environments than the changed files."""
    changed = {site.path.rpartition("/")[0] for site in _changed(plan)}
    keys = {key for folder in changed for key in _without_environment(folder, ENVIRONMENTS | _SHARED)}
    starts = tuple({"/".join((*key[: key.index("")], "")) for key in keys})
    found = []
    for path in paths if keys else ():
        if path.startswith(starts) and (folder := path.rpartition("/")[0]) not in changed:
            found += [path] if not keys.isdisjoint(_without_environment(folder, ENVIRONMENTS)) else []
    return found


def _without_environment(folder: str, names: frozenset[str]) -> list[tuple[str, ...]]:
    """The parts of a folder's path, one of them left out that names an environment, for each that does."""
    parts = tuple(folder.split("/"))
    return [(*parts[:at], "", *parts[at + 1 :]) for at, part in enumerate(parts) if not names.isdisjoint(_words(part))]


@lru_cache(maxsize=4096)
def _words(part: str) -> tuple[str, ...]:
    return tuple(_WORDS.split(part))


def possible(plan: Plan, sources: Iterable[ManifestText]) -> tuple[Skip, ...]:
    """Up to five places in `sources` that may be of a changed image; each is a file that nothing else explains."""
    changed = [*_changed(plan)]
    sites = [site for source in sources for site in _sites(source)]
    layers = Layers(sites)
    known = {site.path for site in changed}
    nameless = (site for site in sites if not site.image.repository and site.path not in known)
    found = (
        Skip(
            site.path,
            site.fields[0].span.line,
            f"has the old tag {site.image.tag} and no name: it may be {old.image.familiar}, too",
            f"If it is, add the comment `# gitops-ci: image={old.image.familiar} part=tag`, or give it with --at.",
        )
        for site in nameless
        if (old := next((old for old in changed if _is_copy(site, old)), None))
        and ((name := layers.name(site)) is None or name.same_image(old.image))
    )
    once = {(skip.path, skip.line): skip for skip in found}
    return tuple(once.values())[:_SHOWN]


def _changed(plan: Plan) -> Iterator[ImageSite]:
    spans = {(change.path, change.edit.span) for change in plan.changes}
    for site in plan.meant:
        if site.layers and any(field.role == "tag" and (site.path, field.span) in spans for field in site.fields):
            yield site


def _sites(source: ManifestText) -> Sequence[ImageSite]:
    try:
        return [site for site in formats.find(source) if site.layers] if source.is_yaml else []
    except YamlError:
        return []


def _is_copy(site: ImageSite, old: ImageSite) -> bool:
    if (site.keys, site.image.tag) != (old.keys, old.image.tag) or not _is_of_another_environment(site.path, old.path):
        return False
    if site.layers.startswith("values:"):
        return site.path.rpartition("/")[2] == old.path.rpartition("/")[2]
    return site.layers == old.layers or site.layers.endswith("/*")


def _is_of_another_environment(path: str, other: str) -> bool:
    one, two = path.split("/")[:-1], other.split("/")[:-1]
    differing = [(a, b) for a, b in zip(one, two, strict=False) if a != b]
    if len(one) != len(two) or len(differing) != 1:
        return False
    a, b = (frozenset(_words(part)) for part in differing[0])
    return bool(a & ENVIRONMENTS) and bool(b & (ENVIRONMENTS | _SHARED))
