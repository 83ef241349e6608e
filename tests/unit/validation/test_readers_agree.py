"""Two readers, one verdict: what is read fast is read as exactly, and nothing depends on the fast one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ci import yamltext
from gitops_ci.fast_yaml.ambiguity import AMBIGUOUS, HAS_NULL, OTHER_WORDS, classify
from gitops_ci.fast_yaml.reader import load_fast
from gitops_ci.rendering import documents as units
from gitops_ci.validation import check
from gitops_ci.validation.manifests.documents import Piece, split
from gitops_ci.validation.manifests.go_yaml import WORDS, GoYamlError
from gitops_ci.yamltext import LARGEST, MOST_VALUES, YamlError, fast_value
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
        exact = Piece(text, 0).load()
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


# What definitions of custom resources have in their texts: as text it is read fast, as syntax exactly.
AS_TEXT = {
    "pattern": "a: ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$\n",
    "path": 'a: .status.conditions[?(@.type=="Ready")].status\n',
    "path in quotes": "a: '[?(@.type==\"Ready\")]'\n",
    "question": "a: Has this been deleted?\nb: is it? yes\n",
    "slash": "a: ^(b\\/)?c$\nd: 'e\\/f'\n",
    "question in the middle": "a: x ? y\n",
    "rule": "a: '!has(self.b) || self.b != 1'\nb: has(self.b) && !has(self.c) ? 1 :2\n",
    "and": "a: one &two & three\nb: one << two\n",
    "rule in a block": "- a: |-\n    !has(self.b) ||\n    self.b\n\n      ? 1\n\n    ! [?\n  b: >\n     ? x\n",
    "blocks in a row": "a: |\nb: >-\n  ! x\nc: |\n  ? y\n",
    "question in quotes in brackets": "a: ['b?c', \"d?\", e]\n",
    "question in quotes in open brackets": 'a: {"b": "c?d",\n  "e": ["f?", 1],\n  "g": {}}\n',
    "empty brackets": "a: {}\nb: []\nc: d?\n",
    "brackets in texts": "a: b\n  [c?] {d}\ne: '[f]?\n  ? [g'\n",
    "rule over lines": "a: 'self.b ? !self.c\n  ? 1 : 0\n  !has(self.d) == \"?\"'\nc: b(k, !k) ||\n  !d\n",
}
AS_SYNTAX = {
    "explicit key": "? a\n: b\n",
    "explicit key in a value": "a:\n  ? b\n  : c\n",
    "explicit key in a list": "a:\n- ? b\n  : c\n",
    "explicit key after a block": "a:\n  b: |\n    c\n  ? d\n  : e\n",
    "explicit key after an empty block": "a:\n  b: |\n  ? d\n  : e\n",
    "question in brackets": "a: [b?c]\n",
    "question in open brackets": "a: [b,\n  c?d]\n",
    "question in braces": "a: {b: c,\n  d: e?f}\n",
    "question beside a quote in brackets": "a: [b 'c?d']\n",
    "question beside quotes in braces": "{'a?b': c?d}\n",
    "question in brackets of JSON": '{"a":[b?c]}\n',
    "tag": "a: !!str 1\n",
    "tag below": "a:\n  !!str 1\n",
    "tag after a lone return": "a: b\r!!str c: d\n",
    "tag in brackets": "a: [b,!!str 1]\n",
    "tag in the place of an escape": 'a: !!int "1"\nb: "\\x21\\u0021"\n',
    "tag and as many in a comment": "a: !!int '1' # !\n",
    "key in the place of an escape": '? a\n: "\\x3f"\n',
    "question in brackets beside an escape": 'a: [b?c]\nd: "\\x5b"\n',
    "question in brackets below a block": "a: |\n  [ ?\nb: [c?d]\n",
    "tag in JSON": '{"a":!!str 1}\n',
    "tag after a block": "a: |\n  b\nc: !!str 1\n",
    "anchor": "a: &b 1\nc: *b\n",
    "anchor of a key": "&b a: 1\nc: *b\n",
    "anchor in a list": "a:\n  - &b 1\n  - *b\n",
    "merge key": "a: {b: 1}\n<<: {c: 1}\n",
    "directive": "%YAML 1.1\n---\na: b\n",
    "slash after a backslash": 'a: "b\\\\\\/c"\n',
    "slash": 'a: "b\\/c"\n',
    "line of Unicode": "a: b\u2028c: d\n",
}


def in_mapping(text: str) -> str:
    """A document whose root is a mapping, as the fast reader returns it."""
    return text if text[0] != "-" else f"list:\n{text}"


@pytest.mark.parametrize("kind", AS_TEXT)
def test_what_is_text_is_read_fast_and_alike(kind: str) -> None:
    text = in_mapping(AS_TEXT[kind])
    assert load_fast(text) is not None
    assert difference(text) == ""


@pytest.mark.parametrize("kind", AS_SYNTAX)
def test_what_is_syntax_is_read_exactly(kind: str) -> None:
    assert load_fast(AS_SYNTAX[kind]) is None


LINES = st.sampled_from(
    [
        *(
            "a: b",
            "c: |",
            "d: >-",
            "e:",
            "- f: |",
            "- g",
            "- - h: i",
            "j: [",
            "k: {",
            "]",
            "}",
            "l: ]",
            ", m",
            "n: [o]",
        ),
        *(
            "? p",
            ": q",
            "r: s ? t",
            "!u",
            "v: !w x",
            "&y z",
            "A: 'b",
            "c'",
            'D: "e',
            'f"',
            "G: |+",
            "h ? i: |",
            "<<: j",
        ),
        *(
            "K: [l?m]",
            "n?",
            "o: p?",
            "Q: '[?'",
            "# r: |",
            "S: {t: |",
            "u: v #? |",
            "w: {}",
            "[x, 'y?z']",
            '"A": b?',
            "",
        ),
        *("", "---", "...", "-", "?", "\t? a", "b: |\r", "c: - d: |", "'e': |", "f: ? g", "h: &i", "*i : j", "k: *i"),
    ]
)


def test_words_that_are_no_strings_to_go_yaml_are_known() -> None:
    booleans = {word for word, value in WORDS.items() if isinstance(value, bool)}
    assert booleans - {word for word in booleans if word.lower() in {"true", "false"}} == OTHER_WORDS


@settings(max_examples=examples(600))
@given(st.lists(st.tuples(st.integers(0, 4), LINES), min_size=1, max_size=7))
def test_invented_lines_are_read_alike(lines: list[tuple[int, str]]) -> None:
    text = "root: 1\n" + "".join(f"{' ' * indented}{line}\n" for indented, line in lines)
    for piece in split(text):
        assert difference(piece.text) == "", piece.text


UNIT_SCALARS = st.sampled_from(
    [
        *(
            "yes",
            "off",
            "1",
            "010",
            "0o7",
            "1_0",
            "1.5",
            "1e3",
            "-0",
            "+1",
            ".5",
            "2026-01-01",
            "~",
            "null",
            "''",
            "a: b",
        ),
        *(
            "'1'",
            '"x"',
            "[1, 'b']",
            "{a: 1}",
            "{}",
            "|\n    x\n",
            "'a\n\n    b'",
            "a? b",
            "!x",
            "1:20",
            "99999999999999999999",
        ),
    ]
)


@settings(max_examples=examples(300))
@given(
    st.lists(
        st.lists(st.one_of(UNIT_SCALARS.map("{0}: 1".format), UNIT_SCALARS.map("k: {0}".format), LINES), max_size=4),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(
        [
            "---\n",
            "--- \n# c\n",
            "\n---\n\n",
            "...\n",
            "--- # c\n",
            "---\n---\n",
            "---\nkind: List\nitems: [{a: b}]\n---\n",
        ]
    ),
)
def test_units_are_described_alike(documents: list[list[str]], separator: str) -> None:
    """The room that renders reads the same objects in the same lines, fast and exactly."""
    text = separator.join("".join(f"{line}\n" for line in lines) for lines in documents)
    assert described(units.load, text) == described(units._load_exactly, text)


def described(load: Callable[[str, str], Iterable[units.Document]], text: str) -> str:
    try:
        return repr(load("a.yaml", text))
    except YamlError as error:
        return f"{error.line}: {error.reason}"


def test_descriptions_of_units_are_read_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# of Flux\n---\n\nkind: HelmRelease\nspec: {}\n---\n---\nkind: ConfigMapList\nitems:\n- a: 1\n- b?: x\n"
    exact = units._load_exactly("a.yaml", text)
    monkeypatch.setattr(units, "_load_exactly", None)
    assert units.load("a.yaml", text) == exact
    assert [one.line for one in exact] == [4, 8, 8]


def test_one_document_that_is_read_exactly_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "kind: A\n---\n# b\nkind: &b B\n---\nkind: C\n"
    exact = units._load_exactly
    read: list[str] = []
    monkeypatch.setattr(units, "_load_exactly", lambda path, piece: read.append(piece) or exact(path, piece))
    assert [(one.kind, one.line) for one in units.load("a.yaml", text)] == [("A", 1), ("B", 4), ("C", 6)]
    assert read == ["\n# b\nkind: &b B\n"]


@pytest.mark.parametrize(
    "text",
    [
        "a:\n" + "".join(f"{' ' * level}a:\n" for level in range(250)),
        "a: " + "[" * 250 + "]" * 250,
        "a:\n" + "- " * 250,
    ],
)
def test_a_deep_description_is_read_exactly(text: str) -> None:
    with pytest.raises(YamlError, match="deeper"):
        units.load("a.yaml", text)


def test_a_large_text_is_read_fast_if_it_certainly_has_few_values() -> None:
    line = f"  key: {'x' * 200}\n"
    large = "a:\n" + "".join(line.replace("key", f"k{number}") for number in range(MOST_VALUES // 150))
    assert len(large) > MOST_VALUES
    assert load_fast(large) is not None
    assert difference(large) == ""


@pytest.mark.parametrize(
    "text",
    [
        "a:\n" + "".join(f"  k{number}:\n" for number in range(130_000)),
        "a: [" + "1," * 250_000 + "]\n",
        "a:\n" + "- \n" * 250_000,
        "a:\n" + "-\n" * 250_000,
        "a:\n" + "- {}\n" * 130_000,
        "a:\n" + "".join(f"- k{number}: v\n" for number in range(70_000)),
        "a:\n" + "- - - b\n" * 70_000,
        "a: " + "x" * LARGEST + "\n",
    ],
    ids=[
        "keys",
        "items in brackets",
        "items",
        "short items",
        "mappings",
        "lists of mappings",
        "lists in lists",
        "long",
    ],
)
def test_what_is_too_large_to_the_exact_reader_is_not_read_fast(text: str) -> None:
    with pytest.raises(YamlError, match=r"more than|larger than"):
        Piece(text, 0).load()
    assert load_fast(text) is None


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
