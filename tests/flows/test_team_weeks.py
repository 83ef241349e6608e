"""Weeks of a team's life, invented: what Git and the host hold after every step is what a model of the rules says.

Two environments, three images (two of them a group in production), persons who merge, close, reopen, edit, commit and
press buttons, reverts, force pushes and a renamed default branch. Git and the host are in memory, so that thousands of
weeks can be played (`make soak`); the program between them is the real one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from gitops_ci.configrepo import ConfigRepo, Identity, Snapshot
from gitops_ci.flows.bump import BumpRequest, PublishSettings, bump
from gitops_ci.flows.bump import flow as bump_flow
from gitops_ci.flows.bump.search import Search
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.refresh import RefreshRequest, refresh
from gitops_ci.flows.refresh import flow as refresh_flow
from gitops_ci.imageref import ImageRef
from gitops_ci.repourl import RepoUrl
from tests.support.effort import examples
from tests.support.git_in_memory import HostInMemory, RemoteInMemory, RepoInMemory, SnapshotInMemory, merged_files

IMAGES = ("api", "web", "jobs")
ENVIRONMENTS = ("staging", "production")
STEPS = 30
BOT = Identity("gitops-ci", "bot@example.com")
LAYOUT = {name: Environment(name, paths=(f"{name}/**",)) for name in ENVIRONMENTS}
QUIET = SimpleNamespace(step=lambda _: None, detail=lambda _: None, warn=lambda _: None)


def text_of(noise: int, versions: dict[str, int]) -> bytes:
    """An environment's file. Neighboring lines are in conflict with each other, the note above with none."""
    lines = [f"# note {noise}", "a: 1", "b: 2"]
    lines += [f"{name}: {{image: {{repository: ghcr.io/acme/{name}, tag: 1.{versions[name]}.0}}}}" for name in IMAGES]
    return "".join(f"{line}\n" for line in lines).encode()


def read(data: bytes) -> tuple[int, dict[str, int]]:
    lines = data.decode().splitlines()
    found = {line.partition(":")[0]: int(line.partition("tag: 1.")[2].partition(".")[0]) for line in lines[3:]}
    return int(lines[0].removeprefix("# note ")), found


@dataclass
class Branch:
    """A head branch: what it changes, and all that stands in its environment's file."""

    environment: str
    changes: dict[str, int]
    noise: int
    versions: dict[str, int]
    under: dict[str, int]  # the versions of the base that it stands on
    person: bool = False
    spent: bool = False
    stands_on: tuple[str, ...] = ()  # commits of the base that the host's button brought


@dataclass
class Request:
    """A pull request. `images` are those that its words are about."""

    head: str
    images: dict[str, int]
    status: str = "open"
    ours: bool = False  # this tool closed it
    title: str = ""  # a person's


@dataclass
class Base:
    noise: int = 0
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(IMAGES, 0))


