"""The record of upstream sources is complete, and the script that compares two releases finds what changed."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from tests.support import CHECKOUT

VALIDATION = CHECKOUT / "gitops_ci" / "validation"
RECORD = tomllib.loads((VALIDATION / "upstream.toml").read_text())
SCRIPT = CHECKOUT / "scripts" / "upstream_changes.py"
# Structure without a rule of the server, and parts whose functions another module names.
NOT_WRITTEN_FROM_ONE_FUNCTION = {
    "apimachinery/field",
    "apiserver/apiextensions/lists",
    "apiserver/apiextensions/validations",
    "apiserver/dropped_fields",
}

VALIDATION_GO = "pkg/apis/core/validation/validation.go"
SERVICE = """package validation

func ValidateServiceCreate(service *core.Service) field.ErrorList {
	return validatePorts(service)
}

func validatePorts(service *core.Service) field.ErrorList {
	return %s
}

func unrelated() int {
	return %s
}
"""
TYPES = """package v1

type ServiceSpec struct {
	// The ports.
	// +optional
%s	Ports []ServicePort `json:"ports,omitempty"`
}
"""


def modules() -> set[str]:
    files = [*VALIDATION.glob("apiserver/**/*.py"), *VALIDATION.glob("apimachinery/*.py")]
    return {file.relative_to(VALIDATION).with_suffix("").as_posix() for file in files if file.name != "__init__.py"}


def test_every_module_of_rules_names_its_source():
    assert modules() - NOT_WRITTEN_FROM_ONE_FUNCTION == RECORD["modules"].keys()


def test_the_record_says_which_release_was_read():
    assert RECORD["release"].count(".") == 2


@pytest.fixture
def releases(tmp_path):
    """Two source trees, the staging repository beside, as a Go module cache has them."""

    def make(version: str, ports: str, other: str, tag: str) -> str:
        tree, api = tmp_path / f"kubernetes@v1.{version}", tmp_path / f"api@v0.{version}" / "core" / "v1"
        (tree / VALIDATION_GO).parent.mkdir(parents=True)
        (tree / VALIDATION_GO).write_text(SERVICE % (ports, other))
        api.mkdir(parents=True)
        (api / "types.go").write_text(TYPES % tag)
        return str(tree)

    return make


def run(old: str, new: str) -> str:
    return subprocess.run([sys.executable, SCRIPT, old, new], capture_output=True, text=True, check=True).stdout


def test_a_function_that_a_named_one_calls_is_listed_with_its_module(releases):
    out = run(releases("36.0", "nil", "1", ""), releases("37.0", "strict(service)", "2", ""))
    assert f"{VALIDATION_GO}: validatePorts changed (for apiserver/core/services)" in out
    assert "+\treturn strict(service)" in out
    assert "unrelated" not in out


def test_a_validation_tag_that_came_is_listed(releases):
    out = run(releases("36.0", "nil", "1", ""), releases("37.0", "nil", "1", "\t// +k8s:maxItems=100\n"))
    assert "core/v1 ServiceSpec.ports: + +k8s:maxItems=100" in out


def test_two_equal_releases_differ_in_nothing_but_functions_that_are_in_neither(releases):
    out = run(releases("36.0", "nil", "1", ""), releases("37.0", "nil", "1", ""))
    assert all("is in neither release" in line for line in out.splitlines())
