"""Pipelines and commands from the pages of 0.1 work with this version.

`tests/data/pages-of-0.1` has these pages as they were. What a command prints may differ; how it ends may not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from gitops_ci.flows.demo import FILES
from tests.support import CHECKOUT
from tests.support.documents import Block, blocks
from tests.support.reader import Reader

OLD = CHECKOUT / "tests" / "data" / "pages-of-0.1"
PAGES = sorted(path.relative_to(OLD).as_posix() for path in OLD.rglob("*.md"))
# Lines for the machine of a person: other tests run them, or nothing here can.
ELSEWHERE = re.compile(r"make |pip (install|download)")


def _blocks(page: str) -> list[Block]:
    return blocks(page, (OLD / page).read_text())


@pytest.mark.parametrize("page", [page for page in PAGES if any(one.language == "console" for one in _blocks(page))])
def test_commands_of_the_old_pages_end_as_they_did(page: str, reader: Callable[..., Reader]) -> None:
    found = _blocks(page)
    at = reader(found)
    if not any(block.file and block.file[0] == "shop-config" for block in found):
        at.take(FILES)
    different = []
    for block in found:
        if block.file:
            at.write(block)
        elif block.language == "console":
            commands = list(block.commands)
            for number, command in enumerate(commands):
                if command.line == "echo $?" or ELSEWHERE.match(command.line):
                    continue
                asked = number + 1 < len(commands) and commands[number + 1].line == "echo $?"
                before = int(commands[number + 1].shown) if asked else 0
                printed = at.run(command.line)
                if at.code != before:
                    different.append(f"{block}: {command.line} ended with {at.code}, not {before}\n{printed}")
                at.code = 0
    assert different == []


@pytest.mark.parametrize("page", PAGES)
def test_inputs_of_the_old_pages_exist(page):
    action = yaml.safe_load((CHECKOUT / "action.yml").read_text())["inputs"].keys()
    spec, _ = yaml.safe_load_all((CHECKOUT / ".gitlab-ci-template.yml").read_text())
    for block in _blocks(page):
        if block.language == "yaml":
            for document in yaml.safe_load_all(block.text):
                for step in _steps(document):
                    assert step.get("with", {}).keys() <= action, block
                includes = document.get("include", []) if isinstance(document, dict) else []
                for include in includes:
                    assert include.get("inputs", {}).keys() <= spec["spec"]["inputs"].keys(), block


def _steps(document: Any) -> Iterator[dict[str, Any]]:
    """The steps that use the action, in a workflow or in a list of steps."""
    if isinstance(document, dict):
        if "/gitops-ci@" in str(document.get("uses", "")):
            yield document
        document = list(document.values())
    for item in document if isinstance(document, list) else ():
        yield from _steps(item)
