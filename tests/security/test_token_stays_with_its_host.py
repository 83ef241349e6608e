"""A token goes to the host that it is for, whatever that host or the CI says."""

import pytest

from tests.flows.test_bump import IMAGE
from tests.support.git_http import git_server as serve

FILES = {"values.yaml": "image: ghcr.io/acme/shop:1.4.1\n"}
# The paths of addresses that each kind of host has; what the API is asked for, another host answers.
ADDRESSES = {
    "github": "acme/config",
    "gitlab": "acme/config",
    "gitea": "acme/config",
    "bitbucket": "acme/config",
    "bitbucket-dc": "scm/acme/config",
    "azure-devops": "org/project/_git/config",
}


@pytest.fixture
def elsewhere(tmp_path):
    """Another host, which would take the same token."""
    with serve(tmp_path / "elsewhere") as server:
        server.make_repo("acme/config", FILES)
        yield server


@pytest.mark.parametrize("mode", ["push", "pull-request"])
def test_a_repository_that_redirects_elsewhere_is_not_followed(run, git_server, elsewhere, mode):
    git_server.redirect_to = elsewhere.url
    where = ("--config-repo", git_server.url_of("acme/config"), "--forge", "git")
    ran = run("bump", IMAGE, *where, "--mode", mode, environment={"GITOPS_CI_TOKEN": git_server.token})
    assert ran.code == 5
    assert "redirects elsewhere" in ran.out + ran.err
    assert git_server.authorizations
    assert elsewhere.requests == []


@pytest.mark.parametrize("forge", ADDRESSES)
def test_an_api_that_redirects_elsewhere_is_not_followed(run, git_server, elsewhere, tmp_path, forge):
    git_server.make_repo(ADDRESSES[forge], FILES)
    with serve(tmp_path / "api") as api:
        api.redirect_to = elsewhere.url
        where = ("--config-repo", git_server.url_of(ADDRESSES[forge]), "--forge", forge, "--api-url", api.url)
        ran = run("bump", IMAGE, *where, environment={"GITOPS_CI_TOKEN": git_server.token})
        assert api.requests
    assert ran.code == 6, ran
    assert elsewhere.requests == []


@pytest.mark.parametrize(("server", "name"), [("GITHUB_SERVER_URL", "GITHUB_TOKEN"), ("CI_SERVER_URL", "GITLAB_TOKEN")])
@pytest.mark.parametrize("forge", ["github", "gitlab", "gitea"])
def test_the_providers_token_is_for_the_providers_host_alone(run, git_server, forge, server, name):
    git_server.make_repo("acme/config", FILES)
    where = ("--config-repo", git_server.url_of("acme/config"), "--forge", forge, "--api-url", git_server.url)
    ran = run("bump", IMAGE, *where, environment={name: git_server.token, server: "https://ci.example.com"})
    assert ran.code == 5, ran
    assert "requires authentication" in ran.out + ran.err
    assert git_server.authorizations == []
    # The same variable, on the provider's own host, is taken.
    own = run("bump", IMAGE, *where, "--mode", "push", environment={name: git_server.token, server: git_server.url})
    assert own.code == (0 if name.startswith(forge.upper()) else 5), own
