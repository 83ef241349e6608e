"""Where go-yaml and libyaml part, the reading is go-yaml's."""

from __future__ import annotations

import pytest

from gitops_ci.validation import check
from gitops_ci.validation.manifests.documents import Piece, split
from gitops_ci.validation.manifests.go_yaml import GoYamlError
from gitops_ci.yamltext import ScalarNode, YamlError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: [x:]", {"a": ["x:"]}),
        ("a: {b: c:, d:: e}", {"a": {"b": "c:", "d:": "e"}}),
        (r'a: "it\'s"', {"a": "it's"}),
        (r'{"a": "\ud83d\ude00 \/\ud83d\ude00"}', {"a": "\U0001f600 /\U0001f600"}),
        ("a: b\u2028c: d", {"a": "b", "c": "d"}),
        ("%YAML 1.1\n---\na: yes", {"a": True}),
        # Nobody reads what follows the first document.
        ("a: 1\n...\n}", {"a": 1}),
        ("{a: 1}}", {"a": 1}),
    ],
)
def test_what_only_go_yaml_reads_is_read(text: str, value: object) -> None:
    assert Piece(text, 0).load().value == value


@pytest.mark.parametrize(
    "text",
    [
        *("a: [b?c]", "a: {b?: c}", "a: {b: c?}", "a: [b ?c]", "%YAML 1.2\n---\na: b", "# x\n%YAML 1.2\n---\na: b"),
        *(r'a: "b\/c"', r'{"a": "b\/c",}', r'a: "\\\/"'),
    ],
)
def test_what_only_libyaml_reads_is_refused(text: str) -> None:
    with pytest.raises(GoYamlError):
        Piece(text, 0).load()


@pytest.mark.parametrize(
    "text", [r'a: "\ud83d\ude00"', r'{"a": "\ud83d"}', "a: &b{c: d}", "a: !!", "a: [:b]", "%YAM 1.1\n---\na: b"]
)
def test_what_neither_reads_is_refused(text: str) -> None:
    with pytest.raises(YamlError):
        Piece(text, 0).load()


@pytest.mark.parametrize("text", ["a: b?c", r"a: b\/c", r"a: 'b\/c'", r'a: "\\/"', 'a: ["b?c"]', "a: |\n  [b?c]\n"])
def test_what_looks_like_it_is_read(text: str) -> None:
    assert Piece(text, 0).load().value


def test_offsets_hold_where_a_character_stood_in() -> None:
    piece = Piece(r'{a: "it\'s", b: [c:], d: e}', 0)
    last = piece.root.pairs[-1][0]  # type: ignore[union-attr]
    assert isinstance(last, ScalarNode)
    assert piece.position(last.start) == (1, 23)


def test_json_objects_may_follow_one_another() -> None:
    pieces = list(split('{"a": 1}{"b": "}{"}\n\n{"c":\n 3} \n'))
    assert [piece.load().value for piece in pieces] == [{"a": 1}, {"b": "}{"}, {"c": 3}]
    assert [piece.position(piece.root.start) for piece in pieces if piece.root] == [(1, 1), (1, 9), (3, 1)]
    assert [piece.text for piece in split("{a: 1}\n{b: 2}")] == ["{a: 1}\n{b: 2}"]


def test_directives_belong_to_the_document_that_follows() -> None:
    pieces = list(split("%YAML 1.1\n# x\n---\na: 1\n---\n%TAG !e! tag:yaml.org,2002:\n---\nb: !e!str 2\n"))
    assert [piece.load().value for piece in pieces] == [{"a": 1}, {"b": "2"}]
    assert [piece.position(piece.root.start)[0] for piece in pieces if piece.root] == [4, 8]


def test_a_byte_order_mark_may_begin_each_document_and_elsewhere_is_a_character() -> None:
    pieces = list(split("\ufeffa: 1\n---\n\ufeffb: 2\nc: 3\n"))
    assert [piece.load().value for piece in pieces] == [{"a": 1}, {"b": 2, "c": 3}]
    assert [piece.position(piece.root.start) for piece in pieces if piece.root] == [(1, 1), (3, 1)]
    assert Piece("a: 1\n\ufeffb: 2\n", 0).load().value == {"a": 1, "\ufeffb": 2}
    assert (
        check([("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n\ufeffdata: {}\n")]).findings[0].line
        == 4
    )


def test_what_follows_the_end_of_a_document_is_told() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n...\n"
    assert check([("a.yaml", text + "# nothing\n...\n")]).skipped == ()
    report = check([("a.yaml", text + "data: {a: b}\n")])
    assert report.findings == ()
    assert [(skip.line, skip.reason) for skip in report.skipped] == [
        (4, "text after the end of the document, which Kubernetes does not read")
    ]
