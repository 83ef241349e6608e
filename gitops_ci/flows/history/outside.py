"""Files outside of the environments' paths that say what those inside mean: bases, and objects that install charts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cached_property

from gitops_ci import formats
from gitops_ci.configrepo import Snapshot
from gitops_ci.flows.bump.built_from import built_from
from gitops_ci.flows.bump.survey import MOST
from gitops_ci.flows.globs import Paths, is_manifest
from gitops_ci.flows.history.scopes import Scope
from gitops_ci.formats import ManifestText
from gitops_ci.model import ImageSite
from gitops_ci.yamltext import YamlError

__all__ = ["Outside", "sites_of"]

# What lays values over values, sets variables, reads them, or says which image a policy stands for.
_REFERRING = re.compile(
    r"valueFiles|valuesFile|valuesFrom|additionalValuesFiles|releases:|postBuild|ApplicationSet"
    r"|kind:\s*Image(?:Policy|Repository)|image\S*:.*\$\{"
)
_WORDS = (
    "valueFiles",
    "valuesFile",
    "valuesFrom",
    "additionalValuesFiles",
    "releases:",
    "postBuild",
    "ApplicationSet",
    "Image",
    "${",
)


class Outside:
    """Read the tip of a branch outside of the environments' paths. Nothing is fetched before the first read."""

    def __init__(self, fetch: Callable[[], Snapshot], scopes: Sequence[Scope]) -> None:
        self._fetch = fetch
        self._scopes = scopes
        self._is_empty = any(scope.paths == Paths() for scope in scopes)

    def built_from(self) -> list[ManifestText]:
        """What kustomizations of the environments build from."""
        if self._is_empty:
            return []
        folders = built_from(self._tip, self)
        return self._texts(self._tip, self._tip.paths(folders)) if folders else []

    def referring(self) -> list[ManifestText]:
        """What may lay one file of the environments over another; none of a repository that is too large."""
        whole = None if self._is_empty else self._tip.whole(MOST)
        if whole is None:
            return []
        texts = self._texts(whole, filter(is_manifest, whole.search(_WORDS, Paths())))
        return [text for text in texts if _REFERRING.search(text.text)]

    @cached_property
    def _tip(self) -> Snapshot:
        return self._fetch()

    def _texts(self, tip: Snapshot, paths: Iterable[str]) -> list[ManifestText]:
        read = tip.read_all(path for path in paths if not self.matches(path))
        return [ManifestText(path, data.decode("utf-8", "replace")) for path, data in read]

    # The selection of all environments together.

    def matches(self, path: str) -> bool:
        return any(scope.matches(path) for scope in self._scopes)

    def may_hold(self, folder: str) -> bool:
        return any(scope.paths.may_hold(folder) for scope in self._scopes)

    def wants_all(self, folder: str) -> bool:
        return any(scope.paths.wants_all(folder) for scope in self._scopes)


def sites_of(texts: Iterable[ManifestText]) -> list[ImageSite]:
    """The places of images in texts; a text that cannot be read has none."""
    found: list[ImageSite] = []
    for text in texts:
        with suppress(YamlError):
            found += [site for site in formats.find(text) if site.fields and (site.variable or not site.problem)]
    return found
