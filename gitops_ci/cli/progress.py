"""How far a push is: bars on a terminal, a line now and then in a log, nothing with --quiet."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitops_ci.cli.console import Console, printable
from gitops_ci.cli.options import Output
from gitops_ci.cli.spinner import pause, resume
from gitops_ci.cli.terminal import is_watched
from gitops_ci.dataclass import dataclass

if TYPE_CHECKING:
    from gitops_ci.registry.base import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

__all__ = ["Lines", "progress_for"]

_EVERY = 10.0  # seconds between two lines of a log
_DONE = ("Pushed", "Present", "Mounted", "Layer already exists")  # the Engine adds where from


@contextmanager
def progress_for(output: Output) -> Iterator[Progress]:
    """The progress that fits how a command reports, until the block ends."""
    from gitops_ci.registry.base import Silent

    if output.level == "quiet":
        yield Silent()
    elif is_watched(sys.stderr):
        bars = _Bars()
        try:
            yield bars
        finally:
            bars.finish()
    else:
        yield Lines(Console(output.level).step)


@dataclass(slots=True)
class _Layer:
    status: str = ""
    done: int = 0
    total: int | None = None

    def report(self, status: str, done: int, total: int | None) -> None:
        self.status, self.total = status, self.total if total is None else total
        self.done = (self.total or done) if self.finished else done

    @property
    def finished(self) -> bool:
        return self.status.startswith(_DONE)


class Lines:
    """Progress as lines of a log: none for a push of some seconds, one every ten seconds for a long one."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._layers: dict[str, _Layer] = {}
        self._began = self._told = clock()

    def layer(self, layer: str, status: str, done: int = 0, total: int | None = None) -> None:
        with self._lock:
            if not self._layers:
                self._began = self._told = self._clock()
            before = self._layers.setdefault(layer, _Layer()).status
            self._layers[layer].report(status, done, total)
            # The Engine counts the seconds down: the first of them says it all.
            if status.startswith("Retrying") and not before.startswith("Retrying"):
                self._tell(f"a layer did not get through, {printable(status).lower()}")
            if self._clock() - self._told >= _EVERY:
                self._told = self._clock()
                self._tell(self._summary())

    def finish(self) -> None:
        with self._lock:
            self._layers.clear()

    def _summary(self) -> str:
        finished = sum(known.finished for known in self._layers.values())
        done = sum(known.done for known in self._layers.values())
        total = sum(known.total or 0 for known in self._layers.values())
        speed = done / max(self._clock() - self._began, 0.001)
        return (
            f"pushing: {finished} of {len(self._layers)} layers, {_mega(done)}"
            f"{f' of {_mega(total)}' if total >= done else ''} ({_mega(int(speed))}/s)"
        )


class _Bars:
    """Progress as a bar a layer and a total; they vanish when the image is through."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._layers: dict[str, _Layer] = {}

    def layer(self, layer: str, status: str, done: int = 0, total: int | None = None) -> None:
        with self._lock:
            bars = self._start()
            known = self._layers.setdefault(layer, _Layer())
            known.report(status, done, total)
            if layer not in self._tasks:
                self._tasks[layer] = bars.add_task(_short(layer), total=known.total, status="")
            bars.update(self._tasks[layer], completed=known.done, total=known.total, status=printable(status))
            bars.update(
                self._tasks[""],
                completed=sum(one.done for one in self._layers.values()),
                total=sum(one.total or 0 for one in self._layers.values()) or None,
            )

    def finish(self) -> None:
        with self._lock:
            if self._shown is not None:
                self._shown.stop()
                self._shown = None
                resume()
            self._tasks.clear()
            self._layers.clear()

    def _start(self) -> Bars:
        if self._shown is None:
            pause()
            from rich.console import Console as Terminal
            from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
            from rich.progress import Progress as Bars

            # stdout is left alone: the report goes there, and it may be a JSON document.
            self._shown = Bars(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TextColumn("{task.fields[status]}"),
                console=Terminal(file=sys.stderr),
                transient=True,
                redirect_stdout=False,
            )
            self._shown.start()
            self._tasks[""] = self._shown.add_task("total", total=None, status="")
        return self._shown


def _short(layer: str) -> str:
    return printable(layer.rpartition(":")[2])[:12]


def _mega(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
