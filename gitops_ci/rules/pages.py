"""The page of a rule: what it means, why it matters, an example that breaks it, and the source it was written from.

The texts are in api.toml and its siblings, one file for each family of rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from gitops_ci.dataclass import dataclass
from gitops_ci.rules.catalog import FAMILIES

__all__ = ["FAMILY_TITLES", "RulePage", "family_page", "rule_page", "rule_pages"]

FAMILY_TITLES: Mapping[str, str] = {
    "api": "The API server refuses the object",
    "gitops": "The operator refuses or ignores what is written",
    "repo": "Valid, but not wanted in the repository",
    "schema": "The object does not have the structure of its kind",
    "yaml": "The file cannot be read as Kubernetes reads it",
}
_OPENAPI = "The OpenAPI definitions of each Kubernetes release, and the schemas of CustomResourceDefinitions"


@dataclass(frozen=True, slots=True)
class RulePage:
    """What a person needs to know about a rule.

    `bad` and `good` are YAML: fields of an object of `kind` in the families api and schema; whole files in the others,
    where a line `# file: PATH` starts each file of a folder. `definition` is the schema of a custom resource that they
    are fields of. An example is "" where it would need more than files. `source` lists where the rule comes from.
    """

    id: str
    what: str
    why: str
    bad: str = ""
    good: str = ""
    kind: str = ""
    definition: str = ""
    source: tuple[str, ...] = ()


def rule_page(rule: str) -> RulePage:
    """The page of a rule id. Raises KeyError for an id that is none."""
    return _pages(rule.partition("/")[0])[rule]


def rule_pages() -> Iterator[RulePage]:
    """All pages, in the order of their ids."""
    for family in FAMILIES:
        yield from _pages(family).values()


def family_page(family: str) -> str:
    """The pages of a family as one Markdown document."""
    parts = [f"# Rules `{family}/*`\n\n{FAMILY_TITLES[family]}. `gitops-ci rule ID` prints the entry of a rule.\n"]
    parts += [_markdown(page) for page in _pages(family).values()]
    return "\n".join(parts)


@cache
def _pages(family: str) -> Mapping[str, RulePage]:
    import tomllib

    texts = tomllib.loads(files("gitops_ci.rules").joinpath(f"{family}.toml").read_text("utf-8"))
    return {rule: _page(rule, texts[rule]) for rule in sorted(texts)}


def _page(rule: str, text: Mapping[str, Any]) -> RulePage:
    return RulePage(
        rule,
        what=" ".join(text.get("what", "").split()),
        why=" ".join(text.get("why", "").split()),
        bad=text.get("bad", "").strip("\n"),
        good=text.get("good", "").strip("\n"),
        kind=text.get("kind", ""),
        definition=text.get("definition", ""),
        source=tuple(_upstream(text["modules"]) if "modules" in text else _listed(text.get("source", _OPENAPI))),
    )


def _listed(source: str | Iterable[str]) -> Iterable[str]:
    return (source,) if isinstance(source, str) else source


def _upstream(modules: Iterable[str]) -> Iterator[str]:
    """The upstream files and functions that modules of this package were written from, by upstream.toml."""
    known = _upstream_record()
    for module in modules:
        for file, functions in known["modules"][module].items():
            yield f"Kubernetes {known['release']}, {file}: {', '.join(functions)}"


@cache
def _upstream_record() -> Mapping[str, Any]:
    import tomllib

    return tomllib.loads(files("gitops_ci.validation").joinpath("upstream.toml").read_text("utf-8"))


def _with_article(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIO' else 'a'} {kind}"


def _markdown(page: RulePage) -> str:
    lines = [f"## {page.id}", "", page.what, "", page.why, ""]
    for title, example in (("Breaks the rule", page.bad), ("Follows the rule", page.good)):
        if example:
            of_kind = _with_article(page.kind) if page.kind else "a custom resource" if page.definition else ""
            lines += [f"{title}, in {of_kind}:" if of_kind else f"{title}:", "", "```yaml", example, "```", ""]
    lines += [f"Source: {source}" if len(page.source) == 1 else f"- {source}" for source in page.source]
    if len(page.source) > 1:
        lines.insert(len(lines) - len(page.source), "Sources:\n")
    return "\n".join(lines) + "\n"
