"""Real services for tests, on loopback: a Docker Engine and container registries, stopped by their process id.

A reachable Engine is used as it is. Else, as root on Debian, the Engine and the registry are installed from Debian's
packages and started without a service manager. Else `Unavailable` says what is missing.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.support import CHECKOUT

__all__ = [
    "Registry",
    "Unavailable",
    "docker_engine",
    "install",
    "make_certificate",
    "program",
    "registry",
    "running",
    "shared_engine",
    "wait_for",
]

PACKAGES = {
    "docker": "docker.io",
    "dockerd": "docker.io",
    "docker-registry": "docker-registry",
    "openssl": "openssl",
    "rsync": "rsync",
    "gpg": "gnupg",
    "ssh-agent": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
}
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))
# Read once: a test's own environment has no DOCKER_HOST.
_DOCKER_HOST = os.environ.get("DOCKER_HOST", "")
_STARTUP = 90.0  # seconds; an Engine that starts on a loaded machine takes 20


class Unavailable(Exception):
    """A service cannot be had here; the message names it and what would help."""


def program(name: str) -> str:
    """The path of a program, installed first where that is possible.

    Raises:
        Unavailable: it is not on PATH and cannot be installed here.
    """
    if found := shutil.which(name, path=_PATH):
        return found
    package = PACKAGES[name]
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        raise Unavailable(f"{name} is not on PATH (Debian package {package}; as root on Debian it is installed)")
    install(package)
    if found := shutil.which(name, path=_PATH):
        return found
    raise Unavailable(f"{name} is not in Debian's package {package}")


def install(*packages: str) -> None:
    """Install Debian packages, as root; one at a time across processes, and without starting their services."""
    lock = CHECKOUT / ".cache" / "apt.lock"
    lock.parent.mkdir(exist_ok=True)
    # RUNLEVEL=1 is what invoke-rc.d asks: services are for runlevels 2 to 5.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        wait = ("-o", "DPkg::Lock::Timeout=300")
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            run = subprocess.run(
                ["apt-get", "-qq", *wait, *command], env=env, capture_output=True, text=True, check=False
            )
            if run.returncode != 0:
                raise Unavailable(f"apt-get {command[0]} failed: {run.stderr.strip()[-500:]}")


@contextmanager
def docker_engine() -> Iterator[str]:
    """The URL of a Docker Engine: the one that answers already, else one of our own until the block ends."""
    if url := _reachable():
        yield url
        return
    dockerd = program("dockerd")
    if os.geteuid() != 0:
        raise Unavailable(
            "no Docker Engine answers (DOCKER_HOST, /var/run/docker.sock); one can be started as root only"
        )
    # A short path: a Unix socket's name has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True) as folder:
        sock = f"{folder}/docker.sock"
        command = [
            dockerd,
            *("--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"),
            *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
            *("-H", f"unix://{sock}", "-p", f"{folder}/pid"),
        ]
        with running(command, Path(folder, "log")) as alive:
            wait_for("dockerd", lambda: _answers(sock), alive, Path(folder, "log"))
            yield f"unix://{sock}"


@contextmanager
def shared_engine(folder: Path) -> Iterator[str]:
    """The URL of one Docker Engine for all processes that give this folder.

    Who finds none starts it, and ends it when nobody else uses it any more. A lock marks each user: the system drops
    those of a process that was killed.
    """
    with ExitStack() as stack:
        users = stack.enter_context((folder / "engine.users").open("a"))
        with (folder / "engine.start").open("a") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            kept = folder / "engine.url"
            url = kept.read_text() if kept.exists() else ""
            if not url or not _answers(url.removeprefix("unix://")):
                url = stack.enter_context(docker_engine())
                stack.callback(fcntl.flock, users, fcntl.LOCK_EX)
                kept.write_text(url)
        yield url


@dataclass(frozen=True)
class Registry:
    """A running registry. `host` is `127.0.0.1:port`; `ca` is the file of its own authority when it speaks TLS."""

    host: str
    log: Path
    root: Path
    ca: Path | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://{self.host}"

    def requests(self) -> list[str]:
        """The access log's request lines so far: `GET /v2/ HTTP/1.1`."""
        return re.findall(r'"([A-Z]+ /\S* HTTP/\S+)"', self.log.read_text())


