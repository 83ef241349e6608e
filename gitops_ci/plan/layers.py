"""Names for versions that are written without one: values are laid over each other.

`values-prod.yaml` sets a tag whose repository is in `values.yaml`; a customization in `fleet.yaml` one of the values
above; an Argo CD parameter one of the Application's values, or of its chart's; a Chart.yaml the default of its values;
a marker says the name of a policy. The name counts only if every layer below agrees on it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import NamedTuple

from gitops_ci.formats import chart_version, flux_policies, helm_chart
from gitops_ci.formats.document import chart_repositories, variables
from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.imageref import ImageRef
from gitops_ci.model import ImageSite

__all__ = ["Below", "Layers", "is_selected", "lies_over"]

# What k3s lays over the HelmChart of the same name. Source: docs.k3s.io/add-ons/helm, "Customizing Packaged
# Components".
_K3S_CONFIG = "HelmChartConfig/"
_At = tuple[str, tuple[str, ...]]


class Below(NamedTuple):
    """A layer below another. `keys` are those above under which its values lie: a chart's dependency, a release.

    `under` are the keys that they have here besides. `use` is what lays the one over the other, where nothing else
    takes the values of the lower one with its own version.
    """

    layer: str
    keys: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    use: str = ""


def is_selected(resource: str, pattern: str) -> bool:
    """Whether a patch's target selects an object. Its name is a regular expression, and a repository's is not run.

    Only `.*` and `*` are read: everything else counts as it is written.
    """
    return fnmatchcase(resource, pattern.replace("/^", "/").removesuffix("$").replace(".*", "*"))


def lies_over(path: str, base: str) -> bool:
    """Whether a file of values is by its name laid over another: `values-prod.yaml` over `values.yaml` beside it."""
    upper, lower = posixpath.split(path), posixpath.split(base)
    (stem, suffix), (below, suffix_below) = posixpath.splitext(upper[1]), posixpath.splitext(lower[1])
    if upper[0] != lower[0] or not {suffix, suffix_below} <= {".yaml", ".yml"}:
        return False
    return stem.startswith((f"{below}-", f"{below}.", f"{below}_")) or stem.endswith((f"-{below}", f".{below}"))


class Layers:
    """What the sites of a run say about names."""

    def __init__(
        self,
        sites: Iterable[ImageSite],
        below: Mapping[str, Collection[Below]] | None = None,
        named: Iterable[flux_policies.ImagePolicy] = (),
        repositories: Iterable[chart_repositories.ChartRepository] = (),
        together: Callable[[str, str], bool] = lambda one, other: True,  # noqa: ARG005
    ) -> None:
        """`below` are the layers below a layer where an object says so.

        `named` are policies that stand for an image, `repositories` those of charts that have a name. `together` says
        whether an object in the first file may be a part of the one of the same name in the second.
        """
        self._together = together
        self._paths: dict[_At, dict[str, set[ImageRef]]] = {}
        self._below = below or {}
        self._completed: set[_At] = set()
        # What takes the values of a layer below some keys, and what of that sets the version of an image there.
        self._uses: dict[_At, set[str]] = {}
        self._set_by: dict[tuple[_At, _At], set[str]] = {}
        self._policies = [*named]
        self._repositories = [*repositories]
        self._names: dict[tuple[str, tuple[str, ...]], set[ImageRef]] = {}
        self._folders: dict[str, set[str]] = {}
        self._charts: dict[str, set[ImageRef]] = {}
        self._objects: set[str] = set()
        for layer, lower in self._below.items():
            self._note(layer)
            for one in lower:
                self._uses.setdefault((one.layer, one.under), set()).add(one.use)
        sites = [*sites]
        for site in sites:
            if not site.image.repository:
                continue
            name = site.image.with_version(tag=None, digest=None)
            self._give((site.layers, site.keys), site.path, name)
            self._set(site, name)
            path = PurePosixPath(site.path)
            if site.default and path.name in {"values.yaml", "values.yml"}:
                self._charts.setdefault(helm_chart.layer(path), set()).add(name)

        for site in sites:
            if site.layers.startswith(chart_repositories.LAYER) and (of := self.name(site)):
                self._give((site.resource, (*chart_version.VERSION, "")), site.path, of)
            if site.variable and not site.image.repository and (of := self.name(site)):
                self._set(site, of)

    def _give(self, at: _At, path: str, name: ImageRef) -> None:
        self._names.setdefault(at, set()).add(name)
        self._paths.setdefault(at, {}).setdefault(path, set()).add(name)
        self._note(at[0])

    def _set(self, site: ImageSite, name: ImageRef) -> None:
        """The variable of a site stands for its image's version; a file of values writes its keys in another way."""
        if site.variable:
            keys = {site.variable}
            if known := image_role_of(site.variable[-1]):
                keys.add((*site.variable[:-1], known[0]))
            for key in keys:
                self._names.setdefault((variables.layer(site.path), key), set()).add(name)

    def _note(self, layer: str) -> None:
        if layer.startswith("values:"):
            self._folders.setdefault(layer.rpartition("/")[0], set()).add(layer)
        elif "/" in layer and ":" not in layer:
            self._objects.add(layer)

    def name(self, site: ImageSite) -> ImageRef | None:
        """The image that a site without a name belongs to, None when nothing tells or two things do."""
        names = self._charts.get(site.layers) or self._beside(site)
        if not names:
            names, completed = self._named_below(site.layers, site.keys)
            if len(names) == 1:
                self._complete(completed)
        if not names and site.layers == flux_policies.LAYER:
            names = self._of_policy(*site.keys)
        elif not names and site.layers.startswith(chart_repositories.LAYER):
            names = self._of_repository(site.layers, site.keys[0])
        return next(iter(names)) if len(names) == 1 else None

    def _beside(self, site: ImageSite) -> set[ImageRef]:
        """What the same keys of the same layer say; of an object in another file, where the two belong together."""
        at = (site.layers, site.keys)
        if site.resource != site.layers:
            return self._names.get(at, set())
        found = self._paths.get(at, {}).items()
        return set().union(*(names for path, names in found if path == site.path or self._together(site.path, path)))

    @property
    def completed(self) -> set[_At]:
        """Layers and keys with a name whose version is in a ConfigMap, in a variable, or in each use."""
        return self._completed | {at for (at, of), uses in self._set_by.items() if uses >= self._uses[of]}

    def _complete(self, found: Mapping[_At, Below | None]) -> None:
        for at, below in found.items():
            if below and below.use:
                self._set_by.setdefault((at, (below.layer, below.under)), set()).add(below.use)
            else:
                self._completed.add(at)

    def _named_below(self, layer: str, keys: tuple[str, ...]) -> tuple[set[ImageRef], dict[_At, Below | None]]:
        """What the layers below say about the same keys, the nearest that say anything on each way down.

        The second answer are the layers among them whose version is set above, and what lays the one over the other.
        """
        names, completed = set[ImageRef](), dict[_At, Below | None]()
        seen, waiting = {(layer, keys)}, [(layer, keys)]
        while waiting:
            above = waiting.pop()
            for below, how in self._next(*above):
                if below in seen:
                    continue
                seen.add(below)
                if found := self._names.get(below):
                    names |= found
                    if (how and how.use) or above[0].startswith("ConfigMap/") or below[0].startswith("variables:"):
                        completed[below] = how
                else:
                    waiting.append(below)
        return names, completed

    def _next(self, layer: str, keys: tuple[str, ...]) -> Iterator[tuple[_At, Below | None]]:
        for below in self._below.get(layer, ()):
            if keys[: len(below.keys)] == below.keys:
                yield (below.layer, (*below.under, *keys[len(below.keys) :])), below
        if layer.startswith("values:"):
            for base in self._folders.get(layer.rpartition("/")[0], ()):
                if lies_over(f"{layer}.yaml", f"{base}.yaml"):
                    yield (base, keys), None
        elif layer.startswith(_K3S_CONFIG):
            yield (f"HelmChart/{layer.removeprefix(_K3S_CONFIG)}", keys), None
        elif "*" in layer:
            for other in self._objects:
                if other != layer and is_selected(other, layer):
                    yield (other, keys), None

    def _of_policy(self, policy: str) -> set[ImageRef]:
        """The image of `namespace:name`; an object that a kustomization gives its namespace has none itself."""
        namespace, _, name = policy.partition(":")
        here = [known for known in self._policies if known.namespace in {"", namespace}]
        repositories = {known.repository for known in here if known.name == name and known.repository} or {name}
        images = (known.image for known in here if known.image and known.name in repositories)
        return {image.with_version(tag=None, digest=None) for image in images}

    def _of_repository(self, layer: str, chart: str) -> set[ImageRef]:
        """The chart of a repository by its name; a release without the repository's namespace uses its own."""
        namespace, _, name = layer.removeprefix(chart_repositories.LAYER).partition("/")
        known = (one for one in self._repositories if one.name == name)
        here = (one for one in known if namespace == one.namespace or "" in {namespace, one.namespace})
        return {image for one in here if (image := one.chart(chart))}
