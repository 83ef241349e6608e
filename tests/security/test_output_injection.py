"""Text from images, files, branches and CI variables stays text: in logs, in files that a runner reads back, in
pull requests and in commits.

Readers here are written after the real ones: actions/runner's ActionCommand.cs and FileCommandManager.cs, GitLab's
ParseDotenvArtifactService, git-interpret-trailers (the real program), GitHub's own Markdown renderer.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gitops_ci.errors import GitopsCiError
from gitops_ci.imageref import ImageRef
from gitops_ci.model import ErrorDetail, Outcome, PullRequest
from gitops_ci.reporting import REPORTERS, github, gitlab
from gitops_ci.reporting.proposal import ProposalFacts, body, commit_message, title
from tests.support.effort import examples
from tests.support.outcomes import BUMP, change, everywhere

# actions/runner registers these (src/Runner.Worker/ActionCommandManager.cs and the extensions)
_REGISTERED = frozenset(
    {"set-env", "set-output", "save-state", "add-path", "add-mask", "add-matcher", "remove-matcher", "stop-commands"}
    | {"warning", "error", "notice", "debug", "group", "endgroup", "echo", "internal-set-repo-path"}
)
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
_ORDERS = [
    "\n::add-path::/tmp/evil",
    "\r::set-output name=digest::evil",
    "::stop-commands::pause",
    "  ::add-mask::a",
    "\u00a0::error::x",
    "##[set-output name=digest]evil",
    "x ##[add-matcher]evil.json",
    "##vso[task.setvariable variable=TOKEN;]evil",
    "##teamcity[buildStatus status='SUCCESS']",
    "\x1b[2K\r::warning::hidden",
    "\n##[group]",
]
_MARKUP = [
    "@acme/owners",
    "Fixes #1",
    "closes acme/shop#12",
    "resolves GH-7",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden",
    "</details><h1>",
    "`` ` ``` ````",
    "` @acme `",
    "a | b | c",
    r"a\|b\`c\\",
    "# heading\n\n- list\n\n> quote",
    "```\n@acme\n```",
    "~~~\n~~~",
    "https://evil.example www.evil.example me@evil.example",
    "**bold** _em_ ~~gone~~",
    "&lt;b&gt; &#64;acme",
    "\x00\x07\x1b]8;;https://evil.example\x1b\\link",
    f"safe{_BIDI}txt",
    "[skip ci]",
    "x\n\nCo-authored-by: Evil <evil@evil.example>",
    "$x^2$ :tada: !12 ~bug %3 &4",
]
_HOSTILE = [*_ORDERS, *_MARKUP]
_SAMPLES = st.lists(st.sampled_from([*_HOSTILE, "shop", " ", "\n", "-", "|", "`", "<", "@", "#1"]), max_size=5).map(
    "".join
)
_ANY = st.one_of(_SAMPLES, st.text(max_size=40))


def _commands(log: str) -> list[tuple[str, str]]:
    """What GitHub's runner would obey in a log: (name, everything after the command)."""
    found = []
    for line in re.split(r"\r\n|\n|\r", log):
        start = line.lstrip()
        if start.startswith("::") and (end := start.find("::", 2)) >= 0:
            name = start[2:end].partition(" ")[0]
            if name in _REGISTERED:
                found.append((name, start[end + 2 :]))
                continue
        prefix = line.find("##[")
        if prefix >= 0 and (end := line.find("]", prefix)) >= 0:
            name = line[prefix + 3 : end].partition(" ")[0]
            if name in _REGISTERED:
                found.append((name, line[end + 1 :]))
    return found


def _output_file(text: str) -> dict[str, str]:
    """GITHUB_OUTPUT as FileCommandManager.cs reads it; raises where the runner would."""
    values: dict[str, str] = {}
    lines = iter(re.split(r"\r\n|\n|\r", text))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, delimiter = line[:heredoc], line[heredoc + 2 :]
            assert name
            assert delimiter
            inside: list[str] = []
            for inner in lines:
                if inner == delimiter:
                    break
                inside.append(inner)
            else:
                raise AssertionError("Matching delimiter not found")
            values[name] = "\n".join(inside)
        else:
            assert equals > 0, "Invalid format"
            values[line[:equals]] = line[equals + 1 :]
    return values


