"""Patterns that are compiled by their first use."""

import re
import subprocess
import sys

import pytest

from gitops_ci.lazy import lazy_pattern


@pytest.mark.parametrize(
    ("text", "flags", "subject"), [(r"^b(?P<rest>.*)$", re.MULTILINE, "a\nbc"), (rb"b.*", 0, b"abc")]
)
def test_it_gives_what_a_compiled_pattern_gives(text, flags, subject):
    lazy, compiled = lazy_pattern(text, flags), re.compile(text, flags)
    for method in ("match", "fullmatch", "search", "findall", "split"):
        found, expected = getattr(lazy, method)(subject), getattr(compiled, method)(subject)
        assert repr(found) == repr(expected), method
    assert [one.span() for one in lazy.finditer(subject)] == [one.span() for one in compiled.finditer(subject)]
    assert lazy.sub(subject[:1], subject) == compiled.sub(subject[:1], subject)
    assert (lazy.pattern, lazy.flags, lazy.groups) == (compiled.pattern, compiled.flags, compiled.groups)


# Watches which patterns of the program a run compiles while it imports a module, and not inside of a function.
WATCH = """
import re, runpy, sys
compile = re.compile
def watched(text, flags=0):
    caller = sys._getframe(1)
    if caller.f_code.co_name == "<module>" and caller.f_globals["__name__"].startswith("gitops_ci"):
        print("COMPILED", caller.f_globals["__name__"], file=sys.stderr)
    return compile(text, flags)
re.compile = watched
runpy.run_module("gitops_ci", run_name="__main__", alter_sys=True)
"""
# Every validation uses it.
USED_BY_ALL = {"gitops_ci.fast_yaml.ambiguity"}


@pytest.mark.parametrize("arguments", [["bump", "--help"], ["validate", "shop.yaml"]], ids=["help", "one plain file"])
def test_a_run_compiles_no_pattern_that_it_may_not_use(arguments, tmp_path):
    (tmp_path / "shop.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n")
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "shop.yaml" in done.stdout or "Usage" in done.stdout or "1 document" in done.stdout + done.stderr
    compiled = {line.split()[1] for line in done.stderr.splitlines() if line.startswith("COMPILED")}
    assert compiled <= USED_BY_ALL, "write lazy_pattern for re.compile"
