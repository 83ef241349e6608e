"""YAML as Kubernetes reads it: 82 recorded answers of sigs.k8s.io/yaml, and what no recording holds."""

from __future__ import annotations

import json

import pytest

from gitops_ci.validation.manifests.documents import split
from gitops_ci.validation.manifests.go_yaml import GoYamlError, Loaded
from gitops_ci.yamltext import YamlError
from tests.support.yaml_readings import Reading, recorded_readings


def load(text: str) -> Loaded:
    pieces = list(split(text))
    return pieces[0].load() if pieces else Loaded()


def disagreement(reading: Reading) -> str:
    try:
        loaded = load(reading.text)
    except (YamlError, GoYamlError) as error:
        return "" if reading.refused else f"refused: {error}"
    if reading.refused:
        return f"read as {loaded.value!r}, must be refused"
    if json.dumps(loaded.value, sort_keys=True) != json.dumps(reading.value, sort_keys=True):
        return f"read as {loaded.value!r}, must be {reading.value!r}"
    if bool(loaded.duplicates) != reading.set_twice:
        return f"duplicates {loaded.duplicates}"
    return ""


def test_every_recorded_reading_of_sigs_yaml_is_the_same() -> None:
    readings = recorded_readings()
    assert len(readings) == 82
    wrong = {reading.name: found for reading in readings if (found := disagreement(reading))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 0b102", "0b102"),
        ("a: 0x", "0x"),
        ("a: -0755", -493),
        ("a: 1__0", 10),
        ("a: 9223372036854775808", 9223372036854775808),
        ("a: -9223372036854775809", -9223372036854776000),
        ("a: 1.122571464083859e+20", 112257146408385900000),
        ("a: .5_5", 0.55),
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


@pytest.mark.parametrize(
    ("key", "name"),
    [
        *(("on", "true"), ("0x10", "16"), ("1.10", "1.1"), ("1000000.0", "1e+06"), ("123456.0", "123456")),
        *(
            ("16777217.0", "1.6777216e+07"),
            ("0.0001", "0.0001"),
            ("1e-5", "1e-05"),
            ("3.4e39", ".inf"),
            (".nan", ".nan"),
        ),
        *(("-.Inf", "-.inf"), ("2001-01-01", "2001-01-01"), ("! 12", "12"), ("!!str 0755", "0755")),
    ],
)
def test_keys_become_text_as_in_sigs_yaml(key: str, name: str) -> None:
    assert load(f"{key}: x").value == {name: "x"}


@pytest.mark.parametrize("key", ["~", "[a]", "{a: b}", "18446744073709551615"])
def test_a_key_that_json_cannot_have_is_refused(key: str) -> None:
    with pytest.raises(GoYamlError, match="key"):
        load(f"? {key}\n: x")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a: 1\na: 2", ["a"]),
        ("1: a\n0x1: b", ["1"]),
        # Two keys to go-yaml, and the server takes either for the one that JSON has.
        ('1: a\n"1": b', []),
        ('"1": a\n1: b\n"1": c', ["1"]),
        ("x: &x {a: 1}\ny:\n  <<: *x\n  a: 2", ["a"]),
        ("x: &x {a: 1}\ny:\n  ! '<<': *x\n  a: 2", ["a"]),
        ("x: &x {a: 1}\ny: &y {a: 2}\nz:\n  <<: [*x, *y]", ["a"]),
    ],
)
def test_a_key_is_set_twice_where_go_yaml_says_so(text: str, keys: list[str]) -> None:
    assert [key for key, _ in load(text).duplicates] == keys


@pytest.mark.parametrize(
    ("text", "duplicates", "overriding"),
    [
        # sigs.k8s.io/yaml and kyaml read the same value, and only a strict reader refuses it.
        ("x: &x {a: 1}\ny:\n  <<: *x\n  a: 2", 1, 1),
        ("x: &x {a: 1}\ny: &y {a: 2}\nz:\n  <<: [*x, *y]", 1, 1),
        # kyaml refuses the second one.
        ("x: &x {a: 1}\ny:\n  <<: *x\n  a: 2\n  a: 3", 2, 1),
        ("x: &x {a: 1}\ny: &y {a: 2}\nz:\n  <<: *x\n  <<: *y", 1, 0),
        ("a: 1\na: 2", 1, 0),
        # kyaml takes 2, sigs.k8s.io/yaml 1.
        ("x: &x {a: 1}\ny:\n  a: 2\n  <<: *x", 1, 0),
        ("x: &x {a: 1}\ny: &y {a: 2}\nz:\n  a: 3\n  <<: [*x, *y]", 2, 1),
        ("x: &x {1: 1}\ny:\n  <<: *x\n  1: 2\n  '1': 3", 0, 0),
    ],
)
def test_a_key_below_a_merge_key_overrides(text: str, duplicates: int, overriding: int) -> None:
    loaded = load(text)
    assert (len(loaded.duplicates), len(loaded.overriding)) == (duplicates, overriding)


@pytest.mark.parametrize(
    "text", ["x: &x [{a: 1}]\ny:\n  <<: *x", "x: &x 1\ny:\n  <<: *x", "<<: [[a]]", "a: !!timestamp x", "a: !!int yes"]
)
def test_what_a_merge_or_a_tag_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(GoYamlError):
        load(text)


@pytest.mark.parametrize("text", ["a", "a GVsbG8=", "afGVsbG8=", "\u00e4GVs"])
def test_binary_that_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(GoYamlError, match="base64"):
        load(f"a: !!binary {text}")


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
