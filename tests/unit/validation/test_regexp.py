"""Patterns of custom resources: as RE2 reads them, with it and without it, and never for longer than a moment."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from gitops_ci.validation import check
from gitops_ci.validation.go import regexp

HOSTILE = ["^(a+)+$", "^(a|aa)+$", "(.*a){20}$", ".*.*.*.*=x", r"^(([a-z])+.)+[A-Z]([a-z])+$"]
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.acme.io}}
spec:
  group: acme.io
  scope: Namespaced
  names: {{kind: Widget, plural: widgets}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {{type: object, properties: {{color: {{type: string, pattern: {pattern}}}}}}}
"""


@pytest.fixture(params=["re2", "python"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "python":
        monkeypatch.setattr(regexp, "_re2", lambda: None)
    regexp.matcher.cache_clear()
    yield request.param
    regexp.matcher.cache_clear()


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize(
    ("pattern", "match", "other"),
    [
        ("^a$", "a", "a\n"),
        ("^(a$|b)", "bc", "a\n"),
        (r"^\d+\z", "12", "١٢"),
        (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "a.b-c.d", "a.-b"),
        ("^(0|[1-9][0-9]*)(ms|s|m|h)$", "15m", "015m"),
        (r"\$$", "a$", "$a"),
        ("(?i)^on$", "ON", "one"),
    ],
)
def test_both_engines_agree(pattern: str, match: str, other: str) -> None:
    matches = regexp.matcher(pattern)
    assert matches is not None
    assert (matches(match), matches(other)) == (True, False)


@pytest.mark.parametrize("pattern", [r"^\pL+$", "^[[:alpha:]]+$", r"\Qa.b\E", r"\x{61}", "(?U)a+"])
def test_what_only_re2_reads_is_not_guessed(monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setattr(regexp, "_re2", lambda: None)
    regexp.matcher.cache_clear()
    matches = regexp.matcher(pattern)
    assert matches is not None
    assert matches("a") is None
    regexp.matcher.cache_clear()


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_hostile_pattern_takes_a_moment_and_is_told_once(either: str, pattern: str) -> None:
    widget = "apiVersion: acme.io/v1\nkind: Widget\nmetadata: {{name: {name}}}\nspec: {{color: {color}}}\n"
    color = "a" * 3000 + "b"
    files = [(f"{name}.yaml", widget.format(name=name, color=color)) for name in "abcdef"]
    before = time.process_time()
    report = check([("crd.yaml", CRD.format(pattern=repr(pattern))), *files])
    assert time.process_time() - before < 2
    refused = [found.path for found in report.findings if found.rule == "schema/value"]
    told = [skip.path for skip in report.skipped if f"the pattern {pattern} is not checked" in skip.reason]
    if either == "re2":
        assert (refused, told) == ([f"{name}.yaml" for name in "abcdef"], [])
    else:
        assert (refused, told) == ([], ["a.yaml"])


def test_where_no_time_can_be_kept_only_plain_patterns_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexp, "_re2", lambda: None)
    monkeypatch.delattr("signal.setitimer")
    regexp.matcher.cache_clear()
    plain, hostile = regexp.matcher("^[a-z]+$"), regexp.matcher("^(a+)+$")
    assert plain is not None
    assert hostile is not None
    assert (plain("abc"), hostile("aaa")) == (True, None)
    regexp.matcher.cache_clear()
