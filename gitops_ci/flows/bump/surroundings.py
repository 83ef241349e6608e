"""What the check of a change judges by: the definitions, schemas and registries that `validate` would ask there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.bump.gate_settings import GateSettings
from gitops_ci.flows.globs import Paths, is_manifest
from gitops_ci.flows.image.existence import ImageLookup
from gitops_ci.flows.validate.left_out import is_walked
from gitops_ci.model import Log, Skip
from gitops_ci.validation import Surroundings
from gitops_ci.validation.custom_resources.schema_locations import Locations, SchemaFiles

__all__ = ["Around"]

_KIND = "CustomResourceDefinition"
_GROUP = re.compile(r"[\"']?apiVersion[\"']?:\s*[\"']?([a-z0-9.-]+\.[a-z0-9.-]+)/v", re.ASCII)
_LARGEST = 16 * 1024 * 1024


class Around:
    """What lies around the edited files of a commit, for both sides of the edit.

    `alike` are untouched files in the folders of edited ones. Of a commit that is read piece by piece, only
    `selection` and the paths of the settings are looked into.

    Raises:
        UsageError: a path of the settings is not in the commit, or leads out of it.
    """

    def __init__(
        self,
        settings: GateSettings,
        snapshot: Snapshot,
        selection: Paths,
        images: ImageLookup | None,
        log: Log,
        alike: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._settings = settings
        self._snapshot = snapshot
        self._selection = selection if snapshot.is_sparse else Paths()
        self._images = images
        self._alike = alike
        files = _CommitSchemas(snapshot, settings.source)
        self._crd_paths = _Below(tuple(files.existing(path) for path in settings.crd_paths))
        self._lookup = _lookup(settings, files, log)

    def surroundings(self, texts: Iterable[str], *, has_variables: bool) -> Surroundings:
        """For texts that are checked: the definitions are those of their groups."""
        return Surroundings(
            tuple(self._definitions(texts)),
            self._lookup,
            missing_images=self._images,
            has_variables=has_variables,
            is_whole=False,
            beside=self._alike,
        )

    def take_skips(self) -> tuple[Skip, ...]:
        """The images that no registry answered for since this was asked last."""
        if self._images is None:
            return ()
        found, self._images.skipped = tuple(self._images.skipped), []
        return found

    def _definitions(self, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
        groups = sorted({group for text in texts for group in _GROUP.findall(text)})
        if not groups:
            return
        for path in self._defining():
            try:
                text = (self._snapshot.read(path) or b"").decode("utf-8", "replace")
            except UsageError:
                continue  # a name that is never read
            if any(group in text for group in groups):
                yield path, text

    def _defining(self) -> dict[str, None]:
        """The files with definitions that `validate` would read in the root, and those of `crd-paths`."""
        settings = self._settings
        found = dict.fromkeys(
            path
            for path in self._snapshot.search([_KIND], self._selection)
            if is_manifest(path) and is_walked(path) and not settings.is_excluded(path)
        )
        if self._crd_paths.folders:
            found |= dict.fromkeys(filter(self._crd_paths.reads, self._snapshot.search([_KIND], self._crd_paths)))
        return found


def _lookup(settings: GateSettings, files: SchemaFiles, log: Log) -> Locations | None:
    locations = tuple(_usable(settings, log))
    if not locations:
        return None
    try:
        return Locations(locations, files=files, fetched=settings.fetched, warn=log.warn)
    except UsageError as error:
        if error.message.startswith(settings.source) or settings.hosts.issuperset(locations):
            raise
        raise UsageError(f"{settings.source}: {error.message}", hint=error.hint) from None


def _usable(settings: GateSettings, log: Log) -> Iterator[str]:
    """The locations without addresses that only the config repository names: it names no host to talk to."""
    for location in settings.schema_locations:
        if "://" not in location or location in settings.hosts:
            yield location
        elif location not in settings.told:
            settings.told.add(location)
            log.warn(
                f"{settings.source}: {location} is not used, because a config repository must not name a host. To "
                "use it here, write it into validate.schema-locations of the settings of this run."
            )


@dataclass(frozen=True, slots=True)
class _Below:
    """A selection: some files, and all below some folders; `` is the root."""

    folders: tuple[str, ...]

    def matches(self, path: str) -> bool:
        return any(path == one or _is_below(path, one) for one in self.folders)

    def may_hold(self, folder: str) -> bool:
        return self.matches(folder) or any(_is_below(one, folder) for one in self.folders)

    def wants_all(self, folder: str) -> bool:
        return self.matches(folder)

    def reads(self, path: str) -> bool:
        """Whether `validate` would read a file that was found here: of a folder, what it reads of each folder."""
        return any(
            path == one or (_is_below(path, one) and is_manifest(path) and is_walked(path[len(one) :].lstrip("/")))
            for one in self.folders
        )


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


class _CommitSchemas:
    """Files of a commit, as places of schemas. Links are followed nowhere in a commit. `source` is named in errors."""

    def __init__(self, snapshot: Snapshot, source: str) -> None:
        self._snapshot = snapshot
        self._source = source

    def existing(self, path: str) -> str:
        """The path of a file or folder from the root; `` is the root.

        Raises:
            UsageError: there is none, or it leads out.
        """
        inside = self._inside(path)
        if inside and self._snapshot.entry(inside) is None:
            raise UsageError(f"{self._source}: there is no {path}", hint="Correct crd-paths, or add the files.")
        return inside

    def has_folder(self, path: str) -> bool:
        inside = self._inside(path)
        entry = self._snapshot.entry(inside) if inside else None
        return not inside or (entry is not None and not entry.is_file)

    def text(self, path: str) -> str | None:
        try:
            data = self._snapshot.read(posixpath.normpath(path))
        except UsageError:
            return None  # a template that climbs
        return None if data is None or len(data) > _LARGEST else data.decode("utf-8", "replace")

    def _inside(self, path: str) -> str:
        inside = posixpath.normpath(path)
        if inside == ".":
            return ""
        try:
            obstacle = self._snapshot.obstacle(inside)
        except UsageError as error:
            raise UsageError(f"{self._source}: {error.message}", hint=error.hint) from None
        if obstacle:
            raise UsageError(f"{self._source}: {path} is not read: {obstacle}", hint="Name its target.")
        return inside
