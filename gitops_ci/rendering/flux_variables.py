"""The variables of a Flux Kustomization, from where it says, and its output with them filled in.

Source: github.com/fluxcd/pkg/kustomize 1.41 (kustomize_varsub.go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.rendering.deployment import DeploymentUnit, Output, Repository
from gitops_ci.rendering.documents import dig, items, load, text_of
from gitops_ci.rendering.envsubst import SubstitutionError, substitute_variables
from gitops_ci.yamltext import YamlError

__all__ = ["Variables", "substituted", "variables_of"]

_SWITCH = "kustomize.toolkit.fluxcd.io/substitute"
_NAME = re.compile(r"[_A-Za-z][_A-Za-z0-9]*")
_CRD = re.compile(r"^kind:\s*[\"']?CustomResourceDefinition\b", re.MULTILINE)
_DOCUMENT = re.compile(r"^---\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Variables:
    """Values by name; None for one that is defined, and whose value is a secret or not in Git.

    `is_used` says whether anything is filled in at all; `is_open` that a source of variables is not in Git, or may be
    added by what cannot be rendered here, so that any name may have a value.
    """

    values: Mapping[str, str | None] = field(default_factory=dict)
    is_used: bool = False
    is_open: bool = False
    errors: tuple[str, ...] = ()


def variables_of(unit: DeploymentUnit, repository: Repository) -> Variables:
    """The variables of `postBuild`. A later source overrides an earlier one, and inline values override all.

    What nothing in Git has a value for may have one of the user's.
    """
    post = dig(unit.value, "spec", "postBuild")
    values: dict[str, str | None] = {}
    is_incomplete = False
    for reference in items(post, "substituteFrom"):
        found = _from_object(reference, unit, repository)
        if found is None:
            is_incomplete = True
        else:
            values |= found
    inline = dig(post, "substitute")
    if isinstance(inline, dict):
        values |= {name: text_of(value).replace("\n", "") for name, value in inline.items()}
    wrong = sorted(name for name in values if not _NAME.fullmatch(name))
    errors = tuple(f"'{name}' is not a name of a variable" for name in wrong)
    is_used = bool(values) or is_incomplete
    is_open = is_incomplete or unit.is_assumed
    known = {name: value for name, value in values.items() if value is not None}
    return Variables({**values, **repository.variables, **known} if is_used else values, is_used, is_open, errors)


def _from_object(reference: object, unit: DeploymentUnit, repository: Repository) -> dict[str, str | None] | None:
    kind, name = text_of(dig(reference, "kind")), text_of(dig(reference, "name"))
    namespace = text_of(dig(unit.value, "metadata", "namespace"))
    found = repository.named(kind, name, namespace, unit)
    if found is None:
        return None
    if kind == "Secret":
        keys = [
            key for part in ("data", "stringData") if isinstance(one := dig(found.value, part), dict) for key in one
        ]
        return dict.fromkeys(keys)
    data = dig(found.value, "data")
    if not isinstance(data, dict):
        return {}
    encrypted = isinstance(found.value.get("sops"), dict)
    return {key: None if encrypted else text_of(value).replace("\n", "") for key, value in data.items()}


def substituted(text: str, variables: Variables) -> Output:
    """Fill in variables, object by object, as the controller does."""
    parts: list[str] = []
    undefined: dict[str, None] = {}
    errors = list(variables.errors)
    for document in _DOCUMENT.split(text):
        if "$" not in document or (_SWITCH in document and _is_switched_off(document)):
            parts.append(document)
            continue
        try:
            made = substitute_variables(document, variables.values, is_open=variables.is_open)
        except SubstitutionError as error:
            errors.append(str(error))
            parts.append(document)
            continue
        parts.append(made.text)
        # Descriptions in definitions of custom resources have the like of variables.
        undefined |= {} if _CRD.search(document) else made.undefined
    told = () if variables.is_open else tuple(undefined)
    return Output("---\n".join(parts), told, tuple(dict.fromkeys(errors)))


def _is_switched_off(document: str) -> bool:
    try:
        (one, *_) = load("", document) or (None,)
    except YamlError:
        return False
    return one is not None and any(
        text_of(dig(one.value, "metadata", where, _SWITCH)) == "disabled" for where in ("labels", "annotations")
    )
