"""Variables that look like an option's and are none: a misspelled one would be ignored in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitops_ci.text import did_you_mean

__all__ = ["NO_OPTION", "unknown_variables"]

_PREFIX = "GITOPS_CI_"
# Secrets, what the templates set for their own jobs, and what a job before handed over.
NO_OPTION = frozenset(
    {"TOKEN", "REGISTRY", "REGISTRY_USER", "REGISTRY_PASSWORD", "REGISTRY_USR", "REGISTRY_PSW", "DOTENV"}
    | {"SOURCE", "VALIDATE_PATHS", "DIFF", "PACKAGE"}
)


def unknown_variables(names: Iterable[str]) -> Iterator[str]:
    """A message for each variable with the prefix that no option of any command reads."""
    candidates = [name for name in names if name.startswith(_PREFIX) and not name.startswith(f"{_PREFIX}RESULT_")]
    candidates = [name for name in candidates if name.removeprefix(_PREFIX) not in NO_OPTION]
    if not candidates:
        return
    from importlib import resources

    text = resources.files("gitops_ci.cli").joinpath("known_variables.txt").read_text(encoding="ascii")
    known = text.split()
    for name in sorted(set(candidates) - set(known)):
        meant = did_you_mean(name, (*known, f"{_PREFIX}TOKEN"))
        yield f"The variable {name} is unknown and has no effect.{meant and f' {meant}'}"
