"""The config repository's door against real Git over HTTP."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gitops_ci.cli.console import Console
from gitops_ci.configrepo import ConfigRepo, GitCredentials, Identity
from gitops_ci.configrepo.git_errors import is_transient, push_error
from gitops_ci.errors import GitError, ProgramError, UsageError
from gitops_ci.flows.globs import Paths
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret
from tests.support.git_repo import Entry, commit_files, make_repo

pytestmark = pytest.mark.over_http

ADA = Identity("Ada", "ada@example.com")
FILES = {"apps/a.yaml": "image: acme/shop:1\n", "apps/b.txt": "nothing\n", "z": "acme/shop\n"}


@pytest.fixture
def served(git_server):
    return git_server.make_repo("acme/config", FILES, history=5)


@pytest.fixture
def opened(git_server, served):
    with ConfigRepo(
        RepoUrl.parse(git_server.url_of("acme/config")), GitCredentials("bot", Secret(git_server.token)), Console()
    ) as repo:
        yield repo


def commit(repo, snapshot, changes, message="Change\n\nKey: value"):
    return repo.commit(snapshot, changes, message, author=ADA, committer=ADA)


def test_refs_tell_the_default_branch_and_only_what_was_asked(opened, served):
    refs = opened.refs("main", "absent")
    assert refs.default == "main"
    assert refs.tips == {"main": served.head()}


def test_a_fetch_brings_one_commit_and_no_working_tree(opened, served):
    snapshot = opened.fetch("main")
    assert snapshot.commit == served.head()
    assert snapshot.parent() is None
    assert snapshot.paths(Paths()) == sorted(FILES)
    assert snapshot.read("apps/a.yaml") == b"image: acme/shop:1\n"
    assert snapshot.read("apps") is None
    assert snapshot.read("apps/none") is None


def test_search_finds_the_files_that_hold_a_needle(opened):
    snapshot = opened.fetch("main")
    assert snapshot.search(["acme/shop"], Paths()) == ["apps/a.yaml", "z"]
    assert snapshot.search(["acme/shop"], Paths(("apps",))) == ["apps/a.yaml"]
    assert snapshot.search(["-v", "--no-index"], Paths()) == []


def test_many_needles_find_what_git_finds_for_a_few_of_them(git_server):
    """With many words the search is done here, and git is not asked."""
    files = {f"apps/{number}.yaml": f"image: acme/app-{number}\nname: x\n" for number in range(300)}
    files |= {
        "crlf.txt": "app-7\r\nnone\r\napp-8",
        "binary": b"\0\xff app-9 \xfe\n\0app-1",
        "empty": "",
        "a\\b": "app-5\n",
        "ümlaut": "x.y(z\n",
        "link": Entry(b"app-1", "120000"),
    }
    git_server.make_repo("acme/config", files)
    needles = [*(f"app-{number}" for number in range(150, 0, -1)), "x.y(z", "\udcff"]
    url = RepoUrl.parse(git_server.url_of("acme/config"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        snapshot = repo.fetch("main")
        some = [needles[at : at + 50] for at in range(0, len(needles), 50)]
        lines = {line for part in some for line in snapshot.lines(part, Paths()).split("\n")}
        paths = {path for part in some for path in snapshot.search(part, Paths())}
        assert set(snapshot.lines(needles, Paths()).split("\n")) == lines
        assert snapshot.search(needles, Paths()) == sorted(paths, key=os.fsencode)
        assert {"crlf.txt", "binary", "a\\b", "ümlaut"} < paths
        assert dict(snapshot.read_all(f"apps/{number}.yaml" for number in range(300))) == {
            path: text.encode() for path, text in files.items() if path.startswith("apps/")
        }


def test_a_commit_changes_only_what_it_says(opened, served):
    snapshot = opened.fetch("main")
    new = commit(opened, snapshot, {"apps/a.yaml": b"image: acme/shop:2\n", "new/deep/file": b"x"})
    assert opened.push(new, "main", expected=snapshot.commit)
    assert served.files() == {
        "apps/a.yaml": b"image: acme/shop:2\n",
        "apps/b.txt": b"nothing\n",
        "new/deep/file": b"x",
        "z": b"acme/shop\n",
    }
    assert served.git("log", "-1", "--format=%an <%ae>|%cn") == "Ada <ada@example.com>|Ada"
    served.git("fsck", "--strict")


def test_file_modes_stay(git_server):
    repo = git_server.make_repo("acme/modes", {"run.sh": Entry(b"#!/bin/sh\n", "100755"), "dir/x": "1"})
    url = RepoUrl.parse(git_server.url_of("acme/modes"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as opened:
        snapshot = opened.fetch("main")
        opened.push(commit(opened, snapshot, {"run.sh": b"#!/bin/sh\nexit\n"}), "main", expected=snapshot.commit)
    assert repo.git("ls-tree", "main", "run.sh").startswith("100755 ")


def test_a_commit_of_ours_is_recognized_and_an_amended_one_is_not(opened, served):
    snapshot = opened.fetch("main")
    assert not snapshot.is_ours
    new = commit(opened, snapshot, {"z": b"1"})
    assert new.is_ours
    commit_files(served, {"z": "somebody's"}, branch="amended", parent="main", message=new.message)
    assert not opened.fetch("amended").is_ours


def test_a_push_never_overwrites_what_somebody_else_pushed(opened, served):
    snapshot = opened.fetch("main")
    new = commit(opened, snapshot, {"z": b"1"})
    theirs = commit_files(served, {"other": "1"})
    assert opened.push(new, "main", expected=snapshot.commit) is None
    assert served.head() == theirs
    assert opened.push(new, "branch", expected=None)
    assert opened.push(commit(opened, snapshot, {"z": b"2"}), "branch", expected=None) is None
    assert served.head("branch") == new.commit


def test_a_push_that_landed_although_the_answer_was_lost_is_a_success(opened, served):
    snapshot = opened.fetch("main")
    new = commit(opened, snapshot, {"z": b"1"})
    assert opened.push(new, "main", expected=snapshot.commit)
    # The same push again, as after an answer that never came: the remote's ref decides.
    assert opened.push(new, "main", expected=snapshot.commit)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("GH006: Protected branch update failed for refs/heads/main", "protected"),
        ("GitLab: You are not allowed to push code to protected branches on this project.", "protected"),
        ("Permission denied to update branch main.", "protected"),
        ("Branch refs/heads/main can only be modified through pull requests.", "protected"),
        ("TF402455: Pushes to this branch are not permitted; you must use a pull request", "protected"),
        ("policy: no pushes on Fridays", "hook"),
    ],
)
def test_a_final_refusal_is_an_error_with_the_hooks_words(opened, served, said, expected):
    served.hook("pre-receive", f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    snapshot = opened.fetch("main")
    with pytest.raises(GitError, match=expected) as refused:
        opened.push(commit(opened, snapshot, {"z": b"1"}), "main", expected=snapshot.commit)
    assert said in refused.value.message


def test_a_lock_held_by_another_push_is_worth_another_try(opened, served):
    snapshot = opened.fetch("main")
    new = commit(opened, snapshot, {"z": b"1"})
    lock = served.path / "refs" / "heads" / "main.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    assert opened.push(new, "main", expected=snapshot.commit) is None
    lock.unlink()
    assert opened.push(new, "main", expected=snapshot.commit)


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_symlinks_and_submodules_are_not_read_and_not_written_through(git_server, mode):
    target = b"/etc/passwd" if mode == "120000" else b"1" * 40
    git_server.make_repo("acme/links", {"link.yaml": Entry(target, mode), "dir/x": "1"})
    url = RepoUrl.parse(git_server.url_of("acme/links"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        snapshot = repo.fetch("main")
        assert snapshot.read("link.yaml") is None
        assert "link.yaml" not in snapshot.paths(Paths())
        for path in ("link.yaml", "link.yaml/inside"):
            with pytest.raises(UsageError, match=r"is a (symlink|submodule)"):
                snapshot.tree_with({path: b"x"})


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", ".git/config", "a/.GIT/hooks/x", "a//b", "a\\b", ""])
def test_paths_outside_of_the_tree_are_refused(opened, path):
    with pytest.raises(UsageError):
        opened.fetch("main").tree_with({path: b"x"})


@pytest.mark.parametrize(
    "name", ["--upload-pack=x", "a..b", "a b", "x.lock", "a@{1}", "/a", "a/", "a~1", "a:b", "", "@"]
)
def test_names_that_are_no_branches_never_reach_git(opened, name):
    for call in (opened.fetch, opened.refs):
        with pytest.raises(UsageError):
            call(name)


def test_wrong_token_missing_repository_and_missing_branch_say_so(git_server, served):
    def opened(name, token):
        credentials = GitCredentials("bot", Secret(token)) if token else None
        return ConfigRepo(RepoUrl.parse(git_server.url_of(name)), credentials, Console())

    with opened("acme/config", "wrong-token-of-mine") as repo, pytest.raises(GitError, match="refuses the token"):
        repo.refs()
    with opened("acme/config", "") as repo, pytest.raises(GitError, match="requires authentication"):
        repo.refs()
    with opened("acme/none", git_server.token) as repo, pytest.raises(GitError, match="no repository"):
        repo.refs()
    with opened("acme/config", git_server.token) as repo, pytest.raises(GitError, match="branch absent is not in"):
        repo.fetch("absent")


def test_an_address_without_its_scheme_is_told_what_it_was_read_as():
    url = RepoUrl.parse("github.com/acme/config")
    with ConfigRepo(url, None, Console()) as repo, pytest.raises(GitError) as refused:
        repo.refs()
    assert "Write https://HOST/OWNER/NAME" in refused.value.hint


def test_a_dead_host_says_so():
    url = RepoUrl.parse("http://127.0.0.1:9/acme/x")
    with ConfigRepo(url, None, Console()) as repo, pytest.raises(GitError, match="does not answer"):
        repo.refs()


def test_the_token_is_in_no_argument_and_no_file(git_server, served, tmp_path, monkeypatch):
    """A git that notes how it was called, in front of the real one."""
    real = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    log = tmp_path / "calls"
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\nexec {real} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    url = RepoUrl.parse(git_server.url_of("acme/config"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        snapshot = repo.fetch("main")
        repo.push(commit(repo, snapshot, {"z": b"1"}), "main", expected=snapshot.commit)
        stored = b"".join(p.read_bytes() for p in Path(repo.clone.folder.path).rglob("*") if p.is_file())
    assert "push" in log.read_text()
    assert git_server.token not in log.read_text()
    assert git_server.token.encode() not in stored


def test_hostile_configuration_of_the_user_has_no_effect(git_server, served, clean_environment, tmp_path, monkeypatch):
    marker = tmp_path / "ran"
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    for hook in ("pre-push", "post-checkout", "pre-commit", "reference-transaction", "post-index-change"):
        (tmp_path / "hooks").mkdir(exist_ok=True)
        (tmp_path / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (tmp_path / "hooks" / hook).chmod(0o755)
    (clean_environment / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {tmp_path}/hooks\n\tfsmonitor = {script}\n\taskPass = {script}\n"
        f"[credential]\n\thelper = {script}\n[init]\n\ttemplateDir = {tmp_path}\n"
        f'[url "http://127.0.0.1:9/"]\n\tinsteadOf = http://127.0.0.1\n[alias]\n\tfetch = !{script}\n'
    )
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_TRACE", "1")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.hooksPath={tmp_path}/hooks'")
    before = dict(os.environ)
    url = RepoUrl.parse(git_server.url_of("acme/config"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        snapshot = repo.fetch("main")
        assert repo.push(commit(repo, snapshot, {"z": b"1"}), "main", expected=snapshot.commit)
    assert not marker.exists()
    assert dict(os.environ) == before, "a repository changes nothing of the process that opens it"


def test_a_local_path_works_like_a_server(tmp_path):
    bare = make_repo(tmp_path / "bare.git", FILES)
    with ConfigRepo(RepoUrl.parse(str(bare.path)), None, Console()) as repo:
        snapshot = repo.fetch("main")
        assert repo.push(commit(repo, snapshot, {"z": b"1"}), "main", expected=snapshot.commit)
    assert bare.read("z") == b"1"


def test_a_sparse_fetch_brings_only_the_folders_on_the_way(git_server):
    many = {f"apps/app-{n}/overlays/{e}/k.yaml": f"image: a/b-{n}\n" for n in range(200) for e in ("live", "test")}
    git_server.make_repo("acme/many", many)
    url = RepoUrl.parse(git_server.url_of("acme/many"))
    selection = Paths(("apps/app-7/overlays/live/**",))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        before = git_server.sent
        snapshot = repo.fetch("main", sparse=True)
        assert snapshot.search(["a/b-7"], selection) == ["apps/app-7/overlays/live/k.yaml"]
        new = commit(repo, snapshot, {"apps/app-7/overlays/live/k.yaml": b"image: a/b-7:2\n"})
        assert new.changed_paths(snapshot) == ["apps/app-7/overlays/live/k.yaml"]
        assert repo.push(new, "main", expected=snapshot.commit)
        sparse = git_server.sent - before
        repo.fetch("main")
        whole = git_server.sent - before - sparse
    assert sparse < whole / 2
    served = git_server.repo("acme/many")
    assert served.files() == {p: t.encode() for p, t in many.items()} | {
        "apps/app-7/overlays/live/k.yaml": b"image: a/b-7:2\n"
    }
    served.git("fsck", "--strict")


def test_a_sparse_snapshot_can_still_be_searched_everywhere(git_server, served):
    url = RepoUrl.parse(git_server.url_of("acme/config"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        snapshot = repo.fetch("main", sparse=True)
        assert snapshot.search(["acme/shop"], Paths(("apps/*.yaml",))) == ["apps/a.yaml"]
        assert snapshot.search(["acme/shop"], Paths()) == ["apps/a.yaml", "z"]
        assert snapshot.paths(Paths()) == sorted(FILES)


def test_the_lines_of_a_sparse_snapshot_are_found_beside_one_of_many_characters(git_server):
    """A dashboard, or a minified file: looking through a line again from each of its characters took minutes."""
    text = f"a shop\n{'x' * 100_000}\n\nshop, shop\nnone\n{'y' * 100_000} shop"
    git_server.make_repo("acme/config", {"a.json": text})
    url = RepoUrl.parse(git_server.url_of("acme/config"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        snapshot = repo.fetch("main", sparse=True)
        snapshot.read("a.json")
        spent = time.process_time()
        found = snapshot.lines(["shop", "nowhere"], Paths())
        assert time.process_time() - spent < 2
    expected = ["a shop", "shop, shop", f"{'y' * 100_000} shop"]
    assert found == "".join(f"a.json\0{line}\n" for line in expected)


def test_a_branch_that_was_fetched_at_its_tip_is_not_fetched_again_until_it_moves(opened, served, git_server):
    first = opened.fetch("main", sparse=True)
    first.read("z")
    asked = len(git_server.requests)
    again = opened.fetch("main", sparse=True, tip=first.commit)
    assert (again.commit, again.read("z"), len(git_server.requests)) == (first.commit, b"acme/shop\n", asked)
    moved = commit_files(served, {"z": "moved\n"}, message="Move")
    assert opened.fetch("main", sparse=True, tip=moved).read("z") == b"moved\n"


def test_another_piece_of_work_lists_the_branches_again(opened, served):
    assert opened.refs_at_start.tips.keys() == {"main"}
    served.git("branch", "release")
    with opened.within(lambda: 60.0):
        assert opened.refs_at_start.tips.keys() == {"main", "release"}


def test_a_sparse_snapshot_becomes_whole_unless_it_is_large(git_server):
    many = {f"apps/app-{n}/live/{k}.yaml": f"{k} {n}\n" for n in range(300) for k in "abc"}
    served = git_server.make_repo("acme/many", many)
    url = RepoUrl.parse(git_server.url_of("acme/many"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        snapshot = repo.fetch("main", sparse=True)
        assert snapshot.read("apps/app-7/live/a.yaml") == b"a 7\n"
        before, asked = git_server.sent, len(git_server.requests)
        # One app of 300 is known: that there are as many files elsewhere is estimated, not asked for.
        assert snapshot.whole(600) is None
        assert (git_server.sent - before, len(git_server.requests) - asked) == (0, 0)
        whole = snapshot.whole(2000)
        assert (whole.is_sparse, whole.commit, whole.paths(Paths())) == (False, snapshot.commit, sorted(many))
        before = git_server.sent
        assert len(whole.search(["a 7"], Paths())) == 11
        assert dict(whole.read_all(many)) == served.files()
        assert git_server.sent == before


def test_a_server_without_partial_clone_sends_everything(git_server, served):
    served.set(uploadpack__allowFilter="false")
    url = RepoUrl.parse(git_server.url_of("acme/config"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        snapshot = repo.fetch("main", sparse=True)
        assert snapshot.search(["acme/shop"], Paths(("apps/**",))) == ["apps/a.yaml"]
        new = commit(repo, snapshot, {"apps/a.yaml": b"x"})
        assert repo.push(new, "main", expected=snapshot.commit)


def without(capabilities, body):
    """An answer of `info/refs` (gitprotocol-pack(5)) as of a server that has not these capabilities."""
    service, _, refs = body.partition(b"0000")
    first, _, rest = refs.partition(b"\n")
    named, _, offered = first[4:].partition(b"\0")
    line = named + b"\0" + b" ".join(word for word in offered.split(b" ") if word not in capabilities) + b"\n"
    return service + b"0000" + b"%04x" % (len(line) + 4) + line + rest


def test_a_server_that_cuts_no_history_off_sends_all_of_it(git_server, served, capsys):
    lacking = {b"shallow", b"deepen-since", b"deepen-not", b"deepen-relative", b"filter"}
    git_server.protocol = ""
    git_server.rewrite = lambda asked, body: without(lacking, body) if "service=git-upload-pack" in asked else body
    url = RepoUrl.parse(git_server.url_of("acme/config"))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console("verbose")) as repo:
        snapshot = repo.fetch("main", sparse=True)
        assert repo.push(commit(repo, snapshot, {"apps/a.yaml": b"x"}), "main", expected=snapshot.commit)
    told = capsys.readouterr().err
    assert "does not support shallow fetches: fetching the whole history" in told
    assert "tried again" not in told
    assert served.read("apps/a.yaml") == b"x"


@pytest.mark.parametrize("service", ["git-upload-pack", "git-receive-pack"])
def test_an_answer_that_ends_in_the_middle_is_asked_for_again(git_server, opened, served, service):
    left = iter([30])

    def cut(asked, body):
        return body[: next(left, None)] if asked.endswith(f"service={service}") else body

    git_server.rewrite = cut
    snapshot = opened.fetch("main")
    new = commit(opened, snapshot, {"z": b"1"})
    while not opened.push(new, "main", expected=snapshot.commit):
        assert served.head() == snapshot.commit
    assert (next(left, None), served.read("z")) == (None, b"1")


@pytest.mark.parametrize(
    ("said", "worth_it"),
    [
        ("fatal: unable to access 'x': transfer closed with 154 bytes remaining to read", True),
        ("fatal: unable to access 'x': Operation too slow. Less than 1 bytes/sec transferred", True),
        ("fatal: Could not read from remote repository.\n", True),
        ("fatal: unable to access 'x': SSL certificate problem: unable to get local issuer certificate", False),
        ("fatal: Server does not support shallow clients\nfatal: the remote end hung up unexpectedly", False),
    ],
)
def test_what_passes_by_itself_is_told_from_what_does_not(said, worth_it):
    assert is_transient(said) is worth_it


@pytest.mark.parametrize("name", ["acme/protected-apps", "acme/declined"])
def test_a_name_that_sounds_like_a_refusal_is_none(git_server, name):
    git_server.make_repo(name, FILES)
    url = RepoUrl.parse(git_server.url_of(name))
    with ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo:
        snapshot = repo.fetch("main")
        git_server.rewrite = lambda asked, body: body[:30] if "receive-pack" in asked else body
        assert repo.push(commit(repo, snapshot, {"z": b"1"}), "main", expected=snapshot.commit) is None


def test_a_port_that_looks_like_a_status_is_none():
    said = "fatal: unable to access 'http://127.0.0.1:40169/acme/x/': The requested URL returned error: 302"
    refused = push_error(RepoUrl.parse("http://127.0.0.1:40169/acme/x"), "main", said, credentials=None)
    assert "redirects elsewhere" in refused.message


def test_a_silent_server_is_waited_for_until_the_deadline(git_server, served):
    answered = threading.Event()
    git_server.boundary = answered.wait
    url, until = RepoUrl.parse(git_server.url_of("acme/config")), time.monotonic() + 1
    try:
        with (
            ConfigRepo(url, None, Console(), left=lambda: max(0.0, until - time.monotonic())) as repo,
            pytest.raises(GitError, match="git ls-remote did not finish before the deadline"),
        ):
            repo.refs()
        assert time.monotonic() < until + 20
    finally:
        answered.set()


def test_objects_that_git_refuses_are_named(git_server, served):
    raw = served.git("cat-file", "commit", "main").replace(" <", "<", 1) + "\n"
    bad = served.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=raw.encode())
    served.git("update-ref", "refs/heads/main", bad)
    url = RepoUrl.parse(git_server.url_of("acme/config"))
    with (
        ConfigRepo(url, GitCredentials("bot", Secret(git_server.token)), Console()) as repo,
        pytest.raises(GitError, match=f"refuses: object {bad}: missingSpaceBeforeEmail"),
    ):
        repo.fetch("main")


def test_a_connection_that_breaks_once_is_no_failure(git_server, opened, served):
    troubles = iter([True])

    def break_once():
        if next(troubles, False):
            raise ConnectionAbortedError

    git_server.boundary = break_once
    assert opened.fetch("main").commit == served.head()


def test_a_git_that_does_not_start_is_named_with_the_reason(tmp_path, monkeypatch):
    program = tmp_path / "git"
    program.write_bytes(b"no program\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        ConfigRepo(RepoUrl.parse(str(tmp_path)), None, Console()) as repo,
        pytest.raises(ProgramError, match=f"{program} cannot be started: Exec format error"),
    ):
        repo.refs()


def test_git_starts_for_what_is_asked_and_for_nothing_before(tmp_path):
    """Neither its version is asked for, nor does it make the empty repository."""
    make_repo(tmp_path / "config.git", FILES)
    program, log = tmp_path / "bin" / "git", tmp_path / "log"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >> {log}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    code = (
        "import sys; from gitops_ci.cli.console import Console; from gitops_ci.configrepo import ConfigRepo\n"
        "from gitops_ci.repourl import RepoUrl\n"
        "with ConfigRepo(RepoUrl.parse(sys.argv[1]), None, Console()) as repo: assert repo.fetch('main').read('z')"
    )
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([sys.executable, "-c", code, tmp_path / "config.git"], env=environment, check=True)
    assert log.read_text().split() == ["fetch", "cat-file"]