def _dotenv(text: str) -> dict[str, str]:
    """A dotenv report as GitLab reads it."""
    values = {}
    for line in text.split("\n")[:-1]:
        key, equals, value = line.partition("=")
        assert equals
        assert re.fullmatch(r"[A-Za-z0-9_]+", key)
        values[key] = value.strip()
    return values


class TestLog:
    @pytest.mark.parametrize("text", _ORDERS)
    @pytest.mark.parametrize("name", ["text", "json"])
    def test_foreign_text_never_becomes_a_command_of_the_runner(self, name: str, text: str) -> None:
        for outcome in (everywhere(text), replace(everywhere(text), dry_run=True), _by_hand(text)):
            log = REPORTERS[name].report(outcome)
            assert _commands(log) == []
            assert not re.search(r"##(vso|teamcity)?\[", log, re.IGNORECASE)

    @settings(max_examples=examples(120))
    @given(_ANY)
    def test_no_text_at_all_becomes_a_command(self, text: str) -> None:
        for outcome in (replace(everywhere(text), dry_run=True), _by_hand(text)):
            assert _commands(REPORTERS["text"].report(outcome)) == []
            assert _commands(REPORTERS["json"].report(outcome)) == []

    @settings(max_examples=examples(120))
    @given(_ANY)
    def test_annotations_are_the_only_commands_and_their_number_does_not_depend_on_the_text(self, text: str) -> None:
        names = [name for name, _ in _commands(REPORTERS["github"].report(everywhere(text)))]
        assert names == ["error"] * 3 + ["warning"] * 2 + ["notice"] * 2

    @settings(max_examples=examples(120))
    @given(_ANY)
    def test_no_control_character_reaches_a_terminal(self, text: str) -> None:
        log = REPORTERS["text"].report(replace(everywhere(text), dry_run=True))
        assert not [c for c in log if not c.isprintable() and c not in "\n\t"]

    def test_a_document_read_back_still_holds_the_exact_text(self) -> None:
        for text in _HOSTILE:
            document = json.loads(REPORTERS["json"].report(everywhere(text)))
            assert document["skipped"][0]["reason"] == text
            assert document["changes"][-1]["old"] == text

    def test_harmless_text_with_colons_is_left_alone(self) -> None:
        outcome = replace(
            everywhere("x"), files=(replace(BUMP.files[0], after=f"{BUMP.files[0].before}::1 localhost\n"),)
        )
        assert "\n+::1 localhost\n" in REPORTERS["text"].report(replace(outcome, dry_run=True))


class TestOutputs:
    @settings(max_examples=examples(1_000))
    @given(_ANY)
    def test_output_file_has_exactly_the_declared_keys(self, text: str) -> None:
        declared = github.outputs(BUMP)
        outputs = github.outputs(everywhere(text))
        assert list(outputs) == list(declared)
        read = _output_file(github.output_file(outputs, "delimiter-0123456789"))
        assert list(read) == list(declared)
        assert read["status"] == "failed"

    def test_a_tag_with_a_line_break_makes_no_output_of_its_own(self) -> None:
        read = _output_file(github.output_file(github.outputs(everywhere("1\nevil=1")), "delimiter-0123456789"))
        assert read["tags"] == r"1\nevil=1"
        assert "evil" not in read

    def test_a_guessed_delimiter_is_refused(self) -> None:
        delimiter = "delimiter-0123456789"
        outputs = github.outputs(everywhere(f"1\n{delimiter}\nevil<<{delimiter}"))
        with pytest.raises(GitopsCiError, match="contains the delimiter"):
            github.output_file(outputs, delimiter)

    @pytest.mark.parametrize("delimiter", ["", "EOF", "with blank 0123456789", "line\n0123456789abcdef", "x" * 15])
    def test_a_delimiter_that_could_be_guessed_or_broken_is_refused(self, delimiter: str) -> None:
        with pytest.raises(GitopsCiError, match="delimiter"):
            github.output_file({"a": "b"}, delimiter)

    @settings(max_examples=examples(200))
    @given(_ANY)
    def test_dotenv_has_exactly_the_declared_keys(self, text: str) -> None:
        read = _dotenv(gitlab.dotenv(everywhere(text)))
        assert list(read) == list(_dotenv(gitlab.dotenv(BUMP)))
        assert all(re.fullmatch(r"[A-Za-z0-9/:@.,+_~=&?#!%-]*", value) for value in read.values())