class Model:
    """What should be there. Each method says what a step should come to: exit code, and whether anything changed."""

    def __init__(self) -> None:
        self.base = {name: Base() for name in ENVIRONMENTS}
        self.branches: dict[str, Branch] = {}
        self.requests: list[Request] = []

    def latest(self, head: str) -> Request | None:
        found = [one for one in self.requests if one.head == head]
        return next((one for one in found if one.status == "open"), found[-1] if found else None)

    def left(self, branch: Branch) -> dict[str, int]:
        now = self.base[branch.environment].versions
        return {name: version for name, version in branch.changes.items() if version > now[name]}

    def is_current(self, branch: Branch) -> bool:
        base = self.base[branch.environment]
        stands_on = (branch.noise, branch.versions, branch.under)
        return stands_on == (base.noise, base.versions | branch.changes, base.versions)

    def bump(self, environment: str, image: str, version: int, head: str) -> tuple[int, bool]:
        base, branch, latest = self.base[environment], self.branches.get(head), self.latest(head)
        if version < base.versions[image]:
            return 1, False
        is_ours = branch is not None and not branch.person
        if version == base.versions[image]:
            if branch and is_ours and latest and latest.status == "open" and not self.left(branch):
                latest.status, latest.ours = "closed", True
                return 0, True
            return 0, False
        is_closed = latest is not None and latest.status == "closed"
        is_retired = latest is not None and is_closed and latest.ours
        # What somebody works on is taken as it is: which of it came from the base does not show.
        there = (branch.versions if branch.person else branch.changes).get(image, 0) if branch else 0
        if branch and not branch.spent and not is_retired and there > version:
            return 1, False
        if latest and is_closed and not latest.ours and latest.images.get(image) == version:
            return 0, False
        after = base.versions | {image: version}
        if branch and branch.person and not branch.spent:
            return (0, False) if (branch.noise, branch.versions) == (base.noise, after) else (5, False)
        is_open = branch is not None and not branch.spent and not is_closed
        changes = {image: version}
        if branch and is_open:
            changes = self.left(branch) | changes
        return 0, self.propose(head, environment, changes)

    def propose(self, head: str, environment: str, changes: dict[str, int]) -> bool:
        base, latest, old = self.base[environment], self.latest(head), self.branches.get(head)
        new = Branch(environment, changes, base.noise, base.versions | changes, dict(base.versions))
        is_new = old is None or old.spent or old.changes != changes or not self.is_current(old)
        self.branches[head] = new
        if latest is None or latest.status != "open":
            self.requests.append(Request(head, changes))
            return True
        is_news = latest.images != changes
        latest.images = changes
        return is_new or is_news

    def refresh(self) -> int:
        for head, branch in self.branches.items():
            latest = self.latest(head)
            if latest is None or latest.status != "open" or branch.person:
                continue
            if not (left := self.left(branch)):
                latest.status, latest.ours = "closed", True
            elif not self.is_current(branch) or left != branch.changes:
                self.propose(head, branch.environment, left)
        return 0


