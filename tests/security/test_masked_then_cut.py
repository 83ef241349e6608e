"""The words of another program or host are masked before they are cut, in whatever way that program wrote a secret."""

from __future__ import annotations

import ast
import base64
import html
import json
import random
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import requests

from gitops_ci import secret as secrets
from gitops_ci.configrepo.git import last_lines
from gitops_ci.display import quoted, quoted_end, shorten, visible
from gitops_ci.errors import GitopsCiError
from gitops_ci.forges.api import Api
from gitops_ci.http import Http, Response
from gitops_ci.model import Outcome, Skip
from gitops_ci.process import run
from gitops_ci.registry import credentials, engine, refusals
from gitops_ci.reporting import REPORTERS
from gitops_ci.secret import Secret, mask_foreign
from tests.support.effort import examples
from tests.support.outcomes import everywhere
from tests.support.sources import written_name

PACKAGE = Path(__file__).parents[2] / "gitops_ci"
TOKEN = "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
PART = 12  # fewer characters of a secret in a row are not looked for: they may be a word
# Reports put characters beside a shorter part that may happen to be the secret's next ones.
LONGER_PART = PART + 3


@pytest.fixture(autouse=True)
def nothing_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_spellings", {})
    monkeypatch.setattr(secrets, "_solid", {})


def parts(value: str, size: int) -> Iterator[str]:
    compact = "".join(value.split())
    return (compact[at : at + size] for at in range(len(compact) - size + 1))


def leaks(shown: str, *values: str, size: int = PART) -> list[str]:
    """Parts of secrets that somebody finds in a text who undoes what formats do to texts."""
    readings = {shown, html.unescape(shown), unquote(shown), re.sub(r"\\(?!u)", "", shown)}
    readings |= {re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), reading) for reading in readings}
    compact = {"".join(reading.split()) for reading in readings}
    return [part for value in values for part in parts(value, size) if any(part in reading for reading in compact)]


# What others say, as the programs and hosts say it that gitops-ci quotes.


def answer(content: bytes, kind: str) -> Response:
    got = requests.Response()
    got.status_code, got.url, got._content = 403, "https://r.example/v2/", content
    got.headers["content-type"] = kind
    return Response(got, content, None)


def registry_json(text: str) -> str:
    body = json.dumps({"errors": [{"code": text, "message": text, "detail": text}]}).encode()
    return refusals.refusal(answer(body, "application/json"), "pushing", "r.example", signed_in=True).message


def registry_page(text: str) -> str:
    return refusals.refusal(answer(text.encode(), "text/plain"), "pushing", "r.example", signed_in=True).message


def code_host(text: str) -> str:
    api = Api(Http("https://h.example"), "Host", explain=str, hint=lambda _, __: "")
    return api.refusal(422, text, "opening").message


def docker_engine(text: str) -> str:
    return engine._reason(Exception(text))


def git(text: str) -> str:
    return last_lines(mask_foreign(text))


DOORS: dict[str, Callable[[str], str]] = {
    "registry's JSON": registry_json,
    "registry's page": registry_page,
    "code host": code_host,
    "Docker Engine": docker_engine,
    "git": git,
    "one line": quoted,
    "last lines": lambda text: quoted_end(text, 8),
}


@pytest.mark.parametrize("door", DOORS)
def test_no_place_of_a_secret_lets_a_part_of_it_through(door: str) -> None:
    Secret(TOKEN)
    for before in range(700):
        shown = DOORS[door](f"{'x' * before}{TOKEN} and more")
        assert not leaks(shown, TOKEN), before


@pytest.mark.parametrize("said", ["1", "2"])
def test_no_place_in_the_words_of_a_credential_helper(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Secret(TOKEN)
    helper = tmp_path / "docker-credential-leaky"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for before in (250, 261, 270, 290):
        helper.write_text(f"#!/bin/sh\nprintf %s '{'x' * before}{TOKEN} and more' >&{said}\nexit 1\n")
        helper.chmod(0o755)
        with pytest.raises(GitopsCiError) as refused:
            credentials._ask("leaky", "r.example")
        assert not leaks(refused.value.message, TOKEN)


def test_no_line_of_a_failed_program_begins_or_ends_with_a_part() -> None:
    Secret(TOKEN)
    lines = f"{TOKEN[20:]}\n" + "line\n" * 7 + f"cut off: {TOKEN[:-4]}...\nend"
    with pytest.raises(GitopsCiError) as refused:
        run(["/bin/sh", "-c", 'printf %s "$0" >&2; exit 1', lines])
    assert not leaks(refused.value.message, TOKEN)


# One secret in other people's words, at random: spelled, wrapped and cut.


def base64_of(value: str) -> str:
    return base64.b64encode(f"bot:{value}".encode()).decode()


SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    lambda value: quote(value, safe=""),
    lambda value: json.dumps(value)[1:-1],
    lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    html.escape,
    visible,
    base64_of,
)
ALPHABETS = (string.ascii_letters + string.digits, string.ascii_letters + string.punctuation, "abc&<>\"'\\/ äß€😀%+")
BETWEEN = (" ", "\n", "\r\n", "\t", "\n    ", "\nremote: ", "  ")