class TestMarkdown:
    """Only our structure comes out: hostile text gives the same tree of tokens as harmless text does."""

    @pytest.mark.parametrize("text", _HOSTILE)
    def test_report_keeps_its_structure(self, text: str) -> None:
        _same_structure(github.step_summary(_spread(text)), github.step_summary(_spread("harmless")))

    @settings(max_examples=examples(120))
    @given(_ANY.filter(str.strip))
    def test_report_keeps_its_structure_with_any_text(self, text: str) -> None:
        _same_structure(REPORTERS["markdown"].report(_spread(text)), REPORTERS["markdown"].report(_spread("harmless")))

    @pytest.mark.parametrize("text", _HOSTILE)
    def test_further_lines_of_an_error_stay_inside_one_block(self, text: str) -> None:
        outcome = Outcome("bump", "failed", 5, error=ErrorDetail("git", f"it failed\n{text}\n```\n{text}", "", 5))
        for page in _rendered(REPORTERS["markdown"].report(outcome)):
            assert page.tags == ["h3", "p", "strong", "pre", "code"]

    @pytest.mark.parametrize("text", _HOSTILE)
    def test_pull_request_body_keeps_its_structure(self, text: str) -> None:
        _same_structure(body(_facts(text)), body(_facts("harmless")))

    @settings(max_examples=examples(120))
    @given(_ANY.filter(str.strip))
    def test_pull_request_body_keeps_its_structure_with_any_text(self, text: str) -> None:
        _same_structure(body(_facts(text)), body(_facts("harmless")))

    @pytest.mark.parametrize("text", _HOSTILE)
    def test_pull_request_body_of_any_length_keeps_foreign_text_in_code(self, text: str) -> None:
        for limit in (60, 300, 700, 1_500, 4_000):
            cut = body(_facts(text * 50), limit=limit)
            assert len(cut.encode()) <= limit
            for page in _rendered(cut):
                assert set(page.tags) <= {"p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code"}
                assert not re.search(r"acme/owners|evil|javascript|<", page.prose)

    @pytest.mark.parametrize("text", _HOSTILE)
    def test_bodies_hold_no_order_even_for_who_reads_them_as_plain_text(self, text: str) -> None:
        _no_orders(body(_facts(text)))

    def test_only_web_addresses_become_links(self) -> None:
        facts = replace(_facts("x"), source_repository="javascript:alert(1)", pipeline_url="https://ci.example/1>evil")
        shown = replace(facts, source_repository="https://example.com/a", pipeline_url="https://ci.example/1")
        for page in _rendered(body(facts)):
            assert page.links == []
        for page in _rendered(body(shown)):
            assert page.links == ["https://example.com/a", "https://ci.example/1"]


