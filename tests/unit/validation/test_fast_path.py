"""What is accepted at a glance would be accepted at length.

fast_path.py is never more lenient than strict_decoding.py.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gitops_ci.fast_yaml.ambiguity import AMBIGUOUS, HAS_NULL, UNAMBIGUOUS, classify
from gitops_ci.validation.manifests.documents import split
from gitops_ci.validation.openapi.bundle import Bundle
from gitops_ci.validation.openapi.fast_path import FastAcceptor
from gitops_ci.validation.openapi.strict_decoding import StrictDecoder
from gitops_ci.validation.violation import Violation
from tests.support.rule_tables import sound

VERSION = "1.36"
# What a value is replaced by; the strings of the second line are other values to go-yaml where they are not in quotes.
STRANGE: tuple[Any, ...] = (
    *(None, True, 0, -1, 1 << 31, 1 << 63, 1 << 64, 1.5, 1e300, "", "x", "10%", "1Gi", [], {}, [None], {"a": None}),
    *("yes", "n", "0755", "1_000", "0x1_0", "-0b1", {"on": "x"}, {"0755": 1}, {"<<": {}}, {"a": [{"b": "off"}]}),
)


def sound_objects() -> list[dict[str, Any]]:
    values = [piece.load().value for piece in split(yaml.safe_dump_all(sound().values()))]
    known = Bundle.load(VERSION)
    return [value for value in values if known.find(value["apiVersion"], value["kind"]) is not None]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(collection, key) of everything in a value."""
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(item, dict | list):
            yield from places(item)


def problems(value: dict[str, Any]) -> list[Violation]:
    check = StrictDecoder.of(VERSION).kind(value["apiVersion"], value["kind"])
    assert check is not None
    found: list[Violation] = []
    check(value, None, found)
    return found


def answer(value: dict[str, Any]) -> int:
    accept = FastAcceptor.of(VERSION).kind(value["apiVersion"], value["kind"])
    assert accept is not None
    return accept(value)


def test_sound_objects_are_accepted() -> None:
    objects = sound_objects()
    assert len({value["kind"] for value in objects}) > 30
    unsure = [value["kind"] for value in objects if answer(value) == AMBIGUOUS]
    # A word such as `yes` in quotes takes the exact reading, and a status that lacks something the whole check.
    assert len(unsure) < 0.05 * len(objects), unsure


def test_whatever_is_accepted_has_no_problem_and_one_reading() -> None:
    accepted = 0
    for value in sound_objects():
        for holder, key in list(places(value)):
            if holder is value and key in {"apiVersion", "kind"}:
                continue
            before = holder[key]
            for strange in STRANGE:
                holder[key] = copy.deepcopy(strange)
                said = answer(value)
                if said != AMBIGUOUS:
                    accepted += 1
                    assert problems(value) == [], (value["kind"], key, strange)
                    assert classify(value) == said, (value["kind"], key, strange)
            holder[key] = before
    assert accepted > 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "x", "b": [1, true, 1.5]}', UNAMBIGUOUS),
        ('{"a": {"b": [null]}}', HAS_NULL),
        ('{"a": "yes"}', AMBIGUOUS),
        ('{"a": ["0755"]}', AMBIGUOUS),
        ('{"no": 1}', AMBIGUOUS),
        ('{"a": 18446744073709551616}', AMBIGUOUS),
        ('{"a": "yesterday", "b": "0", "c": "1.10", "d": "2026-01-01", "e": "1:30"}', UNAMBIGUOUS),
    ],
)
def test_words_and_numbers_that_go_yaml_reads_otherwise(text: str, expected: int) -> None:
    assert classify(json.loads(text)) == expected
