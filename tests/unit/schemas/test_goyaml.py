"""YAML as Kubernetes reads it: 82 recorded answers of sigs.k8s.io/yaml, and what no recording holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitops_ci.schemas.documents import split
from gitops_ci.schemas.goyaml import GoYamlError, Loaded
from gitops_ci.yamltext import YamlError
from tests.support import shared


def load(text: str) -> Loaded:
    pieces = list(split(text))
    return pieces[0].load() if pieces else Loaded()


def disagreement(case: dict[str, Any]) -> str:
    try:
        loaded = load(case["yaml"])
    except (YamlError, GoYamlError) as error:
        return "" if "error" in case else f"refused: {error}"
    if "error" in case:
        return f"read as {loaded.value!r}, must be refused"
    if json.dumps(loaded.value, sort_keys=True) != json.dumps(json.loads(case["json"]), sort_keys=True):
        return f"read as {loaded.value!r}, must be {case['json']}"
    if bool(loaded.duplicates) != ("strict_error" in case):
        return f"duplicates {loaded.duplicates}"
    return ""


def test_every_recorded_reading_of_sigs_yaml_is_the_same() -> None:
    cases = json.loads(shared("yaml-truth.json").read_text())
    assert len(cases) == 82
    wrong = {case["name"]: found for case in cases if (found := disagreement(case))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 0b102", "0b102"),
        ("a: 0x", "0x"),
        ("a: -0755", -493),
        ("a: 1__0", 10),
        ("a: 9223372036854775808", 9223372036854775808),
        ("a: -9223372036854775809", -9223372036854775808),
        ("a: .5e1", 5),
        ("a: .", "."),
        ("a: 1e21", 1e21),
        ("a: !!float 3", 3),
        ('a: !!null ""', None),
        ("a: ! 12", "12"),
    ],
)
def test_plain_scalars_resolve_as_go_yaml_does(text: str, value: object) -> None:
    found = load(text).value["a"]
    assert (found, type(found)) == (value, type(value)) or (isinstance(value, int) and found == value)


def test_an_anchor_inside_itself_is_refused() -> None:
    with pytest.raises(GoYamlError, match="contains itself"):
        load("a: &x\n  b: *x\n")


def test_an_alias_bomb_is_refused_before_it_is_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(GoYamlError, match="excessive aliasing"):
        load("\n".join(lines))


def test_a_merge_bomb_is_refused_before_it_is_expanded() -> None:
    lines = ["a0: &a0 {k: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    with pytest.raises(GoYamlError, match="excessive aliasing"):
        load("\n".join(lines))


def test_documents_keep_their_line_in_the_file() -> None:
    pieces = list(split("# head\n---\na: 1\n---  # next\n\nb: 2\n--- {c: 3}\n---\n# only a comment\n"))
    assert [piece.load().value for piece in pieces] == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert [piece.position(piece.root.start)[0] for piece in pieces if piece.root] == [3, 6, 7]