class Case:
    """What a program prints that has a secret, and which characters of the secret it should not have printed."""

    def __init__(self, chance: random.Random, number: int) -> None:
        letters = chance.choice(ALPHABETS)
        self.secret = "".join(chance.choice(letters) for _ in range(chance.randint(16, 90))).strip()
        self.secret += "".join(chance.choice(string.ascii_letters) for _ in range(16 - len(self.secret)))
        spelling = chance.choice(SPELLINGS)
        written = spelling(self.secret)
        # At its ends base64 holds bits of what stands beside the secret.
        self.spelled = written[6:-4] if spelling is base64_of else written
        between = ""
        if chance.random() < 0.5:
            width, between = chance.randint(1, 60), chance.choice(BETWEEN)
            written = between.join(written[at : at + width] for at in range(0, len(written), width))
        noise = ["error", "denied", "by", "policy,", "ask", "your", "admin;", "see", "docs", "at", "host\n"]
        before = " ".join(chance.choice(noise) for _ in range(number % 90))
        after = " ".join(chance.choice(noise) for _ in range(chance.randint(0, 90)))
        self.text = f"{before} {written} {after}"
        begins, ends = len(before) + 1, len(before) + 1 + len(written)
        cut = chance.random() if "remote:" not in between else 1.0
        if cut < 0.3:  # another program cut its end, or its beginning
            self.text = self.text[: chance.randint(begins + 1, ends)] + chance.choice(("", "...", "…", '"'))
        elif cut < 0.6:
            self.text = chance.choice(("", "...", "…", '"')) + self.text[chance.randint(begins, ends - 1) :]
        self.own = "".join(self.spelled.split())[: PART + 3].replace("/", "-")


@pytest.mark.soak
def test_random_secrets_are_in_no_report_and_nothing_else_is_masked() -> None:
    chance = random.Random(None if examples(1) > 1 else 4)
    false_masks = 0
    for number in range(examples(200, times=100)):
        secrets._spellings.clear()
        secrets._solid.clear()
        case = Case(chance, number)
        unmasked = quoted(case.text)
        false_masks += "***" in unmasked and "***" not in case.text
        Secret("".join(chance.choice(string.ascii_letters) for _ in range(40)))  # another one than the text has
        false_masks += quoted(case.text) != unmasked
        Secret(case.secret)
        longest = chance.randint(20, 600)
        door = chance.choice(sorted(DOORS))
        shown = quoted(DOORS[door](case.text), longest)
        for name in chance.sample(sorted(REPORTERS), 3):
            report = REPORTERS[name].report(everywhere(shown))
            assert not leaks(report, case.secret, case.spelled, size=LONGER_PART), (
                name,
                door,
                longest,
                case.text,
                case.secret,
            )
    assert false_masks == 0


@pytest.mark.parametrize("name", sorted(REPORTERS))
def test_a_name_that_begins_like_a_secret_is_no_secret(name: str) -> None:
    Secret("production-cluster-of-acme-4711")
    outcome = Outcome(
        "validate", "failed", 1, skipped=(Skip("production-cluster/app.yaml", 3, "production-cluster", failed=True),)
    )
    whole = REPORTERS[name].report(replace(outcome, summary={"files": 1}))
    assert "***" not in whole


def test_a_mask_is_not_cut() -> None:
    Secret(TOKEN)
    for longest in range(1, 30):
        shown = shorten(f"denied: {TOKEN} and much more that is not quoted", longest)
        assert len(shown) <= longest
        assert shown.count("*") in {0, 3}


