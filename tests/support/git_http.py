"""A real Git server over HTTP: `git http-backend` behind a threaded server on loopback, with Basic or Bearer auth.

It counts requests and bytes and keeps the Authorization headers it saw, so that a test can say what a run cost and
which secret went where.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from tests.support.git_repo import BareRepo, Files, make_repo

__all__ = ["GitServer", "Request", "git_server"]

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Request:
    """One request as the server saw it and answered it; `authorization` are all headers of that name."""

    method: str
    path: str
    query: str
    authorization: tuple[str, ...]
    protocol: str
    status: int
    received: int
    sent: int


@dataclass
class GitServer:
    """Bare repositories under `root`, served at `url`. A request must carry `token`, as password or bearer."""

    root: Path
    token: str
    port: int = 0
    anonymous_read: bool = False
    redirect_to: str = ""
    boundary: Callable[[], None] = lambda: None  # called when a request has come, before anything is done
    # What is sent in place of an answer's body; given the address that was asked for.
    rewrite: Callable[[str, bytes], bytes] | None = None
    protocol: str | None = None  # spoken whatever the client offers
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def received(self) -> int:
        """Bytes of request bodies."""
        return sum(request.received for request in self.requests)

    @property
    def sent(self) -> int:
        """Bytes of answers' bodies."""
        return sum(request.sent for request in self.requests)

    @property
    def authorizations(self) -> list[str]:
        """Every Authorization header seen, in order."""
        return [header for request in self.requests for header in request.authorization]

    def url_of(self, name: str) -> str:
        return f"{self.url}/{name}.git"

    def make_repo(self, name: str, files: Files, *, branch: str = "main", history: int = 1) -> BareRepo:
        """A new repository, served as `url_of(name)`; `name` may have folders: `acme/shop-config`."""
        return make_repo(self.root / f"{name}.git", files, branch=branch, history=history)

    def repo(self, name: str) -> BareRepo:
        return BareRepo(self.root / f"{name}.git")

    def allows(self, authorization: tuple[str, ...]) -> bool:
        if len(authorization) != 1:
            return False
        scheme, _, value = authorization[0].partition(" ")
        if scheme.lower() == "bearer":
            return value == self.token
        try:
            return scheme.lower() == "basic" and base64.b64decode(value).decode().partition(":")[2] == self.token
        except ValueError:
            return False


@contextmanager
def git_server(root: Path, *, token: str = "s3cret-token-of-the-config-repo") -> Iterator[GitServer]:
    """Serve the repositories below `root` until the block ends."""
    served = GitServer(root, token)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    httpd.daemon_threads = True
    served.port = httpd.server_address[1]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def _handler(server: GitServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.serve(b"")

        def do_POST(self) -> None:
            self.serve(self.body())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)

        def serve(self, body: bytes) -> None:
            server.boundary()
            path, _, query = self.path.partition("?")
            given = tuple(self.headers.get_all("Authorization") or ())
            writes = path.endswith("/git-receive-pack") or query == "service=git-receive-pack"
            raw = re.fullmatch(r"/(.+)/-/raw/([^/]+)/(.+)", unquote(path))
            if server.redirect_to:
                self.answer(302, {"Location": server.redirect_to + self.path}, body, ())
            elif len(given) > 1:  # as code hosts answer two Authorization headers
                self.answer(400, {}, body, [b"Duplicate header: Authorization\n"])
            elif not server.allows(given) and not (server.anonymous_read and not given and not writes):
                self.answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, body, [b"Unauthorized\n"])
            elif raw:
                self.raw(*raw.groups(), body)
            else:
                self.backend(path, query, body)

        def raw(self, name: str, ref: str, file: str, body: bytes) -> None:
            """One file, at the address where GitLab has it."""
            try:
                self.answer(200, {"Content-Type": "text/plain"}, body, [server.repo(name).read(file, ref)])
            except subprocess.CalledProcessError:
                self.answer(404, {}, body, [b"Not Found\n"])

        def backend(self, path: str, query: str, body: bytes) -> None:
            """Run the CGI program; its answer is streamed, as a large pack would be."""
            env = {
                "PATH": os.environ["PATH"],
                "GIT_CONFIG_NOSYSTEM": "1",
                "HOME": "/nonexistent",
                "GIT_PROJECT_ROOT": str(server.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": unquote(path),
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if server.protocol is None else server.protocol,
                "REMOTE_ADDR": "127.0.0.1",
                "REMOTE_USER": "ci",  # a known user may push
            }
            with subprocess.Popen(
                ["git", "http-backend"],
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as program:
                assert program.stdin is not None
                assert program.stdout is not None
                try:
                    program.stdin.write(body)
                    program.stdin.close()
                except BrokenPipeError:  # it refused before it read everything
                    pass
                headers: dict[str, str] = {}
                while line := program.stdout.readline().strip():
                    name, _, value = line.decode().partition(":")
                    headers[name] = value.strip()
                status = int(headers.pop("Status", "200").split()[0])
                content: Iterable[bytes] = iter(partial(program.stdout.read, _CHUNK), b"")
                if server.rewrite:
                    content = filter(None, [server.rewrite(self.path, b"".join(content))])
                self.answer(status, headers, body, content)

        def answer(self, status: int, headers: Mapping[str, str], body: bytes, content: Iterable[bytes]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            sent = 0
            for chunk in content:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                sent += len(chunk)
            # Noted before the last byte leaves: a client that is done finds its request counted.
            self.note(status, len(body), sent)
            self.wfile.write(b"0\r\n\r\n")

        def note(self, status: int, received: int, sent: int) -> None:
            path, _, query = self.path.partition("?")
            given = tuple(self.headers.get_all("Authorization") or ())
            protocol = self.headers.get("Git-Protocol", "")
            server.requests.append(Request(self.command, path, query, given, protocol, status, received, sent))

    return Handler
