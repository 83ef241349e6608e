"""What a pattern of a definition may be: RE2 as Go reads it, told without RE2."""

from __future__ import annotations

import pytest

from gitops_ci.validation.go.re2_syntax import why_no_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "^a$", "[[:word]", "(?P<x>a)(?<y>b)", "(?P<x>a)(?P<x>b)", "(?i)a", "a(?i-s)b", "(?-s:.)", "(?:a)+?"),
        *("a{2,3}", "a{1000}", "a{,2}", "{", "x{1,2}?", "(a{10}){100}", "^*", r"\Qa**b\E", r"\Qopen", r"\pL\p{^Greek}"),
        *(
            r"[\d-z]",
            "[]a]",
            "[^]a]",
            "[[a]",
            "[[:alpha:]_]",
            "[a-]",
            r"[\x41-\x{5A}]",
            r"\_\-\/\.",
            r"\07\12",
            r"[a&&b]",
        ),
        *(r"\A\z\b\B", "é|ä", "[😀-😂]"),
    ],
)
def test_a_pattern(pattern: str) -> None:
    assert why_no_pattern(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?=a)", "there is no look-around"),
        ("(?<!a)b", "there is no look-around"),
        ("(?a)b", "is not known"),
        ("(?P<a b>c)", "'a b' is not a name of a group"),
        ("(?-)", "is not known"),
        (r"(a)\1", "there are no back references"),
        (r"\Z", r"'\Z' is not an escape"),
        (r"\é", "is not an escape"),
        (r"\x{110000}", "is not an escape"),
        ("\\", "it ends with"),
        ("a**", "'*' repeats a repetition"),
        ("a+{2}", "repeats a repetition"),
        ("|*", "nothing before '*' to repeat"),
        ("(?i)*", "nothing before"),
        ("a{1001}", "at most 1000"),
        ("a{3,2}", "the smaller first"),
        ("((a{100}){10}){2}", "repeats more than 1000 times"),
        ("(a", "a ')' is missing"),
        ("a)", "closes nothing"),
        ("[a", "a ']' is missing"),
        ("[z-a]", "'z-a' is not a range"),
        (r"[a-\d]", "is not an escape"),
        ("[[:nope:]]", "'[:nope:]' is not a class"),
        (r"\pX", "is not a class of Unicode"),
    ],
)
def test_no_pattern(pattern: str, why: str) -> None:
    found = why_no_pattern(pattern)
    assert found is not None
    assert why in found
