"""Objects of Argo CD, Flux and Fleet without a definition at hand, by documented fields and by bundled definitions.

The tables of fields are asked first: they know what controllers refuse beyond a definition, and give better reasons.
What is left is the definition's to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gitops_ci.model import Finding
from gitops_ci.validation.custom_resources.bundled_kinds import find_problems, is_bundled
from gitops_ci.validation.lint.field_tables import ANY, TEXT, Keys, Misfit, Shape, find_misfits
from gitops_ci.validation.lint.gitops_kinds import documented_shape, misfit_finding
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.violation import UNCHECKED, Violation, keys_of

__all__ = ["check_fields", "has_documented_fields"]

# A word that is not among those of the definition, and is like none of them.
_UNKNOWN_WORD = re.compile(r"is not supported; (?!.*[Dd]id you mean)")
_QUOTED = re.compile(r"'([^']+)'")


def has_documented_fields(document: Document) -> bool:
    """Whether the fields of this object are known without a definition at hand."""
    return is_bundled(document.api_version, document.kind) or documented_shape(document) is not None


def check_fields(document: Document) -> Iterator[Finding]:
    """What does not fit the documented fields. For an object without a definition at hand: that one knows better."""
    shape = documented_shape(document)
    misfits = list(find_misfits(document.value, shape)) if shape is not None else []
    # The tables have the rules of the definitions in them, so that nobody needs the libraries for CEL here.
    problems = find_problems(document.value, document.api_version, document.kind, with_rules=shape is None)
    if document.unknown is not None:
        problems = document.unknown.kept(problems)
    for misfit in misfits:
        yield misfit_finding(document, misfit)
    for problem in problems:
        if problem.rule != UNCHECKED and not _is_said(problem, misfits, shape):
            found = misfit_finding(document, _misfit(problem))
            # The definition of a newer release may have more words to choose from.
            yield replace(found, severity="warning") if _UNKNOWN_WORD.search(problem.message + problem.hint) else found


def _misfit(problem: Violation) -> Misfit:
    is_unknown = problem.rule == "schema/unknown-field"
    return Misfit(keys_of(problem.path), problem.message, problem.hint, problem.at == "key", is_unknown)


def _is_said(problem: Violation, misfits: Sequence[Misfit], shape: Shape | None) -> bool:
    """Whether a table said it already, or knows a newer version's field or value."""
    keys = keys_of(problem.path)
    if any(keys == one.keys and (problem.at == "value" or _names(problem, one)) for one in misfits):
        return True
    known = _part(shape, keys)
    if problem.rule == "schema/unknown-field":
        return known is not None
    # A text of any form is the definition's to judge.
    return problem.rule in {"schema/type", "schema/value"} and known is not None and known not in (ANY, TEXT)


def _names(problem: Violation, misfit: Misfit) -> bool:
    """Whether both are about one field below the same place."""
    return any(f"'{name}'" in misfit.message for name in _QUOTED.findall(problem.message))


def _part(shape: Shape | None, keys: Keys) -> Shape | None:
    """What a table says of a place; None where it has nothing to say."""
    for key in keys:
        if isinstance(shape, list):
            shape = shape[0]
        elif isinstance(shape, dict):
            shape = next((shape[one] for one in (key, f"{key}!", "*") if one in shape), None)
        else:
            return None
    return shape