@contextmanager
def registry(
    folder: Path,
    *,
    users: Mapping[str, str] | None = None,
    tls: bool = False,
    client_certificates: bool = False,
    read_only: bool = False,
    auth: str = "",
) -> Iterator[Registry]:
    """A `docker-registry` on a free port of 127.0.0.1, with its data in `folder`; `users` are names and passwords.

    `client_certificates`: with TLS, who asks has to show a certificate of its authority, as its own is.
    `auth` is another way to sign in, as its configuration spells it: `{token: {realm: ..., issuer: ...}}`.
    """
    binary = program("docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    config = [
        "version: 0.1",
        "log: {level: info, accesslog: {disabled: false}}",
        "storage:",
        f"  filesystem: {{rootdirectory: {folder}/data}}",
        "  delete: {enabled: true}",
        f"  maintenance: {{uploadpurging: {{enabled: false}}, readonly: {{enabled: {str(read_only).lower()}}}}}",
        "http:",
        "  addr: 127.0.0.1:0",
        "  secret: only-for-tests",
    ]
    if tls:
        make_certificate(folder)
        clients = f", clientcas: [{folder}/ca.pem]" if client_certificates else ""
        config.append(f"  tls: {{certificate: {folder}/server.pem, key: {folder}/server.key{clients}}}")
    if users:
        import bcrypt

        lines = [f"{user}:{bcrypt.hashpw(word.encode(), bcrypt.gensalt(4)).decode()}" for user, word in users.items()]
        (folder / "htpasswd").write_text("\n".join(lines) + "\n")
        config.append(f"auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}")
    if auth:
        config.append(f"auth: {auth}")
    (folder / "config.yml").write_text("\n".join(config) + "\n")
    log = folder / "registry.log"
    with running([binary, "serve", str(folder / "config.yml")], log) as alive:
        wait_for("docker-registry", lambda: _listening(log), alive, log)
        yield Registry(_listening(log), log, folder, folder / "ca.pem" if tls else None)


def _listening(log: Path) -> str:
    found = re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text())
    return found[1] if found else ""


def make_certificate(folder: Path) -> None:
    """A certificate authority and a certificate of it for 127.0.0.1 and localhost."""
    openssl = program("openssl")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    # Python 3.13 checks as RFC 5280 asks (VERIFY_X509_STRICT): an authority says what its key is for.
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    ca = ("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=tests", *usage)
    request = ("-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nauthorityKeyIdentifier=keyid\n")
    sign = ("-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem")
    for command in (
        ["req", "-x509", *new_key, *ca],
        ["req", *new_key[:-2], *request],
        ["x509", "-req", *sign, "-days", "2", "-extfile", "names"],
    ):
        subprocess.run([openssl, *command], cwd=folder, check=True, capture_output=True)


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program in the background, its output in `log`; ended by its process id, also when this process dies."""
    tied = [setpriv, "--pdeathsig", "TERM"] if (setpriv := shutil.which("setpriv")) else []
    # Go looks for garbage after each few megabytes: a third of what a registry costs here.
    env = {**os.environ, "GOGC": "800"}
    with log.open("wb") as output:
        started = subprocess.Popen([*tied, *command], env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(name: str, ready: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _STARTUP
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise Unavailable(f"{name} did not start: {tail}")
        time.sleep(0.05)


def _reachable() -> str:
    """The URL of an Engine on this machine: one elsewhere would not reach a registry on our loopback."""
    url = _DOCKER_HOST or "unix:///var/run/docker.sock"
    return url if url.startswith("unix://") and _answers(url.removeprefix("unix://")) else ""


def _answers(sock: str) -> bool:
    """Whether a Docker Engine answers on a Unix socket."""
    with closing(HTTPConnection("localhost", timeout=5)) as connection, suppress(OSError):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(5)
        connection.sock.connect(sock)
        connection.request("GET", "/_ping")
        return connection.getresponse().read() == b"OK"
    return False


def prepare() -> Iterator[str]:
    """Install once, before the tests start, what can be installed; one line a part."""
    url = _reachable()
    yield f"Docker Engine: {url} answers" if url else _prepared("Docker Engine", "dockerd")
    yield _prepared("registry", "docker-registry")
    yield _prepared("rsync", "rsync")
    yield _prepared("ssh server", "sshd")


def _prepared(name: str, binary: str) -> str:
    try:
        return f"{name}: {program(binary)}"
    except Unavailable as absent:
        return f"{name}: missing, the tests that need it skip: {absent}"


if __name__ == "__main__":
    for line in prepare():
        print(line, flush=True)
