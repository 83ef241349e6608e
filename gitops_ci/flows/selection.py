"""A part of a repository: what a change reaches, and one job's share."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitops_ci import process
from gitops_ci.errors import GitError, ProgramError, UsageError
from gitops_ci.rendering import Unit

__all__ = ["Shard", "changed_files", "reached", "shared_out"]

_SAFE_REF = re.compile(r"[A-Za-z0-9_./@{}^~+-]+")


@dataclass(frozen=True, slots=True)
class Shard:
    """Job `index` (from 1) of `total`."""

    index: int = 1
    total: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `2/5`.

        Raises:
            UsageError: no two numbers, or an index that is none of 1 to the total.
        """
        matched = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text)
        if not matched or not 1 <= int(matched[1]) <= int(matched[2]):
            raise UsageError(f"'{text}' is no share", hint="Write --shard 2/5 for the second of five jobs.")
        return cls(int(matched[1]), int(matched[2]))

    def has(self, key: str) -> bool:
        """Whether a key is this job's: by rendezvous, so that one more job moves few keys."""
        if self.total == 1:
            return True
        scores = [hashlib.sha256(f"{number}:{key}".encode()).digest() for number in range(1, self.total + 1)]
        return scores.index(max(scores)) == self.index - 1


def changed_files(reference: str) -> set[str]:
    """Files that differ from where a branch left `reference`, the uncommitted and untracked ones among them.

    Paths are relative to the working folder.

    Raises:
        UsageError: no such reference.
        GitError: this is no Git repository.
    """
    if reference.startswith("-") or not _SAFE_REF.fullmatch(reference):
        raise UsageError(f"'{reference}' is not a Git reference")
    top = _git("rev-parse", "--show-toplevel").strip()
    base = _git("merge-base", "--end-of-options", reference, "HEAD", missing=reference).strip()
    names = _git("diff", "--name-only", "--no-renames", "-z", "--end-of-options", base, "--").split("\0")
    names += _git("ls-files", "--others", "--exclude-standard", "--full-name", "-z").split("\0")
    here = os.path.realpath(os.getcwd())
    return {
        os.path.relpath(os.path.join(os.path.realpath(top), name), here).replace(os.sep, "/") for name in names if name
    }


def _git(*arguments: str, missing: str = "") -> str:
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    try:
        done = process.run(command)
    except ProgramError as error:
        if missing:
            hint = "Fetch it first (git fetch origin main); a shallow clone may lack the history: use fetch-depth: 0."
            raise UsageError(f"There is no common history with '{missing}'", hint=hint) from error
        raise GitError(f"git {arguments[0]} failed: {error.message}", hint="Run this inside the repository.") from error
    return done.stdout.decode("utf-8", "surrogateescape")


def reached(changed: Iterable[str], files: Mapping[str, str], units: Sequence[Unit]) -> tuple[set[str], list[Unit]]:
    """The files and units that changed files have an effect on.

    What lies in one folder is applied together, so a folder is taken whole; a changed definition of a custom resource,
    or changed settings, concern everything.
    """
    touched = set(changed)
    everywhere = any(
        posixpath.basename(path) == ".gitops-ci.yaml" or "CustomResourceDefinition" in files.get(path, "")
        for path in touched
    )
    if everywhere:
        return set(files), list(units)
    folders = {posixpath.dirname(path) for path in touched}
    chosen = [unit for unit in units if unit.sources & touched or _inside(unit, touched)]
    return {path for path in files if posixpath.dirname(path) in folders}, chosen


def _inside(unit: Unit, touched: set[str]) -> bool:
    if unit.renderer != "helm":
        return False
    prefix = "" if unit.folder == "." else f"{unit.folder}/"
    return any(path.startswith(prefix) for path in touched)


def shared_out(files: Iterable[str], units: Sequence[Unit], shard: Shard) -> tuple[set[str], list[Unit]]:
    """One job's share of files (by folder) and units."""
    mine = {path for path in files if shard.has(f"folder {posixpath.dirname(path)}")}
    return mine, [unit for unit in units if shard.has(f"unit {unit.renderer} {unit.folder}")]
