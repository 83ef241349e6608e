"""YAML as text with positions: every node knows its characters, whatever the line ends, and nothing takes long."""

import pytest

from gitops_ci.yamltext import (
    BOM,
    DEEPEST,
    AliasNode,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlError,
    read,
    read_first,
    walk,
)

STYLES = """\
plain: a b
single: 'a ''b'''
double: "a\\tb"
literal: |
  a
   b
folded: >-
  a
  b
empty:
tagged: !!str &x v  # comment
flow: {a: [b, 'c'], d: }
alias: *x
"""


def scalars(text):
    return [node for root in read(text).documents for node in walk(root) if isinstance(node, ScalarNode)]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_scalar_knows_its_characters(newline, mark):
    text = mark + STYLES.replace("\n", newline)
    written = {node.value: text[node.start : node.end] for node in scalars(text)}
    assert written["a b"] in {"a b", f">-{newline}  a{newline}  b{newline}"}
    assert written["a 'b'"] == "'a ''b'''"
    assert written["a\tb"] == '"a\\tb"'
    assert written["a\n b\n"] == f"|{newline}  a{newline}   b{newline}"
    assert written["v"] == "v"
    assert written["c"] == "'c'"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_positions_count_from_one_as_editors_do(newline):
    file = read("\ufeff" + "a: 1\né😀: x\n".replace("\n", newline))
    key, value = file.documents[0].pairs[1]
    assert file.position(key.start) == (2, 1)
    assert file.position(value.start) == (2, 5)
    assert file.position(1) == (1, 1), "a byte order mark has no column"
    assert file.line_start(value.start) == key.start


def test_line_separators_of_unicode_end_no_line():
    file = read("# \u2028\u0085\na: 1\n")
    assert file.position(file.documents[0].pairs[0][0].start) == (2, 1)


def test_an_alias_points_to_the_node_of_its_anchor_and_keeps_its_own_place():
    text = "a: &x {b: 1}\nc: *x\n"
    [root] = read(text).documents
    anchored, alias = root.pairs[0][1], root.pairs[1][1]
    assert isinstance(alias, AliasNode)
    assert alias.target is anchored
    assert text[alias.start : alias.end] == "*x"
    assert text[anchored.start : anchored.end] == "{b: 1}"
    assert root.get("c") is anchored


def test_anchors_end_with_their_document_and_may_be_given_again():
    assert [type(root) for root in read("a: &x 1\nb: &x 2\nc: *x\n---\n---\n- 1\n").documents] == [
        MappingNode, ScalarNode, SequenceNode,
    ]  # fmt: skip
    [first, _] = read("a: &x 1\nb: &x 2\nc: *x\n---\nd: e\n").documents
    assert first.text("c") == "2"
    with pytest.raises(YamlError, match="has no anchor"):
        read("a: &x 1\n---\nb: *x\n")


def test_of_equal_keys_the_last_one_counts():
    assert read("a: 1\na: 2\n").documents[0].text("a") == "2"


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("a: [\n", ".", 2),  # the words are the library's: it knows what it looked for
        ("a: b: c\n", "mapping values are not allowed", 1),
        ("[" * (DEEPEST + 1), f"deeper than {DEEPEST}", 1),
        ("x: y\n" * 200_000, "more than 250000 values", 125_000),
        ("x" * 9_000_000, "larger than 8 MiB", 1),
    ],
    ids=["open", "two values", "deep", "many", "large"],
)
def test_what_cannot_be_read_has_a_reason_and_a_line(text, reason, line):
    with pytest.raises(YamlError, match=reason) as caught:
        read(text)
    assert caught.value.line == pytest.approx(line, abs=2)


DEEP = "nested deeper than 200 levels"


@pytest.mark.parametrize("libyaml", [True, False])
@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        # libyaml refuses 1,000 levels by itself, and where a line is short enough before the first event.
        ("x: y\nz: " + "[" * 1_000, (DEEP, 2, 0)),
        ("x: y\nz: " + "[" * 1_000 + "]" * 1_000, (DEEP, 2, 0)),
        ("x: y\nz: " + "[\n" * 1_000, (DEEP, 201, 0)),
        ("x: y\nz: " + "{a: " * 1_000, (DEEP, 2, 0)),
        ("a: b\nc: \0\n", ("the character U+0000 is not allowed in YAML", 2, 4)),
        (f"{BOM}é: b\r\nc: 'd\x1b[0m'\n", ("the character U+001B is not allowed in YAML", 2, 6)),
        ("a: \ufffe", ("the character U+FFFE is not allowed in YAML", 1, 4)),
        ("a: \ud800", ("the character U+D800 is not allowed in YAML", 1, 4)),
    ],
    ids=["open flow", "flow", "lines of flow", "mappings", "NUL", "escape", "no character", "surrogate"],
)
@pytest.mark.parametrize("reader", [read, read_first])
def test_a_limit_is_told_in_the_same_words_whichever_reader_meets_it(reader, text, refusal, libyaml, monkeypatch):
    monkeypatch.setattr("yaml.__with_libyaml__", libyaml)
    with pytest.raises(YamlError) as caught:
        reader(text)
    assert (caught.value.reason, caught.value.line, caught.value.column) == refusal


def test_brackets_in_a_string_before_an_error_are_no_depth():
    with pytest.raises(YamlError) as caught:
        read(f"a: '{'[' * 2_000}'\nb: c: d\n")
    assert (caught.value.reason[:14], caught.value.line) == ("mapping values", 2)


@pytest.mark.parametrize("libyaml", [True, False])
@pytest.mark.parametrize("second_opinion", [True, False])
def test_what_is_no_yaml_is_refused_by_every_reader(libyaml, second_opinion, monkeypatch):
    monkeypatch.setattr("yaml.__with_libyaml__", libyaml)
    for broken in ("a: [\n", "a: b: c\n", "%YAML 1.16\n---\na: b"):
        with pytest.raises(YamlError):
            read(broken, second_opinion=second_opinion)


def test_a_second_reader_is_asked_where_the_first_refuses_what_yaml_allows():
    text = "a: {b: 1}\n? [x]\n: 'y'\n"
    assert read(text).documents[0] is not None
    refused = "%YAML 1.2\n---\na: [b, ]\n--- {c: !<tag:x> d}\n"
    assert len(read(refused).documents) == 2
    with pytest.raises(YamlError):
        read("a: [\n", second_opinion=False)


@pytest.mark.parametrize("libyaml", [True, False])
def test_the_first_document_is_read_alone_with_libyaml_and_without(
    libyaml: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yaml.__with_libyaml__", libyaml)
    text = f"{BOM}a: 1\n...\n}}"
    file = read_first(text)
    assert [text[root.start : root.end] for root in file.documents if isinstance(root, MappingNode)] == ["a: 1\n"]
    assert text[file.end :].strip() == "}"
    for broken in ("a: [", "%YAML 1.16\n---\na: b"):
        with pytest.raises(YamlError):
            read_first(broken)
