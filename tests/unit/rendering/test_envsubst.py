"""Variables as Flux fills them in: each line is what github.com/fluxcd/pkg/envsubst 1.7 makes of a text.

None stands for its refusal. A variable that has no value there is an empty text; here it stays, and is reported.
"""

from __future__ import annotations

import pytest

from gitops_ci.rendering.envsubst import SubstitutionError, substitute_variables

VARIABLES = {"a": "abcABC123ABCabc", "path": "/home/bozo/x.tar.gz", "e": "", "u": "äöß€", "n": "2", "A_1": "xX"}
CASES = [
    ("plain", "plain"),
    ("$", "$"),
    ("$a", "$a"),
    ("$$", "$"),
    ("$$a", "$a"),
    ("$${a}", "${a}"),
    ("$$${a}", "$abcABC123ABCabc"),
    ("$$$${a}", "$${a}"),
    ("${a}", "abcABC123ABCabc"),
    ("${ a}", None),
    ("${a }", None),
    ("${a", None),
    ("${}", None),
    ("x${a}y${n}z", "xabcABC123ABCabcy2z"),
    ("${a-b}", None),
    ("${a+b}", None),
    ("${a?b}", None),
    ("${e:=d}", "d"),
    ("${e:-d}", "d"),
    ("${e=d}", "d"),
    ("${e:?d}", "d"),
    ("${e:+d}", "d"),
    ("${a:+d}", "abcABC123ABCabc"),
    ("${e:=}", ""),
    ("${e:=$$}", "$$"),
    ("${e:=${a}}", "abcABC123ABCabc"),
    ("${e:=x${n}y${a:0:2}z}", "x2yabz"),
    ("${e:=a b: c}", "a b: c"),
    ("${e:={}}", "{}"),
    ("${nope:=d}", "d"),
    ("${nope=d}", "d"),
    ("${a:3}", "ABC123ABCabc"),
    ("${a:3:2}", "AB"),
    ("${a:-3}", "abcABC123ABCabc"),
    ("${a: -3}", "abcABC123ABCabc"),
    ("${a:99}", ""),
    ("${a:0:99}", "abcABC123ABCabc"),
    ("${a:2:-1}", "cABC123ABCab"),
    ("${a:x}", "abcABC123ABCabc"),
    (f"${{a:{2**63}}}", "abcABC123ABCabc"),
    (f"${{a:{2**63 - 1}}}", ""),
    (f"${{a:{'0' * 30}3:{'9' * 5000}}}", "abcABC123ABCabc"),
    ("${a:}", None),
    ("${a::2}", None),
    ("${a:1::2}", "bc"),
    ("${a:${n}}", "cABC123ABCabc"),
    ("${a:${n}:${n}}", "cA"),
    ("${u:1}", "�öß€"),
    ("${u:0:2}", "ä"),
    ("${#a}", "15"),
    ("${#u}", "9"),
    ("${#e}", "0"),
    ("${#}", None),
    ("${#a:1}", None),
    ("${a^}", "AbcABC123ABCabc"),
    ("${a^^}", "ABCABC123ABCABC"),
    ("${A_1,}", "xX"),
    ("${A_1,,}", "xx"),
    ("${u^^}", "ÄÖß€"),
    ("${a,^}", "abcABC123ABCabc"),
    ("${a^^^}", None),
    ("${a/abc/x}", "xABC123ABCabc"),
    ("${a//abc/x}", "xABC123ABCx"),
    ("${a/abc/}", "ABC123ABCabc"),
    ("${a//abc/}", "ABC123ABC"),
    ("${a/#abc/x}", "xABC123ABCabc"),
    ("${a/%abc/x}", "abcABC123ABCx"),
    ("${a/#ABC/x}", "abcABC123ABCabc"),
    ("${a/#abc/}", "abcABC123ABCabc"),
    ("${a/%abc/}", "abcABC123ABCabc"),
    ("${a/abc}", None),
    ("${a/}", None),
    ("${a//}", None),
    ("${path/\\//-}", "-home/bozo/x.tar.gz"),
    ("${path//\\//-}", "-home-bozo-x.tar.gz"),
    ("${path/x\\.tar/y}", "/home/bozo/x.tar.gz"),
    ("${a/b}c/d}", "abcABC123ABCabc"),
    ("${a/abc//x}", "xABC123ABCabc"),
    ("${a/${n}/y}", "abcABC1y3ABCabc"),
    ("${a/123/${n}}", "abcABC2ABCabc"),
    ("${a/123/$$}", "abcABC$ABCabc"),
    ("${a/123/\\\\}", "abcABC\\ABCabc"),
    ("${path#*/}", "home/bozo/x.tar.gz"),
    ("${path##*/}", "x.tar.gz"),
    ("${path%.*}", "/home/bozo/x.tar"),
    ("${path%%.*}", "/home/bozo/x"),
    ("${path#/}", "home/bozo/x.tar.gz"),
    ("${path%gz}", "/home/bozo/x.tar."),
    ("${path#}", None),
    ("${a#[a-c]}", "bcABC123ABCabc"),
    ("${a##[^1]*1}", "23ABCabc"),
    ("${a#?}", "bcABC123ABCabc"),
    ("${a%?}", "abcABC123ABCab"),
    ("${a#\\a}", "bcABC123ABCabc"),
    ("${a#[}", "abcABC123ABCabc"),
    ("${a#[]a]}", "abcABC123ABCabc"),
    ("${a#*}", "bcABC123ABCabc"),
    ("${a##*}", ""),
    ("${path#*/${n}}", None),
    ("${path##${nope:=*/}}", "x.tar.gz"),
    ("a: ${a}\nb: ${n}\n", "a: abcABC123ABCabc\nb: 2\n"),
    ("\\${a}", "\\abcABC123ABCabc"),
    ("\\\\${a}", "\\\\abcABC123ABCabc"),
    ("${a}}", "abcABC123ABCabc}"),
    ("{${a}}", "{abcABC123ABCabc}"),
    ("${a${n}}", None),
    ("${${n}}", None),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[repr(text) for text, _ in CASES])
