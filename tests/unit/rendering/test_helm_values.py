"""Values at paths. Expected values are those of helm's pkg/strvals 3.20 and fluxcd/pkg/chartutil 1.35."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from gitops_ci.rendering.deployment import DeploymentUnit
from gitops_ci.rendering.helm_values import BadValue, set_value_from_text
from gitops_ci.rendering.helmrelease import values_of
from tests.unit.rendering.support import repository

TEXTS: list[tuple[str, Any]] = [
    ("1", 1),
    ("0", 0),
    ("-0", 0),
    ("+5", 5),
    ("-007", -7),
    ("007", "007"),
    ("9223372036854775807", 2**63 - 1),
    ("9223372036854775808", "9223372036854775808"),
    ("1.5", "1.5"),
    ("1e3", "1e3"),
    ("True", True),
    ("null", None),
    ("", ""),
    ("{}", [""]),
    ("{1,b}", [1, "b"]),
    ("{a\\}b,{c}", ["a}b", "{c"]),
    ("\\{a}", "{a}"),
    ("a\\,b", "a,b"),
    ("a,", "a"),
    ("a=b", "a=b"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[repr(text) for text, _ in TEXTS])
def test_a_text_is_the_value_that_set_makes_of_it(text, expected):
    values: dict[str, Any] = {}
    set_value_from_text(values, "a", text)
    assert json.dumps(values["a"]) == json.dumps(expected)


def test_a_text_in_quotes_is_no_number():
    values: dict[str, Any] = {}
    set_value_from_text(values, "a", "1", is_typed=False)
    assert values == {"a": "1"}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a", "1,b.x=2", {"a": 1, "b": {"x": 2}}),
        ("a", "{1},b[1]=x", {"a": [1], "b": [None, "x"]}),
        ("a\\.b", "x", {"a.b": "x"}),
        ("m.c", "x", {"m": {"k": "v", "c": "x"}}),
        ("l[0].c", "x", {"l": [{"k": "v", "c": "x"}, 1]}),
        ("l[1].c", "x", {"l": [{"k": "v"}, {"c": "x"}]}),
        ("l[3]", "x", {"l": [{"k": "v"}, 1, None, "x"]}),
        ("n[1][0]", "x", {"n": [None, ["x"]]}),
        # An empty text at the end of everything adds no item to a list.
        ("n[0].a", "", {"n": []}),
        ("n[0][1].a", "", {"n": []}),
        ("m.l[0].a", "", {"m": {"k": "v", "l": []}}),
        ("l[2].a", "", {}),
        ("a", "x,n[0].a=", {"a": "x", "n": []}),
        ("n[0].a", ",", {"n": [{"a": ""}]}),
        ("n[0]", "", {"n": [""]}),
        ("n.a", "", {"n": {"a": ""}}),
        ("l[0].k", "", {"l": [{"k": ""}, 1]}),
        ("l[1].k", "", {"l": [{"k": "v"}, {"k": ""}]}),
    ],
)
def test_a_path_goes_into_what_is_there(path, text, expected):
    values: dict[str, Any] = {"m": {"k": "v"}, "l": [{"k": "v"}, 1]}
    set_value_from_text(values, path, text)
    assert values == {"m": {"k": "v"}, "l": [{"k": "v"}, 1]} | expected


@pytest.mark.parametrize(
    ("path", "text"),
    [("s.a", "x"), ("z.a", "x"), ("m[0]", "x"), ("l.a", "x"), ("l[0][1]", "x"), ("[0]", "x"), ("a[-1]", "x")]
    + [("a", one) for one in ("1,2", "a,,b=c", "{1}x", "{1")],
)
def test_what_set_refuses(path, text):
    with pytest.raises(BadValue):
        set_value_from_text({"s": 1, "z": None, "m": {}, "l": [{}]}, path, text)


def release(inline, *references):
    """The values of a release; a reference is a text, or a path and a text."""
    files, sources = {}, []
    for number, one in enumerate(references):
        path, text = one if isinstance(one, tuple) else ("", one)
        data = {"values.yaml": text}
        metadata = {"name": f"c{number}"}
        files[f"c{number}.yaml"] = json.dumps(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        )
        sources.append({"kind": "ConfigMap", "name": f"c{number}"} | ({"targetPath": path} if path else {}))
    given = deepcopy(inline)
    spec = {"values": inline, "valuesFrom": sources}
    unit = DeploymentUnit("x", "helmrelease", "hr.yaml", value={"metadata": {"name": "x"}, "spec": spec})
    made = values_of(unit, repository(files))
    assert inline == given, "the object of the repository stays"
    return made


@pytest.mark.parametrize(
    ("inline", "references", "expected"),
    [
        ({"a": 1}, [("a", "2")], {"a": 1}),
        ({"a": {"b": 1}}, [("a.b", "2")], {"a": {"b": 2}}),
        ({"a": {"b": 1}}, ["a: {c: 3}", ("a.b", "2")], {"a": {"b": 1, "c": 3}}),
        ({"a": {"b": 1, "c": 1}}, [("a.b", "2"), ("a.c", "2")], {"a": {"b": 2, "c": 1}}),
        ({"l": [{"x": 1}]}, [("l[0].y", "2")], {"l": [{"x": 1, "y": 2}]}),
        ({"l": [1]}, [("l[1]", "2")], {"l": [1]}),
        ({}, ["a: {b: 1}", "a: {c: 2}", ("a.b", "'3'")], {"a": {"b": "3", "c": 2}}),
    ],
)
def test_which_of_several_sources_wins(inline, references, expected):
    """A path goes into a copy of the first level alone: what it sets below stays, although inline values come last."""
    assert release(inline, *references) == expected


@pytest.mark.parametrize("is_literal", [False, True])
def test_an_empty_text_adds_no_item(is_literal):
    source = {"kind": "ConfigMap", "name": "c", "targetPath": "a[0].b", "literal": is_literal}
    value = {"metadata": {"name": "x"}, "spec": {"valuesFrom": [source]}}
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {values.yaml: ''}\n"
    assert values_of(DeploymentUnit("x", "helmrelease", "hr.yaml", value=value), repository({"c.yaml": config})) == {
        "a": []
    }


def test_a_path_that_leads_into_an_inline_value_is_refused():
    with pytest.raises(BadValue):
        release({"a": 1}, ("a.b", "2"))


def test_a_key_that_is_not_in_the_file_may_be_added_to_it():
    spec = {"valuesFrom": [{"kind": "ConfigMap", "name": "c", "valuesKey": "other", "targetPath": "a"}]}
    unit = DeploymentUnit("x", "helmrelease", "hr.yaml", value={"metadata": {"name": "x"}, "spec": spec})
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {values.yaml: x}\n"
    assert values_of(unit, repository({"c.yaml": config})) == {}
