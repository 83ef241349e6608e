"""ARCHITECTURE.md and CONTRIBUTING.md are maps of this tree: what they name exists, and what exists is named."""

from __future__ import annotations

import re

import pytest

from tests.support import CHECKOUT
from tests.test_architecture import FLOORS, LAYERS

ARCHITECTURE = (CHECKOUT / "ARCHITECTURE.md").read_text()
CONTRIBUTING = (CHECKOUT / "CONTRIBUTING.md").read_text()
# Folders that the map leaves to the page of their room.
_DEEPER = ("validation/",)


def block(kind: str) -> list[str]:
    found = re.search(rf"^```{re.escape(kind)}\n(.*?)^```", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    assert found, f"ARCHITECTURE.md has no block '{kind}'"
    return found[1].splitlines()


def test_the_layers_are_those_that_are_enforced():
    assert [set(line.partition(": ")[2].split()) for line in block("layers")] == list(LAYERS)


@pytest.mark.parametrize("room", FLOORS)
def test_the_floors_are_those_that_are_enforced(room):
    assert [set(line.split()) for line in block(f"floors {room}")] == list(FLOORS[room])


def test_every_folder_has_a_row():
    root = CHECKOUT / "gitops_ci"
    rows = set(re.findall(r"^\| `([a-z_/]+/)` \|", ARCHITECTURE, re.MULTILINE))
    folders = {f"{path.parent.relative_to(root).as_posix()}/" for path in root.glob("**/__init__.py")} - {"./"}
    assert rows == {name for name in folders if not any(name.startswith(room) and name != room for room in _DEEPER)}


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_path_that_a_map_names_exists(page):
    text = (CHECKOUT / page).read_text()
    named = set(re.findall(r"`((?:gitops_ci|tests|scripts|templates|docs|benchmarks)/[\w./-]*)`", text))
    inside = set(re.findall(r"`((?:manifests|openapi|apiserver|lint)/[\w.]*|[a-z_]+\.py)`", text))
    assert named
    assert [path for path in sorted(named) if not (CHECKOUT / path).exists()] == []
    rooms = (CHECKOUT / "gitops_ci", CHECKOUT / "gitops_ci" / "validation")
    assert [path for path in sorted(inside) if not any((room / path).exists() for room in rooms)] == []
