"""The server behind every stand-in for a service: a client that goes away is not trouble of the server's."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

__all__ = ["Server", "in_background"]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def in_background(server: TCPServer) -> Iterator[None]:
    """Answer requests in a thread until the block ends.

    `serve_forever` looks for its end 50 times a second, and a run of the tests has a thousand servers. This thread
    sleeps until somebody connects, and the end of the block wakes it.
    """
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            server.handle_request()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        server.socket.shutdown(socket.SHUT_RDWR)
        thread.join()
        server.server_close()
