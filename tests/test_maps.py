"""ARCHITECTURE.md and CONTRIBUTING.md are maps of this tree: what they name exists, and what exists is named."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import pytest

from gitops_ci.forges import FORGES
from gitops_ci.formats import FORMATS
from gitops_ci.reporting import REPORTERS
from gitops_ci.tags import STRATEGIES
from tests.support import CHECKOUT, order
from tests.test_architecture import FLOORS, LAYERS

ARCHITECTURE = (CHECKOUT / "ARCHITECTURE.md").read_text()
CONTRIBUTING = (CHECKOUT / "CONTRIBUTING.md").read_text()
# Folders that the map leaves to the page of their room.
_DEEPER = ("validation/",)


def block(kind: str) -> list[str]:
    found = re.search(rf"^```{re.escape(kind)}\n(.*?)^```", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    assert found, f"ARCHITECTURE.md has no block '{kind}'"
    return found[1].splitlines()


def different(rows: list[set[str]], enforced: Sequence[set[str]]) -> list[str]:
    """What stands in one list and not in the other, row by row."""
    page, code = "ARCHITECTURE.md", "tests/test_architecture.py"
    found = [] if len(rows) == len(enforced) else [f"{len(rows)} rows in {page}, {len(enforced)} in {code}"]
    for number, (row, units) in enumerate(zip(rows, enforced, strict=False), start=1):
        found += [f"row {number}: {name} is in {code} alone: add it to {page}" for name in sorted(units - row)]
        found += [f"row {number}: {name} is in {page} alone: add it to {code}" for name in sorted(row - units)]
    return found


def test_the_layers_are_those_that_are_enforced():
    if found := different([set(line.partition(": ")[2].split()) for line in block("layers")], LAYERS):
        pytest.fail("\n".join(["block 'layers', LAYERS:", *found]), pytrace=False)


@pytest.mark.parametrize("room", FLOORS)
def test_the_floors_are_those_that_are_enforced(room):
    if found := different([set(line.split()) for line in block(f"floors {room}")], FLOORS[room]):
        pytest.fail("\n".join([f"block 'floors {room}', FLOORS['{room}']:", *found]), pytrace=False)


def test_every_folder_has_a_row():
    root = CHECKOUT / "gitops_ci"
    rows = set(re.findall(r"^\| `([a-z_/]+/)` \|", ARCHITECTURE, re.MULTILINE))
    folders = {f"{path.parent.relative_to(root).as_posix()}/" for path in root.glob("**/__init__.py")} - {"./"}
    wanted = {name for name in folders if not any(name.startswith(room) and name != room for room in _DEEPER)}
    assert not (left := sorted(wanted - rows)), f"add to the table of folders in ARCHITECTURE.md: {left}"
    assert not (gone := sorted(rows - wanted)), f"no such folders: take {gone} out of the table in ARCHITECTURE.md"


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_path_that_a_map_names_exists(page):
    text = (CHECKOUT / page).read_text()
    named = set(re.findall(r"`((?:gitops_ci|tests|scripts|templates|docs|benchmarks)/[\w./-]*)`", text))
    inside = set(re.findall(r"`((?:manifests|openapi|apiserver|lint)/[\w.]*|[a-z_]+\.py)`", text))
    assert named
    missing = [path for path in sorted(named) if not (CHECKOUT / path).exists()]
    assert not missing, f"{page} names {missing}, which is not there: correct the page"
    rooms = (CHECKOUT / "gitops_ci", CHECKOUT / "gitops_ci" / "validation")
    missing = [path for path in sorted(inside) if not any((room / path).exists() for room in rooms)]
    assert not missing, f"{page} names {missing}, which is not there: correct the page"


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("docs/formats.md", FORMATS.keys()),
        ("docs/code-hosts.md", FORGES.keys()),
        ("docs/configuration.md", REPORTERS.keys() - {"text"}),
        ("docs/tags.md", STRATEGIES.keys() - {"auto"}),
    ],
)
def test_every_member_of_a_family_is_on_its_page(page: str, names: Collection[str]) -> None:
    text = (CHECKOUT / page).read_text()
    missing = [name for name in sorted(names) if f"`{name}`" not in text and f"`{name}=" not in text]
    assert not missing, f"{page} does not have {missing}: add a row"


@pytest.mark.parametrize("page", ["action.yml", ".gitlab-ci-template.yml"])
def test_every_code_host_can_be_chosen_in_a_pipeline(page: str) -> None:
    found = re.search(r"^( +)forge:\n((?:\1 +.*\n)+)", (CHECKOUT / page).read_text(), re.MULTILINE)
    assert found, f"{page} has no input 'forge'"
    offered = set(re.findall(r"[\w-]+", found[2]))
    missing = sorted(FORGES.keys() - offered)
    assert not missing, f"{page} does not have {missing}: add it to the input 'forge'"


def test_files_that_run_first_exist_and_come_before_the_others():
    assert [path for path in order.LONG if not (CHECKOUT / "tests" / path).is_file()] == []
    places = [order.place(f"tests/{path}::test_it") for path in (order.LONG[0], "live/test_a.py", "unit/x/test_b.py")]
    assert places == sorted(set(places))
