"""A program ends within its limits, whatever it does, and what it started with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gitops_ci.bounded import Limits, run_bounded
from gitops_ci.errors import ProgramError

MIB = 1024**2
ENVIRONMENT = {"PATH": os.environ["PATH"]}


def run(code, **limits):
    return run_bounded([sys.executable, "-c", code], cwd=".", environment=ENVIRONMENT, limits=Limits(**limits))


def test_what_is_printed_comes_back():
    assert run("import sys; print('out'); print('err', file=sys.stderr)") == "out\n"


def test_a_failure_has_the_program_s_words():
    with pytest.raises(ProgramError, match="exit code 3: it is broken"):
        run("import sys; print('it is broken', file=sys.stderr); sys.exit(3)")


def test_a_program_that_is_not_there():
    with pytest.raises(ProgramError, match="is not installed"):
        run_bounded(["/nonexistent/helm"], cwd=".", environment=ENVIRONMENT, limits=Limits())


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output_ends(stream):
    with pytest.raises(ProgramError, match="printed more than 2 MiB"):
        run(f"import sys\nwhile True: sys.{stream}.write('x' * 65536)", output=2 * MIB)


@pytest.mark.parametrize(
    "code", ["import time; time.sleep(600)", "import os; os.close(1); os.close(2)\nwhile True: pass"]
)
def test_a_program_that_does_not_end_is_ended(code):
    with pytest.raises(ProgramError, match="did not finish within 1 s"):
        run(code, seconds=1)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc on this system")
def test_memory_is_bounded_with_that_of_children():
    eater = "x = []\nwhile True: x.append(bytearray(1 << 20))"
    for code in (eater, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {eater!r}])"):
        with pytest.raises(ProgramError, match="used more than 100 MiB of memory"):
            run(code, memory=100 * MIB)


def test_children_end_with_the_program(tmp_path):
    mark = tmp_path / "mark"
    child = f"import time, pathlib; time.sleep(3); pathlib.Path({str(mark)!r}).touch()"
    run(f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}], stdout=-3, stderr=-3); print(1)")
    import time

    time.sleep(4)
    assert not mark.exists()
