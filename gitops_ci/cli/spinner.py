"""What a person at a terminal sees while nothing else is printed: what is going on, and for how long.

It is drawn on stderr after a second of silence and removed before anything else is written. A process is never forked
while its thread runs.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gitops_ci.cli.terminal import columns, is_watched

__all__ = ["Spinner", "pause", "paused", "resume", "spinning"]

_SILENCE = 1.0  # seconds
_EVERY = 0.1
_FRAMES = "|/-\\"


class Spinner:
    """Draws a line and its age. `quiet_since` is when something was printed last."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._began = self._quiet_since = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._drawn = 0  # characters

    def start(self) -> None:
        if self._thread is not None:
            return
        self._ended.clear()
        self._quiet_since = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and remove the line."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.clear()

    def clear(self) -> None:
        """Remove the line: something else is about to be written."""
        with self._lock:
            self._quiet_since = time.monotonic()
            if self._drawn:
                sys.stderr.write(self._blank())
                sys.stderr.flush()
                self._drawn = 0

    def doing(self, label: str) -> None:
        """What is going on now."""
        with self._lock:
            self._label = label

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(_EVERY):
            with self._lock:
                now = time.monotonic()
                if now - self._quiet_since < _SILENCE:
                    continue
                number += 1
                age = f" {now - self._began:.0f} s"
                # One line at most: what is wrapped could not be removed.
                label = self._label if len(self._label) + len(age) + 4 < columns() else self._label.partition(" ")[0]
                line = f"{_FRAMES[number % len(_FRAMES)]} {label}{age}"
                sys.stderr.write(f"{self._blank()}{line}")
                sys.stderr.flush()
                self._drawn = len(line)

    def _blank(self) -> str:
        """What removes the line, without an escape code: colors may be unwanted."""
        return f"\r{' ' * self._drawn}\r" if self._drawn else ""


@contextmanager
def spinning(label: str, *, wanted: bool) -> Iterator[Spinner | None]:
    """A spinner while the block runs, where a person looks at stderr."""
    if not (wanted and is_watched(sys.stderr)):
        yield None
        return
    spinner = Spinner(label)
    _keep_off_forks(spinner)
    global _current  # noqa: PLW0603 - there is one terminal
    _current = spinner
    spinner.start()
    try:
        yield spinner
    finally:
        _current = None
        spinner.stop()


_current: Spinner | None = None


def pause() -> None:
    """Nothing is drawn until `resume`: bars are."""
    if _current:
        _current.stop()


def resume() -> None:
    if _current:
        _current.start()


@contextmanager
def paused() -> Iterator[None]:
    """Nothing is drawn in the block: a person types there."""
    pause()
    try:
        yield
    finally:
        resume()


def _keep_off_forks(spinner: Spinner) -> None:
    """A fork copies one thread and every lock as it is: the thread ends before, and goes on after in the parent."""
    if not hasattr(os, "register_at_fork"):
        return

    def before() -> None:
        if _current is spinner:
            spinner.stop()

    def after() -> None:
        if _current is spinner:
            spinner.start()

    os.register_at_fork(before=before, after_in_parent=after)
