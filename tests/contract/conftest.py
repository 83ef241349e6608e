"""The reader of documentation, who types every command of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import missing
from tests.support.documents import Block
from tests.support.forge_github import GitHubStub
from tests.support.forge_gitlab import GitLabStub
from tests.support.git_direct import directly
from tests.support.git_http import git_server
from tests.support.reader import Reader
from tests.support.services import Unavailable, program


@pytest.fixture
def reader(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Reader]]:
    """Makes the reader of a page's blocks; a registry and an Engine are started for the pages that push.

    Lines for which `elsewhere` is true are not typed.
    """
    with ExitStack() as stack:

        def make(page: list[Block], elsewhere: Callable[[str], bool] = lambda _: False) -> Reader:
            typed = "\n".join(
                command.line for block in page if block.language == "console" for command in block.commands
            )
            gitlab = "gitlab.com" in typed and "github.com" not in typed
            registries = {}
            if re.search(r"gitops-ci (release|image)", typed):
                # Pages push the same names: each one to a registry of its own.
                registries["ghcr.io"] = request.getfixturevalue("make_registry")().host
            environment = {}
            if re.search(r"\bdocker (build|pull|tag)\b", typed):
                environment |= {"DOCKER_HOST": request.getfixturevalue("engine"), "DOCKER_BUILDKIT": "0"}
                _docker_or_skip()
            server = stack.enter_context(git_server(tmp_path / "git", token="stub-token-0123"))
            server.anonymous_read = True
            stack.enter_context(directly(server))
            forge = (GitLabStub if gitlab else GitHubStub)(token=server.token)
            forge.OWNER, forge.NAME = "acme", "shop-config"
            forge.tip = lambda branch: server.repo("acme/shop-config").head(branch)
            stack.enter_context(forge)
            host = f"https://{'gitlab' if gitlab else 'github'}.com"
            return Reader(
                tmp_path,
                server,
                forge,
                host,
                registries,
                elsewhere,
                environment,
            )

        yield make


def _docker_or_skip() -> None:
    try:
        program("docker")
    except Unavailable as absent:
        missing(str(absent))
