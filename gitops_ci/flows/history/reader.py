"""The timelines of environments, from the history of their branches."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gitops_ci.configrepo import BranchLog, ConfigRepo, LogEntry
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump.reading import is_chart_file
from gitops_ci.flows.history.copied import CopiedVersions
from gitops_ci.flows.history.outside import Outside, sites_of
from gitops_ci.flows.history.scopes import Scope
from gitops_ci.flows.history.sites import FileReader, Names, Use, is_readable
from gitops_ci.flows.history.timeline import Timeline
from gitops_ci.flows.trailers import trailer
from gitops_ci.formats import ManifestText, flux_policies
from gitops_ci.formats.pointer import Pointer
from gitops_ci.known_files import KUSTOMIZATIONS
from gitops_ci.model import Log, Skip
from gitops_ci.plan.kustomizations import Together
from gitops_ci.plan.layers import Layers
from gitops_ci.plan.patched_values import with_patched
from gitops_ci.plan.related_files import layered
from gitops_ci.plan.replacements import needed

__all__ = ["EnvironmentPast", "Past", "read_past"]


@dataclass(frozen=True, slots=True)
class EnvironmentPast:
    """One environment: its timeline, and the places that it has now, by path."""

    scope: Scope
    timeline: Timeline
    places: Mapping[str, tuple[Use, ...]]


@dataclass(frozen=True, slots=True)
class Past:
    """The environments by name. `reaches` is the time from which on the history was read, 0 where it is complete."""

    environments: Mapping[str, EnvironmentPast]
    skipped: tuple[Skip, ...]
    reaches: int
    entries: Mapping[str, Sequence[LogEntry]]

    @property
    def is_whole(self) -> bool:
        return self.reaches == 0


def read_past(repo: ConfigRepo, scopes: Sequence[Scope], since: int | None, log: Log) -> Past:
    """Read the history of each branch once, for all environments on it.

    Raises:
        GitError: a branch is not there, or the repository does not answer.
    """
    found: dict[str, EnvironmentPast] = {}
    skipped: dict[tuple[str, int], Skip] = {}
    reaches, entries = 0, dict[str, Sequence[LogEntry]]()
    for branch in dict.fromkeys(scope.branch for scope in scopes):
        here = [scope for scope in scopes if scope.branch == branch]
        outside = Outside(lambda branch=branch: repo.fetch(branch, sparse=True), here)  # type: ignore[misc]
        history = _Branch(repo.log(branch, since=since), here, outside)
        log.detail(f"read {len(history.entries)} commits of {branch}")
        found |= {past.scope.name: past for past in history.pasts()}
        skipped |= {(skip.path, skip.line): skip for skip in history.skipped()}
        entries[branch] = history.entries
        if cut := next((entry.time for entry in history.entries if entry.is_cut), 0):
            reaches = max(reaches, cut)
    ordered = {scope.name: found[scope.name] for scope in scopes}
    return Past(ordered, tuple(skipped.values()), reaches, entries)


class _Branch:
    """The history of one branch, and what is found in the files that it changed."""

    def __init__(self, log: BranchLog, scopes: Sequence[Scope], outside: Outside) -> None:
        self._log = log
        self._scopes = scopes
        self._outside = outside
        self._pointers: dict[str, tuple[Pointer, ...]] = {}
        self.entries = list(log.entries(self._is_wanted))
        self._tip = self._files_of_tip()
        self._bases: list[ManifestText] = []
        self._reader = FileReader(self._copied(), self._pointed)
        self._read()
        self._names = self._named()

    def _is_wanted(self, path: str) -> bool:
        if not is_readable(path) and not self._pointed(path):
            return False
        return is_chart_file(path) or any(scope.matches(path) for scope in self._scopes)

    def _pointed(self, path: str) -> tuple[Pointer, ...]:
        """What rules of the settings lead to in a file."""
        if path not in self._pointers:
            rules = dict.fromkeys(rule for scope in self._scopes for rule in scope.rules)
            self._pointers[path] = tuple(place.pointer for rule in rules for place in rule.places([path]))
        return self._pointers[path]

    def _files_of_tip(self) -> dict[str, str]:
        files: dict[str, str] = {}
        for entry in self.entries:
            for change in entry.changes:
                if change.new is None:
                    files.pop(change.path, None)
                else:
                    files[change.path] = change.new
        return files

    def _read(self) -> None:
        # A content may be that of several files, which are read by their names, too.
        paths, others = dict[str, str](), dict[str, set[str]]()
        for entry in self.entries:
            for change in entry.changes:
                for blob in (change.old, change.new):
                    if blob is not None and paths.setdefault(blob, change.path) != change.path:
                        others.setdefault(blob, set()).add(change.path)
        for blob, data in self._log.blobs(paths):
            for path in sorted({paths[blob], *others.get(blob, ())}):
                self._reader.read(path, blob, data)

    def _texts(self, paths: Iterable[str]) -> list[ManifestText]:
        """The files of the tip among these paths."""
        wanted = {path: self._tip[path] for path in paths if path in self._tip}
        blobs = dict(self._log.blobs(wanted.values()))
        return [
            ManifestText(path, blobs[blob].decode("utf-8", "replace")) for path, blob in wanted.items() if blob in blobs
        ]

    def _copied(self) -> CopiedVersions:
        """What kustomizations copy, of those that are meant and of the bases that they lead to."""
        texts = self._texts(path for path in self._tip if posixpath.basename(path) in KUSTOMIZATIONS)
        if any("../" in text.text for text in texts):
            self._bases = self._outside.built_from()
        texts += self._bases
        return CopiedVersions([*texts, *self._texts(needed(texts) - {text.path for text in texts})])

    def _named(self) -> Names:
        nameless = [site for site in self._reader.parsed_sites() if not site.image.repository]
        if not nameless:
            return Names(Layers(()), Layers(()))
        sources = self._texts(path for path, blob in self._tip.items() if (path, blob) not in self._reader.broken)
        names = self._names_by([*sources, *self._bases])
        if not all(map(names.is_named, nameless)) and (referring := self._outside.referring()):
            known = {text.path for text in self._bases}
            self._bases += (text for text in referring if text.path not in known)
            names = self._names_by([*sources, *self._bases])
        return names

    def _names_by(self, sources: Sequence[ManifestText]) -> Names:
        policies = [policy for source in sources for policy in flux_policies.named(source)]
        below = layered(sources)
        outside = sites_of(self._bases)
        now = (site for path, blob in self._tip.items() for site in self._reader.places(path, blob).sites())
        ever = self._reader.parsed_sites()
        together = Together(sources)
        known = (with_patched(sources, [*sites, *outside], below) for sites in (now, ever))
        return Names(*(Layers(*one, policies, (), together) for one in known))

    def pasts(self) -> Iterator[EnvironmentPast]:
        uses: dict[tuple[str, str], tuple[Use, ...]] = {}

        def of(path: str, blob: str | None) -> tuple[Use, ...]:
            if blob is None:
                return ()
            if (path, blob) not in uses:
                uses[path, blob] = self._names.uses(self._reader.places(path, blob))
            return uses[path, blob]

        timelines = [Timeline(scope.name) for scope in self._scopes]
        messages = self._merged()
        where: dict[str, list[Timeline]] = {}
        for entry in self.entries:
            here: dict[Timeline, list[tuple[Sequence[Use], Sequence[Use]]]] = {}
            for change in entry.changes:
                path = change.path
                if path not in where:
                    where[path] = [t for s, t in zip(self._scopes, timelines, strict=True) if s.matches(path)]
                for timeline in where[path]:
                    here.setdefault(timeline, []).append((of(path, change.old), of(path, change.new)))
            message = messages.get(entry.commit, entry.message)
            for timeline, changes in here.items():
                timeline.apply(entry, message, changes)
        for scope, timeline in zip(self._scopes, timelines, strict=True):
            files = {path: of(path, blob) for path, blob in self._tip.items() if scope.matches(path)}
            yield EnvironmentPast(scope, timeline, {path: found for path, found in files.items() if found})

    def _merged(self) -> dict[str, str]:
        """The message with trailers of each merge of a pull request: that of the commit which was merged."""
        merges = {
            e.commit: e.parents[1] for e in self.entries if len(e.parents) == 2 and not trailer(e.message, "Image")
        }
        messages = self._log.messages(list(dict.fromkeys(merges.values())))
        return {merge: messages[other] for merge, other in merges.items() if other in messages}

    def skipped(self) -> Iterator[Skip]:
        """The files that cannot be read as they are now."""
        for path, blob in self._tip.items():
            if (skip := self._reader.broken.get((path, blob))) is not None:
                yield skip
