"""Where what a Flux object refers to lies in this repository. Source: fluxcd.io/flux/components/source."""

from __future__ import annotations

import posixpath
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.deployment import DeploymentUnit, Repository
from gitops_ci.rendering.documents import Document, dig, items, text_of
from gitops_ci.rendering.tree import SourceTree

__all__ = ["Location", "locate"]


@dataclass(frozen=True, slots=True)
class Location:
    """A path in this repository, or why there is none and what to do about it.

    One that is `pinned` is elsewhere because its source follows other commits of this repository.
    `source` names a source that nobody describes: it may be this repository or another one. From a Git source come the
    files that `ignore`, its `spec.ignore`, and `.sourceignore` files leave.
    """

    path: str = "."
    source: str = ""
    elsewhere: str = ""
    remedy: str = ""
    is_git: bool = False
    pinned: bool = False
    ignore: str | None = None

    def tree(self, repository: Repository) -> SourceTree:
        """The files that the source has of this repository."""
        return repository.source_tree(self.ignore) if self.is_git else repository.tree


def locate(path: str, reference: Any, unit: DeploymentUnit, repository: Repository) -> Location:
    """Where a path of a source lies. A path never leads above the root of its source.

    A source that is not in Git, as the one that `flux bootstrap` makes, is taken to be this repository.
    """
    path = posixpath.normpath(posixpath.join("/", path)).strip("/") or "."
    kind = text_of(dig(reference, "kind")) or "GitRepository"
    name = text_of(dig(reference, "name"))
    namespace = text_of(dig(reference, "namespace")) or text_of(dig(unit.value, "metadata", "namespace"))
    found = repository.named(kind, name, namespace, unit)
    if kind == "ExternalArtifact":
        return _in_artifact(path, name, unit, repository)
    if found is None:
        told = f"the {kind} '{name}'"
        if kind == "OCIRepository":
            # Nobody describes it: it holds what is pushed from here, as far as anybody can see.
            return Location(_pushed(path, unit, repository), told)
        return Location(path, told, is_git=True) if kind == "GitRepository" else _no_git(kind, name)
    if kind != "GitRepository":
        return _no_git(kind, name)
    if why := _other_repository(found, repository):
        is_pinned = repository.is_own(text_of(dig(found.value, "spec", "url")))
        return Location(path, "", why, "Check it in the checkout of what it follows.", pinned=is_pinned)
    ignore = dig(found.value, "spec", "ignore")
    return Location(path, is_git=True, ignore=ignore if isinstance(ignore, str) else None)


def _pushed(path: str, unit: DeploymentUnit, repository: Repository) -> str:
    """The path of an artifact, in this repository.

    `flux push artifact --path` takes the root or a folder. Of these, the one is meant that holds the path and what
    describes the unit; the outermost of several.
    """
    names = unit.path.split("/")[:-1]
    found = (posixpath.normpath("/".join((*names[:depth], path))) for depth in range(len(names) + 1))
    return next((one for one in found if repository.tree.is_folder(one)), path)


def _no_git(kind: str, name: str) -> Location:
    return Location(
        ".", "", f"its source is the {kind} '{name}'", "Render it where that source is, and check the output."
    )


def _other_repository(found: Document, repository: Repository) -> str:
    url = text_of(dig(found.value, "spec", "url"))
    if not repository.is_own(url):
        return repository.why_elsewhere(url)
    wanted = dig(found.value, "spec", "ref")
    for field in ("commit", "tag", "semver", "name", "branch"):
        if (revision := text_of(dig(wanted, field))) and not repository.is_compared(revision):
            return f"it follows the {field} {revision}"
    return ""


def _in_artifact(path: str, name: str, unit: DeploymentUnit, repository: Repository) -> Location:
    """The folder that an ArtifactGenerator copies to a path of the artifact.

    Source: fluxcd.io/flux/components/source/artifactgenerators (`from: @alias/folder/**`, `to: @artifact/folder/`).
    """
    generator = _generator_of(name, unit, repository)
    for artifact in items(dig(generator.value if generator else None, "spec"), "artifacts"):
        if text_of(dig(artifact, "name")) != name or generator is None:
            continue
        sources = {text_of(dig(one, "alias")): one for one in items(dig(generator.value, "spec"), "sources")}
        for copy in items(artifact, "copy"):
            alias, _, origin = text_of(dig(copy, "from")).removeprefix("@").partition("/")
            folder = _below(path, text_of(dig(copy, "to")).removeprefix("@artifact").strip("/"), origin.rstrip("*/"))
            if folder and alias in sources:
                found = locate(folder, sources[alias], unit, repository)
                if found.elsewhere or repository.tree.is_folder(found.path):
                    return found
    return _no_git("ExternalArtifact", name)


def _generator_of(name: str, unit: DeploymentUnit, repository: Repository) -> Document | None:
    names = [
        generator
        for (kind, _), found in repository.objects.items()
        if kind == "ArtifactGenerator"
        for generator in found
        if any(text_of(dig(one, "name")) == name for one in items(dig(generator.value, "spec"), "artifacts"))
    ]
    return repository.nearest(names, unit)


def _below(path: str, copied_to: str, origin: str) -> str:
    if not copied_to:
        return posixpath.normpath(posixpath.join(origin, path))
    inside = path == copied_to or path.startswith(f"{copied_to}/")
    return posixpath.normpath(f"{origin}/{path[len(copied_to) :]}") if inside else ""
