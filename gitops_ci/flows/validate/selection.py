"""A part of a repository: what a change reaches, and one job's share."""

from __future__ import annotations

import heapq
import os
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field

from gitops_ci import known_files
from gitops_ci.checkout import checkout_git
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import GitError, ProgramError, UsageError

__all__ = ["Partition", "Shard", "affected_by", "assign_shard", "branch_point", "changed_files", "partition"]

# CPU seconds, as measured: a second checks so many characters, a build or a templating starts a program.
_CHARACTERS = 3_000_000
_PROGRAM = 0.2
# Whatever the user's settings say of `git diff`: all paths, from the root, whoever shows their contents.
_EVERY_CHANGE = (
    *("--name-only", "-z", "--no-color", "--no-renames", "--no-relative", "--no-ext-diff", "--no-textconv"),
    *("--ignore-submodules=none", f"-O{os.devnull}"),
)
_GROUP = re.compile(r"""\bgroup["']?[ \t]*:[ \t]*["']?([a-z0-9-]+(?:\.[a-z0-9-]+)+)""")
_SAFE_REF = re.compile(r"[A-Za-z0-9_./@{}^~+-]+")


@dataclass(frozen=True, slots=True)
class RenderUnit:
    """A unit as a choice among units sees it: what it is made of, by paths as the run shows them.

    `file` describes it, `folders` are taken whole, `sources` are its files, `patches` those of them that are no
    manifests of their own. `inner` units are rendered as part of another one.
    """

    id: str
    file: str
    folders: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    patches: frozenset[str] = frozenset()
    inner: bool = False


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
            raise UsageError(f"'{text}' is not a share", hint="Write --shard 2/5 for the second of five jobs.")
        return cls(int(matched[1]), int(matched[2]))


def branch_point(references: Sequence[str]) -> str:
    """The commit where HEAD left the first of the references that is here.

    Raises:
        UsageError: there is none of them.
        GitError: this is not a Git repository.
    """
    for reference in references:
        if reference.startswith("-") or not _SAFE_REF.fullmatch(reference):
            raise UsageError(f"'{reference}' is not a Git reference", hint="For example --changed-since origin/main")
    _git("rev-parse", "--show-toplevel")  # in a repository at all?
    for reference in references:
        try:
            return _git("merge-base", "--end-of-options", reference, "HEAD").strip()
        except GitError:
            continue
    raise UsageError(
        f"There is no common history with {' or '.join(map(repr, references))}",
        hint="Fetch it first (git fetch origin main). A shallow clone may lack it: let the checkout have all history "
        "(GitHub fetch-depth: 0, GitLab GIT_DEPTH: 0, Azure fetchDepth: 0).",
    )


def changed_files(base: str) -> set[str]:
    """Files that differ from a commit, the uncommitted and untracked ones among them.

    Paths are relative to the working folder.

    Raises:
        GitError: this is not a Git repository.
    """
    top = _git("rev-parse", "--show-toplevel").strip()
    names = _git("diff", *_EVERY_CHANGE, "--end-of-options", base, "--").split("\0")
    names += _git("ls-files", "--others", "--exclude-standard", "--full-name", "-z").split("\0")
    here = os.path.realpath(os.getcwd())
    return {
        os.path.relpath(os.path.join(os.path.realpath(top), name), here).replace(os.sep, "/") for name in names if name
    }


def _git(*arguments: str) -> str:
    try:
        done = checkout_git(*arguments)
    except ProgramError as error:
        if "not a git repository" in error.message:
            raise GitError(
                "This folder is not in a Git repository, so there is no change to compare",
                hint="Run this inside a checkout of the repository, or leave out --changed-since.",
            ) from error
        raise GitError(f"git {arguments[0]} failed: {error.message}", hint="Run this inside the repository.") from error
    return done.stdout.decode("utf-8", "surrogateescape")


def affected_by(
    changed: Iterable[str], names: Collection[str], files: Mapping[str, str], units: Sequence[RenderUnit]
) -> tuple[set[str], list[RenderUnit]]:
    """The files, of those named, and the units that changed files have an effect on. `files` are the texts.

    What lies in one folder is applied together, so a folder is taken whole. A changed definition of a custom resource
    concerns the files with objects of its group, changed settings concern everything.
    """
    touched = set(changed)
    definitions = [text for path in touched if "CustomResourceDefinition" in (text := files.get(path, ""))]
    groups = {group for text in definitions for group in _GROUP.findall(text)}
    is_everywhere = any(posixpath.basename(path) == known_files.CONFIG for path in touched)
    if is_everywhere or (definitions and not groups):
        return set(names), list(units)
    groups.discard("apiextensions.k8s.io")  # whoever patches a definition names it
    of_groups = _with_objects_of(groups, files)
    folders = {posixpath.dirname(path) for path in touched}
    chosen = [unit for unit in units if unit.sources & (touched | of_groups) or _inside(unit, touched)]
    # What belongs to no other unit than untouched ones is judged by their rendering, not by itself.
    keys = set(map(_key, chosen))
    elsewhere = _sources(unit for unit in units if _key(unit) not in keys) - _sources(chosen)
    near = {path for path in names if posixpath.dirname(path) in folders} | (of_groups & set(names))
    return near - elsewhere, chosen


