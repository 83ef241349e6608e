"""Where each character of a value is written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ci import charmap
from gitops_ci.yamltext import YamlError, read
from tests.support.effort import examples


def value_of(text):
    return read(text).documents[0].scalar("k")


def written(text):
    """The characters at which the value stands, one by one; what is folded away counts as it is read."""
    scalar = value_of(text)
    places = charmap.offsets(text, scalar)
    return scalar.value, None if places is None else [text[at] for at in places]


@pytest.mark.parametrize(
    "text",
    [
        "k: abc\n", "k: 'a b'\n", 'k: "é😀"\n', "k: |\n  a\n   b\n", "k: |-\n    a\n\n    b", "k: |2\n   a\n",
        "- x\n", "k: |+\n  a\n\n\nz: 1\n", "k: >-\n  a\n", "j:\n    k: | # comment\n      a: b\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_visible_character_is_found(text, newline):
    text = text.replace("\n", newline)
    root = read(text).documents[0]
    nodes = [root.scalar("k")] if hasattr(root, "scalar") else root.items
    nodes = [node or root.get("j").scalar("k") for node in nodes]
    for node in nodes:
        places = charmap.offsets(text, node)
        assert places is not None
        assert len(places) == len(node.value)
        for character, at in zip(node.value, places, strict=True):
            assert text[at] == character or (character == "\n" and text[at] in "\r\n")


@pytest.mark.parametrize(
    ("text", "value", "characters"),
    [
        ("k: 'it''s'\n", "it's", ["i", "t", "'", "s"]),
        ('k: "a\\tb\\x41c"\n', "a\tbAc", ["a", "\\", "b", "\\", "c"]),
        ('k: "a\\nb"\n', "a\nb", ["a", "\\", "b"]),
    ],
)
def test_an_escape_stands_where_it_begins(text, value, characters):
    assert written(text) == (value, characters)


@pytest.mark.parametrize("text", ['k: "a\n  b"\n', "k: 'a\n\n  b'\n", "k: a\n  b\n"])
def test_what_is_folded_in_quotes_is_not_guessed(text):
    assert written(text)[1] is None


LINES = st.lists(st.text(alphabet="ab :é'\"#", max_size=6).filter(lambda line: line == line.strip()), max_size=6)


@given(LINES, st.sampled_from(["|", "|-", "|+", ">", ">-", ">+"]), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=examples(200))
def test_block_scalars_line_up_or_say_that_they_do_not(lines, header, newline):
    text = newline.join([f"k: {header}", *(f"   {line}" if line else "" for line in lines), "z: 1", ""])
    try:
        scalar = value_of(text)
    except YamlError:
        return
    places = charmap.offsets(text, scalar)
    assert places is not None or header[0] == ">" or not scalar.value.strip("\n")
    for character, at in zip(scalar.value, places or (), strict=False):
        assert text[at] == character or character in "\n "