def test_a_text_becomes_what_flux_makes_of_it(text, expected):
    if expected is None:
        with pytest.raises(SubstitutionError):
            substitute_variables(text, VARIABLES)
    else:
        assert substitute_variables(text, VARIABLES).text == expected


NOTHING = [
    ("${nope^^}", ""),
    ("${nope,}", ""),
    ("${nope:1}", ""),
    ("${nope:1:2}", ""),
    ("${nope/a/b}", ""),
    ("${nope//a/b}", ""),
    ("${nope/#/b}", None),
    ("${nope#*@sha256:}", ""),
    ("${nope%%-*}", ""),
    ("${#nope}", "0"),
    ("${nope:=}", ""),
    ("${nope:=x}", "x"),
    ("${nope:=${nope}}", ""),
    ("${b:=a${nope}}", "a"),
    ("${b/x/${nope}}", ""),
    ("${a:=x}-${nope^^}", "1-"),
]


@pytest.mark.parametrize(("text", "expected"), NOTHING, ids=[text for text, _ in NOTHING])
def test_what_nothing_defines_is_an_empty_text_for_functions_and_defaults(text, expected):
    """As `vars[name]` of a Go map without it is, in SubstituteVariables."""
    if expected is None:
        with pytest.raises(SubstitutionError):
            substitute_variables(text, {"a": "1", "b": ""})
        return
    made = substitute_variables(text, {"a": "1", "b": ""})
    assert (made.text, list(made.undefined)) == (expected, [] if text in {"${nope:=}", "${nope:=x}"} else ["nope"])


def test_a_plain_variable_that_nothing_defines_stays_and_is_reported():
    made = substitute_variables("${a:=x}${nope}", {"a": "1"})
    assert (made.text, list(made.undefined)) == ("1${nope}", ["nope"])


@pytest.mark.parametrize("text", ["${s}", "${s^^}", "${s:0:2}", "${#s}", "${s#*@}", "${a:=${s}}"])
def test_what_a_source_that_is_not_here_may_define_stays(text):
    assert substitute_variables(text, {"a": ""}, is_open=True).text == text
    assert substitute_variables("${s:=x}${a^^}", {"a": "b"}, is_open=True).text == "xB"


@pytest.mark.parametrize("text", ["${s}", "${s:=x}", "${s:0:2}", "${b:=${s}}", "${e:=x${s}}", "${b/x/${s}}"])
def test_what_depends_on_a_secret_stays_as_it_is_written(text):
    values = {"s": None, "b": "", "e": ""}
    made = substitute_variables(text, values)
    assert (made.text, list(made.undefined)) == (text, [])


def test_an_unused_default_need_not_be_known():
    assert substitute_variables("${a:=${s}}", {"a": "1", "s": None}).text == "1"


def test_hostile_texts_end():
    with pytest.raises(SubstitutionError):
        substitute_variables("${a:=" * 10_000 + "}" * 10_000, {})
    with pytest.raises(SubstitutionError):
        substitute_variables("${a##*a*a*a*a*a*b}", {"a": "a" * 1_000_000})
    assert len(substitute_variables("$" * 1_000_001, {}).text) == 500_001
