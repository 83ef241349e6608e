"""The settings for the check of a change: those of the branch that it goes to, since a change may not judge itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gitops_ci import known_files
from gitops_ci.checkout import checkout_git
from gitops_ci.config_keys import Config
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ProgramError

if TYPE_CHECKING:
    from gitops_ci.ci import CiContext

__all__ = ["Settings", "settings_for"]

_HINT = "'gitops-ci config check' checks the new file. --config FILE names another one."
_ANY = frozenset({0, 1, 128})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that apply, and what a person has to be told of them, or an empty text."""

    config: Config
    message: str = ""


def settings_for(context: CiContext) -> Settings:
    """The settings of this folder, or, where a pull request or a merge queue is checked, of its base.

    Raises:
        UsageError: they cannot be read.
    """
    here = known_files.CONFIG if os.path.isfile(known_files.CONFIG) else ""
    if not (here or context.bases):
        return Settings(Config())
    from gitops_ci.config import load, parse

    if not context.bases:
        return Settings(load(here))
    base = _branch_point(context.bases)
    if not base:
        if not here:
            return Settings(Config())
        return Settings(
            Config(),
            f"The commit that this change is based on is not in the checkout: the settings of {here} are not used. "
            "Fetch it (GitHub fetch-depth: 2, GitLab GIT_DEPTH: 0), or name a file with --config",
        )
    text = _text_at(base)
    if text is None:
        told = f"{here} is new in this change: the check uses the defaults. {_HINT}" if here else ""
        return Settings(Config(), told)
    told = (
        "" if here and _is_same(here, text) else f"{known_files.CONFIG} is changed: the check uses the old one. {_HINT}"
    )
    return Settings(parse(text, f"{known_files.CONFIG} of {base[:12]}"), told)


def _branch_point(references: tuple[str, ...]) -> str:
    """The commit where HEAD left the first of the references that is here; empty where none is."""
    for reference in references:
        if found := _git("merge-base", "--end-of-options", reference, "HEAD"):
            return found.decode("ascii", "replace").strip()
    return ""


def _text_at(commit: str) -> str | None:
    """The settings file of this folder in a commit, None where it has none."""
    data = _git("cat-file", "blob", f"{commit}:./{known_files.CONFIG}")
    return None if data is None else data.decode("utf-8", "replace")


def _git(*arguments: str) -> bytes | None:
    try:
        done = checkout_git(*arguments, allowed=_ANY)
    except ProgramError:
        return None
    return done.stdout if done.code == 0 else None


def _is_same(path: str, text: str) -> bool:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read() == text
    except (OSError, UnicodeDecodeError):
        return False
