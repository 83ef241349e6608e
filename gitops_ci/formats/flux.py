"""Flux: the values and post-renderers of a HelmRelease, the images and patches of a Kustomization.

Source: fluxcd.io/flux/components: HelmRelease `spec.values`, `spec.postRenderers[].kustomize.images`; Kustomization
`spec.images`, `spec.patches`. A HelmRelease's `chart` is the version of a chart, not of an image.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.formats.overrides import overrides
from gitops_ci.formats.places import below, object_of
from gitops_ci.formats.scan import scan
from gitops_ci.formats.source import Source
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import Sequence

ID = "flux"

_KINDS = frozenset({("kustomize.toolkit.fluxcd.io", "Kustomization"), ("helm.toolkit.fluxcd.io", "HelmRelease")})


def find(source: Source) -> Iterator[ImageSite]:
    for root in source.yaml.documents:
        what = object_of(root)
        if what is None or (what.group, what.kind) not in _KINDS:
            continue
        for place in below(root):
            if isinstance(place.node, Sequence) and place.key == "images" and not place.layers:
                yield from overrides(source, place.node, resource=place.resource, format_id=ID)
        yield from scan(source, root, format_id=ID)
