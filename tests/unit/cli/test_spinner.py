"""What is drawn while nothing is printed, and that no process is forked beside its thread."""

import io
import os
import threading
import time

import pytest

from gitops_ci.cli import ask, spinner
from gitops_ci.cli.console import Console


@pytest.fixture
def watch(monkeypatch):
    monkeypatch.setattr(spinner, "_SILENCE", 0.0)
    monkeypatch.setattr(spinner, "_EVERY", 0.01)
    monkeypatch.setattr(spinner, "is_watched", lambda stream: True)

    def install():
        written = io.StringIO()
        monkeypatch.setattr("sys.stderr", written)  # in the test itself: pytest sets its own before
        return written

    return install


def _drawn(screen, text):
    deadline = time.monotonic() + 5
    while text not in screen.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    return text in screen.getvalue()


def test_it_shows_what_is_going_on_and_leaves_nothing(watch):
    screen = watch()
    console = Console()
    with spinner.spinning("validate", wanted=True) as console.spinner:
        assert _drawn(screen, "validate 0 s")
        console.detail("rendering\x1b[31m charts")
        assert _drawn(screen, "rendering\\x1b[31m charts 0 s"), "what is foreign is spelled out"
        console.step("done")
        assert "\rdone\n" in screen.getvalue()
    assert threading.active_count() == 1 or not any("_run" in one.name for one in threading.enumerate())
    assert screen.getvalue().endswith(("\n", "\r"))


def test_nothing_is_drawn_for_a_log_or_in_quiet_runs(watch, monkeypatch):
    screen = watch()
    with spinner.spinning("validate", wanted=False) as none:
        assert none is None
    monkeypatch.setattr(spinner, "is_watched", lambda stream: False)
    with spinner.spinning("validate", wanted=True) as none:
        assert none is None
    assert screen.getvalue() == ""


def test_its_thread_does_not_run_while_a_process_is_forked(watch):
    screen = watch()
    with spinner.spinning("validate", wanted=True) as running:
        assert _drawn(screen, "validate")
        child = os.fork()  # a warning where another thread runs, from Python 3.12 on: warnings are errors here
        if child == 0:
            os._exit(0 if running._thread is None else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert running._thread is not None
        spinner.pause()
        assert running._thread is None
        spinner.resume()
        assert running._thread is not None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (lambda: ask.ask("Name", str, "shop"), "shop"),
        (lambda: ask.choose("System", ["github", "gitlab"], "github"), "github"),
        (lambda: ask.confirm("Write it?"), True),
    ],
)
def test_nothing_is_drawn_over_a_question(watch, monkeypatch, question, answer):
    screen = watch()

    class Slow(io.StringIO):
        """A person, who takes time to answer."""

        def readline(self, *_):
            before = screen.getvalue()
            time.sleep(0.2)
            assert screen.getvalue() == before
            return "\n"

    monkeypatch.setattr("sys.stdin", Slow())
    with spinner.spinning("init", wanted=True) as running:
        assert _drawn(screen, "init")
        assert question() == answer
        assert running._thread is not None, "it goes on"
