"""Splicing: a value keeps its quotes, and what would differ beyond the plan is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gitops_ci import splice
from gitops_ci.model import Edit, Span, Spelling
from gitops_ci.yamltext import read
from tests.support.effort import examples

OTHERS = [
    "1.10", "0755", "1e3", "6801028", "2026-01-01", "0x1F", "1_000", "on", "y", "null", "0o17", "1.", "0b11", "NO",
    ".5", "~", "", "1:30", ".inf", "+1", "2026-01-01 10:00:00", "=", "<<", "0x1p4", "__1__0__",
]  # fmt: skip
STRINGS = [
    "1.5.0",
    "v1",
    "latest",
    "sha-1",
    "1.10-rc.1",
    "1e",
    "0xg",
    "one",
    "2026-01",
    "a/b:1",
    "1.2.3.4",
    "none",
]


@pytest.mark.parametrize("value", OTHERS)
def test_what_a_reader_takes_for_something_else_is_no_string(value):
    assert not splice.is_string(value)
    assert splice.spell(value, Spelling()) == f'"{value}"'


@pytest.mark.parametrize("value", STRINGS)
def test_what_every_reader_takes_for_a_string_stays_plain(value):
    assert splice.is_string(value)
    assert splice.spell(value, Spelling()) == value


@given(st.from_regex(r"[A-Za-z0-9_.+-]{1,12}", fullmatch=True))
@settings(max_examples=examples(300))
def test_a_value_that_counts_as_a_string_is_one_for_readers_of_either_version(value):
    if splice.is_string(value) and splice.spell(value, Spelling()) == value:
        for version in ("1.1", "1.2"):
            reader = YAML(typ="safe", pure=True)
            reader.version = version
            assert reader.load(value) == value


@pytest.mark.parametrize(
    ("quote", "spelled"),
    [("'", "'it''s \\ \"x\"'"), ('"', '"it\'s \\\\ \\"x\\""'), ("raw", 'it\'s \\ "x"'), ("", '"it\'s \\\\ \\"x\\""')],
)
def test_quotes_are_kept_and_escaped(quote, spelled):
    assert splice.spell('it\'s \\ "x"', Spelling(quote)) == spelled


def edit(text, old, new, written=None, **more):
    start = text.index(old)
    return Edit(Span(start, start + len(old), 1, 1), new if written is None else written, old, new, **more)


def test_edits_are_made_in_any_order_and_may_not_overlap():
    text = "a: 1\nb: 2\n"
    assert splice.apply(text, [edit(text, "2", "four"), edit(text, "1", "three")]) == "a: three\nb: four\n"
    with pytest.raises(ValueError, match="two edits"):
        splice.apply(text, [edit(text, "a: 1", "x"), edit(text, "1", "y")])


@pytest.mark.parametrize(
    ("before", "old", "written", "trouble"),
    [
        ("a: v1\nb: v1\n", "v1", "v2", ""),
        ("a: &x v1\nb: *x\n", "v1", "v2", ""),
        ("a: v1\n", "v1", "1.10", "would not be read as"),
        ("a: v1\n", "v1", "v2: x", "would not be YAML"),
        ("a: v1\n", "v1", "v2\nb: c", "would not be read as"),
        ("a: v1\n", "v1", "v2 # x", ""),
        ("a: v1 # x\n", "v1", "v3", "would not be read as"),
        ("a: {b: v1}\n", "v1", "v2}", "would not be YAML"),
        ("a: v1\n", "v1", "!!int v2", "would not be read as"),
        ("a: v1\nc: d\n", "v1", "[v2]", "more than the planned values"),
    ],
)
def test_only_the_planned_values_may_differ(before, old, written, trouble):
    made = edit(before, old, "1.10" if written == "1.10" else "v2", written)
    said = splice.confirm(read(before), [made], splice.apply(before, [made]))
    assert (trouble in said) if trouble else said == ""


def test_a_change_elsewhere_is_never_taken_for_the_plan():
    before = "a: v1\nb: x\n"
    made = edit(before, "v1", "v2")
    assert "more than the planned" in splice.confirm(read(before), [made], "a: v2\nb: y\n")
    assert "more than the planned" in splice.confirm(read(before), [made], "a: v2\nb: x\nc: y\n")
    assert splice.confirm(read(before), [made], "a: v2\nb: x\n") == ""


def test_an_edit_inside_a_string_changes_the_string_by_that_only():
    before = 'values: "image: a/b:1\\nx: y"\n'
    made = edit(before, "a/b:1", "a/b:2", inner="a/b:2")
    assert splice.confirm(read(before), [made], before.replace("a/b:1", "a/b:2")) == ""
    assert splice.confirm(read(before), [made], before.replace("a/b:1", "a/b:3"))
