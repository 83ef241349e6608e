"""Documents and help are read once: short sentences, and none of the phrasings that have to be read twice."""

from __future__ import annotations

import pytest

from scripts.reference_pages import commands
from tests.support import CHECKOUT
from tests.support.documents import pages
from tests.support.prose import banned_in, british_in, sentences, sentences_of_help, texts_for_users

LONGEST, LONG = 30, 22  # words
DOCUMENTS = [*pages(), "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md"]
DOCUMENTS += sorted(path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "docs" / "rules").glob("*.md"))
COMMANDS = dict(commands())
# Texts of other files that a user reads, as they are there: comments of what `init` writes, descriptions of inputs.
SHIPPED = ["action.yml", ".gitlab-ci-template.yml", "gitops_ci/config.schema.json"]
SHIPPED += sorted(
    path.relative_to(CHECKOUT).as_posix()
    for path in (CHECKOUT / "gitops_ci/flows/init/starters").glob("*")
    if path.is_file()
)


@pytest.mark.parametrize("page", DOCUMENTS)
def test_no_sentence_of_a_page_is_too_long_and_none_is_a_riddle(page):
    text = (CHECKOUT / page).read_text()
    assert [one for one in sentences(text) if len(one.split()) > LONGEST] == []
    assert banned_in(text) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_no_sentence_of_a_help_is_too_long_and_none_is_a_riddle(name):
    found = list(sentences_of_help(COMMANDS[name]))
    assert [one for one in found if len(one.split()) > LONGEST] == []
    assert banned_in("\n".join(found)) == []


@pytest.mark.parametrize("path", SHIPPED)
def test_a_shipped_file_has_no_riddle(path):
    assert banned_in((CHECKOUT / path).read_text()) == []


def test_no_message_is_a_riddle():
    found = {
        path.relative_to(CHECKOUT).as_posix(): told
        for path in sorted((CHECKOUT / "gitops_ci").rglob("*.py"))
        if (told := banned_in("\n".join(texts_for_users(path.read_text()))))
    }
    assert found == {}


def test_the_spelling_is_american():
    code = [path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "gitops_ci").rglob("*.py")]
    code += [path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "gitops_ci" / "rules").glob("*.toml")]
    texts = {path: (CHECKOUT / path).read_text() for path in [*DOCUMENTS, *SHIPPED, *code, "CHANGELOG.md"]}
    assert {path: found for path, text in texts.items() if (found := british_in(text))} == {}


@pytest.mark.parametrize(
    "word", ["colour", "Behaviours", "unauthorised", "normalisation", "relabelled", "fulfil", "centre"]
)
def test_a_british_spelling_is_found(word):
    assert british_in(f"One {word} here, `{word}` there, CANCELLED and --{word[:2]}.") != []
    assert british_in(f"`{word}` is a name, a CENTRED one, the fulfillment, an analysis.") == []


def test_texts_for_users_are_found():
    source = (
        """raise UsageError(f"'{a}' is here", hint="Do " f"{b} again")\nwarn("late" if c else "early")\nopen("no")\n"""
    )
    assert list(texts_for_users(source)) == ["'X' is here", "Do X again", "late early"]


def test_nine_sentences_in_ten_are_short():
    found = [one for page in DOCUMENTS for one in sentences((CHECKOUT / page).read_text())]
    found += [one for command in COMMANDS.values() for one in sentences_of_help(command)]
    assert len(found) > 1000
    assert sum(len(one.split()) < LONG for one in found) >= 0.9 * len(found)


def test_the_readme_is_one_page():
    assert len((CHECKOUT / "README.md").read_text().split()) <= 800


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "One. Two is longer.\n\n- Three\n- Four. gitops-ci reads it.\n",
            ["One.", "Two is longer.", "Three", "Four.", "gitops-ci reads it."],
        ),
        (
            "# No heading\n\n| no | table |\n\n```sh\nno code\n```\nText with `a b c` and\n[a link](x y).\n",
            ["Text with CODE and a link."],
        ),
    ],
)
def test_sentences_are_found(text, found):
    assert list(sentences(text)) == found


def test_a_banned_phrasing_is_found_outside_of_code():
    assert banned_in("The request is made anew.") == ["'anew': write again"]
    assert banned_in("Write `anew` so.\n```text\nanew\n```\n") == []
