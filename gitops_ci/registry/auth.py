"""Signing in to a registry: Basic, and Bearer tokens from where the registry says, if that may be asked.

Sources: distribution.github.io/distribution/spec/auth/token (challenge, token request), .../oauth (refresh tokens),
RFC 9110 §11.6.1 (the challenge's syntax). The realm check is against a registry, or someone on the way to it, that
names a host of its own as the place to send a password to.
"""

from __future__ import annotations

import ipaddress
import re
import threading
import time
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.http import Http, HttpError, shown
from gitops_ci.registry.credentials import Credential
from gitops_ci.secret import Secret, basic_auth

__all__ = ["Auth", "Challenge", "read_challenge"]

_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
# A parameter of the scheme before it, or a scheme that begins the next challenge.
_PART = re.compile(rf'({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))|({_WORD})')
_SOON = 10.0  # seconds before its end in which a token is taken for spent
_LONGEST = 7 * 24 * 3600  # seconds: no registry gives tokens for so long
_SHORT_LIVED = 60.0  # seconds that a token lives when the answer does not tell (the token specification's minimum)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks for: `basic`, or `bearer` with the realm and service of a token server."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def read_challenge(header: str) -> Challenge | None:
    """The Bearer challenge of a `WWW-Authenticate` header, else the Basic one, else None.

    One header may hold several challenges, each with its own parameters. A Bearer challenge without a realm names no
    token server, so Basic goes before it.
    """
    challenges: list[tuple[str, dict[str, str]]] = []
    for name, quoted, bare, scheme in _PART.findall(header):
        if scheme:
            challenges.append((scheme.lower(), {}))
        elif challenges:
            challenges[-1][1].setdefault(name.lower(), quoted or bare)
    known = [
        Challenge(scheme, given.get("realm", ""), given.get("service", ""), given.get("scope", ""))
        for scheme, given in challenges
        if scheme in {"bearer", "basic"}
    ]
    known.sort(
        key=lambda challenge: (challenge.scheme == "bearer" and not challenge.realm, challenge.scheme != "bearer")
    )
    return known[0] if known else None


