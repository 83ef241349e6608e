"""Diffs: what git applies, and what a person reads."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ci.model import FileChange
from gitops_ci.reporting.diff import _abreast, readable, unified
from tests.support.effort import examples

_TEXTS = {
    "one line in the middle": ("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nc\nd\nE\nf\ng\nh\n"),
    "first and last line": ("a\nb\nc\nd\ne\nf\ng\nh\ni\n", "A\nb\nc\nd\ne\nf\ng\nh\nI\n"),
    "near enough for one hunk": ("a\n" + "x\n" * 6 + "b\n", "A\n" + "x\n" * 6 + "B\n"),
    "too far for one hunk": ("a\n" + "x\n" * 7 + "b\n", "A\n" + "x\n" * 7 + "B\n"),
    "inserted line": ("a\nb\n", "a\nnew\nb\n"),
    "removed line": ("a\nb\nc\n", "a\nc\n"),
    "no final newline": ("a\nb", "a\nc"),
    "final newline lost": ("a\nb\n", "a\nb"),
    "final newline gained": ("a\nb", "a\nb\n"),
    "CRLF": ("a\r\nb\r\n", "a\r\nc\r\n"),
    "lone CR and form feed": ("a\rb\x0cc\nd\n", "a\rb\x0cc\ne\n"),
    "Unicode line separators": ("a\u2028b\x85c\n", "a\u2028b\x85d\n"),
    "new file": ("", "a\nb\n"),
    "emptied file": ("a\nb\n", ""),
    "only a newline": ("\n", "\n\n"),
}


def _applied(folder: Path, files: list[FileChange]) -> dict[str, str]:
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.before:
            path.write_bytes(file.before.encode())
    diff = unified(files).encode()
    # --unidiff-zero is not given: the context has to be right.
    ran = subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=folder, input=diff, capture_output=True)
    assert ran.returncode == 0, (ran.stderr, diff)
    return {
        file.path: (folder / file.path).read_bytes().decode() if (folder / file.path).exists() else "" for file in files
    }


@pytest.mark.parametrize("case", _TEXTS)
def test_git_applies_the_diff_to_the_exact_bytes(tmp_path: Path, case: str) -> None:
    before, after = _TEXTS[case]
    assert _applied(tmp_path, [FileChange("f.yaml", before, after)]) == {"f.yaml": after}


@pytest.mark.parametrize(
    "path", ["a b/c d.yaml", 'quo"te\\back.yaml', "tab\there.yaml", "line\nbreak.yaml", "ünï.yaml"]
)
def test_git_applies_to_paths_with_odd_characters(tmp_path: Path, path: str) -> None:
    assert _applied(tmp_path, [FileChange(path, "a\n", "b\n")]) == {path: "b\n"}


def test_git_applies_one_diff_of_many_files(tmp_path: Path) -> None:
    files = [FileChange(f"{name}.yaml", f"{name}\nold\n", f"{name}\nnew\n") for name in "abc"]
    assert _applied(tmp_path, files) == {file.path: file.after for file in files}


_LINES = st.lists(st.sampled_from(["a\n", "b\n", "  c\n", "\n", "d\r\n", "-x\n", "+y\n", "\\ z\n"]), max_size=30).map(
    "".join
)


@settings(max_examples=examples(60))
@given(before=_LINES, after=_LINES, end=st.sampled_from(["", "last", "last\n"]))
def test_git_applies_any_diff(tmp_path_factory: pytest.TempPathFactory, before: str, after: str, end: str) -> None:
    after += end
    if before != after:
        assert _applied(tmp_path_factory.mktemp("apply"), [FileChange("f", before, after)]) == {"f": after}


@settings(max_examples=examples(200))
@given(before=_LINES, after=_LINES)
def test_long_files_side_by_side_lose_and_add_nothing(before: str, after: str) -> None:
    old, new = before.split("\n"), after.split("\n")
    at = made = 0
    for tag, a, b, c, d in _abreast(old, new):
        assert (a, c) == (at, made)
        assert {"equal": old[a:b] == new[c:d], "delete": c == d, "insert": a == b, "replace": a < b and c < d}[tag]
        at, made = b, d
    assert (at, made) == (len(old), len(new))


def test_many_changes_in_a_long_file_are_compared_quickly_and_line_by_line() -> None:
    before = "".join(f"- name: app-{n}\n  newTag: v1\n" for n in range(20_000))
    after = before.replace("newTag: v1\n", "newTag: v2\n  digest: x\n")
    started = time.perf_counter()
    diff = unified([FileChange("k.yaml", before, after)])
    assert time.perf_counter() - started < 20, "it takes a fiftieth; difflib takes minutes"
    assert diff.count("\n-") == 20_000
    assert diff.count("\n+") == 40_000 + 1


def test_unchanged_file_has_no_diff() -> None:
    assert unified([FileChange("f", "a\n", "a\n")]) == ""
    assert readable([FileChange("f", "a\n", "a\n")]) == ""


def test_diff_shows_three_lines_around() -> None:
    text = "".join(f"line {n}\n" for n in range(1, 100))
    assert unified([FileChange("f.yaml", text, text.replace("line 50\n", "changed\n"))]) == (
        "--- a/f.yaml\n+++ b/f.yaml\n@@ -47,7 +47,7 @@\n"
        " line 47\n line 48\n line 49\n-line 50\n+changed\n line 51\n line 52\n line 53\n"
    )


def test_changes_share_a_hunk_when_their_context_touches() -> None:
    assert unified([FileChange("f", *_TEXTS["near enough for one hunk"])]).count("@@ -") == 1
    assert unified([FileChange("f", *_TEXTS["too far for one hunk"])]).count("@@ -") == 2


def test_missing_final_newline_is_said() -> None:
    assert unified([FileChange("f", "a", "b")]).endswith(
        "-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
    )


def test_reader_is_told_once_that_lines_end_in_crlf() -> None:
    diff = readable([FileChange("f", "a: 1\r\nb: 2\r\n", "a: 3\r\nb: 2\r\n")])
    assert diff == "--- a/f (CRLF line ends)\n+++ b/f\n@@ -1,2 +1,2 @@\n-a: 1\n+a: 3\n b: 2\n"


def test_reader_sees_a_line_end_that_differs_from_the_others() -> None:
    diff = readable([FileChange("f", "a: 1\nb: 2\n", "a: 1\r\nb: 2\n")])
    assert "-a: 1\n+a: 1\\r\n" in diff


def test_reader_sees_control_and_direction_characters_spelled_out() -> None:
    diff = readable([FileChange("f", "a: 1\n", "a: \x1b[31m\u202e\u2028\n")])
    assert "+a: \\x1b[31m\\u202e\\u2028\n" in diff


def test_tabs_stay_tabs() -> None:
    assert "+\tb\n" in readable([FileChange("f", "\ta\n", "\tb\n")])


def test_long_repetitive_file_is_compared_quickly() -> None:
    lines = ["- name: x\n"] * 30_000
    changed = [*lines[:10], "- name: y\n", *lines[11:-10], "- name: z\n", *lines[-9:]]
    diff = unified([FileChange("f", "".join(lines), "".join(changed))])
    assert diff.count("\n+") - diff.count("\n+++") == 2
