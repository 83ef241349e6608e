"""Two readers, one verdict: what is read fast is read as exactly, and nothing depends on the fast one."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ci import yamltext
from gitops_ci.validation import check
from gitops_ci.validation.manifests.ambiguity import AMBIGUOUS, HAS_NULL, classify
from gitops_ci.validation.manifests.documents import split
from gitops_ci.validation.manifests.fast_yaml import load_fast
from gitops_ci.validation.manifests.go_yaml import GoYamlError, load
from gitops_ci.yamltext import YamlError, fast_value, read
from tests.support import missing
from tests.support.effort import examples
from tests.support.verdicts import manifests
from tests.support.yaml_readings import recorded_readings


@pytest.fixture(scope="module", autouse=True)
def fast_reader() -> None:
    try:
        fast_value("a: b")
    except NotImplementedError:
        missing("the fast reader (oryaml) is not installed")


def difference(text: str) -> str:
    """How the two readings of one document differ, '' when they do not."""
    fast = load_fast(text)
    if fast is None or (seen := classify(fast)) == AMBIGUOUS:
        return ""
    try:
        exact = load(*read(text).documents[:1])
    except (YamlError, GoYamlError) as error:
        return f"refused: {error}"
    if _plain(fast) != _plain(exact.value) or (seen == HAS_NULL) != exact.has_null:
        return f"{fast!r} is not {exact.value!r}"
    return "duplicates" if exact.duplicates else ""


def _plain(value: Any) -> Any:
    """A value that equals another of the same JSON types; 2.0 is written 2 there, and is an integer."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return isinstance(value, bool), value


def test_documents_are_read_alike_and_nearly_all_of_them_fast() -> None:
    seen = fast = 0
    for manifest in manifests():
        for piece in split(manifest.text):
            seen += 1
            value = load_fast(piece.text)
            fast += value is not None and classify(value) != AMBIGUOUS
            assert difference(piece.text) == "", manifest.id
    assert seen > 1000
    assert fast > 0.85 * seen


def test_recorded_readings_are_alike() -> None:
    for reading in recorded_readings():
        if not (reading.refused or reading.set_twice) and "\n---" not in reading.text:
            assert difference(reading.text) == "", reading.name


SCALARS = st.sampled_from(
    [
        *("yes", "no", "on", "off", "y", "~", "null", "Null", "nan", ".nan", ".inf", "-.Inf", "0777", "0o17", "0x1F"),
        *("1_000", "1e3", "1.0", ".5", "5.", "+1", "-0", "1:30", "12:30:45", "2026-01-01", "0b11", "=", "-", "'yes'"),
        *('"no"', "1e400", "9223372036854775808", "18446744073709551616", "123456789012345678901234567890", "a b"),
        *(
            "'it''s'",
            '"\\u00e9\\n"',
            "!!str 1",
            "&a 1",
            "a: b",
            "a #b",
            "a#b",
            "[1, 02]",
            "{a: yes}",
            "|\n    x\n",
            "''",
        ),
    ]
)


@settings(max_examples=examples(400))
@given(st.lists(st.tuples(SCALARS, SCALARS), min_size=1, max_size=4), st.booleans())
def test_invented_documents_are_read_alike(pairs: list[tuple[str, str]], in_list: bool) -> None:
    text = "".join(f"- {value}\n" if in_list else f"{key}: {value}\n" for key, value in pairs)
    assert difference(text) == ""


def test_findings_do_not_depend_on_the_fast_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [(f"{manifest.id}.yaml", manifest.text) for manifest in list(manifests())[::8]]
    with_it = check(files)
    monkeypatch.setattr(yamltext, "_fast_reader", lambda: yamltext._no_reader)
    with pytest.raises(NotImplementedError):
        fast_value("a: b")
    assert check(files) == with_it


def test_without_the_fast_reader_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "oryaml", None)
    yamltext._fast_reader.cache_clear()
    with pytest.raises(NotImplementedError):
        fast_value("a: b")
    yamltext._fast_reader.cache_clear()