class Week:
    """One sequence of steps on the program, Git and host, and on the model."""

    def __init__(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.random = random.Random(seed)
        self.model = Model()
        files = {f"{name}/values.yaml": text_of(0, self.model.base[name].versions) for name in ENVIRONMENTS}
        self.remote = RemoteInMemory(takes_force=self.random.random() < 0.7)
        self.remote.heads["main"] = self.remote.add(files, (), "Files")
        self.host = HostInMemory(self.remote)
        self.newest = dict.fromkeys(IMAGES, 0)
        self.before: list[tuple[str, str, int]] = []
        self.told: list[str] = []
        self.was_rewritten = False
        for module in (bump_flow, refresh_flow):
            monkeypatch.setattr(module, "ConfigRepo", lambda url, *_, **__: RepoInMemory(self.remote, url))

    # What the program does.

    def request(self, environment: str | None, *images: ImageRef, group: str = "", mode: str = "pull-request"):
        search = Search(images, environment=environment, read_environments=lambda *_: LAYOUT)
        said = PublishSettings(BOT, BOT, group=group)
        url = RepoUrl.parse("https://forge.example/acme/config")
        return BumpRequest(url, search, said, forge=lambda: self.host, mode=mode, seconds=5.0)

    def bump(self) -> None:
        image, environment = self.random.choice(IMAGES), self.random.choice(ENVIRONMENTS)
        newest = self.newest[image]
        version = self.random.choice([newest + 1, newest + 1, newest, max(newest - 1, 0)])
        self.newest[image] = max(newest, version)
        group = "shop" if environment == "production" and image != "api" else ""
        ref = ImageRef.parse(f"ghcr.io/acme/{image}:1.{version}.0")
        head = f"gitops-ci/{environment}@group/shop" if group else f"gitops-ci/{environment}/ghcr.io-acme-{image}"
        if self.random.random() < 0.1:
            done = bump(self.request(environment, ref, mode="push"), QUIET)
            base = self.model.base[environment].versions
            expected = (1, False) if version < base[image] else (0, version > base[image])
            base[image] = max(base[image], version)
            said = "push"
        else:
            done = bump(self.request(environment, ref, group=group), QUIET)
            expected = self.model.bump(environment, image, version, head)
            said = "bump"
        self.told[-1] += f" {said} {environment} {image} {version}"
        words = done.error.message if done.error else ""
        assert (done.exit_code, done.status == "changed") == expected, words

    def refresh(self) -> None:
        done = refresh(RefreshRequest(self.request(None)), QUIET)
        assert done.exit_code == self.model.refresh(), done.error
        again = refresh(RefreshRequest(self.request(None)), QUIET)
        assert (again.exit_code, again.status) == (0, "unchanged"), again.proposals

    # What persons and the host do.

    @property
    def main(self) -> str:
        return self.remote.heads[self.remote.default]

    def some(self, status: str = "open") -> tuple[int, Request] | None:
        found = [(n, one) for n, one in enumerate(self.model.requests, 1) if one.status == status]
        return self.random.choice(found) if found else None

    def files(self, commit: str):
        return self.remote.commits[commit].files

    def merged_with_base(self, head: str):
        tip = self.remote.heads[head]
        base = self.remote.merge_base(self.main, tip)
        return merged_files(self.files(base), self.files(self.main), self.files(tip))

    def shows_more(self, branch: Branch, files) -> bool:
        """Whether a difference shows more than the proposal, as after a force push of the base: nobody takes that."""
        expected = {name: base.versions for name, base in self.model.base.items()}
        expected[branch.environment] = expected[branch.environment] | branch.changes
        is_more = {name: read(files[f"{name}/values.yaml"])[1] for name in ENVIRONMENTS} != expected
        assert not is_more or self.was_rewritten
        return is_more

    def merge(self) -> None:
        if (chosen := self.some()) is None:
            return
        number, one = chosen
        tip, files = self.remote.heads[one.head], self.merged_with_base(one.head)
        if files is None or files == self.files(self.main):
            return
        branch = self.model.branches[one.head]
        if self.shows_more(branch, files):
            return
        way = self.random.choice(["squash", "merge", "rebase"])
        parents = [self.main, tip] if way == "merge" else [self.main]
        message = self.remote.commits[tip].message if way == "rebase" else f"Merge #{number}"
        self.before = [(branch.environment, n, v) for n, v in self.model.base[branch.environment].versions.items()]
        self.remote.heads[self.remote.default] = self.remote.add(files, parents, message)
        self.host.put(self.host.pulls[number - 1], status="merged", head_commit=tip)
        one.status, branch.spent = "merged", True
        self.model.base[branch.environment].versions.update(branch.changes)
        if self.random.random() < 0.6:
            del self.remote.heads[one.head], self.model.branches[one.head]

    def close(self) -> None:
        if (chosen := self.some()) is None:
            return
        number, one = chosen
        self.host.put(self.host.pulls[number - 1], status="closed", head_commit=self.remote.heads[one.head])
        one.status = "closed"
        if self.random.random() < 0.5:
            del self.remote.heads[one.head], self.model.branches[one.head]

    def reopen(self) -> None:
        if (chosen := self.some("closed")) is None:
            return
        number, one = chosen
        # Hosts let only what still has its branch, as it was, be opened again.
        if one is not self.model.latest(one.head) or one.head not in self.remote.heads:
            return
        branch = self.model.branches[one.head]
        if branch.spent or branch.person or branch.changes != one.images:
            return
        self.host.put(self.host.pulls[number - 1], status="open")
        one.status, one.ours = "open", False

    def commit(self) -> None:
        if (chosen := self.some()) is None or self.random.random() < 0.6:
            return
        head = chosen[1].head
        tip = self.remote.heads[head]
        files = {**self.files(tip), "notes.md": b"checked by hand\n"}
        self.remote.heads[head] = self.remote.add(files, [tip], "Notes")
        self.model.branches[head].person = True

    def update_branch(self) -> None:
        if (chosen := self.some()) is None:
            return
        head = chosen[1].head
        files, tip, branch = self.merged_with_base(head), self.remote.heads[head], self.model.branches[head]
        if files is None or files == self.files(self.main) or self.main in set(self.remote.history(tip)):
            return
        if self.shows_more(branch, files):
            return
        stacked = len(self.remote.commits[tip].parents) > 1 or "Gitops-Ci-Base" in self.remote.commits[tip].message
        if self.random.random() < 0.5 or branch.person or stacked:
            self.remote.heads[head] = self.remote.add(files, [tip, self.main], "Merge branch 'main'")
            branch.stands_on = (*branch.stands_on, self.main)
        else:
            # With the same files it is the very commit that this tool would make.
            branch.stands_on = () if files == self.files(tip) else (self.main,)
            self.remote.heads[head] = self.remote.add(files, [self.main], self.remote.commits[tip].message)
        base = self.model.base[branch.environment]
        branch.noise, branch.versions = base.noise, base.versions | branch.changes
        branch.under = dict(base.versions)
        branch.changes = {n: v for n, v in branch.changes.items() if v != base.versions[n]}

    def edit_words(self) -> None:
        if chosen := self.some():
            number, one = chosen
            one.title = f"OPS-{number}"
            self.host.put(
                self.host.pulls[number - 1], title=one.title, body=f"Wait.\n\n{self.host.pulls[number - 1].body}"
            )

    def revert(self) -> None:
        for environment, name, version in self.before:
            self.model.base[environment].versions[name] = version
        if self.before:
            self.rewrite("Revert")
        self.before = []

    def note(self) -> None:
        self.model.base[self.random.choice(ENVIRONMENTS)].noise += 1
        self.rewrite("Note")

    def rewrite(self, message: str) -> None:
        """Make main what the model's base is."""
        files = {f"{n}/values.yaml": text_of(one.noise, one.versions) for n, one in self.model.base.items()}
        self.remote.heads[self.remote.default] = self.remote.add(
            {**self.files(self.main), **files}, [self.main], message
        )

    def force_push(self) -> None:
        made = self.remote.commits[self.main]
        if not made.parents:
            return
        self.was_rewritten = True
        amended = self.remote.add(made.files, made.parents, f"{made.message} (amended)")
        self.remote.heads[self.remote.default] = amended
        history = set(self.remote.history(amended))
        for branch in self.model.branches.values():
            # What such a button brought is not the base's any more: it may be anybody's.
            branch.person = branch.person or not history.issuperset(branch.stands_on)

    def rename(self) -> None:
        new = "trunk" if self.remote.default == "main" else "main"
        self.remote.heads[new] = self.remote.heads.pop(self.remote.default)
        self.remote.default = new
        self.host.pulls = [replace(pull, base=new) for pull in self.host.pulls]

    # What has to be so after every step.

    def check(self) -> None:
        for name, base in self.model.base.items():
            assert read(self.files(self.main)[f"{name}/values.yaml"]) == (base.noise, base.versions)
        assert [pull.status for pull in self.host.pulls] == [one.status for one in self.model.requests]
        assert set(self.remote.heads) - {self.remote.default} == set(self.model.branches)
        for head, branch in self.model.branches.items():
            files = self.files(self.remote.heads[head])
            assert read(files[f"{branch.environment}/values.yaml"]) == (branch.noise, branch.versions), head
        for pull, one in zip(self.host.pulls, self.model.requests, strict=True):
            if one.title:
                assert (pull.title, pull.body.startswith("Wait.")) == (one.title, True)
            if one.status == "open":
                assert [f":1.{version}.0`" in pull.body for version in one.images.values()] == [True] * len(one.images)


WEIGHTS = {
    "bump": 12, "refresh": 3, "merge": 5, "close": 1, "reopen": 1, "commit": 1, "update_branch": 2, "edit_words": 1,
    "revert": 1, "note": 1, "force_push": 1, "rename": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("real", "ours", "unasked"),
    [
        (ConfigRepo, RepoInMemory, {"commit_times", "fetch_since", "log", "within"}),
        (Snapshot, SnapshotInMemory, {"mark", "tree_with"}),
    ],
)
def test_the_repository_in_memory_answers_what_the_real_one_does(real, ours, unasked):
    """What no run of these weeks asks is left out on purpose: the API's commits, and the history command."""
    named = {name for name in vars(real) if not name.startswith("_")}
    assert named - set(vars(ours)) == unasked


@pytest.mark.soak
@pytest.mark.parametrize("share", range(5))
def test_weeks_of_a_teams_life(share, monkeypatch):
    """50 weeks by `make test`, 2,500 by `make soak`."""
    for seed in range(share, examples(50), 5):
        week = Week(seed, monkeypatch)
        for _ in range(STEPS):
            [step] = week.random.choices(list(WEIGHTS), list(WEIGHTS.values()))
            week.told.append(step)
            try:
                getattr(week, step)()
                week.check()
            except Exception as error:
                error.add_note(f"seed {seed}, after: {'; '.join(week.told)}")
                raise
