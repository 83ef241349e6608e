"""The shape of the code, read from its syntax: arrows point one way, rooms do not know each other, doors are single.

core <- doors <- rooms <- plan, flows <- ci, config, cli
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gitops_ci.cli import COMMANDS
from gitops_ci.forges import FORGES
from gitops_ci.registry.sources import SOURCES
from gitops_ci.reporting import REPORTERS
from tests.support import CHECKOUT

PACKAGE = "gitops_ci"

# A unit is a module or a folder directly below the package. Units of a layer in FREE may import each other.
LAYERS = (
    {
        "dataclass",
        "errors",
        "known_files",
        "lazy",
        "text",
        "model",
        "imageref",
        "secret",
        "display",
        "paths",
        "project",
        "quantities",
    }
    | {"repourl", "moments", "windows", "yaml_view"},
    {"bounded", "checkout", "http", "process", "streams", "variables", "yamltext", "fast_yaml", "charmap", "splice"}
    | {"rules"},
    {"tags", "registry", "formats", "configrepo", "forges", "rendering", "validation", "reporting", "comparing"},
    {"plan"},
    {"flows"},
    {"ci", "config_keys"},
    {"config"},
    {"cli"},
    {"__main__"},
)
FREE = (0, 1)

# What to do about a module that is in no list.
ADD = "add it to the block in ARCHITECTURE.md and here, in tests/test_architecture.py"

# Inside a room: its folders and modules, from the ground up. Those of one floor do not know each other, and nobody
# inside imports the room's own face.
FLOORS = {
    "flows": (
        {
            "after_push",
            "checkout",
            "clusters",
            "comment",
            "demo",
            "environments",
            "globs",
            "init",
            "journal",
            "merges",
            "rehearsal",
            "statuses",
            "trailers",
        },
        {"freeze", "image"},
        {"diff"},
        {"validate"},
        {"bump"},
        {"history"},
        {"fan_out", "promote", "refresh", "release", "rollback", "wait"},
    ),
    "formats": (
        {"document"},
        {
            "argocd",
            "base",
            "chart_version",
            "compose",
            "env_file",
            "fleet",
            "flux",
            "flux_policies",
            "jsonnet",
            "kubernetes",
            "kustomize",
            "markers",
            "pointer",
            "quadlet",
            "terraform",
        }
        | {"helm_chart", "helm_template", "helm_values"},
    ),
    "validation": (
        {"gates", "go", "kinds", "kubernetes_versions", "sound_texts", "violation", "workers"},
        {"apimachinery", "manifests", "report"},
        {"cel", "lint", "openapi", "provenance", "suppressions"},
        {"changes", "custom_resources", "repairs"},
        {"apiserver"},
        {"object_check"},
        {"file_check"},
        {"run"},
    ),
    # One folder or module for each API group; the core group's parts are everybody's.
    "validation.apiserver": (
        {"possession"},
        {"certificates", "dropped_fields"},
        {"admissionregistration", "authorization", "batch", "coordination", "core", "flowcontrol", "rbac"}
        | {"apiregistration", "scheduling", "storagemigration"},
        {"apiextensions", "apps", "autoscaling", "discovery", "networking", "node", "resource", "storage"},
    ),
}

# Where a package, or a name of the standard library, may be imported: a module, or a folder and all below it.
DOORS = {
    "cel_expr_python": ("validation.cel.engine",),
    "click": ("cli",),
    "docker": ("registry.engine",),
    "git": ("configrepo",),
    "gitdb": ("configrepo",),
    "oryaml": ("yamltext",),
    "re2": ("registry.keyless", "validation.go.regexp"),
    "requests": ("http",),
    "sigstore": ("registry.keyless",),
    "cryptography": ("registry.keyless",),  # certificates as sigstore hands them out
    "urllib3": ("http", "registry.engine"),  # the docker SDK lets its errors through
    "rich": ("cli", "reporting"),
    "ruamel": ("yamltext",),
    "semver": ("tags",),
    "yaml": ("yamltext",),
    # of the standard library: what reaches out of the process
    "http.client": ("http",),
    "os.environ": ("cli", "configrepo", "process", "variables"),
    "os.getenv": (),
    "pickle": ("validation.workers",),  # what a process of our own sends back through a pipe
    "socket": ("http", "registry.ssh_tunnel"),  # of the second: a socket in a folder of our own
    "subprocess": ("bounded", "process", "configrepo.git", "configrepo.gitpython"),  # starts and ends git
    "urllib.request": ("http",),
}
# Nobody runs a shell, unpickles what is not their own, or evaluates text.
FORBIDDEN = {"marshal", "shelve", "os.system", "os.popen", "pty"}


@cache
def modules() -> tuple[tuple[str, str], ...]:
    """Every module of the package, as its name below the package and its text."""
    return tuple(_modules(CHECKOUT / PACKAGE))


def _modules(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path.read_text()


@cache
def imports(module: str, text: str, *, is_package: bool = False) -> tuple[tuple[int, str], ...]:
    """(line, full dotted name) of all that a module imports, at any depth, and of `os.environ` and its like."""
    return tuple(_imports(module, text, is_package=is_package))


def _imports(module: str, text: str, *, is_package: bool) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                here = [PACKAGE, *(module.split(".") if module else [])]
                base = here[: len(here) - node.level + int(is_package)]
                origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{origin}.{alias.name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            yield node.lineno, f"os.{node.attr}"
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"} and node.args:
            first = node.args[0]
            if isinstance(first, ast.JoinedStr):
                first = first.values[0]
            yield node.lineno, str(first.value) if isinstance(first, ast.Constant) else "<computed>"
        elif isinstance(node, ast.Call) and module != "lazy" and _called(node) in {"import_member", "LazyModules"}:
            room = node.args[0]
            yield node.lineno, f"{PACKAGE}.{room.value}.?" if isinstance(room, ast.Constant) else "<computed>"


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def layer_of(unit: str) -> int:
    return next((number for number, units in enumerate(LAYERS) if unit in units), -1)


def wrong_arrows(module: str, text: str, *, is_package: bool = False) -> list[str]:
    """What a module imports of the package and must not."""
    unit = module.partition(".")[0]
    if not unit:  # the package itself holds the version and nothing else
        return [f"{PACKAGE}/__init__.py:{line}: {name}" for line, name in imports("", text) if PACKAGE in name]
    found = []
    for line, name in imports(module, text, is_package=is_package):
        head, _, rest = name.partition(".")
        other = rest.partition(".")[0]
        if head != PACKAGE or other in {"", unit} or other.startswith("__"):
            continue
        mine, its = layer_of(unit), layer_of(other)
        if its < 0 or its > mine or (its == mine and mine not in FREE):
            found.append(f"{module}:{line}: {unit} must not import {other}")
    return found


def wrong_stairs(room: str, module: str, text: str) -> list[str]:
    """What a module of a room imports of the same room and must not."""
    floors = FLOORS[room]
    unit = module.removeprefix(f"{room}.").partition(".")[0]
    mine = next((number for number, units in enumerate(floors) if unit in units), -1)
    if mine < 0:
        return [f"{module}: {unit} has no floor in {room}"]
    found = []
    for line, name in imports(module, text):
        if not f"{name}.".startswith(f"{PACKAGE}.{room}."):
            continue
        other = name.removeprefix(f"{PACKAGE}.{room}").lstrip(".").partition(".")[0]
        below = set().union(*floors[:mine])
        if other != unit and other not in below:
            found.append(f"{module}:{line}: {unit} must not import {other or 'the face'} of {room}")
    return found


def wrong_doors(module: str, text: str) -> list[str]:
    """What a module imports from outside and must not."""
    found = []
    for line, name in imports(module, text):
        root = name.partition(".")[0]
        door = next((key for key in DOORS if name == key or name.startswith(f"{key}.")), None)
        if door is not None:
            if not any(module == place or module.startswith(f"{place}.") for place in DOORS[door]):
                found.append(f"{module}:{line}: {door} has one door: {', '.join(DOORS[door]) or 'none'}")
        elif root != PACKAGE and root not in sys.stdlib_module_names:
            found.append(f"{module}:{line}: {root} is in no list of doors")
        elif any(name == key or name.startswith(f"{key}.") for key in FORBIDDEN):
            found.append(f"{module}:{line}: {name} is for nobody")
    return found


def test_every_module_has_a_layer():
    units = {name.partition(".")[0] for name, _ in modules()} - {""}
    assert units, "no module was found"
    assert not (left := sorted(units - set().union(*LAYERS))), f"no layer for {left}: {ADD}, LAYERS"


def test_arrows_point_from_the_rim_to_the_core():
    packages = {path.parent.relative_to(CHECKOUT / PACKAGE) for path in (CHECKOUT / PACKAGE).rglob("__init__.py")}
    assert [
        wrong
        for name, text in modules()
        for wrong in wrong_arrows(name, text, is_package=Path(*name.split(".")) in packages)
    ] == []


@pytest.mark.parametrize("room", FLOORS)
def test_inside_a_room_arrows_point_down(room):
    inside = [(name, text) for name, text in modules() if name.startswith(f"{room}.")]
    there = {name.removeprefix(f"{room}.").partition(".")[0] for name, _ in inside}
    listed = set().union(*FLOORS[room])
    assert not (left := sorted(there - listed)), f"no floor for {left}: {ADD}, FLOORS['{room}']"
    assert not (gone := sorted(listed - there)), f"no such modules: take {gone} out of both lists of '{room}'"
    assert [wrong for name, text in inside for wrong in wrong_stairs(room, name, text)] == []


@pytest.mark.parametrize(
    ("room", "module", "text"),
    [
        ("validation", "validation.go.url", "from gitops_ci.validation.apimachinery import field"),
        ("validation", "validation.cel.engine", "def f():\n    import gitops_ci.validation.apiserver.core.pods"),
        ("validation", "validation.file_check", "from gitops_ci.validation import check"),
        ("validation", "validation.brandnew", ""),
        ("validation.apiserver", "validation.apiserver.rbac", "from gitops_ci.validation.apiserver.core import pods"),
        ("formats", "formats.flux", "from gitops_ci.formats import kustomize"),
        ("flows", "flows.validate.flow", "from gitops_ci.flows.bump import bump"),
    ],
)
def test_a_wrong_stair_is_seen(room, module, text):
    assert wrong_stairs(room, module, text)


def test_one_module_imports_by_name():
    """A member of a family is imported through gitops_ci/lazy.py, so that each family has one table of one form."""
    found = {name for name, text in modules() for _, what in imports(name, text) if what == "importlib.import_module"}
    assert found == {"lazy"}


@pytest.mark.parametrize("table", [COMMANDS, FORGES, REPORTERS, SOURCES], ids=["cli", "forges", "reports", "sources"])
def test_every_row_of_a_family_is_there(table):
    assert all(table[name] is not None for name in table)


def test_foreign_packages_come_through_their_door():
    assert [wrong for name, text in modules() for wrong in wrong_doors(name, text)] == []


def test_numbers_of_foreign_text_are_read_in_one_place():
    # `"²".isdigit()` is true and int refuses it; int also refuses more than 4,300 digits.
    careless = re.compile(
        r"\bis(?:digit|decimal|numeric)\(\).*\b(?:int|float)\(|\b(?:int|float)\(.*\bis(?:digit|decimal|numeric)\(\)"
    )
    found = [
        f"{name}:{number}"
        for name, text in modules()
        for number, line in enumerate(text.splitlines(), 1)
        if careless.search(line) and ".isascii()" not in line and name != "quantities"
    ]
    assert found == [], "use whole_number of gitops_ci.quantities"


def test_nobody_hands_text_to_a_shell():
    found = [
        f"{name}:{node.lineno}"
        for name, text in modules()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.keyword) and node.arg == "shell"
    ]
    assert found == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("imageref", "import gitops_ci.flows.bump"),
        ("yamltext", "from gitops_ci import tags"),
        ("forges.github", "from gitops_ci.formats import kustomize"),
        ("forges.github", "from ..formats import kustomize"),
        ("forges.github", "def f():\n    import gitops_ci.http, gitops_ci.cli"),
        ("tags", "from gitops_ci.registry.remote import head"),
        ("flows.bump.flow", "from gitops_ci.config import Settings"),
        ("plan", "from importlib import import_module\nimport_module(f'gitops_ci.flows.{1}')"),
        ("plan", "from gitops_ci.lazy import import_member\nimport_member('flows', 'bump:bump')"),
        ("forges.github", "from gitops_ci.lazy import LazyModules\nLazyModules('formats', {})"),
        ("ci", "from gitops_ci.config import Settings"),
        ("config", "from gitops_ci.brandnew import x"),
        ("", "from gitops_ci import errors"),
    ],
)
def test_a_wrong_arrow_is_seen(module, text):
    assert wrong_arrows(module, text)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("forges.github", "from gitops_ci.http import Http\nfrom gitops_ci import __version__\nfrom . import base"),
        ("registry.remote", "from gitops_ci.registry import credentials"),
        ("flows.bump.flow", "from gitops_ci import forges\nfrom gitops_ci.plan import make"),
        ("model", "from gitops_ci.imageref import ImageRef"),
    ],
)
def test_a_right_arrow_passes(module, text):
    assert wrong_arrows(module, text) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("forges.github", "import requests.adapters"),
        ("forges.github", "from requests import Session"),
        ("registry.remote", "def f():\n    import docker"),
        ("formats.kustomize", "from ruamel.yaml import YAML"),
        ("formats.kustomize", "import os\nx = os.environ['A']"),
        ("formats.kustomize", "from os import environ"),
        ("cli.bump", "import os\nos.getenv('A')"),
        ("flows.bump.flow", "import subprocess"),
        ("flows.bump.flow", "import numpy"),
        ("flows.bump.flow", "from urllib.request import urlopen"),
        ("flows.bump.flow", "import os\nos.system('ls')"),
    ],
)
def test_a_wrong_door_is_seen(module, text):
    assert wrong_doors(module, text)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_start_up_imports_nothing_heavy(arguments):
    heavy = {"docker", "git", "requests", "rich", "ruamel", "urllib3", "yaml"}
    code = (
        f"import sys; from gitops_ci.__main__ import main; sys.argv[1:] = {arguments!r}\n"
        "try: main()\nexcept SystemExit: pass\n"
        "sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT)
    assert "gitops-ci" in run.stdout
    assert sorted(heavy & set(run.stderr.split())) == []
