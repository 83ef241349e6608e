"""Values that only the cluster's side knows: encrypted, substituted, or filled in from a vault.

Nobody can judge such a value from the repository, so that what is found about it is dropped, and nothing else is.

Sources: getsops.io (the `sops` mapping and `ENC[...]` values); fluxcd.io Kustomization API, post-build variable
substitution; argocd-vault-plugin.readthedocs.io, inline-path and generic placeholders; kubectl.docs.kubernetes.io,
kustomization, vars; github.com/rancher/fleet (internal/cmd/controller/target/builder.go, preprocessHelmValues).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation.violation import Violation, keys_of, path_of, show_path

__all__ = ["UnknownValues", "mentions_vault", "substitutes_variables", "unknown_values", "without_sops"]

_VARIABLE = lazy_pattern(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?:[:=\-+?#%/^,@](?:[^$}]|\$(?!\{))*)?\}")
_KUSTOMIZE_VARIABLE = lazy_pattern(r"\$\([A-Za-z_][\w.\-]*\)")
# Fleet's templates of values, and what it replaced before it had any.
_OF_A_CLUSTER = lazy_pattern(
    r"\$\{(?>[^{}\n]*?\.Cluster(?:Labels|Annotations|Values|Name))[^{}\n]*\}|^global\.fleet\.clusterLabels\."
)
_VAULT_PATH = lazy_pattern(r"<path:[^<>]+>")
_ENCRYPTED = lazy_pattern(r"^ENC\[.*\]$", re.DOTALL)
_PLACEHOLDER = lazy_pattern(r"<[^<>\n]+>")
_VAULT_MARKS = ("avp.kubernetes.io/", "<path:")
# Cheap: a document without any of them has no unknown value.
_MARKS = ("${", "$(", "ENC[", "<", "global.fleet.")
_MARK = lazy_pattern("|".join(map(re.escape, _MARKS)))
# These are about what is missing or too much: a value beside it that nobody knows changes nothing.
_ABOUT_THE_SHAPE = frozenset({"schema/required", "schema/unknown-field", "schema/type"})
Keys = tuple[str | int, ...]


class UnknownValues:
    """Where an object has unknown values, by their keys from its root."""

    def __init__(self, places: frozenset[Keys]) -> None:
        self._places = places
        self._above = frozenset(place[:depth] for place in places for depth in range(len(place)))

    def kept(self, problems: Iterable[Violation]) -> list[Violation]:
        """The problems that are not about an unknown value."""
        return [problem for problem in problems if not self._hides(problem)]

    def hides(self, keys: Keys) -> bool:
        """Whether these keys lead to an unknown value, or into one."""
        return any(keys[:depth] in self._places for depth in range(1, len(keys) + 1))

    def hides_field(self, field: str) -> bool:
        """As `hides`, for a field as findings show it."""
        return any(field == shown or field.startswith((f"{shown}.", f"{shown}[")) for shown in self._shown)

    @cached_property
    def _shown(self) -> frozenset[str]:
        return frozenset(show_path(path_of(place)) for place in self._places)

    def _hides(self, problem: Violation) -> bool:
        keys = keys_of(problem.path)
        if self.hides(keys):
            return True
        return problem.at == "value" and problem.rule not in _ABOUT_THE_SHAPE and bool(keys) and keys in self._above


def unknown_values(
    value: Mapping[str, Any], text: str, *, is_encrypted: bool, has_variables: bool, in_unit: bool, has_vault: bool
) -> UnknownValues | None:
    """The unknown values of an object that `text` holds; None when it has none.

    `is_encrypted`: SOPS encrypted it. `has_variables`: Flux substitutes variables in this repository. `in_unit`:
    kustomize built it, and may have variables of its own. `has_vault`: Argo CD's Vault plugin fills in placeholders.
    """
    if not any(mark in text for mark in _MARKS):
        return None
    patterns = [_VAULT_PATH]
    patterns += [_VARIABLE] if has_variables else []
    patterns += [_KUSTOMIZE_VARIABLE, _OF_A_CLUSTER] if in_unit else []
    patterns += [_PLACEHOLDER] if has_vault else []
    patterns += [_ENCRYPTED] if is_encrypted else []

    def is_unknown(scalar: str) -> bool:
        return bool(_MARK.search(scalar)) and any(pattern.search(scalar) for pattern in patterns)

    places = frozenset(_places(value, (), is_unknown))
    return UnknownValues(places) if places else None


def _places(value: Any, keys: Keys, is_unknown: Callable[[str], bool]) -> Iterator[Keys]:
    if isinstance(value, str):
        if is_unknown(value):
            yield keys
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str) and is_unknown(key):
                yield (*keys, key)
            else:
                yield from _places(item, (*keys, key), is_unknown)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*keys, index), is_unknown)


def without_sops(value: dict[str, Any]) -> dict[str, Any]:
    """An object without the mapping in which SOPS keeps its keys: who decrypts it takes that away."""
    mark = value.get("sops")
    if isinstance(mark, dict) and ("mac" in mark or "lastmodified" in mark):
        return {key: item for key, item in value.items() if key != "sops"}
    return value


def substitutes_variables(text: str) -> bool:
    """Whether a text sets up Flux' post-build substitution."""
    return "postBuild" in text and "kustomize.toolkit.fluxcd.io" in text


def mentions_vault(text: str) -> bool:
    """Whether Argo CD's Vault plugin is meant to fill in placeholders here."""
    return any(mark in text for mark in _VAULT_MARKS)
