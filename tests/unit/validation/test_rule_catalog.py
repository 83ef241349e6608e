"""The table of rule ids is that of the sources, and a glob that means no rule is refused."""

import ast
import re
from functools import cache
from itertools import chain

import pytest

from gitops_ci.errors import UsageError
from gitops_ci.rules.catalog import FAMILIES, RULE_IDS, check_globs
from tests.support import CHECKOUT

ROOMS = ("comparing", "validation", "flows", "rendering")
_WHOLE = re.compile(rf"({'|'.join(FAMILIES)})/[a-z][a-z-]*")
# Methods of a rule's place; their first argument is the rule's name within `api/`.
_SAYS = {"bad", "bad_key", "missing", "one_of", "at_least", "within", "fits"}


@cache
def _sources() -> tuple[set[str], set[tuple[str, str]]]:
    """Every text in the sources, and every call whose first argument is a text: (name of the function, text)."""
    texts, calls = set(), set()
    for path in chain.from_iterable((CHECKOUT / "gitops_ci" / room).rglob("*.py") for room in ROOMS):
        if path.parent.name == "rules":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            texts.add(_text(node))
            if isinstance(node, ast.Call) and node.args and (text := _text(node.args[0])):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                calls.add((called, text))
    return texts, calls


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_rule_is_in_the_table():
    texts, calls = _sources()
    found = {text for text in texts if _WHOLE.fullmatch(text)}
    found |= {f"api/{name}" for called, name in calls if called in _SAYS and re.fullmatch(r"[a-z-]+", name)}
    # What the decoder of a scalar type refuses: (rule, why) of validation/apimachinery/scalars.py.
    refusals = re.findall(
        r'return "([a-z0-9-]+)", ', (CHECKOUT / "gitops_ci/validation/apimachinery/scalars.py").read_text()
    )
    found |= {f"schema/{name}" for name in refusals}
    assert len(found) > 60
    assert not (left := sorted(found - set(RULE_IDS))), f"add to RULE_IDS in gitops_ci/rules/catalog.py: {left}"


def test_nothing_else_is_in_the_table():
    words, _ = _sources()
    unknown = [rule for rule in RULE_IDS if rule not in words and rule.partition("/")[2] not in words]
    assert not unknown, f"no code has {unknown}: take it out of RULE_IDS in gitops_ci/rules/catalog.py"
    wrong = [rule for rule, right in zip(RULE_IDS, sorted(set(RULE_IDS)), strict=False) if rule != right][:1]
    assert list(RULE_IDS) == sorted(set(RULE_IDS)), f"RULE_IDS is not in alphabetical order, from {wrong} on"


@pytest.mark.parametrize("glob", ["*", "api/*", "repo/mutable-tag", "*/duplicate*", "api/c[ro]*"])
def test_a_glob_that_means_a_rule_is_fine(glob):
    check_globs([glob])


@pytest.mark.parametrize(
    ("glob", "told"),
    [("repo/mutable-tags", "repo/mutable-tag"), ("apis/cron", "api/cron"), ("mutable-tag", "repo/mutable-tag")],
)
def test_a_glob_that_means_none_is_refused_with_the_one_that_was_meant(glob, told):
    with pytest.raises(UsageError, match=f"Did you mean '{told}'"):
        check_globs([glob])
