"""Every test runs in an empty home, without variables of a CI system, and reaches nothing but loopback.

Fixtures here are real parts: a Docker Engine, container registries, a Git server over HTTP.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import UNDER_CI, corpus, effort, missing, order
from tests.support.forge_hosts import FORKED, KINDS
from tests.support.git_http import GitServer
from tests.support.git_http import git_server as serve_git
from tests.support.images import images_for_tests
from tests.support.once import folder_of_run
from tests.support.services import Registry, Unavailable, shared_engine
from tests.support.services import registry as start_registry

effort.load_profile()


def pytest_configure() -> None:
    # A shell ignores it for what it starts in the background, and so would every program that a test interrupts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


# What a CI system, a developer's shell or a proxy would tell the program: a test says such things itself.
_FOREIGN = re.compile(
    r"CI|(?:CI|GITHUB|GITLAB|GITEA|FORGEJO|BITBUCKET|BUILD|SYSTEM|AGENT|TF|JENKINS|GIT|GITOPS_CI|DOCKER|RUNNER|ACTIONS"
    r"|REGISTRY_AUTH|XDG|KUBE|HELM|REQUESTS|SSH|AZURE|CIRCLE|DRONE|WOODPECKER"
    r"|CONTAINER)_.*|(?:HTTPS?|NO|ALL)_PROXY|CHANGE_.*"
    r"|JOB_NAME|TAG_NAME|BRANCH_NAME|KUBECONFIG|GITHUB|NO_COLOR|FORCE_COLOR|CLICOLOR.*|COLUMNS|LINES|TERM|EMAIL",
    re.IGNORECASE,
)


_homes = itertools.count()


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No variable of the machine reaches a test; its home is the folder this fixture returns."""
    for name in list(os.environ):
        if _FOREIGN.fullmatch(name):
            monkeypatch.delenv(name)
    # A number of its own: `mktemp` reads the whole folder to find the next one, and a worker has thousands of homes.
    home = tmp_path_factory.getbasetemp() / f"home{next(_homes)}"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")
    return home


@pytest.fixture(autouse=True)
def no_secrets_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are known to a process; one test's secret must not be masked in another test's text."""
    monkeypatch.setattr("gitops_ci.secret._spellings", {})


@pytest.fixture
def no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """No deadline is as long as the pause before a second try: for tests of what happens when the last one failed."""
    monkeypatch.setattr("gitops_ci.http.waiting.uniform", lambda *_: 1e9)
    monkeypatch.setattr("gitops_ci.configrepo.repository._PAUSES", (1e9,))


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """This process connects to loopback only and resolves no name but localhost."""
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def checked_connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
            raise PermissionError(f"a test reached for {address[0]}: only loopback is allowed")
        connect(self, address)

    def checked_resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_address(host) and not _is_loopback(host):
            raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {host}")
        return resolve(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", checked_connect)
        patch.setattr(socket, "getaddrinfo", checked_resolve)
        yield


def _is_address(host: Any) -> bool:
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True


def _is_loopback(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return name in {None, "", "localhost"} or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Docker Engine, one for all workers."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(shared_engine(folder_of_run(tmp_path_factory)))
        except Unavailable as absent:
            missing(str(absent))
        yield url


@pytest.fixture(scope="session")
def make_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Registry]]:
    """Start a real registry: `make_registry(users={"bot": "word"}, tls=True, read_only=True)`; it runs to the end."""
    with ExitStack() as stack:

        def make(**options: Any) -> Registry:
            try:
                return stack.enter_context(start_registry(tmp_path_factory.mktemp("registry"), **options))
            except Unavailable as absent:
                missing(str(absent))

        yield make


@pytest.fixture(scope="session")
def open_registry(make_registry: Callable[..., Registry]) -> Registry:
    """A real registry that asks for no sign-in."""
    return make_registry()


@pytest.fixture(scope="session")
def registry(open_registry: Registry) -> str:
    """`127.0.0.1:port` of a real registry that asks for no sign-in."""
    return open_registry.host


@pytest.fixture(scope="session")
def make_image(engine: str) -> Iterator[Callable[..., str]]:
    """Build an image FROM scratch through the Engine: `make_image("shop:build", {"app": b"1"})` gives its id."""
    with images_for_tests(engine) as make:
        yield make


@pytest.fixture(scope="session")
def built_image(make_image: Callable[..., str]) -> str:
    """The name of an image that was just built, in the Engine."""
    # Workers share the Engine, and each removes in the end what it built.
    name = f"gitops-ci-tests/shop:build{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    make_image(name)
    return name


@pytest.fixture
def git_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    """A real Git server over HTTP with nothing on it; `git_server.make_repo("acme/shop-config", files)` adds."""
    with serve_git(tmp_path_factory.mktemp("git-server")) as server:
        yield server


_LEFT_OUT = pytest.StashKey[int]()
_LEFT_TO_SOAK = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what `make soak` runs, leave out tests over repositories that are not here, and put slow files first."""
    lacking = set() if corpus.is_here() else {"corpus"}
    to_soak = set() if effort.SOAKING else {"only_soak"}
    here: list[pytest.Item] = []
    left_out = left_to_soak = 0
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}  # once: every worker does this for each of 12,000 tests
        is_invented = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if is_invented or marks & {"every_host", "only_soak"}:
            item.add_marker("soak")
        if marks & to_soak or ("every_host" in marks and not _runs_on_its_host(item)):
            left_to_soak += 1
        elif marks & lacking:
            left_out += 1
        else:
            here.append(item)
    config.stash[_LEFT_TO_SOAK], config.stash[_LEFT_OUT] = left_to_soak, left_out
    items[:] = sorted(here, key=lambda item: order.place(item.nodeid))


def _runs_on_its_host(item: pytest.Item) -> bool:
    """False for a test marked `every_host` on a code host that is left to `make soak`."""
    if not (callspec := getattr(item, "callspec", None)):
        return True
    [host] = [value for value in callspec.params.values() if str(value).partition("/")[0] in {*KINDS, "git", "gerrit"}]
    rest = [*(name for name in KINDS if name != "github"), "gerrit", *(f"{name}/fork" for name in FORKED)]
    return host == "git" or host in effort.hosts_of(item.nodeid.replace(host, ""), "github", rest)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # a worker of pytest-xdist: what it counted goes to the one that prints
        session.config.workeroutput["left out"] = session.config.stash.get(_LEFT_OUT, 0)
        session.config.workeroutput["left to soak"] = session.config.stash.get(_LEFT_TO_SOAK, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left out", 0)
    node.config.stash[_LEFT_TO_SOAK] = getattr(node, "workeroutput", {}).get("left to soak", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if count := config.stash.get(_LEFT_TO_SOAK, 0):
        terminalreporter.write_line(f"{count} tests, most of them on further code hosts, are left to `make soak`")
    if count := config.stash.get(_LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{count} tests left out: the repositories that they read are not beside the checkout"
        )
        terminalreporter.stats["left out"] = [SimpleNamespace()] * count  # counted in pytest's last line


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Under CI=true every part must be there: what would be skipped elsewhere fails."""
    return _failed_under_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return _failed_under_ci((yield))


def _failed_under_ci(report: Any) -> Any:
    if UNDER_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"{reason} (a skip under CI=true is a failure)"
    return report
