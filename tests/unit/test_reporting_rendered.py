"""A rendered diff as comment, page and text: it fits, it is whole, and foreign text is not markup."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from gitops_ci.comparing import Side, compare
from gitops_ci.model import Outcome
from gitops_ci.model.rendered import RenderedDiff, UnitChange, View
from gitops_ci.reporting import REPORTERS
from gitops_ci.reporting.rendered import listed
from gitops_ci.reporting.rendered_markdown import rendered_markdown, rendered_parts
from tests.support import effort
from tests.support.forge_hosts import KINDS
from tests.unit.comparing.support import config_map, deployment

# The comment limits of all code hosts, each once.
LIMITS = sorted({kind.comment_limit for kind in KINDS.values()})
HOSTILE = "`</details><script>@all #1 ::error::x | [a](b)\n\u202e"


def diff_of(before, after, **fields) -> RenderedDiff:
    found = compare([Side("application:shop", before)], [Side("application:shop", after)])
    summary = {"units": 1, "all_units": 1, **found.summary}
    return RenderedDiff(
        "b" * 40,
        "",
        objects=found.objects,
        groups=found.groups,
        risks=found.risks,
        images=found.images,
        summary=summary,
        **fields,
    )


@cache
def many(number: int) -> RenderedDiff:
    """Changed objects that have little in common, with some that are removed, and one that is dangerous."""
    before = [config_map(f"cm-{n}", text="\n".join(f"{n} line {i}" for i in range(n % 40))) for n in range(number)]
    after = [config_map(f"cm-{n}", text="\n".join(f"{n} row {i}" for i in range(n % 40))) for n in range(number)]
    gone = [config_map(f"gone-{n}", a=str(n)) for n in range(number // 3)]
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "dangerous"}, "spec": {}}
    units = tuple(
        UnitChange(f"helmrelease:x/{n}", "helmrelease", "", "", "skipped", "it needs a chart") for n in range(number)
    )
    return diff_of([*before, *gone, claim], after, units=units)


def closed(text: str) -> None:
    """Every fence and every fold is closed, and CommonMark reads the page."""
    outside = re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    assert outside.count("<details>") == outside.count("</details>")
    lines = text.split("\n")
    for token in MarkdownIt().parse(text):
        if token.type == "fence":
            assert lines[token.map[1] - 1].strip().startswith("```"), "a fence that nothing closes"
    assert all(line.endswith("|") for line in lines if line.startswith("| "))


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("number", [1, 30, 400, 5000])
def test_a_comment_is_whole_and_fits(limit, number):
    diff = many(number)
    text = rendered_markdown(diff, limit)
    assert len(text.encode()) <= limit
    closed(text)
    assert "deletes data" in text[:2_000]
    assert "PersistentVolumeClaim dangerous" in text[:2_000]


def test_what_does_not_fit_is_counted():
    diff = many(2000)
    text = rendered_markdown(diff, 32_768)
    left_out = int(re.search(r"([\d,]+) more objects: see the report", text)[1].replace(",", ""))
    shown = len(re.findall(r"<details>|^- `ConfigMap cm-", text, re.MULTILINE))
    assert left_out + shown == sum(len(group.objects) for group in diff.groups)


def test_what_does_not_fit_goes_on_in_further_comments():
    def maps(keys: int):
        return [config_map(f"cm-{n}", **{f"key{k}": f"{n} {k} {'x' * 900}" for k in range(keys)}) for n in range(4)]

    before, after = maps(0), maps(40)
    diff = diff_of(before, after)
    whole = rendered_markdown(diff, 1_000_000)
    assert rendered_parts(diff, 1_000_000, most=5) == [whole]
    assert rendered_parts(diff, 65_536) == [rendered_markdown(diff, 65_536)]
    parts = rendered_parts(diff, 65_536, most=5)
    assert 1 < len(parts) <= 5
    for number, part in enumerate(parts, 1):
        closed(part)
        assert len(part.encode()) <= 65_536
        assert f"part {number}/{len(parts)}" in part
    lines = {line for line in whole.splitlines() if line.startswith("+")}
    assert lines <= {line for part in parts for line in part.splitlines()}
    assert len(rendered_parts(diff, 65_536, most=2)) == 2


def test_foreign_text_is_no_markup_in_a_comment():
    diff = diff_of([config_map(HOSTILE, **{HOSTILE: HOSTILE})], [config_map(HOSTILE, **{HOSTILE: f"{HOSTILE}x"})])
    text = rendered_markdown(diff, 65_536)
    closed(text)
    html = MarkdownIt().render(text)
    assert "<script" not in html
    assert "\u202e" not in text
    assert "@all" not in re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


class Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.policy = ""

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.policy = self.policy or (named.get("content", "") if "http-equiv" in named else "")
        assert not [name for name in named if name.startswith("on")]
        if tag == "script":
            self.texts.append("")

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.texts[-1] += data


def test_a_long_page_has_a_search_field_and_the_policy_allows_its_script_alone():
    before = [config_map(f"{HOSTILE}{n}", **{HOSTILE: HOSTILE}) for n in range(20)]
    after = [config_map(f"{HOSTILE}{n}", **{HOSTILE: f"{HOSTILE}{n}"}) for n in range(20)]
    page = Scripts()
    page.feed(REPORTERS["html"].report(Outcome("diff", "changed", rendered=diff_of(before, after))))
    [script] = page.texts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert page.policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert HOSTILE not in script


def test_the_headline_counts_what_was_not_rendered():
    units = (
        UnitChange("chart:a", "chart", "", "", "skipped", "it needs a chart"),
        UnitChange("b", "chart", "", "", "added"),
    )
    text = rendered_markdown(diff_of([config_map()], [config_map()], units=units), 65_536)
    assert text.startswith("**Rendered objects**: no change to the rendered objects · 1 unit not rendered\n")


def test_what_is_folded_is_counted_in_words():
    before, after = (
        [{**config_map(f"cm-{n}"), "metadata": {"name": f"cm-{n}", "labels": {"helm.sh/chart": c}}} for n in range(2)]
        for c in ("a-1", "a-2")
    )
    assert "Folded: 2 chart labels; 2 objects with nothing else" in rendered_markdown(diff_of(before, after), 65_536)


def test_foreign_text_is_no_markup_in_a_page():
    diff = diff_of([config_map(HOSTILE, **{HOSTILE: HOSTILE})], [config_map(HOSTILE, **{HOSTILE: f"{HOSTILE}x"})])
    page = REPORTERS["html"].report(Outcome("diff", "changed", rendered=diff))
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "http" not in re.sub(r"http-equiv", "", page)


@pytest.mark.parametrize("form", ["summary", "paths", "yaml"])
def test_foreign_text_is_no_command_in_a_log(form):
    value = "::error::x\n##[error]y\x1b[31m"
    diff = diff_of([config_map(a=value)], [config_map(a=f"{value}z")], view=View(form))
    text = REPORTERS["text"].report(Outcome("diff", "changed", rendered=diff))
    assert not re.search(r"^\s*::", text, re.MULTILINE)
    assert "##[" not in text
    assert "\x1b" not in text


def test_every_changed_object_is_in_the_document():
    diff = many(30)
    told = json.loads(REPORTERS["json"].report(Outcome("diff", "changed", rendered=diff)))["rendered"]
    assert len(told["objects"]) == told["summary"]["objects"] == len(diff.objects)


def any_change(seed: int) -> RenderedDiff:
    """Two units with objects of every fate."""
    chance = random.Random(seed)
    before, after, first, again = ({"application:a": [], "application:b": []} for _ in range(4))
    for number in range(chance.randrange(1, 40)):
        unit, other = chance.sample(sorted(before), 2)
        one = config_map(f"cm-{number}", key=str(number), more="x", text=f"a {number}\nb")
        new, where = json.loads(json.dumps(one)), unit
        for fate in chance.choices(("equal", "value", "label", "added", "removed", "moved", "renamed", "random"), k=2):
            if fate == "value":
                new["data"]["key"] = f"{chance.random()}"
            elif fate == "label":
                new["metadata"]["labels"] = {"helm.sh/chart": f"a-{chance.random()}"}
            elif fate in {"added", "removed"}:
                new, one = (new, None) if fate == "added" else (None, one)
                break
            elif fate == "moved":
                where = other
            elif fate == "renamed":
                new["metadata"]["name"] = f"other-{number}"
            elif fate == "random":
                one["metadata"]["name"], new["metadata"]["name"] = f"r-{chance.random()}", f"r-{chance.random()}"
                first[where].append(new)
                again[where].append({**new, "metadata": {"name": f"r-{chance.random()}"}})
        before[unit] += [one] if one else []
        after[where] += [new] if new else []
    head = [Side(unit, after[unit], first=first[unit], again=again[unit]) for unit in after]
    base = [Side(unit, values, first=values, again=values) for unit, values in before.items()]
    found = compare(base, head)
    return RenderedDiff("b", "", (), found.objects, found.groups, found.risks, summary=found.summary)


@pytest.mark.parametrize("seed", range(effort.examples(40)))
def test_shown_and_listed_and_folded_objects_are_all_that_changed(seed):
    diff = any_change(seed)
    shown = [name for group in diff.groups for name in group.objects]
    told = [one.id for _, rows in listed(diff) for _, _, objects in rows for one in objects]
    quiet = [one.id for one in diff.objects if one.is_noise]
    assert sorted(shown + told + quiet) == sorted(one.id for one in diff.objects)
    text = rendered_markdown(diff, 1_000_000)
    page = REPORTERS["html"].report(Outcome("diff", "changed", rendered=diff))
    log = REPORTERS["text"].report(Outcome("diff", "changed", rendered=diff))
    for one in diff.objects:
        assert one.is_noise or all(one.name in form or " more" in form for form in (text, log, page))


def test_an_object_that_moves_and_is_the_same_is_listed_with_where_it_was():
    one = config_map("settings", a="1")
    found = compare([Side("application:a", [one])], [Side("application:b", [one])])
    diff = RenderedDiff("b", "", (), found.objects, found.groups, found.risks, summary=found.summary)
    row = "| moved | `ConfigMap settings` | `application:b, was in application:a` |"
    assert row in rendered_markdown(diff, 65_536)
    for form in ("summary", "paths", "yaml"):
        log = REPORTERS["text"].report(Outcome("diff", "changed", rendered=replace(diff, view=View(form))))
        assert "Moved\n  > ConfigMap settings (application:b, was in application:a)\n" in log
    assert "application:b, was in application:a" in REPORTERS["html"].report(Outcome("diff", "changed", rendered=diff))


@pytest.mark.parametrize(
    ("unit", "title"),
    [
        ("application:argocd/shop", "Application argocd/shop"),
        ("application:argocd/shop@apps/shop.yaml", "Application argocd/shop (apps/shop.yaml)"),
        ("application:argocd/shop-2", "Application argocd/shop (application:argocd/shop-2)"),
        ("chart:root", "Application argocd/shop (chart:root)"),
    ],
)
def test_a_title_says_the_name_of_a_unit_once(unit, title):
    one = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
    one["metadata"] = {"name": "shop", "namespace": "argocd"}
    old, new = ({**one, "spec": {"a": a}} for a in "xy")
    found = compare([Side(unit, [old])], [Side(unit, [new])])
    diff = RenderedDiff("b", "", (), found.objects, found.groups, found.risks, summary=found.summary)
    assert f"<summary><code>{title}</code></summary>" in rendered_markdown(diff, 65_536)


def test_objects_that_moved_from_two_units_are_no_group():
    """One title cannot name both."""
    old = [[config_map("a", x="1")], [config_map("b", x="1")]]
    new = [config_map("a", x="2"), config_map("b", x="2")]
    found = compare([Side("application:a", old[0]), Side("application:b", old[1])], [Side("application:c", new)])
    assert [len(group.objects) for group in found.groups] == [1, 1]


def test_equal_changes_are_shown_once():
    def named(number, image):
        made = deployment(image)
        made["metadata"]["name"] = f"web-{number}"
        return made

    diff = diff_of([named(n, "web:1") for n in range(200)], [named(n, "web:2") for n in range(200)])
    text = rendered_markdown(diff, 65_536)
    assert text.count("image: web:2") == 1
    assert "Same change in 200 Deployments" in text
    assert len(text) < 1_500
