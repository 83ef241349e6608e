"""Reviews: questions to the API server, which stores none of them.

Sources: k8s.io/kubernetes pkg/apis/authorization/validation/validation.go, pkg/registry/authentication/tokenreview and
pkg/registry/authorization/selfsubjectrulesreview.
"""

from __future__ import annotations

from gitops_ci.validation.apimachinery.field import Field
from gitops_ci.validation.apimachinery.labels import label_requirement, operator_values

__all__ = ["access_review", "rules_review", "token_review"]

# Of any object what the system writes is emptied first (apiserver pkg/registry/rest/meta.go).
_WIPED = frozenset(
    {
        *("uid", "selfLink", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"),
        *("namespace", "managedFields"),
    }
)


def token_review(document: Field) -> None:
    if not document.at("spec").text("token"):
        document.at("spec").missing("review", "token")


def rules_review(document: Field) -> None:
    if not document.at("spec").text("namespace"):
        document.at("spec").missing("review", "namespace")


def access_review(document: Field) -> None:
    """SubjectAccessReview, SelfSubjectAccessReview and LocalSubjectAccessReview."""
    kind, spec = document.text("kind"), document.at("spec")
    _no_metadata(document.at("metadata"))
    if spec.has("resourceAttributes") == spec.has("nonResourceAttributes"):
        spec.bad("review", "needs exactly one of 'resourceAttributes' and 'nonResourceAttributes'")
    if kind != "SelfSubjectAccessReview" and not spec.text("user") and not spec.count("groups"):
        spec.missing("review", "user", "'user' or 'groups' is required")
    attributes = spec.at("resourceAttributes")
    if kind == "LocalSubjectAccessReview":
        _local(spec, attributes, document.at("metadata").text("namespace"))
    for key in ("fieldSelector", "labelSelector"):
        if attributes.has(key):
            _selector(attributes.at(key), of_labels=key == "labelSelector")


def _no_metadata(meta: Field) -> None:
    for key, value in meta.value.items() if type(meta.value) is dict else ():
        if value and key not in _WIPED:
            meta.at(key).bad("review", "the metadata of a review must be empty")


def _local(spec: Field, attributes: Field, namespace: str) -> None:
    if spec.has("nonResourceAttributes"):
        spec.at("nonResourceAttributes").bad("review", "may not be given in a LocalSubjectAccessReview")
    asked = attributes.text("namespace")
    if spec.has("resourceAttributes") and (not asked or (namespace and asked != namespace)):
        place = attributes.at("namespace") if asked else attributes
        place.bad("review", "'namespace' must be that of the review's metadata")


def _selector(selector: Field, *, of_labels: bool) -> None:
    if bool(selector.text("rawSelector")) == bool(selector.count("requirements")):
        selector.bad("review", "needs exactly one of 'rawSelector' and 'requirements'")
    for requirement in selector.each("requirements"):
        if of_labels:
            label_requirement(requirement)
            continue
        operator_values(requirement, "review")
        if not requirement.text("key"):
            requirement.missing("review", "key")
