"""Every rule has a page, and its examples are true: one breaks the rule, the other follows it."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_ci.cli import run_command_line
from gitops_ci.rules.catalog import FAMILIES, RULE_IDS
from gitops_ci.rules.pages import RulePage, family_page, rule_page, rule_pages
from gitops_ci.validation import Checks, check
from tests.support import CHECKOUT
from tests.support.kubetools import kubernetes_tool
from tests.support.rule_tables import findings, sound

PAGES = list(rule_pages())
OF_KINDS = [page for page in PAGES if page.kind]
OF_CUSTOM = [page for page in PAGES if page.definition]
OF_FILES = [page for page in PAGES if page.bad and not page.kind and not page.definition]
WITHOUT_EXAMPLE = {
    "api/config-size",
    "gitops/crd-differs",
    "gitops/kustomization",
    "gitops/missing-path",
    "gitops/missing-source",
    "gitops/no-decryption",
    "gitops/not-deployed",
    "gitops/schema-location",
    "gitops/undefined-variable",
    "gitops/window",
    "repo/crd-in-use",
    "repo/deletes-data",
    "repo/image-not-found",
    "repo/immutable",
    "repo/no-namespace",
    "schema/missing",
}


def named(page: RulePage) -> str:
    return page.id


def test_every_rule_has_a_page() -> None:
    ids = {page.id for page in PAGES}
    assert not (left := sorted(set(RULE_IDS) - ids)), f"add a page to gitops_ci/rules/<family>.toml for {left}"
    assert not (gone := sorted(ids - set(RULE_IDS))), f"RULE_IDS in gitops_ci/rules/catalog.py does not have {gone}"
    assert [page.id for page in PAGES] == sorted(RULE_IDS)
    bare = {page.id for page in PAGES if not page.bad}
    assert not (left := sorted(bare - WITHOUT_EXAMPLE)), f"add `bad` and `good` to the page of {left}"
    assert not (more := sorted(WITHOUT_EXAMPLE - bare)), f"has an example, take it out of WITHOUT_EXAMPLE: {more}"
    short = [page.id for page in PAGES if not (page.what.endswith(".") and page.why.endswith(".") and page.source)]
    assert not short, f"`what` and `why` end with a full stop, and `source` is not empty: {short}"
    assert not (half := [page.id for page in PAGES if bool(page.bad) != bool(page.good)]), f"one example alone: {half}"


@pytest.mark.parametrize("family", ["gitops", "repo", "yaml"])
def test_a_page_names_its_own_source(family: str) -> None:
    import tomllib

    texts = tomllib.loads((CHECKOUT / "gitops_ci" / "rules" / f"{family}.toml").read_text())
    missing = [rule for rule, text in texts.items() if not text.get("source")]
    assert not missing, f"add `source` in gitops_ci/rules/{family}.toml: {missing}"


@pytest.mark.parametrize("page", OF_KINDS, ids=named)
def test_an_object_breaks_and_follows_its_rule(page: RulePage) -> None:
    assert page.id in broken(merged(sound()[page.kind], yaml.safe_load(page.bad)))
    # Another rule may have an opinion about a fragment; the rule itself has none.
    assert page.id not in broken(merged(sound()[page.kind], yaml.safe_load(page.good)))


@pytest.mark.parametrize("page", OF_CUSTOM, ids=named)
def test_a_custom_resource_breaks_and_follows_its_rule(page: RulePage) -> None:
    if page.id == "schema/rule":
        pytest.importorskip("cel_expr_python", reason="the extra `cel` is not installed")
    assert page.id in of_definition(page.definition, page.bad)
    assert of_definition(page.definition, page.good) == set()


@pytest.mark.parametrize("page", OF_FILES, ids=named)
def test_files_break_and_follow_their_rule(
    page: RulePage, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if page.id.endswith(("-build", "/values")) or "kustomization.yaml" in page.bad:
        tool = shutil.which("kubectl") or kubernetes_tool("kubectl"), shutil.which("helm") or kubernetes_tool("helm")
        monkeypatch.setenv("PATH", os.pathsep.join([*(str(Path(one).parent) for one in tool), os.environ["PATH"]]))
    found = of_files(page.bad, tmp_path / "bad", capfd)
    assert page.id in found, f"`bad` of {page.id} has to break the rule; it breaks {sorted(found)}"
    found = of_files(page.good, tmp_path / "good", capfd)
    assert not found, f"`good` of {page.id} has to be without findings; it breaks {sorted(found)}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.id.startswith("api/")], ids=named)
def test_the_named_modules_have_the_rule(page: RulePage) -> None:
    import tomllib

    text = tomllib.loads((CHECKOUT / "gitops_ci" / "rules" / "api.toml").read_text())[page.id]
    name = page.id.partition("/")[2]
    for module in text.get("modules", ()):
        path = CHECKOUT / "gitops_ci" / "validation" / f"{module}.py"
        folder = path.with_suffix("")
        sources = [path] if path.is_file() else sorted(folder.glob("*.py"))
        assert any(f'"{name}"' in source.read_text() for source in sources), module


@pytest.mark.parametrize("family", FAMILIES)
def test_the_documentation_has_the_pages(family: str) -> None:
    written = (CHECKOUT / "docs" / "rules" / f"{family}.md").read_text()
    assert written == family_page(family), "run .venv/bin/python scripts/write_rule_pages.py"


def test_an_unknown_rule_has_no_page() -> None:
    with pytest.raises(KeyError):
        rule_page("api/nonsense")


class TestCommand:
    def test_lists_all_rules(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert run_command_line(["rule"]) == 0
        printed = capfd.readouterr().out
        assert [rule for rule in RULE_IDS if f"  {rule} " not in printed] == []

    def test_explains_one_rule(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert run_command_line(["rule", "api/selector"]) == 0
        printed = capfd.readouterr().out
        assert printed.startswith("api/selector\n")
        assert "Breaks the rule (Deployment):" in printed
        assert "ValidateLabelSelector" in printed

    def test_explains_a_family(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert run_command_line(["rule", "yaml/*"]) == 0
        assert "yaml/duplicate-key\n" in capfd.readouterr().out

    def test_prints_json(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert run_command_line(["rule", "api/cron", "--output", "json"]) == 0
        (page,) = json.loads(capfd.readouterr().out)
        assert (page["id"], page["kind"]) == ("api/cron", "CronJob")

    def test_refuses_an_unknown_rule_with_the_one_that_was_meant(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert run_command_line(["rule", "api/pods"]) == 2
        assert "Did you mean 'api/pod'?" in capfd.readouterr().err


def broken(manifest: dict[str, Any]) -> set[str]:
    return {finding.rule for finding in findings(manifest)}


def merged(value: Any, change: Any) -> Any:
    """The value with the fields of a change; a list replaces a list."""
    if not isinstance(value, dict) or not isinstance(change, dict):
        return change
    result = copy.copy(value)
    for key, item in change.items():
        result[key] = merged(value.get(key), item)
    return result


def of_definition(definition: str, fields: str) -> set[str]:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": yaml.safe_load(definition)}}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.acme.example"},
        "spec": {
            "group": "acme.example",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    widget = {"apiVersion": "acme.example/v1", "kind": "Widget", "metadata": {"name": "a"}}
    texts = [("crd.yaml", yaml.safe_dump(crd)), ("a.yaml", yaml.safe_dump(widget | {"spec": yaml.safe_load(fields)}))]
    return {finding.rule for finding in check(texts, Checks()).findings}


def of_files(example: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> set[str]:
    texts = {"file.yaml": example}
    if example.startswith("# file: "):
        parts = [part.partition("\n") for part in example.split("# file: ")[1:]]
        texts = {name: text for name, _, text in parts}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run_command_line(["validate", str(folder), "--output", "json"])
    return {finding["rule"] for finding in json.loads(capfd.readouterr().out)["findings"]}


def test_a_kind_has_its_article() -> None:
    text = "".join(map(family_page, FAMILIES))
    assert ", in an Ingress:" in text
    assert ", in a Pod:" in text
    assert re.findall(r", in a [AEIO]\w+", text) == []