def _with_objects_of(groups: Collection[str], files: Mapping[str, str]) -> set[str]:
    if not groups:
        return set()
    listed = "|".join(map(re.escape, sorted(groups)))
    written = re.compile(rf"""apiVersion["']?[ \t]{{0,9}}:[ \t]{{0,9}}["']?(?:{listed})/""")
    return {path for path, text in files.items() if written.search(text)}


def _sources(units: Iterable[RenderUnit]) -> set[str]:
    return set().union(*(unit.sources for unit in units))


def _inside(unit: RenderUnit, touched: set[str]) -> bool:
    """Whether a file was touched that may be there no more, in a folder that the unit takes whole."""
    prefixes = tuple("" if folder == "." else f"{folder}/" for folder in unit.folders)
    return any(path.startswith(prefixes) for path in touched) if prefixes else False


@dataclass(slots=True)
class Partition:
    """What has to be judged in one job: a unit with its files, or the files of a folder. `seconds` are of a CPU."""

    key: str
    files: list[str] = field(default_factory=list)
    units: list[RenderUnit] = field(default_factory=list)
    seconds: float = 0.0


def partition(
    chosen: Iterable[str], units: Sequence[RenderUnit], files: Mapping[str, str], *, rendered: bool = True
) -> list[Partition]:
    """The smallest parts that a run over chosen files and units can be divided into; each file is in one of them.

    A file that several units are made of goes with the first that is rendered: in whichever job it is, it is covered
    by a rendering there, as it is in a run over everything.
    """
    ordered = sorted(units, key=lambda unit: (unit.inner, unit.id))
    owner: dict[str, str] = {}
    for unit in ordered:  # a patch is one only to the unit that says so
        for path in unit.patches:
            owner.setdefault(path, _key(unit))
    for unit in ordered:
        for path in unit.sources:
            owner.setdefault(path, _key(unit))
    within = {_key(unit): owner.get(unit.file, _key(unit)) for unit in units if unit.inner}
    owner = {path: _outermost(key, within) for path, key in owner.items()}
    found: dict[str, Partition] = {}
    for unit in ordered:
        key = _outermost(_key(unit), within)
        portion = found.setdefault(key, Partition(key))
        portion.units.append(unit)
        portion.seconds += _PROGRAM if rendered and not unit.inner else 0.0
        portion.seconds += sum(len(files.get(path, "")) for path in unit.sources) / _CHARACTERS
    for path in sorted(chosen):
        key = owner.get(path) or f"folder {posixpath.dirname(path)}"
        portion = found.setdefault(key, Partition(key))
        portion.files.append(path)
        if path not in owner:
            portion.seconds += len(files.get(path, "")) / _CHARACTERS
    return list(found.values())


def _outermost(key: str, within: Mapping[str, str]) -> str:
    """The outermost unit whose output contains a unit. Units that contain each other count as one."""
    seen: list[str] = []
    while within.get(key, key) != key:
        if key in seen:
            return min(seen[seen.index(key) :])
        seen.append(key)
        key = within[key]
    return key


def _key(unit: RenderUnit) -> str:
    return f"unit {unit.id}"


def assign_shard(parts: Collection[Partition], shard: Shard) -> tuple[set[str], list[RenderUnit]]:
    """One job's share of files and units: the longest part first, each to the job that has least to do so far.

    No job then has more than 4/3 of what the best division would give it (R. L. Graham, Bounds on Multiprocessing
    Timing Anomalies, 1969). All jobs see the same commit, so all find the same division.
    """
    loads = [(0.0, number) for number in range(1, shard.total + 1)]
    mine: list[Partition] = []
    for part in sorted(parts, key=lambda part: (-part.seconds, part.key)):
        load, number = loads[0]
        heapq.heapreplace(loads, (load + part.seconds, number))
        if number == shard.index:
            mine.append(part)
    return {path for part in mine for path in part.files}, [unit for part in mine for unit in part.units]
