"""Who a commit names, and whose signature it carries: checked by git itself, with keys made for the test."""

import os
import subprocess

import pytest

from tests.flows.test_bump import FILES, HEAD, IMAGE
from tests.support import missing
from tests.support.forge_github import ApiCommit, GitHubStub
from tests.support.git_repo import commit_files, make_repo
from tests.support.services import Unavailable, program

NEWER = "ghcr.io/acme/shop:1.6.0"


@pytest.fixture
def repo(tmp_path):
    return make_repo(tmp_path / "config.git", FILES)


@pytest.fixture
def bump(run, repo):
    def call(*more, **settings):
        return run("bump", IMAGE, "--config-repo", repo.path, "--mode", "push", *more, **settings)

    return call


def has(name):
    try:
        return program(name)
    except Unavailable as absent:
        missing(str(absent))


@pytest.fixture
def gpg_key(tmp_path_factory, monkeypatch):
    """The id of a key in a key ring of its own."""
    gpg = has("gpg")
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    batch = [gpg, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    subprocess.run([*batch, "--quick-gen-key", "CI <ci@example.com>", "ed25519", "sign"], check=True)
    listed = subprocess.run([gpg, "--list-secret-keys", "--with-colons"], capture_output=True, text=True, check=True)
    yield next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr:"))
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)


