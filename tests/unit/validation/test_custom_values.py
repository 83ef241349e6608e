"""Values of custom resources: for each keyword of a schema, what a server accepts and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitops_ci.validation.custom_resources.schema_values import compile_schema
from gitops_ci.validation.custom_resources.string_formats import string_format
from gitops_ci.validation.custom_resources.structural_schema import Structural
from gitops_ci.validation.violation import Violation, show_path

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
NUMBER = {"type": "number"}
EITHER = {"x-kubernetes-int-or-string": True}
ANY = {"x-kubernetes-preserve-unknown-fields": True}


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def items(of: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": of, **more}


def problems(schema: dict[str, Any], value: Any, *, lenient: bool = False) -> list[str]:
    """What is wrong with an object whose field `a` has the value."""
    whole, found = fields(a=schema), list[Violation]()
    structure = Structural(whole, "1.36", lenient=lenient)
    completed = structure.completed({"a": value})
    structure.examine(completed, None, found)
    compile_schema(whole, minor=36)(completed, None, found)
    return [f"{show_path(problem.path)}: {problem.message}" for problem in found]


POD = {"apiVersion": "v1", "kind": "Pod"}
PORTS = {
    **items({**fields(name=TEXT, port={**WHOLE, "default": 80}), "required": ["name"]}),
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name", "port"],
}
EMBEDDED = {**fields(spec=fields(x=WHOLE)), "x-kubernetes-embedded-resource": True}


@pytest.mark.parametrize(
    ("schema", "accepted", "refused"),
    [
        pytest.param(TEXT, ["", "a", None], [1, True, [], {}], id="null-of-a-field-is-absence"),
        pytest.param({**fields(b=TEXT), "required": ["b"]}, [{"b": ""}], [{}, {"b": None}], id="required"),
        pytest.param(
            {**fields(b={**TEXT, "default": "x"}), "required": ["b"]}, [{}, {"b": None}], [{"b": 1}], id="default"
        ),
        pytest.param(items(TEXT), [[], ["a"]], [[None], [1], "a"], id="array"),
        pytest.param(items({**TEXT, "nullable": True}), [[None]], [[1]], id="nullable-items"),
        pytest.param({"type": "object", "additionalProperties": TEXT}, [{"b": "x"}, {"b": None}], [{"b": 1}], id="map"),
        pytest.param({"type": "object"}, [{}], [{"b": 1}], id="object-without-fields"),
        pytest.param({"type": "object", "additionalProperties": True}, [{"b": 1}], [{"b": {"c": 1}}], id="open-map"),
        pytest.param({**ANY, "type": "object"}, [{"b": {"c": 1}}], [1], id="preserve"),
        pytest.param({**ANY, **fields(b=fields(c=TEXT))}, [{"x": 1}], [{"b": {"x": 1}}], id="preserve-one-level"),
        pytest.param(
            {"type": "string", "enum": ["red", "on"], "nullable": True}, ["red"], ["Red", True, None], id="enum"
        ),
        pytest.param({**ANY, "enum": [1, "a", {"b": 1}]}, [1, 1.5, {"b": 1}], [2, {"b": True}], id="enum-of-any"),
        pytest.param(WHOLE, [1, 1.0, 2**63 - 1], [1.5, 2**63, 1e20, True], id="integer"),
        pytest.param({**WHOLE, "format": "int32"}, [2**31 - 1], [2**31], id="int32"),
        pytest.param({**NUMBER, "format": "float"}, [1, 3.4e38], [3.5e38], id="float"),
        pytest.param({**WHOLE, "minimum": 5, "exclusiveMinimum": True}, [6], [5], id="minimum"),
        pytest.param({**NUMBER, "minimum": 0.5}, [0, 0.5], [0.4, -1], id="minimum-is-cut-for-integers"),
        pytest.param({**WHOLE, "maximum": 4.5}, [None], [4, 5], id="a-bound-that-no-integer-keeps"),
        pytest.param({**NUMBER, "multipleOf": 0.1}, [0.3, 0.7], [0.35, 1], id="multipleOf"),
        pytest.param({**WHOLE, "multipleOf": -2}, [], [2, 4], id="multipleOf-must-be-positive"),
        pytest.param({**TEXT, "maxLength": 2}, ["äö", "😀😀"], ["abc"], id="characters-not-bytes"),
        pytest.param(EITHER, [1, "a", ""], [1.5, True, [], 2**63], id="int-or-string"),
        pytest.param({**items(WHOLE), "x-kubernetes-list-type": "set"}, [[1, 2]], [[1, 1], [1, 1.0]], id="set"),
        pytest.param(
            PORTS,
            [[{"name": "a", "port": 81}, {"name": "a"}]],
            [[{"name": "a", "port": 80}, {"name": "a"}]],
            id="map-keys-have-defaults",
        ),
        pytest.param(
            {**fields(b={**TEXT, "default": "x"}, c=WHOLE), "oneOf": [{"required": ["b"]}, {"required": ["c"]}]},
            [{}, {"b": "y"}],
            [{"c": 1}],
            id="oneOf-over-defaults",
        ),
        pytest.param(
            {**TEXT, "anyOf": [{"format": "ipv4"}, {"enum": ["any"]}]}, ["any", "::1.2.3.4"], ["x"], id="anyOf"
        ),
        pytest.param({**TEXT, "not": {"minLength": 3}}, ["ab"], ["abc"], id="not"),
        pytest.param({**ANY, "format": "date"}, ["2026-01-31", []], [1, {}, "x"], id="format-without-type"),
        pytest.param({**EITHER, "format": "int32"}, [2**31], [], id="int-or-string-has-no-range"),
        pytest.param(
            EMBEDDED,
            [POD, {**POD, "metadata": {"name": "a"}, "spec": {"x": 1}}],
            [{}, {"apiVersion": "v1"}, {**POD, "kind": "A B"}, {**POD, "apiVersion": "a/b/c"}, {**POD, "x": 1}],
            id="embedded",
        ),
        pytest.param(
            EMBEDDED,
            [{**POD, "metadata": {"name": "A_b"}}],
            [{**POD, "metadata": found} for found in ({"nom": "a"}, {"name": "a/b"}, {"labels": {"a b": ""}}, [])],
            id="embedded-metadata",
        ),
    ],
)
def test_a_value_is_judged_as_the_server_does(schema: dict[str, Any], accepted: list[Any], refused: list[Any]) -> None:
    assert {json.dumps(value): found for value in accepted if (found := problems(schema, value))} == {}
    assert [value for value in refused if not problems(schema, value)] == []


def test_json_schema_made_from_a_definition_may_say_less() -> None:
    assert problems({"type": "object"}, {"b": 1}, lenient=True) == []
    assert problems(fields(b=TEXT), {"c": 1}, lenient=True) == ["a.c: unknown field 'c'"]
    closed = {**fields(b=TEXT), "additionalProperties": False}
    assert problems(closed, {"c": 1}, lenient=True) == ["a.c: unknown field 'c'"]


FORMATS = {
    "bsonobjectid": (["507f1f77bcf86cd799439011"], ["507f1f77", "507f1f77bcf86cd79943901g"]),
    "byte": (["aGk=", "/+8="], ["", "aGk", "aGk=\n", "_-8="]),
    "cidr": (["1.2.3.4/24", "::1/0", "01.2.3.4/8"], ["1.2.3.4", "1.2.3.4/33", "::1/129"]),
    "creditcard": (["4111-1111-1111-1111"], ["4111111111111112", "1234"]),
    "date": (["2024-02-29", "0000-01-01"], ["2026-02-29", "2026-1-1", "20260101"]),
    "date-time": (["2026-01-31t12:00:00z", "2026-01-31T12:00:00,5Z"], ["2026-01-31T12:00:00", "2026-01-31T24:00:00Z"]),
    "duration": (["1h30m", "-5m", "22 ns", "10 seconds", "1 day", "P1D", "0"], ["", "10", "3 hrs", "s"]),
    "email": (["a@b.c", "Name <a@b.c>", "a+b@c.d"], ["a", "a@", "@b", "a b@c.d", "a@b c"]),
    "hexcolor": (["#fff", "FFFFFF"], ["#ffff", "#ggg"]),
    "hostname": (["a.example.com", "ä.com", "a-b"], ["", "-a.com", "a_b.com", "a." + "b" * 64]),
    "ipv4": (["1.2.3.4", "01.2.3.4", "::ffff:1.2.3.4"], ["1.2.3", "::1"]),
    "ipv6": (["::1", "::ffff:1.2.3.4"], ["1.2.3.4", "fe80::1%eth0", "::g"]),
    "isbn": (["0-321-75104-3", "978-0321751041"], ["0321751044", "123"]),
    "isbn10": (["080442957X"], ["9780321751041"]),
    "isbn13": (["9780321751041"], ["0321751043"]),
    "k8s-long-name": (["a.b-c"], ["A", "a..b", ""]),
    "k8s-short-name": (["a-b"], ["a.b", "-a"]),
    "mac": (["00:11:22:33:44:55", "0011.2233.4455"], ["00:11:22:33:44", "00-11:22-33:44-55"]),
    "password": (["", "x"], []),
    "rgbcolor": (["rgb(1, 2,3)"], ["rgb(256,2,3)", "RGB(1,2,3)"]),
    "ssn": (["123-45-6789"], ["123456789"]),
    "uri": (["https://x.io/p?q#f", "/p", "mailto:a@b.c", "x:"], ["", "x.io", "http://a b", "http://x:port", "?q"]),
    "uuid": (["123e4567e89b12d3a456426614174000"], ["123e4567-e89b-12d3-a456-42661417400"]),
    "uuid3": (["123E4567-E89B-32D3-A456-426614174000"], ["123e4567-e89b-12d3-a456-426614174000"]),
    "uuid4": (["123e4567-e89b-42d3-a456-426614174000"], ["123e4567-e89b-42d3-c456-426614174000"]),
    "uuid5": (["123e4567-e89b-52d3-8456-426614174000"], ["123e4567-e89b-42d3-a456-426614174000"]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_takes_what_the_server_takes(name: str) -> None:
    fits = string_format(name, 36)
    assert fits is not None
    accepted, refused = FORMATS[name]
    assert [value for value in accepted if not fits(value)] == []
    assert [value for value in refused if fits(value)] == []


def test_formats_that_a_server_does_not_know_are_not_tested() -> None:
    assert string_format("nonsense", 36) is None
    assert string_format("k8s-short-name", 33) is None
    assert problems({**TEXT, "format": "int32"}, "x") == []
    assert problems({**TEXT, "format": "ipv4"}, ["a list passes where a format is tested"]) == []
