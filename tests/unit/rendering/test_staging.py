"""What is written for a renderer is gone afterward, and nothing else is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitops_ci.rendering import programs
from gitops_ci.rendering.deployment import Recipe
from gitops_ci.rendering.tree import MemoryFiles, SourceTree

FILES = {"app/kustomization.yaml": "resources: [base/a.yaml]\n", "app/base/a.yaml": "a: 1\n", "b.yaml": "b: 2\n"}
RECIPE = Recipe(files=frozenset(FILES), written={"app/c.yaml": "c: 3\n"}, links={"app/link": "base"})


def test_all_that_is_staged_is_removed(tmp_path: Path) -> None:
    root = str(tmp_path / "files")
    staged = programs._stage(RECIPE, SourceTree(MemoryFiles(FILES)), root)
    assert sorted(staged) == sorted([*FILES, "app/c.yaml", "app/link"])
    programs._remove(staged, root)
    assert os.listdir(root) == []


@pytest.mark.parametrize("swapped", ["app", "app/base"])
def test_a_folder_that_a_program_made_a_link_of_is_not_followed(tmp_path: Path, swapped: str) -> None:
    root, outside = tmp_path / "files", tmp_path / "outside"
    staged = programs._stage(RECIPE, SourceTree(MemoryFiles(FILES)), str(root))
    (root / swapped).rename(outside)
    (root / swapped).symlink_to(outside)
    before = sorted(outside.rglob("*"))
    programs._remove(staged, str(root))
    assert sorted(outside.rglob("*")) == before


def test_what_a_program_wrote_is_left_for_later(tmp_path: Path) -> None:
    staged = programs._stage(RECIPE, SourceTree(MemoryFiles(FILES)), str(tmp_path / "files"))
    (tmp_path / "files" / "app" / "more").mkdir()
    programs._remove(staged, str(tmp_path / "files"))
    assert [one.name for one in (tmp_path / "files" / "app").iterdir()] == ["more"]
