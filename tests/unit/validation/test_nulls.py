"""What becomes of null."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ci.validation.openapi.bundle import Bundle
from gitops_ci.validation.openapi.nulls import without_nulls


@pytest.mark.parametrize(
    ("kind", "given", "made"),
    [
        ("v1 ConfigMap", {"data": {"a": None}, "binaryData": None}, {"data": {"a": ""}}),
        ("v1 Pod", {"metadata": {"labels": {"a": None}, "name": None}}, {"metadata": {"labels": {"a": ""}}}),
        (
            "v1 Pod",
            {"spec": {"containers": [None, {"args": [None], "resources": {"limits": {"cpu": None}}}]}},
            {"spec": {"containers": [{}, {"args": [""], "resources": {"limits": {"cpu": 0}}}]}},
        ),
        ("networking.k8s.io/v1 IngressClass", {"spec": {"parameters": {"kind": None}}}, {"spec": {"parameters": {}}}),
        ("storage.k8s.io/v1 StorageClass", {"parameters": {"a": None}}, {"parameters": {"a": ""}}),
        # A custom kind's own fields are its schema's affair.
        ("acme.io/v1 Widget", {"metadata": {"labels": {"a": None}}, "spec": {"a": None}}, None),
    ],
)
def test_null_is_absence_and_inside_of_a_collection_the_zero_value(
    kind: str, given: dict[str, Any], made: dict[str, Any] | None
) -> None:
    api_version, _, name = kind.partition(" ")
    expected = made or {"metadata": {"labels": {"a": ""}}, "spec": {"a": None}}
    assert without_nulls(given, Bundle.load("1.36"), api_version, name) == expected


def test_null_stays_where_a_schema_holds_any_value() -> None:
    schema = {"properties": {"a": None}, "enum": [None], "items": {"type": None}, "default": None}
    value = {"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}
    made = without_nulls(value, Bundle.load("1.36"), "apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert made["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == {
        "properties": {"a": {}},
        "enum": [None],
        "items": {},
    }
