"""The files worth reading, read: what was found in each of them, and what of it belongs to a wanted image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from gitops_ci import formats
from gitops_ci.formats import Source, helm_chart, pointer
from gitops_ci.formats.layers import Layers, lies_over
from gitops_ci.formats.pointer import Pointer
from gitops_ci.formats.wanted import Wanted
from gitops_ci.imageref import ImageRef
from gitops_ci.model import ImageSite, Skip
from gitops_ci.plan.policy import Policy
from gitops_ci.yamltext import YamlError

__all__ = ["Draft", "companions", "read"]


@dataclass(slots=True)
class Draft:
    """One file: all its sites, those that are meant with the image to write there, and what cannot be edited."""

    source: Source
    sites: list[ImageSite] = field(default_factory=list)
    meant: list[tuple[ImageSite, ImageRef]] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)

    def choose(self, layers: Layers, wanted: Wanted, policy: Policy) -> None:
        """The sites of wanted images; a version without a name gets it from the layers below."""
        for site in self.sites:
            if site.format == helm_chart.ID and not policy.app_version:
                continue
            name = site.image if site.image.repository else layers.name(site)
            if name and site.fields and (target := wanted.of(name)):
                image = name.with_version(tag=site.image.tag, digest=site.image.digest)
                self.meant.append((replace(site, image=image), target))

    def point(self, pointers: Sequence[Pointer], targets: Sequence[ImageRef]) -> None:
        """The values that were pointed at, besides those found by rules."""
        for at in pointers:
            if at.path != self.source.path:
                continue
            try:
                sites = [*pointer.find(self.source, at, targets[0])]
            except YamlError as error:
                self.skipped.append(_unreadable(self.source, error))
                continue
            known = {field.span for site, _ in self.meant for field in site.fields}
            self.meant += [(s, targets[0]) for s in sites if not known & {field.span for field in s.fields}]
            if not sites:
                self.skipped.append(Skip(at.path, 0, f"--at {at.text}: there is no such value", failed=True))


def read(
    files: Sequence[tuple[str, str]], wanted: Wanted, policy: Policy, pointers: Sequence[Pointer] = ()
) -> list[Draft]:
    """Every file that mentions a wanted image or is pointed at, and what is laid over those that name one."""
    pointed = {at.path for at in pointers}
    drafts = {
        path: _look(path, text, wanted, policy) for path, text in files if path in pointed or wanted.mentioned(text)
    }
    bases = [p for p, draft in drafts.items() if any(site.layers and wanted.of(site.image) for site in draft.sites)]
    beside = frozenset(companions(bases, (path for path, _ in files))) - drafts.keys()
    for path, text in files:
        if path in beside:
            drafts[path] = _look(path, text, wanted, policy)
    return [drafts[path] for path, _ in files if path in drafts]


def companions(named_in: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    """Files among `paths` that name no image and may yet hold its version: they are read beside `named_in`.

    These are values laid over a file of values, and the Chart.yaml beside it.
    """
    named = set(named_in)
    folders: dict[str, list[str]] = {}
    for path in named:
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    return tuple(
        path
        for path in paths
        if path not in named and any(_goes_with(path, base) for base in folders.get(path.rpartition("/")[0], ()))
    )


def _goes_with(path: str, base: str) -> bool:
    if PurePosixPath(path).name == helm_chart.FILE_NAME:
        return PurePosixPath(base).name in {"values.yaml", "values.yml"}
    return lies_over(path, base)


def _look(path: str, text: str, wanted: Wanted, policy: Policy) -> Draft:
    draft = Draft(Source(path, text, wanted.mentioned))
    try:
        draft.sites += formats.find(draft.source, policy.formats)
        if draft.source.is_yaml and not formats.is_template(draft.source) and not policy.formats:
            draft.skipped += wanted.elsewhere(draft.source, draft.sites)
    except YamlError as error:
        if wanted.first_line_with_name(text):
            draft.skipped.append(_unreadable(draft.source, error))
    return draft


def _unreadable(source: Source, error: YamlError) -> Skip:
    reason = f"names the image and cannot be read: {error.reason}"
    return Skip(source.path, error.line, reason, "Correct the YAML; the file was not changed.", failed=True)
