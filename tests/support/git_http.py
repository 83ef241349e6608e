"""A real Git server over HTTP: Git's own programs behind a threaded server on loopback, with Basic or Bearer auth.

What a Git of today asks goes to `git upload-pack` and `git receive-pack`, as `git http-backend` would start them; all
else goes to `git http-backend`, which takes four times as long.

It counts requests and bytes and keeps the Authorization headers it saw, so that a test can say what a run cost and
which secret went where.
"""

from __future__ import annotations

import base64
import gzip
import io
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from itertools import chain
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from tests.support.git_repo import BareRepo, Files, make_repo
from tests.support.http_server import Server, in_background

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
    # What `git upload-pack` can do, by protocol, repository and its settings. In version 2 no ref is in it
    # (gitprotocol-v2(5), "Capability Advertisement"), so one start of the program answers every time.
    capabilities: dict[tuple[str, str, bytes], bytes] = field(default_factory=dict)
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
    httpd = Server(("127.0.0.1", 0), _handler(served))
    served.port = httpd.server_address[1]
    with in_background(httpd):
        yield served


def _smart(root: Path, method: str, path: str, query: str, kind: str) -> tuple[str, str] | None:
    """(program of Git, folder of the repository) where `git http-backend` would do nothing but start the program."""
    name, _, asked = unquote(path).lstrip("/").partition(".git/")
    service = query.removeprefix("service=git-") if method == "GET" else asked.removeprefix("git-")
    wanted = ("info/refs", "") if method == "GET" else (f"git-{service}", f"application/x-git-{service}-request")
    folder = root / f"{name}.git"
    if service not in {"upload-pack", "receive-pack"} or (asked, kind) != wanted or ".." in name or not folder.is_dir():
        return None
    return service, str(folder)


def _handler(server: GitServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # Head and body are two packets: the second would wait 40 ms for the acknowledgment of the first.
        disable_nagle_algorithm = True
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
            """Run the program that answers; what it writes is streamed, as a large pack would be."""
            protocol = self.headers.get("Git-Protocol", "") if server.protocol is None else server.protocol
            env = {
                "PATH": os.environ["PATH"],
                "GIT_CONFIG_NOSYSTEM": "1",
                "HOME": "/nonexistent",
                "GIT_PROTOCOL": protocol,
                "REMOTE_ADDR": "127.0.0.1",
                "REMOTE_USER": "ci",  # a known user may push
            }
            if smart := _smart(server.root, self.command, path, query, self.headers.get("Content-Type", "")):
                service, folder = smart
                env |= {"GIT_COMMITTER_NAME": "ci", "GIT_COMMITTER_EMAIL": "ci@http.127.0.0.1"}
                asks = self.command == "GET"
                command = ["git", service, "--stateless-rpc", *(["--advertise-refs"] if asks else []), folder]
                kind = f"application/x-git-{service}-{'advertisement' if asks else 'result'}"
                first = b""
                if asks and "version=2" not in protocol.split(":"):
                    line = f"# service=git-{service}\n"
                    first = f"{len(line) + 4:04x}{line}0000".encode()
                given = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                headers = {"Content-Type": kind, "Cache-Control": "no-cache, max-age=0, must-revalidate"}
                if asks and service == "upload-pack" and not first:
                    key = (protocol, folder, Path(folder, "config").read_bytes())
                    if key not in server.capabilities:
                        with self.program(command, env, given) as output:
                            server.capabilities[key] = output.read()
                    self.stream(200, headers, body, first, io.BytesIO(server.capabilities[key]))
                    return
                with self.program(command, env, given) as output:
                    self.stream(200, headers, body, first, output)
                return
            env |= {
                "GIT_PROJECT_ROOT": str(server.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": unquote(path),
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            with self.program(["git", "http-backend"], env, body) as output:
                headers = {}
                while line := output.readline().decode().strip():
                    name, _, value = line.partition(":")
                    headers[name] = value.strip()
                status = int(headers.pop("Status", "200").split()[0])
                self.stream(status, headers, body, b"", output)

        @contextmanager
        def program(self, command: list[str], env: Mapping[str, str], given: bytes) -> Iterator[IO[bytes]]:
            """What a program writes that was given something to read."""
            with subprocess.Popen(
                command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as program:
                assert program.stdin is not None
                assert program.stdout is not None
                try:
                    program.stdin.write(given)
                    program.stdin.close()
                except BrokenPipeError:  # it refused before it read everything
                    pass
                yield program.stdout

        def stream(self, status: int, headers: Mapping[str, str], body: bytes, first: bytes, rest: IO[bytes]) -> None:
            content: Iterable[bytes] = filter(None, chain([first], iter(partial(rest.read, _CHUNK), b"")))
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
