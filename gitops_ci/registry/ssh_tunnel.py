"""An Engine behind ssh, as a Unix socket of our own.

As the `docker` program does it: each connection is `ssh HOST docker system dial-stdio`, with the user's own ssh, which
knows keys, agents and hosts (docker/cli `cli/connhelper`).
"""

from __future__ import annotations

import os
import shlex
import socket
import threading
from contextlib import ExitStack, suppress
from tempfile import TemporaryDirectory
from typing import Self
from urllib.parse import unquote, urlsplit

from gitops_ci.dataclass import dataclass
from gitops_ci.display import quoted
from gitops_ci.errors import ProgramError, RegistryError
from gitops_ci.process import connected, find
from gitops_ci.registry.engine_address import EngineAddress

__all__ = ["SshTunnel"]

# No questions: nobody is there to answer them.
_DIAL = ("system", "dial-stdio")
_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-T")


class SshTunnel:
    """A context: while it is open, `url` leads to the Engine of an `ssh://` address."""

    def __init__(self, address: EngineAddress) -> None:
        """Raises RegistryError for an address that is none, or when ssh is not installed."""
        self._host = _SshHost.of(address)
        if find("ssh") is None:
            raise RegistryError(
                f"{address.origin} is an address over ssh, and ssh is not installed",
                hint="Install an ssh client (openssh-client), or set DOCKER_HOST to an address without ssh.",
            )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        folder = self._stack.enter_context(TemporaryDirectory(prefix="gitops-ci-ssh-", ignore_cleanup_errors=True))
        path = os.path.join(folder, "engine.sock")
        self.url = f"unix://{path}"
        self._errors = self._stack.enter_context(open(os.path.join(folder, "errors"), "w+b"))
        self._programs = self._stack.enter_context(ExitStack())
        listener = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
        thread.start()
        self._stack.callback(thread.join)
        # A thread that waits for a connection does not notice that the socket is closed.
        self._stack.callback(listener.shutdown, socket.SHUT_RDWR)
        return self

    def __exit__(self, *unused: object) -> None:
        self._stack.close()

    def reason(self) -> str:
        """The last line that ssh printed, or ''."""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        return quoted(next((line.strip() for line in reversed(lines) if line.strip()), ""))

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError, ProgramError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    host, pipe, errors = self._host, connection.fileno(), self._errors.fileno()
                    argv = ["ssh", *host.options, *_OPTIONS, "--", host.name, "docker", *host.there, *_DIAL]
                    running = connected(argv, stdio=pipe, errors=errors)
                    self._programs.enter_context(running)


@dataclass(frozen=True, slots=True)
class _SshHost:
    """A host, ssh's options for it, and those of the `docker` there."""

    name: str
    options: tuple[str, ...]
    there: tuple[str, ...]

    @classmethod
    def of(cls, address: EngineAddress) -> _SshHost:
        """Read `ssh://[USER@]HOST[:PORT][/SOCKET]`.

        Raises:
            RegistryError: the address is another one, has a password, or is Podman's, whose program there differs.
        """
        parts = urlsplit(address.host)
        with suppress(ValueError):
            if address.origin == "CONTAINER_HOST":
                raise RegistryError(
                    f"CONTAINER_HOST is {parts.hostname} over ssh, which gitops-ci cannot reach",
                    hint="Forward Podman's socket: ssh -N -L /tmp/podman.sock:/run/podman/podman.sock HOST; then set "
                    "CONTAINER_HOST=unix:///tmp/podman.sock.",
                )
            if parts.hostname and parts.password is None and not parts.query and not parts.fragment:
                user = ("-l", unquote(parts.username)) if parts.username else ()
                port = ("-p", str(parts.port)) if parts.port else ()
                path = unquote(parts.path).rstrip("/")
                # The shell of the host reads this text.
                there = ("--host", shlex.quote(f"unix://{path}")) if path else ()
                return cls(parts.hostname, (*user, *port), there)
        raise RegistryError(
            f"{address.origin} is not the address of an Engine over ssh",
            hint="Write ssh://USER@HOST, without a password.",
        )
