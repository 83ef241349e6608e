"""A real `sshd` on a free port of loopback: one key may sign in as the user who runs the tests."""

from __future__ import annotations

import getpass
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.services import Unavailable, program

__all__ = ["SshServer", "ssh_server"]


@dataclass(frozen=True)
class SshServer:
    """`key` signs in, `known_hosts` has the server's own key."""

    port: int
    key: Path
    known_hosts: Path

    def url_of(self, path: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{path}"

    def command(self, key: Path | None = None) -> str:
        """What a CI job sets GIT_SSH_COMMAND to."""
        only = "-o IdentitiesOnly=yes -o IdentityFile=none" if key is None else f"-o IdentitiesOnly=yes -i {key}"
        return (
            f"ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile={self.known_hosts} {only}"
        )


def new_key(path: Path) -> Path:
    subprocess.run([program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """
    Raises:
        Unavailable: sshd is not here and cannot be installed, or does not start.
    """
    sshd = program("sshd")
    with suppress(PermissionError):  # where sshd locks its unprivileged half up; only root needs it
        Path("/run/sshd").mkdir(exist_ok=True)
    host, key = new_key(folder / "host"), new_key(folder / "key")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {host}\nAuthorizedKeysFile {key}.pub\nPidFile none\n"
        "UsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {host.with_suffix('.pub').read_text()}")
    log = folder / "sshd.log"
    with log.open("wb") as output:
        running = subprocess.Popen([sshd, "-D", "-e", "-f", str(config)], stderr=output, stdin=subprocess.DEVNULL)
    try:
        _wait(port, running, log)
        yield SshServer(port, key, known)
    finally:
        running.terminate()
        running.wait()


def _wait(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            if connection.recv(4) == b"SSH-":
                return
        if running.poll() is not None or time.monotonic() > until:
            raise Unavailable(f"sshd did not start: {log.read_text(errors='replace')[-300:]}")
        time.sleep(0.05)
