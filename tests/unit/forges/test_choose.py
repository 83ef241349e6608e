"""Which kind of code host an address means, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gitops_ci.errors import UsageError
from gitops_ci.forges import FORGES, choose
from gitops_ci.forges.azure_devops import _places
from gitops_ci.model import ReviewedChange
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://github.com/acme/config", "github"),
        ("git@github.com:acme/config.git", "github"),
        ("https://github.acme.com/acme/config", "github"),
        ("https://acme.ghe.com/acme/config", "github"),
        ("https://gitlab.com/acme/platform/config", "gitlab"),
        ("ssh://git@gitlab.acme.com:2222/acme/config.git", "gitlab"),
        ("https://codeberg.org/acme/config", "gitea"),
        ("https://gitea.acme.com/acme/config", "gitea"),
        ("https://forgejo.acme.com/acme/config", "gitea"),
        ("https://bitbucket.org/acme/config", "bitbucket"),
        ("https://bitbucket.acme.com/scm/ACME/config.git", "bitbucket-dc"),
        ("https://stash.acme.com/scm/ACME/config.git", "bitbucket-dc"),
        ("https://dev.azure.com/acme/platform/_git/config", "azure-devops"),
        ("git@ssh.dev.azure.com:v3/acme/platform/config", "azure-devops"),
        ("https://acme.visualstudio.com/platform/_git/config", "azure-devops"),
        ("https://gerrit.acme.com/a/platform/config", "gerrit"),
        ("ssh://bot@gerrit.acme.com:29418/platform/config", "gerrit"),
        ("https://acme.googlesource.com/platform/config", "gerrit"),
        ("file:///srv/git/config.git", "git"),
        ("/srv/git/config.git", "git"),
        ("http://127.0.0.1:8080/acme/config.git", "git"),
        ("http://localhost/acme/config.git", "git"),
    ],
)
def test_the_host_tells_the_kind(address, kind):
    assert choose("auto", RepoUrl.parse(address), None).id == kind


@pytest.mark.parametrize(
    "address",
    [
        "https://git.acme.com/acme/config",
        "https://evil-github.com/a/b",
        "https://github-com.evil.io/a/b",
        "ssh://git@h/a",
    ],
)
def test_a_host_that_does_not_tell_its_kind_has_to_be_named(address):
    with pytest.raises(UsageError) as caught:
        choose("auto", RepoUrl.parse(address), None)
    assert "--forge: github, gitlab, gitea, bitbucket, bitbucket-dc, azure-devops, gerrit, git" in caught.value.hint


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080/acme/config.git", "file:///srv/git/config.git"])
def test_an_api_address_alone_does_not_tell_the_kind(address):
    with pytest.raises(UsageError, match="kind"):
        choose("auto", RepoUrl.parse(address), "http://127.0.0.1:9/api/v3")


@pytest.mark.parametrize("kind", FORGES)
def test_a_kind_that_is_named_wins(kind):
    assert choose(kind, RepoUrl.parse("https://github.com/acme/config"), None).id == kind


def test_an_unknown_kind_lists_the_known_and_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'gitlab'") as caught:
        choose("gitlub", RepoUrl.parse("https://github.com/acme/config"), None)
    assert "auto, github" in caught.value.hint


@pytest.mark.parametrize(
    "api",
    [
        "http://github.acme.com/api/v3",
        "http://127.0.0.1.evil.com/api",
        "http://127.evil.com/api",
        "ftp://github.acme.com",
        "github.acme.com",
        "https://",
        "https://user:pass@github.acme.com/api/v3",
        "https://token@github.acme.com/api/v3",
        "https://user:pass/word@github.acme.com/api/v3",
        "https://github.acme.com/api/v3?x=1",
        "https://github.acme.com/api v3",
        "https://github.acme.com/\napi",
        "https://[/api",
        "https://h:99999/api",
    ],
)
def test_an_api_address_that_is_unsafe_or_none_is_refused(api):
    with pytest.raises(UsageError) as caught:
        choose("github", RepoUrl.parse("https://github.acme.com/acme/config"), api)
    assert "pass" not in caught.value.message


@pytest.mark.parametrize(
    ("kind", "address", "base", "path"),
    [
        ("github", "https://github.com/acme/config.git", "https://api.github.com", "/repos/acme/config"),
        ("github", "git@github.com:acme/config.git", "https://api.github.com", "/repos/acme/config"),
        ("github", "https://acme.ghe.com/acme/config", "https://api.acme.ghe.com", "/repos/acme/config"),
        ("github", "ssh://git@github.acme.com:22/acme/config", "https://github.acme.com/api/v3", "/repos/acme/config"),
        ("github", "https://github.acme.com:8443/a/c", "https://github.acme.com:8443/api/v3", "/repos/a/c"),
        ("gitlab", "https://gitlab.com/a/b/c/config", "https://gitlab.com/api/v4", "/projects/a%2Fb%2Fc%2Fconfig"),
        ("gitea", "https://codeberg.org/acme/config", "https://codeberg.org/api/v1", "/repos/acme/config"),
        ("gitea", "https://acme.com/git/acme/config", "https://acme.com/git/api/v1", "/repos/acme/config"),
        (
            "bitbucket",
            "https://bitbucket.org/acme/config",
            "https://api.bitbucket.org/2.0",
            "/repositories/acme/config",
        ),
        (
            "bitbucket-dc",
            "https://acme.com/bitbucket/scm/ACME/config.git",
            "https://acme.com/bitbucket/rest",
            "/api/latest/projects/ACME/repos/config",
        ),
        (
            "bitbucket-dc",
            "ssh://git@bitbucket.acme.com:7999/~ada/config.git",
            "https://bitbucket.acme.com/rest",
            "/api/latest/projects/~ada/repos/config",
        ),
    ],
)
def test_the_api_lies_where_the_host_says(kind, address, base, path):
    forge = FORGES[kind].connect(RepoUrl.parse(address), None, None)
    assert (forge._api.http.base, forge._path) == (base, path)


def test_gitlab_below_a_path_of_its_host_leaves_that_path_out():
    url = RepoUrl.parse("https://acme.com/gitlab/acme/config.git")
    forge = FORGES["gitlab"].connect(url, None, "https://acme.com/gitlab/api/v4/")
    assert (forge._api.http.base, forge._path) == ("https://acme.com/gitlab/api/v4", "/projects/acme%2Fconfig")


@pytest.mark.parametrize(
    ("address", "places"),
    [
        ("https://dev.azure.com/acme/platform/_git/config", ("https://dev.azure.com", "acme", "platform", "config")),
        (
            "https://dev.azure.com/acme/My%20Project/_git/config",
            ("https://dev.azure.com", "acme", "My Project", "config"),
        ),
        ("https://dev.azure.com/acme/_git/config", ("https://dev.azure.com", "acme", "config", "config")),
        ("git@ssh.dev.azure.com:v3/acme/platform/config", ("https://dev.azure.com", "acme", "platform", "config")),
        ("https://acme.visualstudio.com/platform/_git/config", ("https://dev.azure.com", "acme", "platform", "config")),
        (
            "https://acme.visualstudio.com/DefaultCollection/platform/_git/config",
            ("https://dev.azure.com", "acme", "platform", "config"),
        ),
        ("https://acme.visualstudio.com/_git/config", ("https://dev.azure.com", "acme", "config", "config")),
        (
            "https://tfs.acme.com/tfs/Main/platform/_git/config",
            ("https://tfs.acme.com/tfs", "Main", "platform", "config"),
        ),
    ],
)
def test_azure_devops_is_found_in_every_clone_address(address, places):
    assert _places(RepoUrl.parse(address)) == places


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("github", "https://github.com/acme"),
        ("gitea", "https://codeberg.org/config"),
        ("bitbucket", "https://bitbucket.org/acme"),
        ("azure-devops", "https://dev.azure.com/acme/platform/config"),
        ("azure-devops", "git@ssh.dev.azure.com:v3/acme/config"),
        ("azure-devops", "https://acme.com/_git/config"),
    ],
)
def test_an_address_without_a_repository_is_a_usage_error(kind, address):
    with pytest.raises(UsageError, match="names no repository"):
        FORGES[kind].connect(RepoUrl.parse(address), None, None)


@pytest.mark.parametrize(
    ("kind", "token", "user", "password"),
    [
        ("github", "ghp_0123456789", "x-access-token", "ghp_0123456789"),
        ("gitlab", "glpat-0123456789", "oauth2", "glpat-0123456789"),
        ("gitlab", "glcbt-0123456789", "gitlab-ci-token", "glcbt-0123456789"),
        ("gitea", "0123456789", "gitops-ci", "0123456789"),
        ("bitbucket", "ATCTT0123456789", "x-token-auth", "ATCTT0123456789"),
        ("bitbucket", "ada@acme.com:ATATT0123456789", "x-bitbucket-api-token-auth", "ATATT0123456789"),
        ("bitbucket-dc", "BBDC-0123456789", "", "BBDC-0123456789"),
        ("azure-devops", "eyJ0eXAi.eyJh.c2ln", "", "eyJ0eXAi.eyJh.c2ln"),
        ("azure-devops", "pat0123456789", "gitops-ci", "pat0123456789"),
        ("gerrit", "bot:pass:word0123456789", "bot", "pass:word0123456789"),
        ("gerrit", "0123456789", "git", "0123456789"),
    ],
)
def test_git_signs_in_as_the_host_wants_it(kind, token, user, password):
    assert FORGES[kind].git_sign_in(Secret(token)) == (user, Secret(password))


@pytest.mark.parametrize(
    ("address", "api_url", "page"),
    [
        ("https://gerrit.acme.com/a/platform/config", None, "https://gerrit.acme.com/c/platform/config/+/7"),
        ("https://gerrit.acme.com/platform/config", None, "https://gerrit.acme.com/c/platform/config/+/7"),
        ("https://acme.com/review/a/config", None, "https://acme.com/review/c/config/+/7"),
        ("ssh://bot@gerrit.acme.com:29418/config", None, ""),
        ("ssh://bot@gerrit.acme.com:29418/config", "https://acme.com/review", "https://acme.com/review/c/config/+/7"),
    ],
)
def test_the_page_of_a_change_on_gerrit(address, api_url, page):
    change = ReviewedChange(7, 1, "0" * 40, "I" + "0" * 40, "open", "gitops-ci/all/x", "Bump x")
    host = (
        FORGES["gerrit"].connect(RepoUrl.parse(address), None, api_url).over(SimpleNamespace(latest=lambda _: change))
    )
    assert host.find_open(head="gitops-ci/all/x", base="main").url == page
