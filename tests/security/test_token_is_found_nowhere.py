"""A marked token goes through runs that succeed and runs that fail, and is then searched for everywhere.

Searched: stdout, stderr, every file that a run writes (outputs, summary, dotenv, reports), the arguments of every git
that is started, every object of the config repository, and what the code host is sent besides its header.
"""

import base64
import json
import subprocess
from urllib.parse import quote

import pytest

from tests.flows.conftest import run  # noqa: F401 - a fixture
from tests.flows.test_bump import DEPLOYMENT, FILES, IMAGE
from tests.support.forge_github import GitHubStub
from tests.support.git_repo import commit_files

TOKEN = "ghp_c4n4ry/T0ken+That=MustNeverShow"
PASSWORD = "r3gistry-c4nary-passw0rd"


def spellings(secret):
    cores = [secret, quote(secret, safe=""), json.dumps(secret)[1:-1]]
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + secret.encode()).decode().rstrip("=")
        cores.append(encoded[(lead * 8 + 5) // 6 : (lead + len(secret)) * 8 // 6])
    return cores


SPELLINGS = [text for secret in (TOKEN, PASSWORD) for text in spellings(secret)]


@pytest.fixture
def arguments_log(tmp_path_factory, monkeypatch):
    """A git in front of the real one that notes its arguments."""
    folder = tmp_path_factory.mktemp("bin")
    log = folder / "arguments"
    real = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "git").write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/local/bin:/usr/bin:/bin")
    return log


@pytest.fixture
def world(tmp_path, run, tmp_path_factory, arguments_log):  # noqa: F811
    from tests.support.git_http import git_server

    with git_server(tmp_path_factory.mktemp("served"), token=TOKEN) as server:
        repo = server.make_repo("acme/config", FILES)
        with GitHubStub(lambda branch: branch in repo.branches(), token=TOKEN) as github:
            github.tip = lambda branch: repo.head(branch) if branch in repo.branches() else "1" * 40
            yield World(server, repo, github, run, tmp_path, arguments_log)


class World:
    def __init__(self, server, repo, github, run, folder, log):  # noqa: F811
        self.server, self.repo, self.github, self.run, self.folder, self.log = server, repo, github, run, folder, log
        self.said = []

    def bump(self, *more, image=IMAGE, **variables):
        environment = {
            "GITOPS_CI_TOKEN": TOKEN,
            "GITOPS_CI_REGISTRY_USER": "bot",
            "GITOPS_CI_REGISTRY_PASSWORD": PASSWORD,
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GIT_TRACE_CURL": "1",
            "GIT_TRACE": "1",
            **variables,
        }
        where = (
            "--config-repo",
            self.server.url_of("acme/config"),
            "--forge",
            "github",
            "--api-url",
            self.github.api_url,
        )
        reports = [
            word for kind in ("json", "junit", "markdown") for word in ("--report", f"{kind}={self.folder}/r.{kind}")
        ]
        ran = self.run("bump", image, *where, "--verbose", *reports, *more, environment=environment)
        self.said.append(ran.out + ran.err)
        return ran

    def everything(self):
        yield from self.said
        for path in self.folder.rglob("*"):
            if path.is_file():
                yield path.read_text(errors="replace")
        yield self.log.read_text() if self.log.exists() else ""
        for request in self.github.requests:
            yield f"{request.path} {request.query} {request.body}"
        for request in self.server.requests:
            yield f"{request.path} {request.query}"
        ids = self.repo.git("rev-list", "--objects", "--all").splitlines()
        for line in ids:
            if self.repo.git("cat-file", "-t", line.split()[0]) in {"commit", "blob"}:
                yield self.repo.git("cat-file", "-p", line.split()[0])
        yield (self.repo.path / "config").read_text()


def broken(world):
    commit_files(world.repo, {"base/deployment.yaml": DEPLOYMENT.replace("selector:", "selectr:")})


def refusing(words):
    return lambda world: world.repo.hook("pre-receive", f"#!/bin/sh\necho '{words} {TOKEN}' >&2\nexit 1\n")


def faulty(method, path, status):
    body = {"message": f"no {TOKEN}", "documentation_url": f"https://x/?token={quote(TOKEN)}"}
    return lambda world: world.github.fault(method, path, status, times=9, body=body if status else None)


PULLS = "/repos/acme/config/pulls"
SCENARIOS = {
    "pull request": (None, ()),
    "push": (None, ("--mode", "push")),
    "dry run": (None, ("--mode", "dry-run")),
    "json": (None, ("--output", "json")),
    "quiet": (None, ("--quiet",)),
    "narrow": (None, ("--mode", "push", "--path", "base/**")),
    "labels": (None, ("--label", TOKEN)),
    "title": (None, ("--title", f"{{image}} {TOKEN}")),
    "author": (None, ("--author", f"{TOKEN} <a@b.c>", "--mode", "push")),
    "named nowhere": (None, ("--path", "nowhere/**")),
    "missing base": (None, ("--base", "absent")),
    "unknown environment": (None, ("--environment", "x", "--mode", "push")),
    "token as branch": (None, ("--base", TOKEN)),
    "token as path": (None, ("--path", TOKEN)),
    "token as config repo": (None, ("--config-repo", f"https://x:{TOKEN}@127.0.0.1/acme/x")),
    "token in a query": (None, ("--config-repo", f"https://127.0.0.1:9/acme/x?t={TOKEN}")),
    "missing repository": (lambda w: w.repo.path.rename(w.repo.path.parent / "gone"), ()),
    "host down": (None, ("--config-repo", "http://127.0.0.1:9/acme/config")),
    "invalid manifest": (broken, ()),
    "hook": (refusing("policy"), ("--mode", "push")),
    "protected": (refusing("GH006: Protected branch"), ("--mode", "push")),
    "bad option": (None, ("--pin", TOKEN)),
    "bad pointer": (None, ("--at", TOKEN)),
    "api 401": (faulty("POST", PULLS, 401), ()),
    "api 403": (faulty("POST", PULLS, 403), ()),
    "api 404": (faulty("GET", PULLS, 404), ()),
    "api 422": (faulty("POST", PULLS, 422), ()),
    "api 500": (faulty("POST", PULLS, 500), ("--deadline", "5")),
    "api hangs up": (faulty("GET", PULLS, 0), ("--deadline", "5")),
    "reviewers refused": (faulty("POST", "requested_reviewers", 422), ("--reviewer", "nobody")),
    "merge refused": (None, ("--merge", "when-green")),
    "bad config": (lambda w: (w.folder / ".gitops-ci.yaml").write_text(f"{TOKEN}: 1\n"), ()),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_token_is_found_nowhere(world, name):
    prepare, arguments = SCENARIOS[name]
    if prepare:
        prepare(world)
    ran = world.bump(*arguments)
    if name == "missing repository":
        world.repo.path.parent.joinpath("gone").rename(world.repo.path)
    written = [name for name in ("output", "summary") if (world.folder / name).exists()]
    if name == "bad config":
        (world.folder / ".gitops-ci.yaml").unlink()
    if name in {"pull request", "push"}:
        assert written == ["output", "summary"], ran
        assert "Authorization" not in "".join(world.said)
    world.repo.path.joinpath("hooks", "pre-receive").unlink(missing_ok=True)
    for text in world.everything():
        for spelling in SPELLINGS:
            assert spelling not in text


def test_git_is_started_and_seen(world):
    """The search above looks at the right place: git's arguments are in the log."""
    world.bump("--mode", "push")
    assert "push --quiet" in world.log.read_text()


def test_a_token_with_a_line_break_is_masked_in_each_of_its_lines(world):
    ran = world.run("bump", "x", environment={"GITOPS_CI_TOKEN": "first-half-of-it\nsecond-half-of-it"})
    assert "second-half-of-it" not in ran.out + ran.err
