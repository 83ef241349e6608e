"""Changes say what differs, and turn one side into the other."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gitops_ci.comparing.change_text import change_text
from gitops_ci.comparing.differences import differences, is_equal, pointer
from gitops_ci.reporting.rendered_json import _path
from tests.support.effort import examples
from tests.support.rendered_changes import applied


def paths(old: Any, new: Any) -> list[tuple[str, str | None, str | None]]:
    return [(one.path, one.base_pointer, one.head_pointer) for one in differences(old, new)]


def test_containers_in_another_order_are_the_same_containers():
    old = {"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}}
    new = {"spec": {"containers": [{"name": "b", "image": "b:1"}, {"name": "a", "image": "a:1"}]}}
    assert {one.noise for one in differences(old, new)} == {"order"}


def test_ports_are_told_apart_by_number_and_protocol():
    old = {"ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]}
    new = {"ports": [{"containerPort": 80, "name": "web"}, {"containerPort": 53, "protocol": "TCP"}]}
    assert paths(old, new) == [
        ("ports[containerPort=80,protocol=TCP].name", None, "/ports/0/name"),
        ("ports[containerPort=53,protocol=UDP]", "/ports/1", None),
        ("ports[containerPort=53,protocol=TCP]", None, "/ports/1"),
    ]


def test_keys_that_repeat_fall_back_to_the_order():
    old = {"ports": [{"containerPort": 80}, {"containerPort": 80, "hostIP": "::1"}]}
    new = {"ports": [{"containerPort": 80}, {"containerPort": 80, "hostIP": "::2"}]}
    assert paths(old, new) == [("ports[1].hostIP", "/ports/1/hostIP", "/ports/1/hostIP")]


def test_an_argument_that_comes_between_leaves_the_others():
    assert paths({"args": ["a", "b"]}, {"args": ["a", "x", "b"]}) == [("args[1]", None, "/args/1")]


def test_a_key_with_dots_and_slashes_is_one_step():
    old, new = {"data": {"a/b~c.yaml": "1"}}, {"data": {"a/b~c.yaml": "2"}}
    assert paths(old, new) == [("data[a/b~c.yaml]", "/data/a~1b~0c.yaml", "/data/a~1b~0c.yaml")]
    assert pointer(["x", 0, "~/"]) == "/x/0/~0~1"


@pytest.mark.parametrize(("old", "new"), [(1, 1.0), (1, True), (0, False), ("1", 1), (2**53, 2**53 + 1), (None, {})])
def test_what_is_another_value_to_json_differs(old, new):
    assert not is_equal(old, new)
    assert len(differences({"a": old}, {"a": new})) == 1


def test_null_is_a_value_and_absence_is_none():
    [one] = differences({"data": None}, {})
    assert (one.base_pointer, one.head_pointer) == ("/data", None)


def test_a_long_text_is_compared_by_lines():
    old, new = ("\n".join([*map(str, range(40)), end]) for end in ("old", "new"))
    text = change_text(differences({"data": {"x.sh": old}}, {"data": {"x.sh": new}}))
    assert text == " data\n   x.sh: |\n     37\n     38\n     39\n-    old\n+    new"


def test_a_text_of_many_lines_is_cut_with_a_count():
    """Each run of removed or added lines, and all lines of one value."""
    old, new = ("\n".join(f"{side}{number}" for number in range(3_000)) for side in "ab")
    text = change_text(differences({"data": {"a": old}}, {"data": {"a": new}})).split("\n")
    assert [line for line in text if "more lines" in line] == [
        "-    ... and 2,900 more lines",
        "+    ... and 2,900 more lines",
    ]
    assert len(text) < 210
    one, other = ("\n".join(f"{n if n % 9 else side}" for n in range(2_000)) for side in "ab")
    text = change_text(differences({"data": {"a": one}}, {"data": {"a": other}})).split("\n")
    assert (len(text), "more lines" in text[-1]) == (1_002, True)


def test_line_ends_are_told_as_such():
    text = change_text(differences({"data": {"a": "x\r\ny\r\n"}}, {"data": {"a": "x\ny\n"}}))
    assert text == " data\n-  a: (line ends: CRLF)\n+  a: (line ends: LF)"


def test_a_text_of_ten_thousand_lines_is_compared_soon():
    lines = [f"line {number % 7}" for number in range(10_000)]
    new = [*lines[:5000], "another", *lines[5001:]]
    text = change_text(differences({"a": "\n".join(lines)}, {"a": "\n".join(new)}))
    assert text.count("\n") < 12


def value(source: random.Random, depth: int = 0) -> Any:
    kind = source.randrange(7 if depth < 4 else 4)
    if kind < 4:
        return source.choice([None, True, 0, 1, 1.0, "", "a", "b\nc", "~1/"])
    if kind == 4:
        return {source.choice("abcd/~"): value(source, depth + 1) for _ in range(source.randrange(5))}
    if kind == 5:
        return [value(source, depth + 1) for _ in range(source.randrange(5))]
    names = source.sample("pqrst", source.randrange(5))
    return [{"name": name, "v": value(source, depth + 1)} for name in names]


@pytest.mark.parametrize("seed", range(examples(400)))
def test_the_changes_turn_any_value_into_any_other(seed):
    source = random.Random(seed)
    for _ in range(20):
        old, new = {"a": value(source), "b": value(source)}, {"a": value(source), "b": value(source)}
        made = applied(old, [_path(one) for one in differences(old, new)])
        assert is_equal(made, new), (old, new)
        assert differences(old, old) == []
