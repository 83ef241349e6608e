"""Paths and links of a repository: nothing outside of the root is there."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from gitops_ci.rendering import kustomization_files
from gitops_ci.rendering.deployment import Repository
from gitops_ci.rendering.discovery import Deployment
from gitops_ci.rendering.documents import load
from gitops_ci.rendering.tree import CheckoutFiles, MemoryFiles, SourceTree

FILES = {"a/b/c.yaml": "x: 1\n", "d.yaml": "y: 2\n"}
LINKS = {
    "file.yaml": "a/b/c.yaml",
    "folder": "a/b",
    "a/up": "../d.yaml",
    "a/chain": "../folder/c.yaml",
    "out": "../secret",
    "a/out": "../../secret",
    "absolute": "/etc/passwd",
    "loop": "loop",
    "round": "way",
    "way": "round",
    "dangling": "nowhere",
}


@pytest.fixture(params=["memory", "checkout"])
def tree(request, tmp_path):
    if request.param == "memory":
        return SourceTree(MemoryFiles(FILES, LINKS))
    root = tmp_path / "repository"
    (tmp_path / "secret").write_text("x: OUTSIDE\n")
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for path, target in LINKS.items():
        (root / path).symlink_to(target)
    return SourceTree(CheckoutFiles(str(root)))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b/c.yaml", "a/b/c.yaml"),
        ("./a/./b/../b/c.yaml", "a/b/c.yaml"),
        ("file.yaml", "a/b/c.yaml"),
        ("folder/c.yaml", "a/b/c.yaml"),
        ("folder/../b/c.yaml", "a/b/c.yaml"),  # `..` of what the link leads to, as the kernel has it
        ("a/up", "d.yaml"),
        ("a/chain", "a/b/c.yaml"),
        ("a/b", "a/b"),
        ("", "."),
        ("dangling", None),
        ("nowhere", None),
    ],
)
def test_links_are_followed(tree, path, expected):
    assert tree.resolve(path) == expected
    assert not tree.leads_out(path)


@pytest.mark.parametrize(
    "path",
    ["../secret", "a/../../secret", "/etc/passwd", "out", "a/out", "absolute", "loop", "round", "folder/../../../x"],
)
def test_what_leads_out_is_not_there(tree, path):
    assert tree.leads_out(path)
    assert tree.resolve(path) is None
    assert tree.text(path) is None
    assert tree.data(path) is None


def test_a_file_is_read_once(tree):
    assert tree.documents("a/b/c.yaml") is tree.documents("a/b/c.yaml")


def test_a_pipe_does_not_hold_the_run_up(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    assert SourceTree(CheckoutFiles(str(tmp_path))).text("pipe.yaml") is None


def test_the_files_below_a_folder():
    tree = SourceTree(MemoryFiles({"a/x": "", "a-b/x": "", "a.yaml": "", "a/b/y": "", "ab": ""}))
    assert tree.below("a") == ["a/b/y", "a/x"]
    assert tree.below(".") == tree.names


# Two sides of a change

OVERLAYS = {
    "base/kustomization.yaml": "resources: [x.yaml]\n",
    "base/x.yaml": "kind: Deployment\n",
    **{f"env{n}/kustomization.yaml": "resources: [../base, y.yaml]\npatches: [{path: p.yaml}]\n" for n in range(3)},
    **{f"env{n}/{name}.yaml": f"kind: Pod # {n} {name}\n" for n in range(3) for name in ("y", "p")},
}


class CountedFiles(MemoryFiles):
    def __init__(self, files, read):
        super().__init__(files)
        self._counts = read

    def data(self, path):
        self._counts[path] += 1
        return super().data(path)


def sides(before, after):
    differing = frozenset(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    read = Counter()
    head = SourceTree(CountedFiles(after, read))
    return SourceTree(CountedFiles(before, read), head, differing), head, read


def closures(tree):
    deployment = Deployment(Repository(tree))
    deployment.start()
    return {name: found.closure for name, found in deployment.units.items()}


def test_what_is_equal_on_both_sides_is_read_and_parsed_once(monkeypatch):
    parsed = Counter()
    monkeypatch.setattr("gitops_ci.rendering.tree.load", lambda path, text: parsed.update([path]) or load(path, text))
    base, head, read = sides(OVERLAYS, {**OVERLAYS, "env1/y.yaml": "kind: Job\n"})
    closures(head)
    closures(base)
    assert read == {**dict.fromkeys(OVERLAYS, 1), "env1/y.yaml": 2}
    assert set(parsed.values()) == {1}


@pytest.mark.parametrize(
    "edits",
    [
        {},
        {"env1/y.yaml": "kind: Job\n"},
        {"env1/y.yaml": None},
        {"env1/kustomization.yaml": "resources: [y.yaml]\n"},
        {"env1/kustomization.yaml": None, "env1/kustomization.yml": "resources: [p.yaml]\n"},
        {"base/kustomization.yaml": "resources: [x.yaml, z.yaml]\n", "base/z.yaml": "kind: Job\n"},
        {"base/kustomization.yaml": None},
        {"env2/kustomization.yaml": "resources: [../base, y.yaml, y2]\n", "env2/y2": "kind: Job\n"},
        {"env2/kustomization.yaml": "resources: [https://x.example/y.yaml, y.yaml]\n"},
        {"env2/kustomization.yaml": "resources: [../../out.yaml]\n"},
    ],
)
def test_a_closure_of_the_other_side_is_what_it_would_be_alone(edits):
    """Whichever side is the first, the other one has what it has without a twin."""
    other = {path: text for path, text in {**OVERLAYS, **edits}.items() if text is not None}
    for before, after in ((OVERLAYS, other), (other, OVERLAYS)):
        base, head, _ = sides(before, after)
        assert closures(head) == closures(SourceTree(MemoryFiles(after)))
        assert closures(base) == closures(SourceTree(MemoryFiles(before)))


def test_closures_of_untouched_folders_are_taken_from_the_other_side(monkeypatch):
    base, head, _ = sides(OVERLAYS, {**OVERLAYS, "env1/y.yaml": "kind: Job\n"})
    closures(head)
    found = []
    whole = kustomization_files._Collector.kustomization
    monkeypatch.setattr(
        kustomization_files._Collector,
        "kustomization",
        lambda self, folder, *more: found.append(folder) or whole(self, folder, *more),
    )
    closures(base)
    assert set(found) == {"env1", "base"}, "what the change reaches, and what that includes"
