"""What refers to the repository at hand: its address, paths in it, objects it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ci.model import Finding
from gitops_ci.text import did_you_mean
from gitops_ci.validation.lint.base import Keys, at
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.report import Surroundings

__all__ = ["Names", "is_filled_in", "is_here", "is_usual", "missing_name", "missing_path"]

# kind -> the names of its objects, in any namespace: that is often set by a kustomization
Names = Mapping[str, set[str]]
# Made by the tools' own setup, which need not be in Git.
_MADE = frozenset({"flux-system", "default"})
_FILLED_IN = re.compile(r"\{\{|\$")


def is_here(url: Any, around: Surroundings) -> bool:
    """Two spellings of one repository: with or without .git, over https or ssh, in any case."""
    return isinstance(url, str) and _key(url) in {_key(known) for known in around.repository_urls}


def _key(url: str) -> str:
    plain = re.sub(r"^[a-z+]+://(?:[^@/]*@)?|^[^@/:]+@", "", url.strip().lower())
    return re.sub(r"(?::\d+)?[:/]", "/", plain, count=1).removesuffix("/").removesuffix(".git")


def is_usual(*revisions: Any) -> bool:
    """Whether no revision is named, or the one that a checkout most likely is: others may hold other files."""
    return all(revision in (None, "", "HEAD", "main", "master") for revision in revisions)


def is_filled_in(text: str) -> bool:
    """Whether a template, a substitution or the environment makes something else of a text."""
    return _FILLED_IN.search(text) is not None


def missing_path(
    document: Document, keys: Keys, path: Any, around: Surroundings, *, what: str = "folder", sure: bool = True
) -> Iterator[Finding]:
    """A finding when nothing lies at a path, from the root of this repository. `sure`: no other revision is meant."""
    if around.exists is None or not isinstance(path, str) or is_filled_in(path) or around.exists(path):
        return
    said = f"there is no {what} '{path}' in this repository"
    yield at(document, keys, "gitops/missing-path", said, severity="error" if sure else "warning")


def missing_name(
    document: Document, keys: Keys, kind: str, name: Any, names: Names, around: Surroundings
) -> Iterator[Finding]:
    """A finding when others of a kind are here, and none has this name."""
    known = names.get(kind, set())
    if not around.is_whole or not isinstance(name, str) or not name or not known or name in known | _MADE:
        return
    if is_filled_in(name) or any(is_filled_in(other) for other in known):
        return
    hint = did_you_mean(name, known) or f"Known: {', '.join(sorted(known))}."
    yield at(
        document, keys, "gitops/missing-source", f"there is no {kind} '{name}' here", hint=hint, severity="warning"
    )
