"""The Kubernetes versions whose schemas ship with the package, and how a user names some of them."""

from __future__ import annotations

import re

from gitops_ci.errors import UsageError

__all__ = ["DEFAULT_VERSION", "VERSIONS", "versions"]

VERSIONS = tuple(f"1.{minor}" for minor in range(25, 38))
DEFAULT_VERSION = VERSIONS[-1]


def versions(text: str) -> tuple[str, ...]:
    """Read `1.33`, `v1.33.4`, `1.33..1.35` or a list with commas into minor versions, oldest first.

    Raises:
        UsageError: no such form, or a version that the package has no schemas for.
    """
    found: set[int] = set()
    for part in text.split(","):
        first, dots, last = (piece.strip() for piece in part.partition(".."))
        found.update(range(_minor(first), _minor(last if dots else first) + 1))
    if not found:
        raise UsageError(
            f"'{text}' is no range of Kubernetes versions", hint="Write the lower version first: 1.33..1.35"
        )
    return tuple(f"1.{minor}" for minor in sorted(found))


def _minor(text: str) -> int:
    if text == "latest":
        text = DEFAULT_VERSION
    matched = re.fullmatch(r"v?1\.(\d{1,3})(?:\.\d+)?", text)
    if matched and f"1.{matched[1]}" in VERSIONS:
        return int(matched[1])
    # YAML reads 1.30 without quotes as the number 1.3.
    quotes = f'In YAML, write "{text}0" in quotes. ' if f"{text}0" in VERSIONS else ""
    raise UsageError(
        f"There are no schemas of Kubernetes '{text}'",
        hint=f"{quotes}Known versions: {VERSIONS[0]} to {VERSIONS[-1]}, written 1.33 or 1.33..1.35.",
    )