class Auth:
    """The `Authorization` of one registry. `header` never asks the network twice for what is still good."""

    def __init__(
        self,
        registry: str,
        credential: Credential | None,
        http: Http,
        *,
        secure: bool = True,
        realm_hosts: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._credential = credential
        self._http = http
        self._secure = secure
        self._realm_hosts = realm_hosts
        self._clock = clock
        self._challenge: Challenge | None = None
        self._tokens: dict[str, tuple[Secret, float]] = {}
        self._lock = threading.Lock()

    @property
    def signed_in(self) -> bool:
        return self._credential is not None

    def close(self) -> None:
        self._http.close()

    def learn(self, challenge: Challenge | None) -> None:
        """Take note of what the registry wants; None: nothing."""
        self._challenge = challenge

    def header(self, scope: str, *, spent: Secret | None = None) -> Secret | None:
        """The header for a scope (`repository:acme/shop:pull,push`), a fresh one when `spent` was refused."""
        if self._challenge is None:
            return None
        if self._challenge.scheme == "basic":
            if self._credential is None or self._credential.identity:
                return None
            return basic_auth(self._credential.user, self._credential.secret)
        with self._lock:
            token, good_until = self._tokens.get(scope, (None, 0.0))
            if token is None or self._clock() >= good_until or token == spent:
                token, lives = self._fetch(self._challenge, scope)
                # A token that lives shorter than our margin is used until the registry refuses it.
                self._tokens[scope] = token, self._clock() + (lives - _SOON if lives > 2 * _SOON else lives)
        return token

    def _fetch(self, challenge: Challenge, scope: str) -> tuple[Secret, float]:
        self._check_realm(challenge.realm)
        known = self._credential
        scopes = [("scope", part) for part in scope.split(" ")]
        service = [("service", challenge.service)] if challenge.service else []
        try:
            if known is not None and known.identity:
                form = [("grant_type", "refresh_token"), *service, ("client_id", "gitops-ci")]
                body = urlencode([*form, ("scope", scope), ("refresh_token", known.secret.reveal())]).encode()
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                answer = self._http.request("POST", challenge.realm, data=body, headers=kind, safe=True)
            else:
                sign_in = {"Authorization": basic_auth(known.user, known.secret)} if known else {}
                query = urlencode([*service, *scopes, *([("account", known.user)] if known else [])])
                glue = "&" if urlsplit(challenge.realm).query else "?"
                answer = self._http.request("GET", f"{challenge.realm}{glue}{query}", headers=sign_in)
            data = answer.json() if answer.ok else {}
        except HttpError as error:
            raise RegistryError(
                f"{self._registry} requires a token, but its token server gave none: {error.message}", hint=error.hint
            ) from None
        text = (data.get("token") or data.get("access_token")) if isinstance(data, dict) else None
        if not isinstance(text, str) or not text:
            raise self._refused(answer.status, challenge.realm)
        Secret(text)  # known to the mask also without "Bearer"
        return Secret(f"Bearer {text}"), _lifetime(data.get("expires_in"))

    def _refused(self, status: int, realm: str) -> RegistryError:
        if status not in {401, 403}:  # it has not judged the account
            what = "an answer without a token" if 200 <= status < 300 else str(status)
            return RegistryError(
                f"{self._registry} requires a token, but its token server {shown(realm)} gave {what}",
                hint="Check the address of the registry. If it is right, try again later.",
            )
        if self._credential is None:
            return RegistryError(
                f"{self._registry} gives no token without an account ({status})",
                hint="Set GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD, or run docker login before.",
            )
        return RegistryError(
            f"{self._registry} does not accept the account '{self._credential.user}' ({status})",
            hint=f"The account comes from {self._credential.source}. Check its password or token, and when it expires.",
        )

    def _check_realm(self, realm: str) -> None:
        """The realm may be asked when it is the registry's own: same host, same domain, or named by the user.

        Without an account nothing is sent that could be stolen: then any https host by name may be asked, as a GET of
        a layer may be redirected anywhere (lscr.io sends readers to ghcr.io).

        Raises:
            RegistryError: another host, or a plain http address for a registry that speaks TLS.
        """
        parts = urlsplit(realm)
        host, registry = (parts.hostname or "").lower(), _hostname(self._registry)
        if parts.scheme not in {"https", "http"} or not host or (parts.scheme == "http" and self._secure):
            raise RegistryError(
                f"{self._registry} names {realm!r} as its token server, which is not an https address",
                hint="Nothing was sent there. Check the address of the registry.",
            )
        if host == registry or host in self._realm_hosts or parts.netloc in self._realm_hosts:
            return
        if _loopback(host) and _loopback(registry):
            return
        if not _address(host) and not _address(registry) and _domain(host) == _domain(registry):
            return
        if self._credential is None and parts.scheme == "https" and not _address(host) and not _loopback(host):
            return
        raise RegistryError(
            f"{self._registry} asks for its password at another host, {host}"
            if self._credential
            else f"{self._registry} names another host as its token server, {host}",
            hint=f"Nothing was sent there. If the host is right, use --registry-auth-host {host}.",
        )


def _lifetime(told: object) -> float:
    """The seconds that a token lives by the `expires_in` of an answer; whatever is no such number is not told."""
    if isinstance(told, (int, float)) and 0 <= told <= _LONGEST:
        return float(told)
    return _SHORT_LIVED


def _hostname(registry: str) -> str:
    host = urlsplit(f"//{registry}").hostname or ""
    return "docker.io" if host.endswith(".docker.io") else host


def _domain(host: str) -> str:
    """The domain one registers, without the list of all suffixes: two labels, three below `co.uk` and its like."""
    labels = host.split(".")
    second_level = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if second_level else labels[-2:]) if len(labels) > 1 else host


def _address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _loopback(host: str) -> bool:
    return host == "localhost" or (_address(host) and ipaddress.ip_address(host).is_loopback)
