"""A config repository over HTTP, its code host, and the program: for flows in which hosts must not differ."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.support.forge_hosts import hosting
from tests.support.gerrit import Gerrit
from tests.support.git_http import GitServer
from tests.support.git_repo import commit_files

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
        self.head_repo = self.repo  # where the branches of pull requests are
        self.stub, self.kind = stub, forge
        where = ["--config-repo", git_server.url_of(path), "--forge", forge]
        where += ["--api-url", stub.api_url] if stub else []
        self.where = where
        variables = {"GITOPS_CI_TOKEN": f"bot:{git_server.token}" if forge == "gerrit" else git_server.token}
        self.refresh = lambda *more: run("refresh", *more, *where, "--output", "json", environment=variables)
        self.call = lambda *words: run(*words, *where, "--output", "json", environment=variables)
        self.bump = lambda version, *more, image="ghcr.io/acme/shop": run(
            "bump", f"{image}:{version}", *more, *where, "--output", "json", environment=variables
        )

    def close(self):
        """A person closes the one pull request; on plain Git a person deletes its branch."""
        if self.stub:
            self.stub.pulls[0].status = "closed"
        else:
            self.head_repo.git("update-ref", "-d", f"refs/heads/{self.heads()[0]}")

    def merge(self):
        """A person merges the one pull request by a squash and keeps its branch."""
        [head] = self.heads()
        commit_files(self.repo, {path: data for path, data in self.files_of(head).items() if path != "README.md"})
        if self.stub:
            self.stub.pulls[0].status = "merged"

    def files_of(self, head):
        return self.repo.files(head)

    def heads(self):
        return [branch for branch in self.repo.branches() if branch != "main"]

    def proposed(self):
        """What each open proposal would change, as `all 1.5.0` or place by place."""
        open_heads = [p.head for p in self.stub.pulls if p.status == "open"] if self.stub else self.heads()
        assert len(open_heads) == len(set(open_heads)), "two pull requests of one branch"
        on_main = self._texts("main") if open_heads else {}
        return sorted(filter(None, (_difference(on_main, self._texts(head)) for head in open_heads)))

    def _texts(self, branch):
        texts = self.repo.read_each([f"{branch}:{path}" for path, _ in PLACES.values()])
        return {place: text.decode() for place, text in zip(PLACES, texts, strict=True)}

    def saved(self):
        return _refs(self.repo), copy.deepcopy(self.stub.pulls) if self.stub else []

    def restore(self, saved):
        refs, pulls = saved
        _restore(self.repo, refs)
        if self.stub:
            self.stub.pulls[:] = copy.deepcopy(pulls)


class ForkWorld(World):
    """The same, where the account may not push to the repository: the branches are in its fork."""

    FORK = "bot/config"

    def __init__(self, run, git_server, files, stub, forge):
        super().__init__(run, git_server, files, stub, forge)
        self.repo.hook("update", "#!/bin/sh\necho 'You are not allowed to push code to this project.' >&2\nexit 1\n")
        self.head_repo = fork_of(git_server, self.repo, self.FORK)
        if stub:
            stub.fork, stub.fork_tip = self.FORK, lambda branch: self.head_repo.tips().get(branch, "")
        self.where += ["--fork", "bot"]

    def heads(self):
        return [branch for branch in self.head_repo.branches() if branch != "main"]

    def files_of(self, head):
        return self.head_repo.files(head)

    def _texts(self, branch):
        repo = self.repo if branch == "main" else self.head_repo
        texts = repo.read_each([f"{branch}:{path}" for path, _ in PLACES.values()])
        return {place: text.decode() for place, text in zip(PLACES, texts, strict=True)}

    def saved(self):
        return super().saved(), _refs(self.head_repo)

    def restore(self, saved):
        super().restore(saved[0])
        _restore(self.head_repo, saved[1])


def fork_of(git_server, repo, name):
    """A fork of a repository, as it is now."""
    path = git_server.root / f"{name}.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", "--no-local", str(repo.path), str(path)], check=True)
    (path / "config").write_text((repo.path / "config").read_text())
    return git_server.repo(name)


class GerritWorld(World):
    """The same on Gerrit, where changes take the place of branches and of pull requests."""

    def __init__(self, run, git_server, files):
        super().__init__(run, git_server, files, None, "gerrit")
        # A push of the change itself, with --mode push, needs the right to push.
        self.gerrit = Gerrit(self.repo, may_push=True)

    def close(self):
        self.gerrit.abandon(self._last()["number"])

    def merge(self):
        self.gerrit.submit(self._last()["number"])

    def _last(self):
        return self.gerrit.changes()[-1]

    def heads(self):
        """The current commits of all changes."""
        return [change["current"] for change in self.gerrit.changes()]

    def proposed(self):
        changes = self.gerrit.open()
        keys = [(change["key"], change["branch"]) for change in changes]
        assert len(set(keys)) == len({change["topic"] for change in changes}) == len(keys), "two changes of one head"
        on_main = self._texts("main")
        return sorted(filter(None, (_difference(on_main, self._texts(change["current"])) for change in changes)))


def _refs(repo):
    listed = repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(ref.split() for ref in listed)


def _restore(repo, refs):
    now = _refs(repo)
    lines = [f"delete {ref}" for ref in now.keys() - refs] + [f"update {ref} {refs[ref]}" for ref in refs]
    repo.git("update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())


def _difference(before, after):
    """What differs, as `all 1.5.0` or place by place."""
    found = {}
    for place, (_, marker) in PLACES.items():
        left, right = marker.split("{}")
        if after[place] != before[place]:
            found[place] = after[place].partition(left)[2].partition(right)[0]
    if len(found) == len(PLACES) and len(set(found.values())) == 1:
        return f"all {found['base']}"
    return ", ".join(f"{place} {version}" for place, version in found.items())


@contextmanager
def world_on(name: str, run: Callable[..., Any], git_server: GitServer, files: Mapping[str, str]) -> Iterator[World]:
    """The world with the stub code host of this name, or without one (`git`); `NAME/fork` is one with a fork."""
    name, _, fork = name.partition("/")
    world = ForkWorld if fork else World
    if name == "gerrit":
        yield GerritWorld(run, git_server, files)
        return
    if name == "git":
        yield world(run, git_server, files, None, "git")
        return

    def tip(branch: str) -> str:
        return git_server.repo(host.stub.path).tips().get(branch, "1" * 40)

    def has(branch: str) -> bool:
        return branch in git_server.repo(host.stub.path).tips()

    with hosting(name, has, token=git_server.token) as host:
        host.stub.tip = tip
        yield world(run, git_server, files, host.stub, host.kind.forge)
