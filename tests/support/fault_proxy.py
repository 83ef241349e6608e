"""A proxy before a real HTTP service that does harm by script: cut, delay, or answer itself.

The script sees every request and says what happens to it; what it leaves alone passes through byte for byte.
"""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any

from tests.support.http_server import in_background

__all__ = ["Answer", "Asked", "Cut", "Delay", "FaultProxy", "Hang", "Passed", "fault_proxy"]

_PIECE = 16 * 1024
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"}


@dataclass(frozen=True)
class Asked:
    """A request: the `number`-th with this method and path, so that a script can fail only the first."""

    method: str
    path: str
    number: int
    size: int
    ranged: bool = False
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The proxy answers by itself; the service never hears of the request. Two lines of a header are two headers.

    A body of unknown length is sent piece by piece, for as long as somebody listens.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""


@dataclass(frozen=True)
class Cut:
    """The connection is reset: after `share` of the request's body, or of the answer's, or with the answer withheld.

    An orderly cut closes it instead.
    """

    share: float = 0.0
    of: str = "request"  # request | response | answer
    orderly: bool = False


@dataclass(frozen=True)
class Delay:
    """The request passes after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Hang:
    """The answer is shorter than it says, and the connection stays open: whoever asked waits for the rest."""


@dataclass(frozen=True)
class Passed:
    """The request is carried out, and something is made of the answer: another one, or bytes before the end.

    With `silent` the connection stays open after these bytes, until whoever asked goes away.
    """

    changed: Callable[[Answer], Answer | bytes]
    silent: bool = False


Fault = Answer | Cut | Delay | Hang | Passed | None


class FaultProxy:
    """A running proxy. `script` may be set at any time; `asked` are the requests so far, `sent` bytes of bodies."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.script: Callable[[Asked], Fault] = lambda asked: None
        self.asked: list[Asked] = []
        self.sent = 0
        self.host = ""
        self.under_way = 0
        self._lock = threading.Lock()
        self._numbers: Counter[tuple[str, str]] = Counter()

    def note(self, method: str, path: str, size: int, headers: Mapping[str, str]) -> Asked:
        with self._lock:
            bare, _, query = path.partition("?")
            self._numbers[method, bare] += 1
            number = self._numbers[method, bare]
            self.asked.append(Asked(method, bare, number, size, "range" in headers, query, headers))
            return self.asked[-1]

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self.under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self.under_way -= 1

    def settle(self) -> None:
        """Wait until what was passed on is done, also where whoever asked is gone."""
        while self.under_way:
            time.sleep(0.01)

    def clear(self) -> None:
        """Forget script and requests."""
        self.script = lambda asked: None
        self.asked.clear()
        self._numbers.clear()
        self.sent = 0


@contextmanager
def fault_proxy(upstream: str, *, ipv6: bool = False) -> Iterator[FaultProxy]:
    """A proxy on 127.0.0.1, or ::1, before `host:port`."""
    proxy = FaultProxy(upstream)
    server = _ServerOfIpv6(("::1", 0), _Handler) if ipv6 else _Server(("127.0.0.1", 0), _Handler)
    server.proxy = proxy
    proxy.host = f"{'[::1]' if ipv6 else '127.0.0.1'}:{server.server_port}"
    with in_background(server):
        yield proxy


class _Server(ThreadingHTTPServer):
    proxy: FaultProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # connections that break are what this is for


class _ServerOfIpv6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.upstream = HTTPConnection(self.server.proxy.upstream, timeout=60)  # connects when first used

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    def _handle(self) -> None:
        with self.server.proxy.counted():
            self._pass()

    def _pass(self) -> None:
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
        body = io.BytesIO(b"".join(self._pieces())) if chunked else self.rfile
        size = len(body.getvalue()) if isinstance(body, io.BytesIO) else int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = self.server.proxy.script(self.server.proxy.note(self.command, self.path, size, headers))
        if isinstance(fault, Answer):
            self._drain(body, size)
            self._give(fault)
            return
        if isinstance(fault, Delay):
            time.sleep(fault.seconds)
        self._pass_on(body, size, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    def _pieces(self) -> Iterator[bytes]:
        """A body of unknown length, as an Engine sends a layer (RFC 9112 §7.1)."""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _pass_on(self, body: IO[bytes], size: int, fault: Fault) -> None:
        cut = fault if isinstance(fault, Cut) else None
        connection, whole = self.upstream, False
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            if isinstance(body, io.BytesIO):
                connection.putheader("Content-Length", str(size))
            connection.endheaders()
            limit = int(size * cut.share) if cut and cut.of == "request" else size
            gone = self._body(connection, body, limit) < limit
            if gone or (cut and cut.of == "request"):
                self._end(cut)
                return
            answer = connection.getresponse()
            content = answer.read()
            whole = True
            if cut and cut.of == "answer":
                self._end(cut)
                return
            headers = [(k, v) for k, v in answer.getheaders() if k.lower() not in _HOP_BY_HOP | {"content-length"}]
            if isinstance(fault, Passed):
                self._give(fault.changed(Answer(answer.status, dict(headers), content)), silent=fault.silent)
                return
            length = answer.getheader("Content-Length") or str(len(content))
            if isinstance(fault, Hang):
                self._answer(answer.status, headers, content, str(len(content) + 64))
                self._wait_for_the_end()
                return
            keep = content[: int(len(content) * cut.share)] if cut else content
            self._answer(answer.status, headers, keep, length)
            if cut:
                self._end(cut)
        finally:
            if not whole:
                connection.close()

    def _body(self, connection: HTTPConnection, body: IO[bytes], size: int) -> int:
        left = size
        while left > 0 and (piece := body.read(min(_PIECE, left))):
            connection.send(piece)
            self.server.proxy.sent += len(piece)
            left -= len(piece)
        return size - left

    def _drain(self, body: IO[bytes], size: int) -> None:
        while size > 0 and (piece := body.read(min(_PIECE, size))):
            size -= len(piece)

    def _give(self, answer: Answer | bytes, *, silent: bool = False) -> None:
        if isinstance(answer, bytes):
            self.wfile.write(answer)
            self.wfile.flush()
            self.close_connection = True
        elif isinstance(answer.body, bytes):
            headers = [(name, line) for name, value in answer.headers.items() for line in value.splitlines() or [""]]
            self._answer(answer.status, headers, answer.body)
        else:
            self._trickle(answer.status, answer.headers, answer.body)
        if silent:
            self._wait_for_the_end()

    def _wait_for_the_end(self) -> None:
        self.connection.settimeout(60)
        self.connection.recv(1)
        self.close_connection = True

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, length: str = "") -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
            self.wfile.flush()

    def _trickle(self, status: int, headers: Mapping[str, str], pieces: Iterable[bytes]) -> None:
        self.send_response_only(status)
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()

    def _end(self, cut: Cut | None) -> None:
        """End the connection; the hard way the other side sees a reset, no orderly end."""
        self.close_connection = True
        if cut and cut.orderly:
            return
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
