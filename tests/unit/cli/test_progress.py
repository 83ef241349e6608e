"""Progress in a log: silence for short pushes, a line now and then for long ones."""

from __future__ import annotations

import io

import pytest

from gitops_ci.cli.options import Output
from gitops_ci.cli.progress import Lines, progress_for
from gitops_ci.registry.base import Silent

MEGA = 1_000_000


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def told():
    return []


def test_a_short_push_says_nothing(told):
    lines = Lines(told.append, Clock())
    lines.layer("a", "Pushing", MEGA, 2 * MEGA)
    lines.layer("a", "Pushed", 2 * MEGA, 2 * MEGA)
    lines.finish()
    assert told == []


def test_a_long_push_says_something_now_and_then(told):
    clock = Clock()
    lines = Lines(told.append, clock)
    lines.layer("a", "Waiting", 0, 40 * MEGA)
    lines.layer("b", "Waiting", 0, 60 * MEGA)
    for second in range(1, 26):
        clock.now = float(second)
        lines.layer("b", "Pushing", second * 2 * MEGA, 60 * MEGA)
    assert told == [
        "pushing: 0 of 2 layers, 20.0 MB of 100.0 MB (2.0 MB/s)",
        "pushing: 0 of 2 layers, 40.0 MB of 100.0 MB (2.0 MB/s)",
    ]


def test_layers_that_are_there_count_as_done(told):
    clock = Clock()
    lines = Lines(told.append, clock)
    lines.layer("a", "Layer already exists")
    lines.layer("b", "Mounted from acme/base")
    clock.now = 11
    lines.layer("c", "Pushing", MEGA, None)
    assert told == ["pushing: 2 of 3 layers, 1.0 MB (0.1 MB/s)"]


def test_a_retry_is_told_once_and_safely(told):
    lines = Lines(told.append, Clock())
    for second in (5, 4, 3, 2, 1):
        lines.layer("a", f"Retrying in {second} seconds\x1b[31m\n::error::x")
    assert told == ["a layer did not get through, retrying in 5 seconds\\x1b[31m\\n::error::x"]
    lines.layer("a", "Pushing", 1, 2)
    lines.layer("a", "Retrying in 10 seconds")
    assert len(told) == 2


def test_quiet_is_silent():
    with progress_for(Output(level="quiet")) as progress:
        assert isinstance(progress, Silent)


def test_a_terminal_gets_bars_that_vanish_and_stdout_nothing(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_for(Output()) as progress:
        progress.layer("sha256:" + "a" * 64, "Waiting", 0, MEGA)
        progress.layer("sha256:" + "a" * 64, "Pushing", MEGA // 2, MEGA)
        progress.layer("sha256:" + "a" * 64, "Pushed", MEGA, MEGA)
        progress.finish()
    shown = terminal.getvalue()
    assert "a" * 12 in shown
    assert "total" in shown
    assert "\x1b[2K" in shown, "what was drawn is wiped"
    assert capsys.readouterr().out == ""
