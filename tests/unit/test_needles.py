"""Looking for many words at once finds what looking for each of them finds."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitops_ci.configrepo.needles import any_of, lines_with
from tests.support.effort import examples

WORDS = st.lists(st.text(alphabet="ab.(|\\\n\udcffé", min_size=1, max_size=5), min_size=1, max_size=8)


@settings(max_examples=examples(200))
@given(WORDS, st.text(alphabet="ab.(|\\\n\udcffé", max_size=40))
@example(["ab", "a"], "a")
@example(["a", "ab"], "xab")
def test_any_of_many_words_is_found_where_one_of_them_is(words, text):
    data = text.encode("utf-8", "surrogateescape")
    found = any_of(words).search(data) is not None
    assert found == any(word.encode("utf-8", "surrogateescape") in data for word in words)


def test_names_of_any_length_and_beginning_become_one_pattern():
    words = ["a" * length + "b" for length in range(255)] + [f"app-{number}" for number in range(5000)]
    wanted = any_of(words)
    assert wanted.search(b"x aaab y")
    assert wanted.search(b"ghcr.io/acme/app-4999:1")
    assert not wanted.search(b"aaaa app- api-1")


def test_lines_with_a_word_come_whole_and_once():
    data = b"shop\r\nnone\nshop, api\n\nan api"
    assert list(lines_with(any_of(["shop", "api"]), data)) == [b"shop\r", b"shop, api", b"an api"]
