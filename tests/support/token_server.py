"""A token server as registries have one (distribution specification, "Token Authentication"): names, passwords, rights.

Tokens are JSON Web Tokens signed with RS256 by openssl; the registry checks them by the certificate in their header.
"""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.http_server import in_background
from tests.support.services import program

__all__ = ["TokenServer", "token_server"]

ISSUER, SERVICE = "tests-issuer", "tests-registry"


@dataclass
class TokenServer:
    """A running token server. `asked` are the queries so far; `lifetime` are the seconds a token lives."""

    url: str
    folder: Path
    accounts: Mapping[str, str]
    lifetime: int = 60
    refresh_tokens: Mapping[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def auth(self) -> str:
        """The registry's configuration that trusts this server."""
        bundle = self.folder / "token.pem"
        return f"{{token: {{realm: '{self.url}', service: {SERVICE}, issuer: {ISSUER}, rootcertbundle: '{bundle}'}}}}"

    def grant(self, scopes: list[str]) -> dict[str, Any]:
        now = int(time.time())
        access = []
        for scope in " ".join(scopes).split():
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        claims = {"iss": ISSUER, "aud": SERVICE, "sub": "tests", "iat": now, "nbf": now - 5, "jti": str(now)}
        claims |= {"exp": now + self.lifetime, "access": access}
        token = self._signed(claims)
        return {"token": token, "access_token": token, "expires_in": self.lifetime, "issued_at": None}

    def _signed(self, claims: dict[str, Any]) -> str:
        pem = (self.folder / "token.pem").read_text()
        der = "".join(pem.splitlines()[1:-1])
        signed = f"{_b64(json.dumps({'typ': 'JWT', 'alg': 'RS256', 'x5c': [der]}))}.{_b64(json.dumps(claims))}"
        command = [program("openssl"), "dgst", "-sha256", "-sign", str(self.folder / "token.key")]
        signature = subprocess.run(command, input=signed.encode(), capture_output=True, check=True).stdout
        return f"{signed}.{_b64(signature)}"


@contextmanager
def token_server(folder: Path, accounts: Mapping[str, str]) -> Iterator[TokenServer]:
    """A token server on 127.0.0.1. Everybody may pull; an account of `accounts` may push too."""
    key = (
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=tests",
        "-keyout",
        "token.key",
        "-out",
        "token.pem",
    )
    subprocess.run([program("openssl"), "req", "-x509", *key], cwd=folder, check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.tokens = TokenServer(f"http://127.0.0.1:{server.server_port}/token", folder, accounts)  # type: ignore[attr-defined]
    with in_background(server):
        yield server.tokens  # type: ignore[attr-defined]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        user, password = self._basic()
        self._answer(query, known=not user or self._tokens.accounts.get(user) == password, may_push=bool(user))

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        known = form.get("refresh_token", [""])[0] in self._tokens.refresh_tokens
        self._answer(form, known=known, may_push=True)

    @property
    def _tokens(self) -> TokenServer:
        return self.server.tokens  # type: ignore[attr-defined,no-any-return]

    def _answer(self, query: dict[str, list[str]], *, known: bool, may_push: bool) -> None:
        self._tokens.asked.append({"method": self.command, "signed": "Authorization" in self.headers, **query})
        scopes = query.get("scope", [])
        if not may_push:
            scopes = [scope.replace("pull,push", "pull") for scope in scopes]
        status, body = (200, self._tokens.grant(scopes)) if known else (401, {"details": "incorrect password"})
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _basic(self) -> tuple[str, str]:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        user, _, password = base64.b64decode(value).decode().partition(":") if kind == "Basic" else ("", "", "")
        return user, password

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def _b64(data: str | bytes) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
