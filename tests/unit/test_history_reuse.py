"""A content that differs in versions alone has the places that parsing it would find."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_ci import formats
from gitops_ci.flows.history.reuse import LastRead
from gitops_ci.formats import ManifestText
from gitops_ci.yamltext import YamlError
from tests.support import CHECKOUT
from tests.support.effort import examples

FOLDERS = sorted(
    folder for folder in (CHECKOUT / "tests" / "cases").glob("*/*/before") if folder.parent.parent.name != "validation"
)
DIGEST = "sha256:" + "c" * 64
VALUES = (
    "1.4.2", "1.14.2", "v9.0.1", "1.4.2-rc.1", "2.0.0-alpine", "latest", "stable", "main-abc1234", "sha-0a1b2c3",
    "1234567", "1.10", "1e5", "0x1f", "0o17", "1_000", "null", "true", "~", "2024-01-05", "1:20", "nan", ".inf", "a b",
    "# x", "{{ .x }}", "$TAG", "${TAG}", "x:", "- y", f"1.4.2@{DIGEST}", DIGEST, "", "é", "'1.2.3'",
    "ghcr.io/acme/other:1.4.2",
)  # fmt: skip


def places(path, text):
    """What is found by parsing, as history keeps it; None for what cannot be read."""
    try:
        sites = list(formats.find(ManifestText(path, text)))
    except YamlError:
        return None
    return tuple(site for site in sites if not site.problem and site.fields)


def plain(sites):
    """The places without what only an edit needs."""
    return [
        replace(site, fields=tuple(replace(field, pair=None, removal=None) for field in site.fields)) for site in sites
    ]


def changed(text, sites, draw):
    """The text with other values in up to three of its fields."""
    fields = {
        field.span.start: field
        for site in sites
        for field in site.fields
        if field.role in {"tag", "digest", "reference"}
    }
    for start in sorted(draw.sample(sorted(fields), min(len(fields), draw.randint(1, 3))), reverse=True):
        field, value = fields[start], draw.choice(VALUES)
        raw = text[start : field.span.end]
        if field.role == "reference" and draw.random() < 0.8:
            value = f"{field.text.partition('@')[0].rpartition(':')[0]}:{value}"
        at = start + raw.find(field.text) if field.text else start
        text = f"{text[:at]}{value}{text[at + len(field.text) :]}"
    return text


@pytest.mark.soak
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "/".join(folder.parts[-3:-1]))
def test_what_is_reused_is_what_parsing_finds(folder: Path):
    draw = random.Random(folder.parent.name)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        path = file.relative_to(folder).as_posix()
        try:
            text = file.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        sites = places(path, text)
        for _ in range(examples(6) if sites else 0):
            last, now, found = LastRead(text, sites), text, sites
            for _ in range(4):  # contents that follow each other, as in a history
                other = changed(now, found, draw)
                reused = last.followed_by(other)
                if reused is None:
                    break
                now, found = other, places(path, other)
                assert plain(reused.sites()) == plain(found), other


TEXT = "image: {repository: ghcr.io/acme/shop, tag: 1.4.1}\nother: 1\nsidecar:\n  image: 'ghcr.io/acme/side:2.0.0'\n"


@pytest.mark.parametrize(
    ("old", "new", "is_reused"),
    [
        ("1.4.1", "1.14.0", True),
        ("side:2.0.0", "side:2.10.0-rc.1", True),
        ("1.4.1", "latest", False),
        ("other: 1", "other: 2", False),
        ("acme/side:2.0.0", "acme/else:2.0.0", False),
        ("other: 1\n", "", False),
    ],
)
def test_only_versions_of_one_kind_are_reused(old, new, is_reused):
    text = TEXT.replace(
        "{repository: ghcr.io/acme/shop, tag: 1.4.1}", "\n  repository: ghcr.io/acme/shop\n  tag: 1.4.1"
    )
    sites = places("values.yaml", text)
    other = text.replace(old, new)
    last = LastRead(text, sites)
    reused = last.followed_by(other)
    assert (reused is not None) == is_reused
    if reused:
        assert plain(reused.sites()) == plain(places("values.yaml", other))
        assert reused.sites() != sites
        assert plain(last.followed_by(text).sites()) == plain(sites)
