import pytest

from gitops_ci.errors import UsageError
from gitops_ci.forges import choose
from gitops_ci.repourl import RepoUrl


@pytest.mark.parametrize(
    ("text", "scheme", "host", "path", "owner", "name"),
    [
        ("https://github.com/acme/shop-config", "https", "github.com", "acme/shop-config", "acme", "shop-config"),
        ("https://github.com/acme/shop-config.git/", "https", "github.com", "acme/shop-config", "acme", "shop-config"),
        ("https://GitLab.example:8443/a/b/c.git", "https", "gitlab.example", "a/b/c", "a/b", "c"),
        ("git@github.com:acme/shop.git", "ssh", "github.com", "acme/shop", "acme", "shop"),
        ("ssh://git@host:7999/proj/repo.git", "ssh", "host", "proj/repo", "proj", "repo"),
        ("http://127.0.0.1:8080/acme/shop", "http", "127.0.0.1", "acme/shop", "acme", "shop"),
        ("file:///srv/git/shop.git", "file", "", "srv/git/shop.git", "srv/git", "shop.git"),
    ],
)
def test_addresses_are_read(text, scheme, host, path, owner, name):
    url = RepoUrl.parse(text)
    assert (url.scheme, url.host, url.path, url.owner, url.name) == (scheme, host, path, owner, name)
    assert url.text == text


def test_a_scheme_is_given_to_git_as_git_knows_it():
    assert RepoUrl.parse("HTTPS://GitHub.com/acme/shop").text == "https://GitHub.com/acme/shop"


def test_a_local_path_is_a_file_address(tmp_path):
    url = RepoUrl.parse(str(tmp_path))
    assert (url.scheme, url.text) == ("file", str(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-oProxyCommand=touch x",
        "--upload-pack=touch x",
        "ext::sh -c touch% x",
        "fd::17",
        "git://host/x",
        "ftp://host/x",
        "http://example.com/acme/shop",
        "https://user:secret@host/x",
        "https://token@host/x",
        "ssh://-oProxyCommand=x/y",
        "git@-oProxyCommand=x:y",
        "git@host:-x",
        "https://host/\nx",
        "https://host",
        "https://host/a/b?token=secret",
        "https://x:sec/secret@host/a/b",
        "https:///x",
        "https://host:notaport/x",
        "javascript://x/y",
    ],
)
def test_what_is_no_safe_address_is_refused(text):
    with pytest.raises(UsageError) as refused:
        RepoUrl.parse(text)
    assert "secret" not in refused.value.message


def test_azures_own_clone_address_is_taken():
    url = RepoUrl.parse("https://acme@dev.azure.com/acme/shop/_git/config")
    assert url.text == "https://dev.azure.com/acme/shop/_git/config"


def test_bitbuckets_own_clone_address_is_taken():
    url = RepoUrl.parse("https://jane@bitbucket.org/acme/config.git")
    assert (url.text, url.path) == ("https://bitbucket.org/acme/config.git", "acme/config")
    with pytest.raises(UsageError, match="contains credentials"):
        RepoUrl.parse("https://jane:secret@bitbucket.org/acme/config.git")


@pytest.mark.parametrize("host", ["dev.azure.com/acme", "acme.visualstudio.com"])
def test_a_blank_in_an_azure_project_is_spelled_as_git_takes_it(host):
    url = RepoUrl.parse(f"https://{host}/My Project/_git/config")
    assert url.text == f"https://{host}/My%20Project/_git/config"


@pytest.mark.parametrize(
    ("text", "kind", "api"),
    [
        ("ssh://git@ssh.github.com:443/acme/config.git", "github", "https://api.github.com"),
        ("ssh://git@altssh.gitlab.com:443/acme/config.git", "gitlab", "https://gitlab.com/api/v4"),
        ("ssh://git@altssh.bitbucket.org:443/acme/config.git", "bitbucket", "https://api.bitbucket.org/2.0"),
    ],
)
def test_ssh_over_port_443_is_of_the_same_host(text, kind, api):
    url = RepoUrl.parse(text)
    found = choose("auto", url, None)
    assert (found.id, found.connect(url, None, None)._api.http.base, url.text) == (kind, api, text)


@pytest.mark.parametrize(
    ("page", "clone"),
    [
        ("https://github.com/acme/config/tree/main", "https://github.com/acme/config"),
        ("https://github.com/acme/config/pull/7", "https://github.com/acme/config"),
        ("https://gitlab.com/acme/platform/config/-/tree/main", "https://gitlab.com/acme/platform/config"),
        ("https://git.corp.example/acme/config/-/merge_requests/7", "https://git.corp.example/acme/config"),
        ("https://bitbucket.org/acme/config/src/main/", "https://bitbucket.org/acme/config"),
        ("https://bitbucket.corp/x/projects/ACME/repos/config/browse", "https://bitbucket.corp/x/scm/ACME/config.git"),
    ],
)
def test_a_page_of_a_repository_is_told_with_the_address_to_clone(page, clone):
    with pytest.raises(UsageError, match="is a page of the repository") as caught:
        RepoUrl.parse(page)
    assert caught.value.hint == f"Give {clone}"
    assert RepoUrl.parse(clone).text == clone


@pytest.mark.parametrize(
    "text", ["https://gitlab.com/acme/tree/main", "https://github.com/acme/tree", "https://git.corp/acme/tree/src"]
)
def test_a_repository_with_the_name_of_a_page_is_one(text):
    assert RepoUrl.parse(text).text == text
