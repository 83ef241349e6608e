"""Objects of Argo CD, Flux and Fleet without a definition at hand, by bundled definitions.

Tables of a few fields are asked first: they know what controllers refuse beyond a definition, and the rules in CEL, so
that nobody needs its libraries here. Where they know a field, they give the better reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gitops_ci.model import Finding
from gitops_ci.validation.custom_resources.bundled_kinds import find_problems, is_bundled
from gitops_ci.validation.lint.field_tables import Misfit, find_misfits
from gitops_ci.validation.lint.gitops_kinds import further_shape, misfit_finding
from gitops_ci.validation.manifests.documents import Document
from gitops_ci.validation.violation import UNCHECKED, Violation, keys_of

__all__ = ["check_fields", "has_documented_fields"]

# A word that is not among those of the definition, and is like none of them.
_UNKNOWN_WORD = re.compile(r"is not supported; (?!.*[Dd]id you mean)")
_QUOTED = re.compile(r"'([^']+)'")


def has_documented_fields(document: Document) -> bool:
    """Whether the fields of this object are known without a definition at hand."""
    return is_bundled(document.api_version, document.kind)


def check_fields(document: Document) -> Iterator[Finding]:
    """What does not fit the bundled definition. For an object without a definition at hand: that one knows better."""
    if not has_documented_fields(document):
        return
    shape = further_shape(document)
    misfits = list(find_misfits(document.value, shape)) if shape is not None else []
    problems = find_problems(document.value, document.api_version, document.kind, with_rules=shape is None)
    if document.unknown is not None:
        problems = document.unknown.kept(problems)
    for misfit in misfits:
        yield misfit_finding(document, misfit)
    wrong = {keys_of(one.path) for one in problems if one.rule == "schema/type"}
    for problem in problems:
        # Where a list or a string has to be, the fields of a mapping are no mistake of their own.
        is_below = problem.rule == "schema/unknown-field" and keys_of(problem.path)[:-1] in wrong
        if problem.rule != UNCHECKED and not is_below and not _is_said(problem, misfits):
            found = misfit_finding(document, _misfit(problem))
            # The definition of a newer release may have more words to choose from, such as services to notify.
            is_new = shape is None and _UNKNOWN_WORD.search(problem.message + problem.hint)
            yield replace(found, severity="warning") if is_new else found


def _misfit(problem: Violation) -> Misfit:
    is_unknown = problem.rule == "schema/unknown-field"
    return Misfit(keys_of(problem.path), problem.message, problem.hint, problem.at == "key", is_unknown)


def _is_said(problem: Violation, misfits: Sequence[Misfit]) -> bool:
    """Whether a table said it already."""
    keys = keys_of(problem.path)
    return any(keys == one.keys and (problem.at == "value" or _names(problem, one)) for one in misfits)


def _names(problem: Violation, misfit: Misfit) -> bool:
    """Whether both are about one field below the same place."""
    return any(f"'{name}'" in misfit.message for name in _QUOTED.findall(problem.message))
