"""Why a chart could not be rendered: it is broken for everybody, or it lacks values that only its user has."""

from __future__ import annotations

import re

__all__ = ["is_broken"]

# Words of text/template and helm (pkg/engine, pkg/releaseutil, pkg/chartutil), which no values can mend.
_BROKEN = re.compile(
    r"parse error at|no template \\?\"[^\"]*\\?\" associated|(?:function|template) \\?\"[^\"]*\\?\" not defined"
    r"|YAML parse error on|unclosed action|unexpected .* in (?:command|operand|define clause|template clause)"
    r"|Chart\.yaml file is missing|validation: chart\.metadata|cannot load (?:values|Chart)\.yaml"
    r"|found in Chart\.yaml, but missing in charts/|error converting YAML to JSON|invalid chart"
)
_SCHEMA = re.compile(r"values don't meet the specifications of the schema")
# What a schema says of a value that is not there, in the words of both validators.
_ABSENT = re.compile(
    r"is required|missing propert|got null|Given: null|given: null|minLength|String length must be greater"
)
_HEADING = re.compile(r"^(?:Error:|helm failed|.*specifications of the schema|[\w.-]+:\s*$|.*failed with exit code)")


def is_broken(message: str) -> bool:
    """Whether nobody can install the chart, by what helm prints when it is rendered with its own values."""
    if _SCHEMA.search(message):
        details = message[_SCHEMA.search(message).end() :] if _SCHEMA.search(message) else message  # type: ignore[union-attr]
        complaints = [line for line in details.splitlines()[1:] if line.strip() and not _HEADING.match(line.strip())]
        return any(not _ABSENT.search(line) for line in complaints)
    return _BROKEN.search(message) is not None
