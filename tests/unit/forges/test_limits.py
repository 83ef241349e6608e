"""Cutting texts to a host's limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_ci.forges.limits import NOTE, cut, cut_title, same

LINES = st.lists(
    st.sampled_from(
        ["```", "```diff", "~~~", "````", "text", "", "+ line", "🚀 emoji", "   ```", "a | b", "``` x `` y"]
    )
)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def open_fence(text: str) -> str:
    """The code fence that is open at the end, by a reading of its own (CommonMark §4.5)."""
    fence = ""
    for line in text.split("\n"):
        stripped = line.lstrip(" ")
        if len(line) - len(stripped) > 3 or not stripped.startswith(("```", "~~~")):
            continue
        run = len(stripped) - len(stripped.lstrip(stripped[0]))
        rest = stripped[run:]
        if not fence and not (stripped[0] == "`" and "`" in rest):
            fence = stripped[0] * run
        elif fence and stripped[0] == fence[0] and run >= len(fence) and not rest.strip():
            fence = ""
    return fence


@given(LINES.map("\n".join), st.integers(120, 400))
def test_a_cut_text_fits_and_leaves_no_fence_open(text, limit):
    shown = cut(text, limit)
    assert units(shown) <= limit
    if shown == text:
        return
    assert shown.endswith(NOTE)
    assert open_fence(shown) == ""


def test_a_text_that_fits_is_left_alone():
    assert cut("a\n```\nb", 120) == "a\n```\nb"


def test_a_cut_falls_between_lines():
    assert cut("\n".join(["line"] * 100), 200).removesuffix(NOTE).split("\n")[-1] == "line"


@given(st.text(max_size=300), st.integers(10, 60))
def test_a_title_is_one_line_that_fits(text, limit):
    line = cut_title(text, limit)
    assert units(line.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")) <= limit
    assert len(line.splitlines()) <= 1


def test_a_cut_title_says_so():
    assert cut_title("x" * 300, 255) == "x" * 254 + "…"
    assert cut_title("x" * 255, 255) == "x" * 255
    assert units(cut_title("🚀" * 200, 255)) <= 255


@pytest.mark.parametrize("theirs", ["a\r\n\r\nb", "a \n\nb\n", "\na\n\nb"])
def test_what_a_host_does_to_line_ends_is_no_difference(theirs):
    assert same("a\n\nb", theirs)
    assert not same("a\nb", theirs)
