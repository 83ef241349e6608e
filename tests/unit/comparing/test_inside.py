"""JSON and YAML inside of texts: compared by value, shown with paths, and still whole texts to programs."""

from __future__ import annotations

import json
import re

import pytest

from gitops_ci.comparing import Settings
from gitops_ci.comparing.inside import changes_inside
from gitops_ci.model import Outcome
from gitops_ci.model.rendered import View
from gitops_ci.reporting import REPORTERS
from tests.unit.comparing.support import change, config_map, one
from tests.unit.test_reporting_rendered import diff_of

BEFORE = '{"logging": {"level": "info"}, "servers": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}'
AFTER = json.dumps(
    {"servers": [{"name": "a", "port": 80}, {"name": "b", "port": 8081}], "logging": {"level": "debug"}}, indent=2
)


def test_json_is_shown_with_the_paths_of_its_values():
    found = change(config_map(**{"app.json": BEFORE}), config_map(**{"app.json": AFTER}))
    assert found.groups[0].text.split("\n") == [
        " data[app.json] > logging",
        "-  level: info",
        "+  level: debug",
        " data[app.json] > servers[name=b]",
        "-  port: 81",
        "+  port: 8081",
    ]
    [path] = found.objects[0].paths
    assert (path.base_pointer, path.old, path.new) == ("/data/app.json", BEFORE, AFTER), "for programs it is one text"


def test_each_form_names_the_values_inside():
    diff = diff_of([config_map(**{"app.json": BEFORE})], [config_map(**{"app.json": AFTER})], view=View("paths"))
    text = REPORTERS["text"].report(Outcome("diff", "changed", rendered=diff))
    assert "ConfigMap/cm  data[app.json] > servers[name=b].port: 81 -> 8081" in text
    assert "port: 8081" in REPORTERS["html"].report(Outcome("diff", "changed", rendered=diff))


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("a.json", '{"a": 1, "b": [1, 2]}', '{\n  "b": [1, 2],\n  "a": 1\n}\n'),
        ("a.yaml", "a: 1 # why\nb: [x]\n", "# because\nb:\n- x\na: 1\n"),
        ("a.yml", "a: 'x'\n", 'a: "x"\n'),
        ("plain", '{"a": 1}', '{ "a": 1 }'),
    ],
)
def test_another_form_of_the_same_values_is_folded(key, old, new):
    found = one(config_map(**{key: old}), config_map(**{key: new}))
    assert [(path.noise, path.new) for path in found.paths] == [("same value", new)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a: 1.10\n", "a: 1.1\n"),
        ("a: 80\n", "a: '80'\n"),
        ("a: 010\n", "a: 10\n"),
        ("a: yes\n", "a: true\n"),
        ("a: null\n", "a: 'null'\n"),
        ("a: 9007199254740993\n", "a: 9007199254740992\n"),
    ],
)
def test_what_another_program_may_read_as_another_value_differs(old, new):
    [found] = changes_inside("data[a.yaml]", old, new)
    assert found.path == "a"


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("a.yaml", "a: {{ .x }}\n", "a: {{ .y }}\n"),
        ("a.yaml", "a: &x 1\nb: *x\n", "a: &x 2\nb: *x\n"),
        ("a.yaml", "a: !secret x\n", "a: !secret y\n"),
        ("a.yaml", "a: 1\na: 2\n", "a: 1\na: 3\n"),
        ("a.yaml", "<<: {a: 1}\n", "<<: {a: 2}\n"),
        ("a.yaml", "only text\n", "other text\n"),
        ("a.yaml", "a: 1\n", "- 1\n"),
        ("a.json", '{"a": 1, "a": 2}', '{"a": 1, "a": 3}'),
        ("a.json", '{"a": NaN}', '{"a": 1}'),
        ("a.json", "[" * 100_000, "[" * 100_001),
        ("a.json", '{"a": 1', '{"a": 2}'),
        ("run.sh", "a: 1\n", "a: 2\n"),
        ("a.properties", "a: 1\n", "a: 2\n"),
    ],
)
def test_what_is_not_read_without_doubt_is_compared_by_its_lines(key, old, new):
    assert changes_inside(f"data[{key}]", old, new) is None
    found = one(config_map(**{key: old}), config_map(**{key: new}))
    assert [(path.noise, path.old, path.new) for path in found.paths] == [("", old, new)]


def test_several_documents_are_a_list():
    [found] = changes_inside("data[a.yaml]", "a: 1\n---\nb: 1\n", "a: 1\n---\nb: 2\n")
    assert found.path == "[1].b"


def test_what_a_mask_hides_is_hidden_inside_as_well():
    settings = Settings(masks=(re.compile(r"ConfigMap\.data\.app\.json"),))
    found = change(config_map(**{"app.json": BEFORE}), config_map(**{"app.json": AFTER}), settings)
    assert "level" not in found.groups[0].text
