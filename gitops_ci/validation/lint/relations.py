"""Relations between the objects that are deployed together: what one needs and no other offers.

Nothing is claimed about objects that another repository or a person may provide. A missing object is reported where
this repository provides such objects itself, or has one of nearly the same name, and tells nobody to create it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from gitops_ci.model import Finding
from gitops_ci.text import is_within_one_edit, nearest
from gitops_ci.validation.lint.base import Keys, at
from gitops_ci.validation.lint.duplicates import DocumentOf
from gitops_ci.validation.lint.facts import Facts, Labels, Need
from gitops_ci.validation.manifests.documents import Document

__all__ = ["relation_findings"]

MISSING, NOTHING, NO_NAMESPACE = "repo/missing-reference", "repo/selects-nothing", "repo/no-namespace"

# Objects that are in every cluster, or that a controller of the cluster makes.
_ALWAYS_THERE = {
    "ConfigMap": {"kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert"},
    "ServiceAccount": {"default"},
    "PriorityClass": {"system-cluster-critical", "system-node-critical"},
}
_NAMESPACES_ALWAYS_THERE = {"", "default", "kube-system", "kube-public", "kube-node-lease"}
# Namespaces that are not an application's own: whoever deletes one deletes what others need.
_NAMESPACES_OF_OTHERS = (_NAMESPACES_ALWAYS_THERE | {"argocd", "flux-system"}) - {""}
# Kinds of the whole cluster: one unit makes them for all.
_OF_CLUSTER = {"PriorityClass", "StorageClass", "IngressClass"}
# What Kustomize's generators add to a name: a hash of the content.
_HASHED = re.compile(r"(.+)-[2456789bcdfghkmt]{10}")
# Keys that name an application.
_NAME_KEYS = {"app", "app.kubernetes.io/name", "k8s-app", "name"}

Found = tuple[Finding, Document]


def relation_findings(
    facts: Sequence[Facts], document_of: DocumentOf, made_by_hand: MadeByHand | None = None
) -> Iterator[Found]:
    """Findings about the objects of rendered units, each with the document it is about."""
    all_facts = _All(facts, made_by_hand)
    for one in facts:
        if one.is_assumed:
            continue
        problems: list[Problem] = [
            *_missing(one, all_facts),
            *_selects_nothing(one, all_facts),
            *_no_namespace(one, all_facts),
        ]
        is_namespace_of_others = _kind(one) == "Namespace" and one.name in _NAMESPACES_OF_OTHERS
        document = document_of(*one.place) if problems or is_namespace_of_others else None
        if document is None:
            continue
        if is_namespace_of_others:
            problems += _renamed(document)
        for rule, keys, message, hint in problems:
            hidden = document.unknown is not None and document.unknown.hides_field(".".join(map(str, keys)))
            if not hidden:
                yield at(document, keys, rule, message, hint=hint, severity="warning"), document


Problem = tuple[str, Keys, str, str]
# Whether a person is told to create an object of a kind with a name.
MadeByHand = Callable[[str, str], bool]


class _All:
    """All facts by what is asked of them."""

    def __init__(self, facts: Sequence[Facts], made_by_hand: MadeByHand | None) -> None:
        self.made_by_hand = made_by_hand or (lambda kind, name: False)  # noqa: ARG005
        self.named: dict[tuple[str, str], list[Facts]] = defaultdict(list)
        self.by_unit: dict[str, list[Facts]] = defaultdict(list)
        self.names: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.of_cluster: dict[str, set[str]] = defaultdict(set)
        for one in facts:
            self.by_unit[one.unit].append(one)
            for kind, name in _made_by(one):
                self.named[kind, name].append(one)
                self.names[one.unit, kind].add(name)
                if kind in _OF_CLUSTER:
                    self.of_cluster[kind].add(name)
        self.makers = {one.name for one in facts if _makes_what_it_likes(one)}
        self.namespaces = {one.name for one in facts if _kind(one) == "Namespace"}

    def providers(self, kind: str, name: str, namespace: str) -> list[Facts]:
        """The objects that offer a name, or make it, in a namespace; where one is not written, any fits."""
        return [
            one
            for one in self.named.get((kind, name), ())
            if kind in _OF_CLUSTER or not namespace or one.namespace in {"", namespace}
        ]


def _kind(one: Facts) -> str:
    """The kind, where it is one of Kubernetes' own; a custom kind of the same name is another."""
    return one.kind if "." not in one.group or one.group.endswith(".k8s.io") else f"{one.kind}.{one.group}"


