"""Characters: what is shown as it is, what is spelled out, and how texts are cut."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from gitops_ci.display import log_line, short_digests, shorten, visible, visible_lines
from gitops_ci.reporting.commonmark import code, fence, link, plain
from gitops_ci.reporting.plaintext import address, cut, defused, words
from tests.support.outcomes import DIGEST


@pytest.mark.parametrize("text", ["", "apps/shop.yaml", "Größe 日本語 ñ", "🚀 ❤️", 'a "b" \\n'])
def test_what_can_be_seen_stays(text: str) -> None:
    assert visible(text) == text


def test_no_character_without_a_mark_stays() -> None:
    marked = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    invisible = [one for one in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(one) in marked]
    shown = visible("|".join(invisible)).split("|")
    assert len(shown) == len(invisible)
    assert [one for one in shown if not one.startswith("\\")] == []
    for hidden in "\u00a0\u00ad\u034f\u115f\u200b\u2060\u2800\u3164\ufe00\ufeff\uffa0\U000e0041\U000e0100":
        assert visible(f"a{hidden}b") == "a" + hidden.encode("unicode_escape").decode() + "b"


def test_lines_and_tabs_stay_only_where_they_may() -> None:
    assert visible("a\tb\nc") == r"a\tb\nc"
    assert visible_lines("a\tb\nc\r") == "a\tb\nc\\r"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain :: text ::", "plain :: text ::"),
        ("::1 localhost", "::1 localhost"),
        ("::error::x", r"\x3a:error::x"),
        (" \u2003::error::x", " \u2003\\x3a:error::x"),
        ("a ##[group]", r"a \x23#[group]"),
        ("###[group]", r"#\x23#[group]"),
        ("##VSO[x]", r"\x23#VSO[x]"),
        ("## heading [x]", "## heading [x]"),
    ],
)
def test_log_line_changes_only_what_a_runner_obeys(line: str, shown: str) -> None:
    assert log_line(line) == shown


def test_digests_are_shortened_and_nothing_else() -> None:
    assert short_digests(f"shop@{DIGEST}, sha256:abc") == "shop@sha256:0123456789ab, sha256:abc"


def test_texts_are_cut_with_a_mark() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert cut("ééé", 6) == "ééé"
    assert cut("éééé", 7) == "éé…"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("", ""),
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`a``", "``` `a`` ```"),
        (" a", "`  a `"),
        ("a|b", r"`a\x7cb`"),
        ("x" * 300, "`" + "x" * 199 + "…`"),
    ],
)
def test_code_span(text: str, span: str) -> None:
    assert code(text) == span


def test_fence_outgrows_what_it_holds() -> None:
    assert fence("````\nx", "diff") == "`````diff\n````\nx\n`````"


def test_plain_text_stays_readable() -> None:
    assert (
        plain('unknown field "a.b" in spec: use 1-2, see (docs)') == 'unknown field "a.b" in spec: use 1-2, see (docs)'
    )
    assert plain("a_b *c* <d>") == r"a\_b \*c\* \<d\>"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://git.example:8443/a/b?x=1&y=2#z", "<https://git.example:8443/a/b?x=1&y=2#z>"),
        ("http://[::1]:3000/a", "<http://[::1]:3000/a>"),
        ("ssh://git@example.com/a", "`ssh://git@example.com/a`"),
        ("https://user:word@example.com/", "`https://user:word@example.com/`"),
        ("https://example.com/a b", "`https://example.com/a b`"),
        ("https://example.com/@acme/x#1", r"`https://example.com/\x40acme/x\x231`"),
        ("https://example.com/" + "x" * 500, "`https://example.com/" + "x" * 179 + "…`"),
    ],
)
def test_only_plain_web_addresses_are_links(url: str, shown: str) -> None:
    assert link(url) == shown


def test_orders_to_hosts_are_spelled_out() -> None:
    assert defused("@acme fixes #1 !2 GH-3 [skip ci] ***NO_CI*** skip-checks: true") == (
        r"\x40acme fixes \x231 \x212 GH\x2d3 \x5bskip ci] \x2a**NO_CI*** skip\x2dchecks: true"
    )


@pytest.mark.parametrize(
    "text", ["shop@sha256:ab", "[skipped]", "a#b", "GHA-1", "git@host:a/b", "[ci]", "pipelines#!/x"]
)
def test_ordinary_text_is_no_order(text: str) -> None:
    assert defused(text) == text


def test_words_and_addresses_keep_what_is_usual() -> None:
    assert words("prod eu-west-1: Übung, a=b + c/d_e") == "prod eu-west-1: Übung, a=b + c/d_e"
    assert words("ｆｕｌｌ width") == "full width"
    assert words("a[b]`c`\n") == r"a\x5bb\x5d\x60c\x60\n"
    url = "https://ci.example/a%20b?x=1&y=2;z~$#!/r"
    assert address(url) == url
    assert address("two words") == r"two\x20words"
