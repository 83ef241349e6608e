"""Which files of a repository Flux leaves out of a source: its defaults, `.sourceignore` files and `spec.ignore`.

Source: github.com/fluxcd/pkg/sourceignore 0.14 and the storage of source-controller (SourceIgnoreFilter, Archive),
which ask for each file by itself; github.com/go-git/go-git/v5 5.16 plumbing/format/gitignore, which is what counts
where it differs from git: a pattern without a slash fits any name on the way, what follows `**` is searched once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.globs import name_expression

__all__ = ["IGNORE_FILE", "hidden_files"]

IGNORE_FILE = ".sourceignore"
_VCS = (".git/", ".gitignore", ".gitmodules", ".gitattributes")
_DEFAULTS = (
    *("*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip"),
    *(".github/", ".circleci/", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml", "cloudbuild.yaml"),
    *("codeship-services.yml", "codeship-steps.yml"),
    *("**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml"),
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A pattern of an ignore file that lies in `folder`, '' for the root."""

    folder: str
    parts: tuple[str, ...]
    keeps: bool
    is_for_folders: bool


@dataclass(frozen=True, slots=True)
class _Rule:
    """One or more lines of a kind. `fits` is asked with a path and where the part below the folder begins."""

    folder: str
    keeps: bool
    fits: Callable[[str, int], object]

    def is_about(self, path: str) -> bool:
        if self.folder and not path.startswith(f"{self.folder}/"):
            return False
        return bool(self.fits(path, len(self.folder)))


def hidden_files(names: Sequence[str], text_of: Callable[[str], str | None], ignore: str | None) -> frozenset[str]:
    """The files that are not in the source. `ignore` is `spec.ignore`, None where it is not set."""
    files = sorted((name.rpartition("/")[0].split("/"), name) for name in names if name.endswith(IGNORE_FILE))
    lines = [
        line
        for _, path in files
        if path.rpartition("/")[2] == IGNORE_FILE
        for line in _lines((text_of(path) or "").splitlines(), path.rpartition("/")[0])
    ]
    lines += _lines((ignore or "").splitlines(), "")
    last_first = list(_rules([*_lines(_VCS, ""), *(lines or _lines(_DEFAULTS, ""))]))[::-1]

    def is_hidden(path: str) -> bool:
        found = next((rule for rule in last_first if rule.is_about(path)), None)
        return found is not None and not found.keeps

    return frozenset(filter(is_hidden, names))


def _lines(texts: Iterable[str], folder: str) -> Iterator[_Line]:
    for text in texts:
        if text.startswith("#") or not text.strip():
            continue
        keeps = text.startswith("!")
        said = text[1:] if keeps else text
        said = said if said.endswith("\\ ") else said.rstrip(" ")
        yield _Line(folder, tuple(said.removesuffix("/").split("/")), keeps, said.endswith("/"))


def _rules(lines: Iterable[_Line]) -> Iterator[_Rule]:
    """The lines in order; those for a name anywhere that follow each other are one expression."""
    for (folder, keeps, is_name), group in groupby(lines, key=lambda one: (one.folder, one.keeps, len(one.parts) == 1)):
        if is_name:
            either = "|".join(
                name_expression(one.parts[0]) + ("/" if one.is_for_folders else "(?:/|$)") for one in group
            )
            yield _Rule(folder, keeps, re.compile(rf"(?:^|/)(?:{either})", re.DOTALL).search)
            continue
        for one in group:
            yield _Rule(folder, keeps, _from_the_start(one))


def _from_the_start(line: _Line) -> Callable[[str, int], bool]:
    """The test for a pattern of several names (go-git, pattern.globMatch)."""
    tests = [re.compile(name_expression(part), re.DOTALL).fullmatch for part in line.parts]

    def fits(path: str, start: int) -> bool:
        left, fitted, may_skip = path[start:].removeprefix("/").split("/"), False, False
        for number, (part, test) in enumerate(zip(line.parts, tests, strict=True)):
            if part == "**" and number == len(line.parts) - 1:
                break
            if part in {"", "**"}:
                may_skip = part == "**"
                continue
            if "**" in part or not left:
                return False
            if not may_skip and not test(left[0]):
                return False
            at = next((at for at, name in enumerate(left) if test(name)), len(left))
            fitted, may_skip = at < len(left), False
            left = left[at + 1 :]
        return fitted and not (line.is_for_folders and not left)

    return fits