def _made_by(one: Facts) -> list[tuple[str, str]]:
    """(kind, name) of the object, and of what a controller makes of it."""
    own = (_kind(one), one.name)
    return [own, one.makes] if one.makes else [own]


def _missing(one: Facts, facts: _All) -> Iterator[Problem]:
    seen: set[tuple[str, str, str]] = set()
    for need in one.needs:
        if (need.kind, need.name, need.key) in seen or need.name in _ALWAYS_THERE.get(need.kind, ()):
            continue
        seen.add((need.kind, need.name, need.key))
        providers = facts.providers(need.kind, need.name, one.namespace)
        if not providers:
            yield from _missing_object(one, need, facts)
        elif need.key:
            yield from _missing_entry(one, need, providers)


def _missing_object(one: Facts, need: Need, facts: _All) -> Iterator[Problem]:
    kind = need.kind
    known = facts.of_cluster[kind] if kind in _OF_CLUSTER else facts.names[one.unit, kind]
    near = _near(need.name, known)
    if near is None and not _are_made_here(kind, need.name, one, facts):
        return
    if facts.made_by_hand(kind, need.name):
        return
    hint = f"Did you mean '{near}'?" if near else f"{one.unit} has {', '.join(sorted(known)[:5])}."
    yield MISSING, need.keys, f"there is no {kind} '{need.name}'", hint


def _are_made_here(kind: str, name: str, one: Facts, facts: _All) -> bool:
    """Whether the object of a name, which one needs, comes from the same unit, as far as anybody can tell."""
    # Secrets are usually made outside of the repository, classes by a chart.
    if kind in _OF_CLUSTER or kind == "Secret" or one.is_partial:
        return False
    if kind == "Service" and any(name == maker or name.startswith(f"{maker}-") for maker in facts.makers):
        return False  # one of a release or an operator, which name their Services after themselves
    around = [other for other in facts.by_unit[one.unit] if _may_share_namespace(one, other)]
    known = {own for other in around for made, own in _made_by(other) if made == kind}
    if any(need.kind == kind and need.name in known for other in around for need in other.needs):
        return True
    # Nothing here uses those that the unit makes: what an operator makes may use them, and it may make the others.
    return bool(known) and not any(_may_make_objects(other) for other in around)


def _may_share_namespace(one: Facts, other: Facts) -> bool:
    return one.namespace == other.namespace or not one.namespace or not other.namespace


def _may_make_objects(one: Facts) -> bool:
    """Whether it is a custom resource, apart from kinds that are known to make one Secret, or none."""
    return _kind(one) != one.kind and one.makes is None and one.group.partition("/")[0] != "monitoring.coreos.com"


def _makes_what_it_likes(one: Facts) -> bool:
    """Whether it may make objects that are nowhere in Git; what describes a unit makes those of its folder."""
    return _may_make_objects(one) and one.group not in {"kustomize.toolkit.fluxcd.io", "argoproj.io"}


def _near(name: str, known: Iterable[str]) -> str | None:
    """The known name that was meant: with a generator's hash, or with a small mistake."""
    known = sorted(known)
    for candidate in known:
        if (matched := _HASHED.fullmatch(candidate)) and matched[1] == name:
            return candidate
    found = nearest(name, known)
    # Names that only share a word are two names: shop-db and shop-api.
    return found if found is not None and _distance_is_small(name, found) else None


def _distance_is_small(one: str, other: str) -> bool:
    """Whether a small mistake makes one name of the other: not a short one, and not another number."""
    if len(one) < 4 or not is_within_one_edit(one, other):
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return not (one[start : start + 1] + other[start : start + 1]).isdigit()


def _missing_entry(one: Facts, need: Need, providers: Sequence[Facts]) -> Iterator[Problem]:
    own = [provider for provider in providers if provider.unit == one.unit] or providers
    entries = [provider.entries for provider in own]
    if any(known is None or need.key in known for known in entries):
        return
    known = sorted({entry for some in entries for entry in some or ()})
    what = "port" if need.kind == "Service" else "key"
    near = nearest(need.key, known) if what == "key" else None
    hint = f"Did you mean '{near}'?" if near else f"It has {', '.join(known[:8]) or 'none'}."
    yield MISSING, need.keys, f"the {need.kind} '{need.name}' has no {what} '{need.key}'", hint


