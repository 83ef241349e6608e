"""Another address of a Docker Engine: a Unix socket or, with certificates, a port that speaks TLS."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.http_server import in_background

__all__ = ["EngineProxy", "engine_at", "engine_with_tls"]


@dataclass
class EngineProxy:
    """`address` leads to the Engine; `connections` is how often somebody came this way."""

    address: str = ""
    connections: int = 0


@contextmanager
def engine_at(engine: str, path: Path) -> Iterator[EngineProxy]:
    """The Engine at one more Unix socket."""
    proxy = EngineProxy(f"unix://{path}")
    with in_background(socketserver.ThreadingUnixStreamServer(str(path), _handler(engine, proxy))):
        yield proxy


@contextmanager
def engine_with_tls(engine: str, certificates: Path) -> Iterator[EngineProxy]:
    """The Engine at a port of loopback, for whoever has a certificate of this folder's authority."""
    proxy = EngineProxy()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(engine, proxy, context))
    proxy.address = f"tcp://127.0.0.1:{server.server_address[1]}"
    with in_background(server):
        yield proxy


def _handler(
    engine: str, proxy: EngineProxy, context: ssl.SSLContext | None = None
) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            proxy.connections += 1
            with suppress(OSError), socket.socket(socket.AF_UNIX) as there:
                there.connect(engine.removeprefix("unix://"))
                with context.wrap_socket(self.request, server_side=True) if context else self.request as here:
                    back = threading.Thread(target=_pump, args=(there, here), daemon=True)
                    back.start()
                    _pump(here, there)
                    back.join()

    return Handler


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
