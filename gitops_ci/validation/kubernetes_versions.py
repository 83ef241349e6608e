"""The Kubernetes versions whose schemas ship with the package, and how a user names some of them."""

from __future__ import annotations

import re

from gitops_ci.errors import UsageError

__all__ = ["DEFAULT_VERSION", "VERSIONS", "versions"]

# Between two versions; the dash of `v1.31.4-gke.1183000` begins what a provider adds.
_DASH = r"\s*-\s*(?=v?1\.[0-9]|latest)"
VERSIONS = tuple(f"1.{minor}" for minor in range(25, 38))
DEFAULT_VERSION = VERSIONS[-1]


def versions(text: str) -> tuple[str, ...]:
    """Read `1.33`, `v1.33.4-gke.1`, `1.33..1.35` or a list with commas into minor versions, oldest first.

    `1.33-1.35` is a range, too.

    Raises:
        UsageError: no such form, or a version that the package has no schemas for.
    """
    found: set[int] = set()
    for part in text.split(","):
        first, last = _ends(part.strip())
        if not first or not last or (minors := range(_minor(first), _minor(last) + 1)) == range(0):
            raise UsageError(
                f"'{part.strip()}' is not a range of Kubernetes versions",
                hint="Write the lower version first: 1.33..1.35",
            )
        found.update(minors)
    return tuple(f"1.{minor}" for minor in sorted(found))


def _ends(text: str) -> tuple[str, str]:
    """The first and the last version of a range; a single one is both."""
    first, dots, last = text.partition("..")
    if not dots:
        first, dash, last = re.sub(_DASH, "\0", text, count=1).partition("\0")
        last = last if dash else first
    return first.strip(), last.strip()


def _minor(text: str) -> int:
    if text == "latest":
        text = DEFAULT_VERSION
    matched = re.fullmatch(r"v?1\.([0-9]{1,3})(?:\.[0-9]+(?:[-+][0-9A-Za-z.+-]*)?)?", text)
    if matched and f"1.{matched[1]}" in VERSIONS:
        return int(matched[1])
    # YAML reads 1.30 without quotes as the number 1.3.
    quotes = f'In YAML, write "{text}0" in quotes. ' if f"{text}0" in VERSIONS else ""
    raise UsageError(
        f"There are no schemas of Kubernetes '{text}'",
        hint=f"{quotes}Known versions: {VERSIONS[0]} to {VERSIONS[-1]}, written 1.33 or 1.33..1.35.",
    )
