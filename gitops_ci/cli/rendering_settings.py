"""What units are rendered with: pairs of names and values, files for charts, limits of programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitops_ci.errors import UsageError
from gitops_ci.paths import leads_out

if TYPE_CHECKING:
    from gitops_ci.bounded import Limits

__all__ = ["chart_values", "inside", "limits_of", "pairs", "values_of"]

# Limits of a program -> key of `rendering:`.
_LIMITS = {"seconds": "timeout", "memory": "memory", "output": "output"}


def limits_of(settings: Mapping[str, Any]) -> Limits:
    """What each run of a renderer may take, by the file's `rendering:`."""
    from gitops_ci.bounded import Limits

    limits = {name: settings.get(f"rendering_{key}") for name, key in _LIMITS.items()}
    return Limits(**{name: value for name, value in limits.items() if value})


def inside(place: str) -> str:
    """A path of definitions, or an address.

    Raises:
        UsageError: a link of the checkout leads out of it: whoever writes a change could choose what is read.
    """
    if "://" not in place and leads_out(place.partition("{{")[0] or "."):
        raise UsageError(
            f"{place} is a link that leads out of this folder", hint="Name its target, or copy the files here."
        )
    return place


def pairs(texts: Sequence[str], option: str, example: str) -> list[tuple[str, str]]:
    """What `NAME=VALUE` says, text by text.

    Raises:
        UsageError: one has no name, or no equals sign.
    """
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            what = example.partition("=")[0]
            raise UsageError(f"'{text}' is not {what}=…", hint=f"For example --{option} {example}")
        found.append((name, value))
    return found


def chart_values(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The files of values for each chart, as `CHART=FILE` says."""
    found = pairs(texts, "values", "charts/shop=values-prod.yaml")
    return {chart: tuple(file for name, file in found if name == chart) for chart, _ in found}


def values_of(settings: Mapping[str, Any], given: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """The files of values for each chart: those of the command line, else those of the file."""
    said = chart_values(settings.get("values", ())) | chart_values(given)
    return {chart: tuple(map(inside, files)) for chart, files in said.items()}
