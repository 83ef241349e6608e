"""Findings that an edit of one word repairs, where there is no doubt which word is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from gitops_ci import splice, yamltext
from gitops_ci.model import Finding
from gitops_ci.text import is_within_one_edit
from gitops_ci.validation.manifests.documents import split
from gitops_ci.validation.manifests.go_yaml import GoYamlError
from gitops_ci.yamltext import YamlError

__all__ = ["Repair", "repaired"]

_MEANT = re.compile(r"Did you mean '([A-Za-z][A-Za-z0-9]*)'\?")
_USE = re.compile(r"Use apiVersion: (\S+)")
_QUOTED_NUMBER = re.compile(r"([\"'])(0|-?[1-9][0-9]{0,17})\1")
_PLAIN_VALUE = re.compile(r"(?:-?[0-9]+(?:\.[0-9]+)?|true|false)(?=[\s,\]}]|$)")
# A whole scalar of one word, in quotes or not.
_WORD = re.compile(r"([\"']?)([A-Za-z]+)\1(?=[ \t]*(?:[,\]}\r\n]|$)|[ \t]+#)")
_RESTART = {"always": "Always", "onfailure": "OnFailure", "never": "Never"}
# apiVersion and kind -> the version that took its place with the same fields (Kubernetes, deprecation guide).
_SAME_SHAPE = {
    ("apps/v1beta2", kind): "apps/v1" for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
} | {
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): "autoscaling/v2",
    ("batch/v1beta1", "CronJob"): "batch/v1",
    ("coordination.k8s.io/v1beta1", "Lease"): "coordination.k8s.io/v1",
    ("extensions/v1beta1", "NetworkPolicy"): "networking.k8s.io/v1",
    ("networking.k8s.io/v1beta1", "IngressClass"): "networking.k8s.io/v1",
    ("node.k8s.io/v1beta1", "RuntimeClass"): "node.k8s.io/v1",
    ("policy/v1beta1", "PodDisruptionBudget"): "policy/v1",
    **{
        ("rbac.authorization.k8s.io/v1beta1", kind): "rbac.authorization.k8s.io/v1"
        for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    },
    ("scheduling.k8s.io/v1beta1", "PriorityClass"): "scheduling.k8s.io/v1",
    ("storage.k8s.io/v1beta1", "CSIDriver"): "storage.k8s.io/v1",
    ("storage.k8s.io/v1beta1", "StorageClass"): "storage.k8s.io/v1",
}


class Repair(NamedTuple):
    """`new` in the place of the characters [start, end)."""

    start: int
    end: int
    new: str


def repaired(text: str, findings: Iterable[Finding]) -> str:
    """The text with what can be repaired; itself where nothing can, or where more would change than is meant."""
    # A template is not YAML, a lone CR ends a line to nobody but YAML, and SOPS signs every value of a file.
    if "{{" in text or "ENC[AES256_GCM," in text or "\r" in text.replace("\r\n", ""):
        return text
    starts = _line_starts(text)
    repairs = {repair for finding in findings if (repair := _repair(text, starts, finding)) is not None}
    after, at = [], 0
    for repair in sorted(repairs):
        if repair.start < at:
            return text
        after += [text[at : repair.start], repair.new]
        at = repair.end
    made = "".join((*after, text[at:]))
    return made if _differs_in(text, made) == len(repairs) else text


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _repair(text: str, starts: Sequence[int], finding: Finding) -> Repair | None:
    if not 0 < finding.line <= len(starts) or finding.column < 1:
        return None
    at = starts[finding.line - 1] + finding.column - 1
    for kind in (_misspelled, _number, _value, _restart_policy, _version):
        if (repair := kind(text, at, finding)) is not None:
            return repair
    return None


def _misspelled(text: str, at: int, finding: Finding) -> Repair | None:
    """A field with one candidate that is one letter away: `maxAvailable` may be the opposite of `minAvailable`."""
    meant = _MEANT.fullmatch(finding.hint)
    wrong = finding.field.rpartition(".")[2]
    if finding.rule != "schema/unknown-field" or not meant or not text.startswith(f"{wrong}:", at):
        return None
    one, other = (re.sub("[-_]", "", word).casefold() for word in (wrong, meant[1]))
    return Repair(at, at + len(wrong), meant[1]) if one == other or is_within_one_edit(one, other) else None


def _number(text: str, at: int, finding: Finding) -> Repair | None:
    quoted = _QUOTED_NUMBER.match(text, at)
    is_meant = finding.rule == "schema/type" and "must be an integer, is a string" in finding.message
    return Repair(at, quoted.end(), quoted[2]) if quoted and is_meant else None


def _value(text: str, at: int, finding: Finding) -> Repair | None:
    plain = _PLAIN_VALUE.match(text, at)
    is_meant = finding.rule == "schema/type" and "must be a string, is a" in finding.message
    return Repair(at, plain.end(), f'"{plain[0]}"') if plain and is_meant else None


def _restart_policy(text: str, at: int, finding: Finding) -> Repair | None:
    word = _WORD.match(text, at)
    if word is None or not finding.field.endswith(".restartPolicy") or word[2] in _RESTART.values():
        return None
    meant = _RESTART.get(word[2].casefold())
    return Repair(*word.span(2), meant) if meant else None


def _version(text: str, at: int, finding: Finding) -> Repair | None:
    use = _USE.fullmatch(finding.hint)
    old = re.compile(r"([\"']?)([a-z0-9./-]+)\1").match(text, at)
    kind = finding.resource.partition("/")[0]
    if finding.rule != "api/not-served" or not use or not old or _SAME_SHAPE.get((old[2], kind)) != use[1]:
        return None
    # An empty selector selects nothing in v1beta1, and everything in v1.
    if kind == "PodDisruptionBudget" and not _has_selector(text, finding.line):
        return None
    return Repair(*old.span(2), use[1])


def _has_selector(text: str, line: int) -> bool:
    found = [piece for piece in split(text) if piece.line < line]
    try:
        value = found[-1].load().value if found else None
    except (YamlError, GoYamlError):
        return False
    spec = value.get("spec") if isinstance(value, dict) else None
    return isinstance(spec, dict) and bool(spec.get("selector"))


def _differs_in(before: str, after: str) -> int:
    """In how many scalars two texts differ, -1 where they differ in anything else."""
    try:
        old, new = (list(splice.tokens(yamltext.read(text))) for text in (before, after))
    except YamlError:
        return -1
    pairs = list(zip_longest((token[0] for token in old), (token[0] for token in new)))
    if any(one is None or other is None or one[0] != other[0] for one, other in pairs):
        return -1
    return sum(one != other for one, other in pairs)
