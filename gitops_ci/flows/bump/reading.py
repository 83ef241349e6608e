"""Reading the config repository: the files that name an image, and those that belong to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gitops_ci import plan as planning
from gitops_ci.configrepo import Snapshot
from gitops_ci.dataclass import dataclass
from gitops_ci.flows.bump import encodings
from gitops_ci.flows.globs import Paths
from gitops_ci.formats import ManifestText
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Log, Skip
from gitops_ci.plan import BumpPolicy, Pointer

__all__ = ["Beside", "Texts", "decoded", "is_chart_file", "read"]


def is_chart_file(path: str) -> bool:
    """Whether a file is a chart's own, which may give names to what is laid over it."""
    return path.rpartition("/")[2] in {"values.yaml", "values.yml", "Chart.yaml"}


@dataclass(frozen=True, slots=True)
class Beside:
    """A selection, what it is built from, and the charts' own files: they say what a file laid over them leaves out."""

    selection: Paths
    built_from: Paths | None

    def matches(self, path: str) -> bool:
        return (
            self.selection.matches(path)
            or is_chart_file(path)
            or bool(self.built_from and self.built_from.matches(path))
        )

    def may_hold(self, folder: str) -> bool:
        return self.selection.may_hold(folder) or bool(self.built_from and self.built_from.may_hold(folder))

    def wants_all(self, folder: str) -> bool:
        return self.selection.wants_all(folder)


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts that may hold an image's version, and the files that nobody can read."""

    texts: list[ManifestText]
    unreadable: list[Skip]


def read(
    snapshot: Snapshot,
    selection: Paths | Beside,
    paths: Sequence[str],
    pointers: Sequence[Pointer],
    images: Sequence[ImageRef],
    policy: BumpPolicy,
    log: Log,
) -> Texts:
    """The files that may name an image, and those without which they cannot be understood.

    `paths` are those of the selection, `pointers` lead to files that are read in any case.
    """
    needles = planning.needles(images, policy)
    words = (*needles, *encodings.MARKS)
    lines = planning.RelationLines(snapshot.lines((*words, *planning.RELATIONS), selection))
    naming = lines.having(words)
    named_in = [path for path in paths if path in naming]
    log.detail(f"{len(named_in)} files may name {str(images[0]) if len(images) == 1 else f'{len(images)} images'}")
    pointed_at = [pointer.path for pointer in pointers]
    found, unreadable = decoded(snapshot, dict.fromkeys((*named_in, *pointed_at)), needles)
    texts = planning.parse(found, images, policy)
    related = planning.related(paths, images, policy, lines)
    seen, asked, new = {*named_in, *pointed_at}, set[str](), texts
    while new:
        related.add(new)
        more, names = related.next()
        if names - asked:
            more.update(snapshot.search(sorted(names - asked), selection))
            asked |= names
        new = planning.parse(decoded(snapshot, sorted(more - seen), ())[0], images, policy)
        texts, seen = [*texts, *new], seen | more
    log.detail(f"{len(seen)} files were read")
    return Texts(texts, unreadable)


def decoded(
    snapshot: Snapshot, paths: Iterable[str], needles: Sequence[str]
) -> tuple[list[tuple[str, str]], list[Skip]]:
    """The files as paths and texts, and those whose name or encoding nobody can use."""
    files, skipped, good = [], [], []
    for path in paths:
        if "\\" in path or any("\udc80" <= c <= "\udcff" for c in path):
            shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            reason = "its name has a backslash or is not UTF-8"
            skipped.append(Skip(shown, 0, reason, "Rename the file.", failed=True))
        else:
            good.append(path)
    for path, data in snapshot.read_all(good):
        text = encodings.decoded(path, data, needles)
        if isinstance(text, str):
            files.append((path, text))
        elif text:
            skipped.append(text)
    return files, skipped
