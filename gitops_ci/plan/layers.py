"""Names for versions that are written without one: values are laid over each other.

`values-prod.yaml` sets a tag whose repository is in `values.yaml`; a customization in `fleet.yaml` one of the values
above; an Argo CD parameter one of the Application's values, or of its chart's; a Chart.yaml the default of its values;
a marker says the name of a policy. The name counts only if every layer below agrees on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from pathlib import PurePosixPath

from gitops_ci.formats import flux_policies, helm_chart
from gitops_ci.imageref import ImageRef
from gitops_ci.model import ImageSite

__all__ = ["Layers", "lies_over"]


def lies_over(path: str, base: str) -> bool:
    """Whether a file of values is by its name laid over another: `values-prod.yaml` over `values.yaml` beside it."""
    upper, lower = PurePosixPath(path), PurePosixPath(base)
    if upper.parent != lower.parent or upper.suffix not in {".yaml", ".yml"} or lower.suffix not in {".yaml", ".yml"}:
        return False
    stem, below = upper.name.removesuffix(upper.suffix), lower.name.removesuffix(lower.suffix)
    return stem.startswith((f"{below}-", f"{below}.", f"{below}_")) or stem.endswith((f"-{below}", f".{below}"))


class Layers:
    """What the sites of a run say about names."""

    def __init__(
        self,
        sites: Iterable[ImageSite],
        below: Mapping[str, Collection[str]] | None = None,
        named: Iterable[flux_policies.ImagePolicy] = (),
    ) -> None:
        """`below` are the layers below a layer where an object says so, `named` policies that stand for an image."""
        self._below = below or {}
        self._policies = [*named]
        self._names: dict[tuple[str, tuple[str, ...]], set[ImageRef]] = {}
        self._bases: dict[tuple[str, ...], list[str]] = {}
        self._charts: dict[str, set[ImageRef]] = {}
        for site in sites:
            if not site.image.repository:
                continue
            name = site.image.with_version(tag=None, digest=None)
            self._names.setdefault((site.layers, site.keys), set()).add(name)
            if site.layers.startswith("values:"):
                self._bases.setdefault(site.keys, []).append(site.layers)
            path = PurePosixPath(site.path)
            if site.default and path.name in {"values.yaml", "values.yml"}:
                self._charts.setdefault(helm_chart.layer(path), set()).add(name)

    def name(self, site: ImageSite) -> ImageRef | None:
        """The image that a site without a name belongs to, None when nothing tells or two things do."""
        names = self._charts.get(site.layers) or self._names.get((site.layers, site.keys)) or set()
        if not names:
            laid_over = (
                base
                for base in self._bases.get(site.keys, ())
                if site.layers.startswith("values:") and lies_over(f"{site.layers}.yaml", f"{base}.yaml")
            )
            for base in chain(laid_over, self._below.get(site.layers, ())):
                names = names | self._names.get((base, site.keys), set())
        if not names and site.layers == flux_policies.LAYER:
            names = self._of_policy(*site.keys)
        return next(iter(names)) if len(names) == 1 else None

    def _of_policy(self, policy: str) -> set[ImageRef]:
        """The image of `namespace:name`; an object that a kustomization gives its namespace has none itself."""
        namespace, _, name = policy.partition(":")
        here = [known for known in self._policies if known.namespace in {"", namespace}]
        repositories = {known.repository for known in here if known.name == name and known.repository} or {name}
        images = (known.image for known in here if known.image and known.name in repositories)
        return {image.with_version(tag=None, digest=None) for image in images}
