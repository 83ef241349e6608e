"""The lock files: what is tested is what is shipped, and both are what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.metadata import requires, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import CHECKOUT

SHIPPED, CEL, TESTED = "gitops_ci/requirements.txt", "gitops_ci/requirements-cel.txt", "requirements-dev.txt"
SBOM = ".github/requirements-sbom.txt"
VERIFY = "gitops_ci/requirements-verify.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


@cache
def blocks(lock: str) -> dict[str, str]:
    """The lines of each package, by its name."""
    text = re.sub(r"(?m)^#.*\n", "", (CHECKOUT / lock).read_text()).strip()
    return {block.partition("==")[0]: block for block in re.split(r"\n(?=\S)", text)}


def pinned(lock: str) -> dict[str, Requirement]:
    return {name: Requirement(block.partition("\\")[0]) for name, block in blocks(lock).items()}


def asked() -> list[Requirement]:
    """What pyproject.toml asks for, in all its parts."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    parts = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    return [Requirement(line) for part in (*parts, project["dependency-groups"]["dev"]) for line in part]


@pytest.mark.parametrize("lock", [SHIPPED, CEL, VERIFY, TESTED, SBOM])
def test_every_package_is_pinned_with_hashes_and_without_an_address(lock):
    text = (CHECKOUT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"(?m)^--?\w", text), "an option, such as the address of an index"
    assert list(blocks(lock)) == sorted(blocks(lock))
    for name, block in blocks(lock).items():
        head, *hashes = re.sub(r" \\\n +", "\n", block).split("\n")
        assert re.fullmatch(rf"{name}==[^\s;]+( ; .+)?", head)
        assert hashes
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes)


def test_what_is_shipped_is_what_is_tested():
    shipped, tested = {**blocks(SHIPPED), **blocks(CEL), **blocks(VERIFY)}, blocks(TESTED)
    assert {name: tested.get(name) for name in shipped} == shipped, "run `make lock`"


def test_the_locks_hold_what_pyproject_asks_for():
    lock = pinned(TESTED)
    for requirement in asked():
        found = lock[canonicalize_name(requirement.name)]
        [pin] = found.specifier
        assert requirement.specifier.contains(pin.version), f"{requirement}: run `make lock`"
    assert {canonicalize_name(requirement.name) for requirement in asked()} <= lock.keys()


@pytest.mark.parametrize("python", PYTHONS)
def test_a_package_that_every_python_needs_is_locked_for_every_python(python):
    """Python 3.14 takes the same packages as 3.11: none is locked for some of them alone."""
    linux = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux", "extra": ""}
    linux |= {"platform_machine": "x86_64", "implementation_name": "cpython", "os_name": "posix"}
    linux |= {"platform_python_implementation": "CPython", "platform_system": "Linux"}
    lock = pinned(TESTED)
    left = {name for name, pin in lock.items() if pin.marker and not pin.marker.evaluate(linux)}
    assert left <= {"colorama", "pywin32"}, "these are for Windows"


def test_what_is_shipped_is_all_that_the_program_needs_without_a_terminal():
    assert blocks(SHIPPED).keys() - {"pywin32"} == _needed("gitops-ci") - {"rich"} - _needed("rich")


def test_the_lock_for_cel_rules_is_the_extra_with_all_that_it_needs():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extra = {canonicalize_name(Requirement(line).name) for line in project["optional-dependencies"]["cel"]}
    assert blocks(CEL).keys() == extra.union(*map(_needed, extra))


def test_the_lock_for_signatures_is_the_extra_with_all_that_it_needs():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extra = {canonicalize_name(Requirement(line).name) for line in project["optional-dependencies"]["verify"]}
    needed = extra.union(*map(_needed, extra))
    assert blocks(VERIFY).keys() - {"pywin32", "colorama"} == needed - blocks(SHIPPED).keys()


def test_the_tests_run_with_the_locked_versions():
    """`make test-newest` leaves this one out."""
    locked = {name: pin for name, pin in pinned(TESTED).items() if pin.marker is None or pin.marker.evaluate()}
    other = {name: version(name) for name, pin in locked.items() if not pin.specifier.contains(version(name))}
    assert other == {}, "run `make test`, which installs the locked versions"


def _needed(distribution: str) -> set[str]:
    """Every distribution that an installed one needs on this machine, itself left out; names normalized."""
    found: set[tuple[str, str]] = set()
    waiting = [(distribution, "")]
    while waiting:
        name, extra = waiting.pop()
        for requirement in map(Requirement, requires(name) or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                one = canonicalize_name(requirement.name)
                new = {(one, more) for more in ("", *requirement.extras)} - found
                found |= new
                waiting += new
    return {name for name, _ in found}