def _selects_nothing(one: Facts, facts: _All) -> Iterator[Problem]:
    wanted = one.selector
    if wanted is None:
        return
    every = [labels for unit in facts.by_unit.values() for labels in _selectable(unit, wanted.of, one.namespace)]
    if any(wanted.labels <= labels for labels in every):
        return
    around = facts.by_unit[one.unit]
    keys = {key for key, _ in wanted.labels}
    own = list(_selectable(around, wanted.of, one.namespace))
    near = [labels for labels in own if keys <= {key for key, _ in labels}]
    near = near or [labels for labels in own if _has_values(labels, wanted.labels)]
    if not near or one.is_partial or _is_made_by_a_controller(one, around):
        return
    labels = ", ".join(f"{key}: {value}" for key, value in sorted(wanted.labels))
    nearest_labels = max(near, key=lambda found: len(found & wanted.labels))
    values = {value for _, value in wanted.labels}
    offered = ", ".join(f"{key}: {value}" for key, value in sorted(nearest_labels) if key in keys or value in values)
    what = "pods" if wanted.of == "Pod" else "Services"
    yield NOTHING, wanted.keys, f"no {what} of {one.unit} have the labels {labels}", f"There are {what} with {offered}."


def _has_values(labels: Labels, wanted: Labels) -> bool:
    """Whether the wanted values are there under keys of the same meaning: `name: shop` for `app: shop`."""
    return all(
        any(key in _NAME_KEYS and other in _NAME_KEYS and value == found for other, found in labels)
        for key, value in wanted
    )


def _selectable(unit: Iterable[Facts], of: str, namespace: str) -> Iterator[frozenset[tuple[str, str]]]:
    for other in unit:
        if namespace and other.namespace not in {"", namespace}:
            continue
        if of == "Pod" and other.pod_labels is not None:
            yield other.pod_labels
        elif of == "Service" and _kind(other) == "Service":
            yield other.labels


def _is_made_by_a_controller(one: Facts, around: Iterable[Facts]) -> bool:
    """Whether a custom resource of the unit may make what is selected: its name or kind is among the labels."""
    assert one.selector is not None
    values = {value.lower() for _, value in one.selector.labels}
    custom = [other for other in around if _kind(other) != other.kind]
    return any({other.name.lower(), other.kind.lower()} & values for other in custom)


def _no_namespace(one: Facts, facts: _All) -> Iterator[Problem]:
    """A namespace that is nearly one that the repository makes: others are often made by somebody else."""
    if one.namespace in facts.namespaces | _NAMESPACES_ALWAYS_THERE:
        return
    near = nearest(one.namespace, facts.namespaces)
    if near and _distance_is_small(one.namespace, near):
        message = f"nothing here makes the namespace '{one.namespace}'"
        yield NO_NAMESPACE, ("metadata", "namespace"), message, f"Did you mean '{near}'?"


def _renamed(document: Document) -> Iterator[Problem]:
    """A Namespace that `namespace` of a kustomization, or `targetNamespace` of Flux, gave the name of another one."""
    origin, name = document.origin, document.name
    if origin is None or origin.name == name or origin.name in name or "${" in origin.name or _is_kept(document):
        return
    message = f"the Namespace '{origin.name}' is renamed to '{name}': nothing makes it, and pruning it deletes '{name}'"
    hint = "Move the Namespace to a unit without `namespace` and `targetNamespace`, or leave those out."
    yield NO_NAMESPACE, ("metadata", "name"), message, hint


def _is_kept(document: Document) -> bool:
    """Whether annotations make Flux, Helm and Argo CD keep an object that is removed from Git."""
    options = document.annotation("argocd.argoproj.io/sync-options").replace(" ", "").split(",")
    return (
        document.annotation("kustomize.toolkit.fluxcd.io/prune") == "disabled"
        or document.annotation("helm.sh/resource-policy") == "keep"
        or "Prune=false" in options
    )
