"""Patterns of custom schemas: written for RE2, whose time is linear; Python's engine can take exponential time.

With google-re2 installed they are run by RE2 itself. Without it Python's engine runs them, and one that takes longer
than a moment is given up: what was not matched is told, and neither passed nor refused.

Source: github.com/google/re2/wiki/Syntax; the API server compiles patterns with Go's regexp, of the same syntax.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from gitops_ci.validation.go.re2_syntax import why_no_pattern

__all__ = ["HINT", "Matcher", "matcher"]

HINT = "Install gitops-ci[cel] to have it matched by RE2, in linear time."
# Seconds: a pattern and a value as people write them take microseconds.
_MOMENT = 0.25
_SHORT = 512

# Whether a text holds a match, None when that cannot be told.
Matcher = Callable[[str], bool | None]


@cache
def matcher(pattern: str) -> Matcher | None:
    """The matcher of an RE2 pattern; None for what is none, which the definition's own findings tell."""
    if why_no_pattern(pattern):
        return None
    engine = _re2()
    if engine is None:
        return _by_python(pattern)
    try:
        compiled = engine.compile(pattern, _options(engine))
    except engine.error:
        return _untold  # Go takes it: names of groups that are the same, repeats of large classes
    return lambda text: compiled.search(text) is not None


@cache
def _re2() -> Any | None:
    try:
        import re2
    except ImportError:
        return None
    return re2


def _options(engine: Any) -> Any:
    options = engine.Options()
    options.log_errors = False
    return options


# Classes, escapes and flags that Python lacks or means otherwise.
_OTHERWISE = re.compile(r"\[\[|\[:|\\[pPQEC]|\\x\{|\(\?[a-zA-Z-]*U|[*+?}]\+|--|&&|~~|\|\|")


def _by_python(pattern: str) -> Matcher | None:
    if _OTHERWISE.search(pattern):
        return _untold
    try:
        compiled = re.compile(_for_python(pattern), re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return _untold  # RE2 may take it
    return _Python(compiled, repeats=_repeats(pattern))


def _untold(text: str) -> None:
    del text


def _for_python(pattern: str) -> str:
    r"""The same pattern for Python: `\z`, and `$`, which is the very end of the text in RE2."""
    text = pattern.replace(r"\z", r"\Z")
    return re.sub(r"(?<!\\)((?:\\\\)*)\$(?=$|[)|])", r"\1\\Z", text)


def _repeats(pattern: str) -> bool:
    """Whether Python's engine may try more than a few thousand ways: a group is repeated, or much is."""
    return bool(re.search(r"\)[*+{]", pattern)) or len(re.findall(r"[*+}]", pattern)) > 2


class _Python:
    """A pattern run by Python's engine, until it takes too long for the first time."""

    def __init__(self, compiled: re.Pattern[str], *, repeats: bool) -> None:
        self._compiled = compiled
        self._repeats = repeats
        self._given_up = False

    def __call__(self, text: str) -> bool | None:
        if not self._repeats and len(text) <= _SHORT:
            return self._compiled.search(text) is not None
        if self._given_up:
            return None
        try:
            with _limited():
                return self._compiled.search(text) is not None
        except TimeoutError:
            self._given_up = True
            return None


@contextmanager
def _limited() -> Iterator[None]:
    """At most a moment; Python's engine looks at signals while it runs.

    Raises:
        TimeoutError: it took longer, or no time can be kept here (Windows, other threads).
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        raise TimeoutError
    before = signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, _MOMENT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _give_up(number: int, frame: object) -> None:
    del number, frame
    raise TimeoutError
