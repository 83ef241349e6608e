"""A config repository over HTTP, its code host, and the program: for flows in which hosts must not differ."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.support.forge_hosts import hosting
from tests.support.git_http import GitServer

__all__ = ["PLACES", "World", "world_on"]

# Where the files of `tests.flows.test_bump` name the image, and what is around its version there.
PLACES = {
    "base": ("base/deployment.yaml", 'ghcr.io/acme/shop:{}"'),
    "production": ("overlays/production/kustomization.yaml", 'newTag: "{}"'),
    "staging": ("overlays/staging/kustomization.yaml", 'newTag: "{}"'),
}


class World:
    """A config repository, its code host (None: plain Git), and the program."""

    def __init__(self, run, git_server, files, stub, forge):
        path = stub.path if stub else "acme/config"
        self.repo = git_server.make_repo(path, files)
        self.stub = stub
        where = ["--config-repo", git_server.url_of(path), "--forge", forge]
        where += ["--api-url", stub.api_url] if stub else []
        self.where = where
        variables = {"GITOPS_CI_TOKEN": git_server.token}
        self.refresh = lambda *more: run("refresh", *more, *where, "--output", "json", environment=variables)
        self.bump = lambda version, *more, image="ghcr.io/acme/shop": run(
            "bump", f"{image}:{version}", *more, *where, "--output", "json", environment=variables
        )

    def heads(self):
        return [branch for branch in self.repo.branches() if branch != "main"]

    def proposed(self):
        """What each open proposal would change, as `all 1.5.0` or place by place."""
        open_heads = [p.head for p in self.stub.pulls if p.status == "open"] if self.stub else self.heads()
        assert len(open_heads) == len(set(open_heads)), "two pull requests of one branch"
        return sorted(filter(None, map(self._difference, open_heads)))

    def _difference(self, head):
        texts = {place: self.repo.read(path, head).decode() for place, (path, _) in PLACES.items()}
        if all(self.repo.read(path, "main").decode() == texts[place] for place, (path, _) in PLACES.items()):
            return ""
        found = {}
        for place, (path, marker) in PLACES.items():
            before, after = marker.split("{}")
            if texts[place] != self.repo.read(path, "main").decode():
                found[place] = texts[place].partition(before)[2].partition(after)[0]
        if len(found) == len(PLACES) and len(set(found.values())) == 1:
            return f"all {found['base']}"
        return ", ".join(f"{place} {version}" for place, version in found.items())

    def saved(self):
        refs = self.repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(ref.split() for ref in refs), copy.deepcopy(self.stub.pulls) if self.stub else []

    def restore(self, saved):
        refs, pulls = saved
        for ref in set(self.saved()[0]) - set(refs):
            self.repo.git("update-ref", "-d", ref)
        for ref, commit in refs.items():
            self.repo.git("update-ref", ref, commit)
        if self.stub:
            self.stub.pulls[:] = copy.deepcopy(pulls)


@contextmanager
def world_on(name: str, run: Callable[..., Any], git_server: GitServer, files: Mapping[str, str]) -> Iterator[World]:
    """The world with the stub code host of this name, or without one (`git`)."""
    if name == "git":
        yield World(run, git_server, files, None, "git")
        return

    def tip(branch: str) -> str:
        repo = git_server.repo(host.stub.path)
        return repo.head(branch) if branch in repo.branches() else "1" * 40

    def has(branch: str) -> bool:
        return branch in git_server.repo(host.stub.path).branches()

    with hosting(name, has, token=git_server.token) as host:
        host.stub.tip = tip
        yield World(run, git_server, files, host.stub, host.kind.forge)