class TestTitlesAndCommits:
    @pytest.mark.parametrize("text", _HOSTILE)
    @pytest.mark.parametrize("template", ["", "{environment}: {name} {tag} {previous}", "[{environment}] {image}"])
    def test_title_is_one_plain_line(self, template: str, text: str) -> None:
        line = title(template, _facts(text))
        assert line
        assert line.isprintable()
        assert not re.search(r"[`<>*|$&~]", line)
        assert not set(line) & set(_BIDI)
        _no_orders(line)

    @pytest.mark.parametrize("text", _HOSTILE)
    def test_trailers_are_exactly_ours(self, text: str) -> None:
        assert _trailer_keys(commit_message("", _facts(text))) == _trailer_keys(commit_message("", _facts("harmless")))

    @settings(max_examples=examples(60))
    @given(_ANY.filter(str.strip))
    def test_trailers_are_exactly_ours_with_any_text(self, text: str) -> None:
        message = commit_message("", _facts(text))
        assert "\0" not in message
        assert _trailer_keys(message) == _trailer_keys(commit_message("", _facts("harmless")))
        assert message.count("\n") == commit_message("", _facts("harmless")).count("\n")

    @pytest.mark.parametrize("text", _HOSTILE)
    def test_commit_message_orders_nothing(self, text: str) -> None:
        _no_orders(commit_message("", _facts(text)))

    @pytest.mark.parametrize("order", ["skip ci", "ci skip", "no ci", "skip actions", "actions skip", "skip azp"])
    def test_values_do_not_complete_an_order_of_a_template(self, order: str) -> None:
        facts = replace(_facts("x"), environment=order)
        _no_orders(commit_message("[{environment}] {image}", facts))

    def test_an_order_of_the_template_itself_is_kept(self) -> None:
        facts = replace(_facts("x"), more=())
        assert commit_message("{image} {tag} [skip ci]", facts).startswith("x x [skip ci]\n")


def _by_hand(text: str) -> Outcome:
    """Plain Git: the pull request's text is printed."""
    printed = PullRequest(None, "", text, text, text, f"first\n{text}\n{text}\n")
    return replace(everywhere(text), pull_request=printed)


def _facts(text: str) -> ProposalFacts:
    image = ImageRef("r.example", text, text, text, written=text)
    return ProposalFacts(
        image=image,
        previous=(text, text),
        environment=text,
        changes=(change(text, 3, 5, text, text, text), change(text, 4, 1, text, text, text)),
        source_repository=text,
        source_commit=text,
        source_commit_url=text,
        pipeline_url=text,
        more=(image,),
    )


def _spread(text: str) -> Outcome:
    """`everywhere`, in an order and with a diff that do not depend on the text."""
    outcome = everywhere(text)
    return replace(
        outcome,
        files=BUMP.files,
        changes=(change(text, 3, 5, text, text, text), change(text, 4, 5, text, text + "x", text)),
        findings=tuple(replace(finding, path=text, line=n) for n, finding in enumerate(outcome.findings, 1)),
        # Further lines of a message are shown in a block of their own.
        error=ErrorDetail("git", text.replace("\n", " "), text, 5),
    )


class _Page(HTMLParser):
    """What a renderer made of Markdown: the tags in their order, where links go, and the text outside of code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.prose = ""
        self._code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_comment(self, data: str) -> None:
        self.tags.append(f"<!--{data}")

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.prose += data


@lru_cache(maxsize=16)  # each hostile text is compared with the same harmless one
def _rendered(markdown: str) -> tuple[_Page, ...]:
    """By a plain CommonMark renderer with tables, and by GitHub's own with all its extensions; raw HTML passes."""
    commonmark = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
    githubs = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return _Page(commonmark), _Page(githubs)


def _same_structure(hostile: str, harmless: str) -> None:
    for page, expected in zip(_rendered(hostile), _rendered(harmless), strict=True):
        assert page.tags == expected.tags
        assert page.links == expected.links
        _no_orders(page.prose)


def _no_orders(text: str) -> None:
    """Nothing that a host obeys in plain text: mentions, references, orders to skip."""
    assert not re.search(r"(?<![A-Za-z0-9])@\w", text), text
    assert not re.search(r"[#!]\d|\bGH-\d", text), text
    assert not re.search(r"\[(skip|no|ci|actions)[ _-](ci|actions|skip|azp)\]|\*\*\*NO_CI|skip-checks:", text), text


@lru_cache(maxsize=16)
def _trailer_keys(message: str) -> tuple[str, ...]:
    parsed = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message.encode(), capture_output=True, check=True
    ).stdout.decode()
    return tuple(line.partition(":")[0] for line in parsed.splitlines())
