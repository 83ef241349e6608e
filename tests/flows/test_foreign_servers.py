"""What answers at the repository's address is something else, or has a certificate of an authority of one's own."""

import ssl
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gitops_ci.cli.console import Console
from gitops_ci.configrepo import ConfigRepo
from gitops_ci.errors import ForgeError, GitError
from gitops_ci.forges import FORGES
from gitops_ci.repourl import RepoUrl
from gitops_ci.secret import Secret
from tests.support import missing
from tests.support.http_server import in_background
from tests.support.services import Unavailable, make_certificate

SIGN_IN = b"<!DOCTYPE html><html><title>Sign in</title></html>"


@contextmanager
def answering(page: bytes, folder=None):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if folder:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with in_background(server):
        yield f"{'https' if folder else 'http'}://127.0.0.1:{server.server_address[1]}/acme/config"


def branches(url):
    with ConfigRepo(RepoUrl.parse(url), None, Console()) as repo:
        return repo.branches()


@pytest.fixture
def certificates(tmp_path):
    try:
        make_certificate(tmp_path)
    except Unavailable as absent:
        missing(str(absent))
    return tmp_path


@pytest.mark.parametrize("page", [SIGN_IN, SIGN_IN.replace(b"><", b">\n<"), b""])
def test_a_sign_in_page_is_no_empty_repository(page):
    """Git takes a page without a line break for a repository without branches."""
    with answering(page) as url, pytest.raises(GitError, match="is not answered by a Git server") as caught:
        branches(url)
    assert "GITOPS_CI_TOKEN" in caught.value.hint


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "CI_SERVER_TLS_CA_FILE"])
def test_one_setting_of_authorities_is_for_git_and_for_the_api(certificates, monkeypatch, variable):
    for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    with answering(SIGN_IN, certificates) as url:
        repository = RepoUrl.parse(url)

        def ask_api():
            FORGES["gitlab"].connect(repository, Secret("token-of-mine"), None).default_branch()

        with pytest.raises(GitError, match="is not trusted") as caught:
            branches(url)
        assert "SSL_CERT_FILE" in caught.value.hint
        with pytest.raises(ForgeError, match="TLS with"):
            ask_api()
        monkeypatch.setenv("CI_SERVER_URL", "https://127.0.0.1")
        monkeypatch.setenv(variable, str(certificates / "ca.pem"))
        with pytest.raises(GitError, match="is not answered by a Git server"):
            branches(url)
        with pytest.raises(ForgeError, match="where JSON was expected"):
            ask_api()
        if variable == "CI_SERVER_TLS_CA_FILE":  # it vouches for GitLab's own host only
            monkeypatch.setenv("CI_SERVER_URL", "https://gitlab.example")
            with pytest.raises(GitError, match="is not trusted"):
                branches(url)


def test_a_host_that_does_not_know_who_asks_is_told_of_the_missing_token():
    from gitops_ci.forges.tokens import refused

    assert refused(None, "github").startswith("No token is set. Set GITOPS_CI_TOKEN")
    assert refused(Secret("ghp_0123456789"), "github").startswith("The token is wrong, has expired")
