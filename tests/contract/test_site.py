"""The documentation site: every page has its place, every link an aim, the reference has all of the program."""

from __future__ import annotations

import posixpath
import re

import click
import pytest
import yaml

from gitops_ci.cli import COMMANDS
from gitops_ci.cli.config_schema import schema
from scripts.build_site import pages
from scripts.reference_pages import commands
from tests.contract.test_documentation import _CODE, _LINK
from tests.support import CHECKOUT


@pytest.fixture(scope="module")
def site():
    return pages()


def test_every_page_is_in_the_navigation_once(site):
    def leaves(node):
        if isinstance(node, str):
            return [node]
        return [leaf for one in (node.values() if isinstance(node, dict) else node) for leaf in leaves(one)]

    found = leaves(yaml.safe_load((CHECKOUT / "mkdocs.yml").read_text())["nav"])
    assert sorted(found) == sorted(site)


def test_every_link_leads_to_a_page_or_to_a_file_of_the_repository(site):
    for name, text in site.items():
        for target, _ in _LINK.findall(_CODE.sub("", text)):
            if not target:
                continue
            if "/blob/main/" in target or "/tree/main/" in target:
                assert (CHECKOUT / target.partition("/main/")[2]).exists(), f"{name}: {target}"
            elif "://" not in target:
                path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
                is_picture = path.endswith(".png") and (CHECKOUT / "docs" / path).exists()
                assert path in site or is_picture, f"{name}: {target}"


def test_the_reference_has_every_command_option_key_and_variable(site):
    text = site["reference/commands.md"]
    names = [name for name, _ in commands()]
    whole = {name for name, one in COMMANDS.items() if not isinstance(one, click.Group)}
    assert whole <= set(names)
    for name, command in commands():
        part = text.partition(f"## gitops-ci {name}\n")[2].partition("\n## ")[0]
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert f"| `{max(option.opts, key=len)}`" in part, (name, option.opts)
                assert not option.envvar or f"| `{option.envvar}` |" in site["reference/variables.md"]
    for key in schema()["properties"]:
        assert f"| `{key}` |" in site["reference/configuration.md"]
    for code in (*range(9), 130):
        assert f"| {code} |" in site["reference/exit-codes.md"]


def test_tables_of_the_reference_have_as_many_cells_as_headings(site):
    for name, text in site.items():
        if name.startswith("reference/"):
            for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
                cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
                assert len(cells) == 1, f"{name}: {table[:200]}"
