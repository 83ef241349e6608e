"""Versions that a JSON patch replaces outside of a chart's values: `path: /spec/source/helm/parameters/1/value`.

Which image they are, the object tells that the patch is for: the value at that place there is the version of one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.nodes import at_pointer, is_pointer, object_of
from gitops_ci.model import ImageSite
from gitops_ci.plan.layers import Below, is_selected

__all__ = ["with_patched"]


def with_patched(
    sources: Sequence[ManifestText], sites: Iterable[ImageSite], below: Mapping[str, set[Below]]
) -> tuple[list[ImageSite], dict[str, set[Below]]]:
    """The sites and what lies below their layers, with what each such patch is laid over.

    Where the place is one of a chart's values, it is a layer below the patch. Else the site is there a second time,
    under the layer and the keys of the patch.
    """
    found, layers = [*sites], {layer: {*lower} for layer, lower in below.items()}
    for patch, site in _patched(sources, tuple(found), below):
        if site.layers:
            layers.setdefault(patch.layers, set()).add(Below(site.layers, patch.keys, site.keys))
        elif site.image.repository:
            found.append(replace(site, fields=(), layers=patch.layers, keys=patch.keys, variable=()))
    return found, layers


def _patched(
    sources: Sequence[ManifestText], sites: Iterable[ImageSite], below: Mapping[str, Collection[Below]]
) -> Iterator[tuple[ImageSite, ImageSite]]:
    """Each patch with a site that it replaces."""
    by_path: dict[str, list[ImageSite]] = {}
    patches: list[ImageSite] = []
    for site in sites:
        if is_pointer(site.keys):
            patches.append(site)
        else:
            by_path.setdefault(site.path, []).append(site)
    with_sites = [source for source in sources if source.path in by_path]
    for patch in patches:
        targets = {one.layer for one in below.get(patch.layers, ())} | {patch.layers}
        for source in with_sites:
            for site in _in_file(source, by_path[source.path], patch, targets):
                yield patch, site


def _in_file(
    source: ManifestText, sites: Iterable[ImageSite], patch: ImageSite, targets: Collection[str]
) -> Iterator[ImageSite]:
    here = [site for site in sites if any(is_selected(site.resource, target) for target in targets)]
    if not here:
        return
    for root in source.documents:
        what = object_of(root)
        if what is None or not any(is_selected(what.resource, target) for target in targets):
            continue
        node = at_pointer(root, patch.keys[:-1])  # behind them is the prefix of the site's own keys
        if node is None:
            continue
        for site in here:
            if any(node.start <= field.span.start < node.end for field in site.fields):
                yield site
