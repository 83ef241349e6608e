"""Names and addresses from outside are never read by git as options, other protocols or other refs."""

import itertools

import pytest

from tests.flows.test_bump import FILES, IMAGE
from tests.support.git_repo import make_repo

# %s is a file that a command would make if it ran.
OPTIONS = [
    "--upload-pack=touch %s",
    "--receive-pack=touch %s",
    "--upl=touch %s",
    "-u touch${IFS}%s",
    "-ctouch %s",
    "--exec=touch %s",
    "--output=%s",
    "--template=%s",
    "-",
    "--",
    "--end-of-options",
    "-otouch",
]
NO_REFS = [
    *("main..other", "main@{1}", "@{-1}", "@", "main~1", "main^", "main^{tree}", "ma in", "ma:in", "ma?in", "ma*in"),
    *(
        "ma[in",
        "ma\\in",
        "main.lock",
        "a.lock/b",
        "main.",
        ".main",
        "a/.b",
        "/main",
        "main/",
        "a//b",
        "ma\nin",
        "ma\tin",
    ),
    *("ma\x7fin", "ma\x01in", "refs/heads/..", "$(touch %s)\x0b", "; touch %s", "| touch %s", "x" * 300),
]
ADDRESSES = [
    "ext::sh -c 'touch %s'",
    "ext::sh -c touch% %s",
    "EXT::touch %s",
    "fd::17/x",
    "transport::address",
    "git://127.0.0.1/acme/config",
    "ftp://127.0.0.1/acme/config",
    "http://example.com/acme/config",
    "-oProxyCommand=touch %s",
    "--upload-pack=touch %s",
    "ssh://-oProxyCommand=touch%%20%s/acme/config",
    "ssh://-x/acme/config",
    "-oProxyCommand=touch${IFS}%s:acme/config",
    "git@-oProxyCommand=x:acme/config",
    "git@host:-oX",
    "https://-host/acme/config",
    "https://host/-acme/config",
    "https://host\r\nHost: evil/acme/config",
    "https://host/acme\nconfig",
    "https://host/acme\0config",
    "https://user:word@host/acme/config",
    "https://host/acme/config?x=1",
    "https://host/acme/config#x",
    "",
]


@pytest.fixture
def repo(tmp_path):
    return make_repo(tmp_path / "config.git", FILES)


def written(text, marker):
    return text.replace("%s", str(marker)).replace("%%", "%")


@pytest.mark.parametrize("option", ["--base", "--environment"])
@pytest.mark.parametrize("mode", ["pull-request", "push"])
def test_a_name_that_is_no_branch_is_refused_before_any_git_is_started(run, repo, tmp_path, git_log, option, mode):
    marker = tmp_path / "ran"
    # An environment is one part of a branch's name: `gitops-ci/@/...` is a fine one.
    names = [*OPTIONS, *NO_REFS] if option == "--base" else [n for n in NO_REFS if n not in {"@", "main."}]
    for name in (written(name, marker) for name in names):
        ran = run("bump", IMAGE, "--config-repo", repo.path, "--forge", "git", "--mode", mode, f"{option}={name}")
        assert ran.code == 2, (name, ran)
        assert git_log.read_text().replace("version\n", "") == "", name
        assert not marker.exists(), name


@pytest.mark.parametrize("name", [name for name in OPTIONS if name.strip("-") not in {"", "end-of-options"}])
def test_an_environment_named_like_an_option_is_only_a_name(run, repo, tmp_path, git_log, name):
    marker = tmp_path / "ran"
    name = written(name, marker)
    run("bump", IMAGE, "--config-repo", repo.path, "--forge", "git", f"--environment={name}")
    assert not marker.exists()
    assert all(not word.startswith(name) for line in git_log.read_text().splitlines() for word in line.split(" "))


@pytest.mark.parametrize("name", OPTIONS)
def test_a_base_branch_from_the_repositorys_own_file_is_never_an_option(run, tmp_path, git_log, name):
    marker = tmp_path / "ran"
    own = {".gitops-ci.yaml": f"environments:\n  live:\n    base: '{written(name, marker)}'\n"}
    repo = make_repo(tmp_path / "own.git", {**FILES, **own})
    ran = run("bump", IMAGE, "--config-repo", repo.path, "--forge", "git", "--environment", "live")
    assert ran.code == 2, ran
    assert not marker.exists()
    assert "fetch" not in git_log.read_text().replace("fetch --quiet --no-tags --no-write-fetch-head --depth=1 --", "")
    assert repo.branches() == ["main"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_no_repository_is_refused_before_any_git_is_started(run, tmp_path, git_log, address):
    marker = tmp_path / "ran"
    where = written(address, marker)
    given = (f"--config-repo={where}",) if "\0" not in where else ("--config-repo", where)
    ran = run("bump", IMAGE, *given)
    assert ran.code == 2, ran
    assert git_log.read_text().replace("version\n", "") == ""
    assert not marker.exists()


def test_an_address_from_a_variable_or_a_file_is_checked_alike(run, tmp_path, git_log):
    for address in ADDRESSES[:6]:
        where = written(address, tmp_path / "ran")
        assert run("bump", IMAGE, environment={"GITOPS_CI_CONFIG_REPO": where}).code == 2
        (tmp_path / ".gitops-ci.yaml").write_text(f'config-repo: "{where}"\n')
        assert run("bump", IMAGE).code == 2
        (tmp_path / ".gitops-ci.yaml").unlink()
    assert git_log.read_text().replace("version\n", "") == ""
    assert not (tmp_path / "ran").exists()


def test_an_image_that_could_be_an_option_or_a_path_is_refused(run, repo, tmp_path, git_log):
    starts, ends = ("--upload-pack=", "-", "../", "/", ";", "$(touch x)"), (":1", "x:1", "a/b:1")
    for image in map("".join, itertools.product(starts, ends)):
        ran = run("bump", "--config-repo", repo.path, "--forge", "git", "--", image)
        assert ran.code == 2, (image, ran)
    assert git_log.read_text().replace("version\n", "") == ""
