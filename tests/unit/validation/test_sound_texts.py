"""A large text that several units render is judged once, and found in all of them as if it were judged each time."""

import pytest

from gitops_ci.fast_yaml.reader import load_fast
from gitops_ci.validation import Rendered, check, sound_texts
from gitops_ci.validation.object_check import ObjectChecker

LARGE = "".join(f"  key{number}: value\n" for number in range(1_000))
CONFIG = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: NAME, labels: {{a: 'b'}}}}\ndata:\n{LARGE}"


def units(*texts):
    return [Rendered(f"unit{number}", f"{number}/kustomization.yaml", text) for number, text in enumerate(texts)]


@pytest.fixture
def judged(monkeypatch):
    """How many objects were judged, fast or exactly."""
    seen = []
    for name in ("accepts", "verdict"):
        real = getattr(ObjectChecker, name)

        def call(self, document, *more, real=real):
            seen.append(document.name)
            return real(self, document, *more)

        monkeypatch.setattr(ObjectChecker, name, call)
    return seen


SOUND = CONFIG.replace("NAME", "shop")
# The fast reader leaves an anchor to the exact one.
EXACT = SOUND.replace("value\n", "&one value\n", 1)


@pytest.mark.parametrize("text", [SOUND, EXACT], ids=["read fast", "read exactly"])
def test_a_sound_text_is_judged_once(text, judged):
    assert (load_fast(text) is None) is (text is EXACT)
    report = check([], rendered=units(text, text, text))
    once = len(judged)
    assert (report.findings, report.summary["documents"], report.summary["valid"]) == ((), 3, 3)
    judged.clear()
    check([], rendered=units(text))
    assert once == len(judged) > 0


def test_what_is_wrong_is_told_for_each_unit(judged):
    text = SOUND.replace("data:\n", "data:\n  wrong: 1\n")
    report = check([], rendered=units(text, text))
    assert [(one.rule, one.path) for one in report.findings] == [
        ("schema/type", "0/kustomization.yaml"),
        ("schema/type", "1/kustomization.yaml"),
    ]
    assert report.summary["invalid"] == 2
    assert judged.count("shop") > 1


def test_rules_that_look_at_units_see_every_one():
    """Two namespaces of one name in one unit are a duplicate there, whatever was judged before."""
    text = SOUND.replace("NAME", "shop")
    report = check([], rendered=units(text, f"{text}---\n{text}"))
    assert [finding.rule for finding in report.findings] == ["repo/duplicate-resource"]


def test_a_short_text_is_not_kept_and_nothing_is_when_the_room_is_used(monkeypatch):
    kept = sound_texts.SoundTexts()
    kept.keep("short", {"a": 1})
    assert kept.value("short") is None
    monkeypatch.setattr(sound_texts, "_LEAST", 1)
    monkeypatch.setattr(sound_texts, "_MOST", 1)
    kept = sound_texts.SoundTexts()
    kept.keep("one", {"a": 1})
    kept.keep("two", {"a": 2})
    assert (kept.value("one"), kept.value("two")) == ({"a": 1}, None)


def test_a_value_that_is_no_json_is_not_kept(monkeypatch):
    monkeypatch.setattr(sound_texts, "_LEAST", 1)
    kept = sound_texts.SoundTexts()
    kept.keep("text", {"a": b"bytes"})
    assert kept.value("text") is None
