"""Paths and links of a repository: nothing outside of the root is there."""

from __future__ import annotations

import os

import pytest

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
