"""Templates of titles, commit messages, descriptions and branches: `{environment}: {image} {tag}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gitops_ci.display import short_digests
from gitops_ci.errors import UsageError
from gitops_ci.reporting.proposal_facts import ProposalFacts

__all__ = ["FIELDS", "PARTS", "check_fields", "field_values", "fields_in", "filled", "has_lone_brace"]

# What a bump knows. The fields of a build (`branch`, `sha`, `date`, …) come from whoever knows the build.
FIELDS = (
    *("environment", "image", "name", "tag", "version", "digest", "reference", "previous", "others", "group"),
    *("source", "source_commit", "commit"),
)
PARTS = ("summary", "changes", "details", "footer")  # of a description
_FIELD = re.compile(r"\{([^{}]*)\}")


def fields_in(template: str) -> tuple[str, ...]:
    """The fields of a template as they are written: `short_sha:12`."""
    return tuple(name.strip() for name in _FIELD.findall(template))


def has_lone_brace(template: str) -> bool:
    """Whether a brace has no partner: a field was meant, and would stand in the text as it is written."""
    rest = _FIELD.sub("", template)
    return "{" in rest or "}" in rest


def check_fields(option: str, template: str, known: Iterable[str]) -> None:
    """Refuse a template with a field that does not exist.

    Raises:
        UsageError: it has one; the message lists those that exist.
    """
    names = list(known)
    for name in fields_in(template):
        if name.partition(":")[0] not in names:
            listed = ", ".join(f"{{{known}}}" for known in names)
            raise UsageError(f"{option} has the field {{{name}}}, which does not exist", hint=f"Use {listed}")


def field_values(facts: ProposalFacts) -> dict[str, str]:
    """The fields of templates and what they stand for."""
    image = facts.image
    tag = image.tag or short_digests(image.digest or "")
    return {
        **facts.build,
        "environment": facts.environment,
        "image": image.basename,
        "name": image.familiar,
        "tag": tag,
        "version": re.sub(r"\Av(?=\d)", "", tag),
        "digest": image.digest or "",
        "reference": str(image),
        "previous": short_digests(facts.previous[0]) if facts.previous else "",
        "others": str(len(facts.more)),
        "group": facts.group,
        "source": facts.source_repository,
        "source_commit": facts.source_commit,
        "commit": facts.source_commit[:12],
    }


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its fields filled in.

    Raises:
        UsageError: it has a field that does not exist.
    """

    def value(found: re.Match[str]) -> str:
        if (name := found[1].strip()) not in values:
            known = ", ".join(f"{{{name}}}" for name in values)
            raise UsageError(f"The template names {found[0]}, which does not exist: {template!r}", hint=f"Use {known}")
        return values[name]

    return _FIELD.sub(value, template)