@pytest.fixture
def ssh_key(tmp_path):
    """The file of a private key; its public half lies beside it."""
    subprocess.run([has("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "ci_key")], check=True)
    return tmp_path / "ci_key"


@pytest.fixture
def verified(repo, tmp_path):
    """Whether git accepts the signature of main's tip from this SSH key."""

    def check(public_key):
        allowed = tmp_path / "allowed"
        allowed.write_text(f"gitops-ci@users.noreply.invalid {public_key}\n")
        command = ["git", "-C", str(repo.path), "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", "main"]
        return subprocess.run(command, capture_output=True).returncode == 0

    return check


def test_author_and_committer_are_who_the_options_say(bump, repo):
    ran = bump("--author", "Ada L <ada@example.com>", "--committer", "CI <ci@example.com>")
    assert ran.code == 0, ran.err
    assert repo.git("log", "-1", "--format=%an|%ae|%cn|%ce") == "Ada L|ada@example.com|CI|ci@example.com"


def test_author_and_committer_come_from_gits_own_variables(bump, repo):
    names = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@d"}
    bump(environment=names)
    assert repo.git("log", "-1", "--format=%an|%ae|%cn|%ce") == "A|a@b|C|c@d"


def test_without_a_word_both_are_gitops_ci(bump, repo):
    bump()
    ours = "gitops-ci|gitops-ci@users.noreply.invalid"
    assert repo.git("log", "-1", "--format=%an|%ae|%cn|%ce") == f"{ours}|{ours}"


def test_a_gpg_signature_is_accepted_by_git(bump, repo, gpg_key):
    ran = bump("--sign", "gpg", "--signing-key", gpg_key)
    assert ran.code == 0, ran.err
    repo.git("verify-commit", "main")
    repo.git("fsck", "--strict")


def test_an_ssh_signature_is_accepted_by_git_and_another_key_is_not(bump, ssh_key, verified, tmp_path):
    ran = bump("--sign", "ssh", "--signing-key", ssh_key)
    assert ran.code == 0, ran.err
    assert verified(ssh_key.with_suffix(".pub").read_text())
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    assert not verified((tmp_path / "other.pub").read_text())


def test_an_ssh_key_that_only_an_agent_has_signs(bump, ssh_key, verified):
    started = subprocess.run([has("ssh-agent"), "-s"], capture_output=True, text=True, check=True).stdout
    agent = {name: started.partition(f"{name}=")[2].partition(";")[0] for name in ("SSH_AUTH_SOCK", "SSH_AGENT_PID")}
    try:
        subprocess.run(["ssh-add", "-q", str(ssh_key)], env={**os.environ, **agent}, check=True, capture_output=True)
        ssh_key.unlink()
        public = ssh_key.with_suffix(".pub").read_text().strip()
        ran = bump("--sign", "ssh", "--signing-key", f"key::{public}", environment=agent)
        assert ran.code == 0, ran.err
        assert verified(public)
    finally:
        os.kill(int(agent["SSH_AGENT_PID"]), 15)


def test_a_signed_commit_is_still_known_as_ours(run, repo, ssh_key):
    where = ("--config-repo", repo.path, "--forge", "git", "--sign", "ssh", "--signing-key", ssh_key)
    run("bump", IMAGE, *where)
    assert run("bump", NEWER, *where).code == 0
    assert repo.count(HEAD) == 2


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--sign", "gpg"), 2, "--signing-key"),
        (("--signing-key", "A1"), 2, "--sign"),
        (("--sign", "ssh", "--signing-key", "absent"), 2, "no SSH key"),
        (("--sign", "gpg", "--signing-key", "-oX"), 2, "not a signing key"),
        (("--sign", "gpg", "--signing-key", "nobody@example.com"), 5, "could not be signed"),
        (("--author", "no address"), 2, "not a valid author"),
        (("--commit-with", "api", "--author", "A <a@b>"), 2, "excludes --sign, --author"),
    ],
)
def test_what_cannot_be_named_or_signed_says_so_and_pushes_nothing(bump, repo, options, code, words):
    before = repo.head()
    ran = bump(*options)
    assert ran.code == code, ran.err
    assert words in ran.out + ran.err
    assert repo.head() == before


# Commits that the code host makes.


class Branches(dict):
    """The branches of a real repository, as the stub asks for them."""

    def __init__(self, repo):
        self.repo = repo

    def __contains__(self, branch):
        return branch in self.repo.branches()

    def __getitem__(self, branch):
        return self.repo.head(branch)

    def get(self, branch, default=None):
        return self.repo.head(branch) if branch in self else default

    def __setitem__(self, branch, commit):
        if branch not in self:
            self.repo.git("update-ref", f"refs/heads/{branch}", commit)
        assert self.repo.head(branch) == commit


@pytest.fixture
def served(git_server):
    return git_server.make_repo("acme/config", FILES)


@pytest.fixture
def github(git_server, served):
    with GitHubStub(lambda branch: branch in served.branches(), token=git_server.token) as stub:
        stub.refs = Branches(served)
        stub.on_commit = lambda made: commit_files(
            served, made.files, branch=made.branch, message=made.message, parent=made.parent
        )
        stub.on_merge = lambda tree, parents, message: served.git(
            "-c", "user.name=GitHub", "-c", "user.email=noreply@github.com",
            "commit-tree", tree, *(word for parent in parents for word in ("-p", parent)), "-m", message,
        )  # fmt: skip
        yield stub


@pytest.fixture
def bump_by_api(run, git_server, github):
    where = ("--config-repo", git_server.url_of("acme/config"), "--forge", "github", "--api-url", github.api_url)

    def call(image=IMAGE, *more):
        arguments = ("bump", image, *where, "--commit-with", "api", "--output", "json", *more)
        return run(*arguments, environment={"GITOPS_CI_TOKEN": git_server.token})

    return call


def test_by_api_the_host_commits_to_the_base_branch_on_the_head_that_was_read(bump_by_api, github, served):
    before = served.head()
    ran = bump_by_api(IMAGE, "--mode", "push")
    assert ran.code == 0, ran.out
    [made] = github.commits.values()
    assert (made.branch, made.parent) == ("main", before)
    assert ran.document["commit"] == {"sha": served.head(), "branch": "main"}
    assert served.branches() == ["main"]
    assert served.count() == 2
    assert b"shop:1.5.0" in served.read("base/deployment.yaml")


def test_by_api_a_pull_request_is_opened_then_moved_in_one_step_and_never_emptied(bump_by_api, github, served):
    assert bump_by_api().code == 0
    first = served.head(HEAD)
    assert bump_by_api().document["status"] == "unchanged"
    assert served.head(HEAD) == first
    assert bump_by_api(NEWER).code == 0
    assert served.branches() == [HEAD, "main"]
    assert served.count(HEAD) == 2
    assert len(github.pulls) == 1
    assert list(github.commits) == [first, served.head(HEAD)]
    assert b"shop:1.6.0" in served.read("base/deployment.yaml", HEAD)
    assert {made.branch for made in github.commits.values()} == {f"{HEAD}.next"}


def test_by_api_a_head_that_moved_is_read_again(bump_by_api, github, served):
    real = github.on_commit

    def outrun(made):
        github.on_commit = real
        theirs = commit_files(served, {"notes": "mine"})
        github.commits[theirs] = ApiCommit("main", made.parent, "Change", {})
        raise github.stale()

    github.on_commit = outrun
    ran = bump_by_api(IMAGE, "--mode", "push")
    assert ran.code == 0, ran.out
    assert served.count() == 3
    assert b"shop:1.5.0" in served.read("base/deployment.yaml")
    assert served.read("notes") == b"mine"


def test_by_api_what_an_earlier_run_left_beside_the_branch_does_not_matter(bump_by_api, served):
    commit_files(served, {"notes": "left"}, branch=f"{HEAD}.next", parent="main")
    assert bump_by_api().code == 0
    assert served.branches() == [HEAD, "main"]
    assert "notes" not in served.files(HEAD)


@pytest.mark.parametrize("base", ["stands", "has other lines", "has the same change"])
def test_by_api_a_branch_that_takes_no_force_push_gets_a_merge_on_top(bump_by_api, github, served, base):
    assert bump_by_api().code == 0
    first = served.head(HEAD)
    served.set(receive__denyNonFastForwards="true")
    text = served.read("base/deployment.yaml").decode()
    if base == "has other lines":
        commit_files(served, {"base/deployment.yaml": f"# ours\n{text}"})
    elif base == "has the same change":
        commit_files(served, {"base/deployment.yaml": text.replace("shop:1.4.1", "shop:1.5.0")})
    for version, state in (("1.6.0", "changed"), ("1.6.0", "unchanged"), ("1.7.0", "changed")):
        ran = bump_by_api(f"ghcr.io/acme/shop:{version}")
        assert (ran.code, ran.document["status"]) == (0, state), ran.out
        assert f"shop:{version}" in served.read("base/deployment.yaml", HEAD).decode()
        assert served.git("merge-base", "main", HEAD) == served.head()
        assert served.git("merge-base", first, HEAD) == first
    assert sorted(served.branches()) == sorted([HEAD, "main"])
    assert [(pull.title, pull.status) for pull in github.pulls] == [("Bump shop to 1.7.0", "open")]
    assert bump_by_api("ghcr.io/acme/shop:1.6.5").code == 1


def test_by_api_a_host_that_makes_no_commits_says_so(run, git_server, served):
    where = ("--config-repo", git_server.url_of("acme/config"), "--forge", "git", "--commit-with", "api")
    ran = run("bump", IMAGE, *where, environment={"GITOPS_CI_TOKEN": git_server.token})
    assert ran.code == 2
    assert "cannot make commits by its API" in ran.out
    assert served.branches() == ["main"]
