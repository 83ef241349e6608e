"""Changes that a reviewer need not read: folded and counted, never dropped. A class is a function and a row.

Sources: allenporter/flux-local action/diff (labels); home-operations/flate#264, #593 (checksums by prefix, never by an
exact list); homeport/dyff#409 (hashes in names); zapier/kubechecks#478 (tracking).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gitops_ci.comparing.objects import HASH, without_hash
from gitops_ci.comparing.quantities import quantity
from gitops_ci.dataclass import dataclass
from gitops_ci.model.rendered import PathChange

__all__ = ["NOISE", "UNSTABLE", "Facts", "class_of"]

UNSTABLE = "unstable"

_LABEL = re.compile(r"^(?:.*/)?(?:metadata/labels|matchLabels)/(?P<name>[^/]+)$")
_ANNOTATION = re.compile(r"^(?:.*/)?metadata/annotations/(?P<name>[^/]+)$")
_CHART_LABELS = frozenset({"helm.sh~1chart", "chart", "heritage", "app.kubernetes.io~1managed-by"})
_VERSION_LABEL = "app.kubernetes.io~1version"
_CHECKSUM = re.compile(r"checksum~1.*|(?:.*[-./_])?(?:checksum|hash)(?:[-./_].*)?|.*~1config-hash", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"(?:sha256[:-])?[0-9a-fA-F]{8,128}")
_TRACKING = ("argocd.argoproj.io~1tracking-id", "kustomize.toolkit.fluxcd.io~1", "meta.helm.sh~1")
# Of the schema itself, of a field, of the items of a list; a field may be called description or properties itself.
_DESCRIPTION = re.compile(
    r"/spec/versions/[0-9]+/schema/openAPIV3Schema"
    r"(?:/properties/[^/]+|/(?:items|additionalProperties|not)|/(?:allOf|anyOf|oneOf|items)/[0-9]+)*/description"
)
_ORDERLESS = frozenset({"ports", "volumes", "imagePullSecrets", "tolerations", "finalizers", "conditions"})
_ORDERED_ENV = re.compile(r"\$\([A-Za-z_]")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the object: the versions that its images change to, and which changes are made up.

    `unstable` are pairs of pointers, of the base and of the head.
    """

    versions: frozenset[str] = frozenset()
    unstable: frozenset[tuple[str | None, str | None]] = frozenset()
    folded: tuple[Callable[[PathChange], bool], ...] = ()


def _pointer(change: PathChange) -> str:
    return change.head_pointer if change.head_pointer is not None else change.base_pointer or ""


def _is_chart_label(change: PathChange, facts: Facts) -> bool:
    del facts
    found = _LABEL.match(_pointer(change))
    return found is not None and found["name"] in _CHART_LABELS


def _is_version_label(change: PathChange, facts: Facts) -> bool:
    """Told where the image does not change to that version as well."""
    found = _LABEL.match(_pointer(change))
    if found is None or found["name"] != _VERSION_LABEL or change.new is None:
        return False
    plain = str(change.new).removeprefix("v")
    return plain in {version.removeprefix("v") for version in facts.versions}


def _is_checksum(change: PathChange, facts: Facts) -> bool:
    del facts
    found = _ANNOTATION.match(_pointer(change))
    if found is None or not _CHECKSUM.fullmatch(found["name"]):
        return False
    told = [one for one in (change.old, change.new) if one is not None]
    return change.masked or (bool(told) and all(isinstance(one, str) and _HEXADECIMAL.fullmatch(one) for one in told))


def _is_hash(change: PathChange, facts: Facts) -> bool:
    """The hash that kustomize adds to the name of a generated ConfigMap or Secret, also where another refers to it."""
    del facts
    old, new = change.old, change.new
    return (
        isinstance(old, str)
        and isinstance(new, str)
        and HASH.search(old) is not None
        and HASH.search(new) is not None
        and without_hash(old) == without_hash(new)
    )


def _is_tracking(change: PathChange, facts: Facts) -> bool:
    del facts
    found = _LABEL.match(_pointer(change)) or _ANNOTATION.match(_pointer(change))
    return found is not None and found["name"].startswith(_TRACKING)


def _is_description(change: PathChange, facts: Facts) -> bool:
    """What a schema of a CustomResourceDefinition says about its fields: no server judges by it."""
    del facts
    return _DESCRIPTION.fullmatch(_pointer(change)) is not None


def _is_server(change: PathChange, facts: Facts) -> bool:
    """What only a server sets."""
    del facts
    told = _pointer(change)
    is_stamp = told.endswith("metadata/creationTimestamp") and change.old is None and change.new is None
    is_status = told == "/status" and all(one in (None, {}) for one in (change.old, change.new))
    return is_stamp or is_status


def _is_same_value(change: PathChange, facts: Facts) -> bool:
    """Quantities of the same size: 1000m and 1. JSON and YAML in another form, or with other comments."""
    del facts
    if change.inside is not None:
        return not change.inside
    if change.base_pointer is None or change.head_pointer is None or not _is_quantity_field(change.head_pointer):
        return False
    old, new = quantity(change.old), quantity(change.new)
    return old is not None and old == new


def _is_unstable(change: PathChange, facts: Facts) -> bool:
    """Other in each rendering of the same files: random passwords, the time, certificates."""
    return (change.base_pointer, change.head_pointer) in facts.unstable


def _is_yours(change: PathChange, facts: Facts) -> bool:
    return any(matches(change) for matches in facts.folded)


Rule = Callable[[PathChange, Facts], bool]

# Class -> rule. The first that fits names the class.
NOISE: Mapping[str, Rule] = {
    "chart label": _is_chart_label,
    "version label": _is_version_label,
    "checksum": _is_checksum,
    "hash": _is_hash,
    "tracking": _is_tracking,
    "description": _is_description,
    "server": _is_server,
    "same value": _is_same_value,
    UNSTABLE: _is_unstable,
    "yours": _is_yours,
}


def class_of(change: PathChange, facts: Facts) -> str:
    """The class that a change is folded under, '' for what has to be read."""
    if change.noise:
        return change.noise if _may_move(change) else ""
    return next((name for name, rule in NOISE.items() if rule(change, facts)), "")


def _may_move(change: PathChange) -> bool:
    """Whether the order of the list that an entry moved in means nothing."""
    if change.noise != "order":
        return True
    parts = _pointer(change).split("/")
    inside = next((part for part in reversed(parts) if not part.isdigit()), "")
    if inside in {"env", "initContainers", "rules", "args", "command"}:
        return inside == "env" and not _ORDERED_ENV.search(str(change.old) + str(change.new))
    return inside in _ORDERLESS or inside in {"containers", "volumeMounts", "env", "envFrom"}


def _is_quantity_field(told: str) -> bool:
    parts = told.split("/")
    return len(parts) > 2 and parts[-2] in {
        "requests",
        "limits",
        "capacity",
        "hard",
        "default",
        "defaultRequest",
        "max",
    }
