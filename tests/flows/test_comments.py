"""`validate --comment`: one comment with the findings on the pull request of the job, on every kind of code host."""

import json
import re

import pytest

from tests.support.forge_hosts import KINDS, TOKEN, hosting

SOUND = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {a: b}\n"
BROKEN = SOUND.replace("data:", "dta:")
# What a reader of Markdown, or a host, would take for more than it says.
HOSTILE = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n"
    "'](https://evil.example) @ada <img src=x> | [skip ci]': {}\n"
)


@pytest.fixture(params=KINDS)
def host(request):
    with hosting(request.param) as running:
        running.stub.add_pull()
        yield running


@pytest.fixture
def validate(run, host, tmp_path, monkeypatch):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"number": 1, "pull_request": {"number": 1, "head": {"repo": {"full_name": "a/b"}}}}))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": host.stub.path,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REF": "refs/pull/1/merge",
        "GITOPS_CI_TOKEN": TOKEN,
    }

    def call(text, *more, pull_request=True):
        (tmp_path / "work" / "a.yaml").write_text(text)
        where = ("--forge", host.kind.forge, "--api-url", host.stub.api_url)
        said = (
            variables if pull_request else {**variables, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
        )
        return run("validate", ".", "--comment", *more, *where, "--output", "json", environment=said)

    return call


def comments(host):
    return list(host.stub.pulls[0].comments.values())


def test_one_comment_follows_the_findings(validate, host):
    assert validate(SOUND).code == 0
    assert comments(host) == []
    assert validate(BROKEN).code == 1
    [first] = comments(host)
    assert "unknown field" in first
    assert "a.yaml" in first
    assert validate(BROKEN.replace("dta", "daata")).code == 1
    [second] = comments(host)
    assert "daata" in second
    assert "dta" not in second.replace("daata", "")
    assert validate(SOUND).code == 0
    [last] = comments(host)
    assert "no findings" in last
    assert "daata" not in last


def test_a_key_has_a_comment_of_its_own(validate, host):
    for key in ("eu", "us", "eu"):
        validate(BROKEN, "--comment-key", key)
    validate(BROKEN)
    assert len(comments(host)) == 3
    assert validate(BROKEN, "--comment-key", "a b").code == 2


def test_what_others_wrote_is_escaped(validate, host):
    validate(HOSTILE)
    [text] = comments(host)
    assert "evil.example" in text
    outside_code = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", text)
    for order in ("](https://evil", "@ada", "<img", "[skip ci"):
        assert not re.search(rf"(?<!\\){re.escape(order)}", outside_code), order


def test_the_hosts_own_limit_for_comments_holds(validate, host):
    validate("".join(f"---\n{BROKEN.replace('shop', f'shop-{number}')}" for number in range(1_500)))
    [text] = comments(host)
    assert len(text.encode("utf-16-le")) // 2 <= host.kind.comment_limit
    assert "gitops-ci:validate" in text
    if host.kind.comment_limit <= 65_536:
        assert "more" in text


def test_a_comment_that_is_refused_is_a_warning(validate, host):
    host.stub.authorized = lambda headers: False
    ran = validate(BROKEN)
    assert (ran.code, "The comment on pull request #1 was not made" in ran.err) == (1, True)
    assert validate(SOUND, pull_request=False).code == 0
    assert comments(host) == []