# What may be cut by counting characters: nothing that others wrote. Everything else goes through `shorten`.
LISTS_AND_OTHER_TEXTS = {
    "display.py": "the door itself",
    "secret.py": "the mask itself",
    "cli/settings_of_base.py": "the id of a commit that git read",
    "cli/image_verify.py": "a key of a repository, of which no more is read",
    "cli/progress.py": "the short id of a layer, of a text that was masked",
    "comparing/change_text.py": "a list of lines",
    "configrepo/git.py": "the last of several lines, which were masked",
    "configrepo/snapshot.py": "the folders of a path",
    "flows/bump/branches.py": "the name of a branch, which cannot be read without it",
    "configrepo/gerrit_changes.py": "hashes, and a list",
    "flows/bump/choice.py": "the id of a commit that git read",
    "flows/bump/commit.py": "the id of a commit that we made",
    "flows/bump/flow.py": "a list",
    "flows/bump/reverts.py": "the ids of commits that git read",
    "flows/bump/unfound.py": "lists of paths",
    "flows/diff/flow.py": "the id of a commit that git read",
    "flows/diff/result.py": "a list",
    "flows/image/verify.py": "a list",
    "flows/image/age.py": "dates that were read as dates",
    "flows/image/branch_order.py": "the ids of commits: hexadecimal digits only",
    "flows/promote/candidates.py": "a list",
    "flows/promote/publication.py": "the ids of commits that git read",
    "flows/statuses.py": "lists",
    "flows/wait.py": "the ids of commits that git read",
    "flows/rollback/flow.py": "the ids of commits that git read",
    "flows/rollback/target.py": "the ids of commits that git read, and lists",
    "flows/journal.py": "the id of a commit that we made",
    "flows/image/tag_state.py": "a date that was masked",
    "forges/api.py": "the ids of commits: one was masked, the other is one that we pushed",
    "forges/github_commits.py": "the id of a commit, which was masked",
    "forges/gitlab_merging.py": "the id of a commit that we pushed",
    "forges/tokens.py": "no text: it looks at the beginning of a token",
    "plan/leftovers.py": "lists",
    "registry/image_config.py": "a list of images",
    "registry/keyless.py": "the id of a commit, which was masked",
    "registry/public_key.py": "the hash of a public key",
    "registry/signatures.py": "lists",
    "registry/sources/engine.py": "a list",
    "reporting/description.py": "a title, of which only the hash is kept",
    "reporting/markdown.py": "a list, and the id of a commit that was masked",
    "reporting/plaintext.py": "the text of a commit message, whose facts were masked",
    "reporting/tables.py": "the short id of a commit",
    "reporting/proposal.py": "lists, and the id of a commit that was masked",
    "reporting/proposal_fields.py": "the id of a commit that was masked",
    "reporting/rendered.py": "lists of names, and the ids of commits",
    "reporting/rendered_markdown.py": "a list of paths",
    "reporting/sarif.py": "a list",
    "reporting/text.py": "the id of a commit that was masked",
    "rendering/argocd_generators.py": "a name of an object, as Argo CD cuts it",
    "rendering/failures.py": "lines of a message that was masked",
    "rendering/helmrelease.py": "the name of a release, as Flux cuts it",
    "tags/strategies.py": "a tag, which cannot be used without it",
    "text.py": "a list of names",
    "validation/apiserver/possession.py": "bytes of keys and signatures",
    "validation/apimachinery/object_meta.py": "what a rule of Kubernetes counts",
    "validation/custom_resources/schema_values.py": "lists of values",
}


def test_no_other_place_cuts_texts() -> None:
    cutting = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if any(map(_cuts, ast.walk(_tree(path))))
    }
    assert cutting == set(LISTS_AND_OTHER_TEXTS)


def _tree(path: Path) -> ast.AST:
    return ast.parse(path.read_text())


def _cuts(node: ast.AST) -> bool:
    """Whether this is `text[:300]`, `text[-_LONGEST:]`, `text[:limit]` or `f"{text:.300}"`."""
    if isinstance(node, ast.Call):
        return written_name(node.func) == "textwrap.shorten"
    if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
        return "." in ast.unparse(node.format_spec) and not ast.unparse(node.format_spec).rstrip("'\"}").endswith(
            ("f", "%", "e")
        )
    if not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)):
        return False
    return any(_is_count(bound) for bound in (node.slice.upper, node.slice.lower) if bound is not None)


def _is_count(bound: ast.expr) -> bool:
    while isinstance(bound, ast.UnaryOp | ast.BinOp):
        bound = bound.operand if isinstance(bound, ast.UnaryOp) else bound.left
    if isinstance(bound, ast.Constant):
        return isinstance(bound.value, int) and bound.value >= PART
    counts = {"longest", "limit", "count", "lines", "size", "shown", "most", "width"}
    return isinstance(bound, ast.Name) and (bound.id.isupper() or bound.id in counts)
