"""One registry on the wire: whether it speaks TLS, what it asks for to sign in, and one request after another.

Plain http follows Docker's rule: loopback, and what the user names as insecure.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import RegistryError
from gitops_ci.http import Body, Http, HttpError, Redirects, Response, bundle_with, joined, origin_of, shown
from gitops_ci.imageref import DOCKER_HUB
from gitops_ci.registry.auth import Auth, Challenge, read_challenge
from gitops_ci.registry.credentials import Credential
from gitops_ci.registry.host_certificates import certificates_for
from gitops_ci.registry.refusals import refusal, unasked, unreachable
from gitops_ci.secret import Secret

__all__ = ["Access", "Connection"]

_HUB_API = "registry-1.docker.io"
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Access:
    """How registries are reached.

    `insecure` are hosts (`host:port`) that may be asked without TLS or with any certificate, `ca` is the file of a
    private certificate authority, `auth_hosts` are token servers of other domains that passwords may go to, `deadline`
    is a moment of `time.monotonic` after which nothing is tried again.
    """

    insecure: frozenset[str] = frozenset()
    ca: str | None = None
    auth_hosts: tuple[str, ...] = ()
    deadline: float | None = None


class Connection:
    """A client of one registry. Threads may share it."""

    def __init__(self, registry: str, credential: Credential | None = None, access: Access | None = None) -> None:
        self.registry = registry
        self.access = access or Access()
        self._credential = credential
        self._host = _HUB_API if registry == DOCKER_HUB else registry
        self._insecure = bool({self._host, registry} & self.access.insecure)
        own = certificates_for(self._host)
        self._certificate = own.client
        self._verify: bool | str = self.access.ca or (bundle_with(own.authorities) if own.authorities else True)
        if self._insecure:
            self._verify = False
        self._lock = threading.Lock()
        self._opened: tuple[Http, Auth] | None = None

    def ask(
        self,
        method: str,
        url: str,
        *,
        scope: str,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        stream: bool = False,
    ) -> Response:
        """Send a request and return the answer of any status. Raises RegistryError when none came."""
        # A POST begins an upload, nothing else: one too many is an upload that nobody finishes.
        safe = True if method == "POST" else None
        try:
            return self.send(method, url, scope=scope, data=data, headers=headers, stream=stream, safe=safe)
        except HttpError as error:
            raise unreachable(self.registry, error) from None

    def send(
        self,
        method: str,
        url: str,
        *,
        scope: str,
        data: bytes | Body | None = None,
        headers: dict[str, str] | None = None,
        stream: bool = False,
        safe: bool | None = None,
        sign_in: bool = True,
    ) -> Response:
        """As `ask`, but HttpError passes: for what is repeated as a whole.

        `scope` is what a token must allow. A token that is spent is replaced once, unless `sign_in` is False.
        """
        http, auth = self._open()
        target = self.url(url)
        home = origin_of(target) == origin_of(http.base)
        redirects: Redirects = "without-credentials" if method in {"GET", "HEAD"} else "same-origin"

        def once(signed: Secret | None) -> Response:
            sent: dict[str, str | Secret] = {**(headers or {}), **({"Authorization": signed} if signed else {})}
            return http.request(method, target, data=data, headers=sent, stream=stream, safe=safe, redirects=redirects)

        signed = auth.header(scope) if home else None
        answer = once(signed)
        if answer.status != 401 or not home or not sign_in:
            return answer
        # Some registries answer 401 for what is not there, without a word on how to sign in.
        if challenge := read_challenge(answer.headers.get("www-authenticate", "")):
            auth.learn(_at_home(challenge, http.base))
        fresh = auth.header(scope, spent=signed)
        return answer if fresh is None or fresh == signed else once(fresh)

    def url(self, path: str) -> str:
        """An address that the registry gave, or a path of ours, as a whole URL.

        A registry without TLS behind a proxy may think that it has it: what is asked is the same host and port.

        Raises:
            RegistryError: it is none, or plain http where the registry itself speaks TLS.
        """
        base = self._open()[0].base
        url = joined(base + "/", path)
        if base.startswith("http:") and url.startswith(f"https:{base.removeprefix('http:')}/"):
            url = "http:" + url.removeprefix("https:")
        scheme, host, _ = origin_of(url)
        if not host or scheme not in {"https", base.partition(":")[0]}:
            raise RegistryError(
                f"{self.registry} continues at {shown(url)!r}, which gitops-ci does not follow",
                hint="If a proxy is in front of the registry, let it set X-Forwarded-Proto.",
            )
        return url

    def is_home(self, url: str) -> bool:
        return origin_of(url) == origin_of(self._open()[0].base)

    def expect(self, answer: Response, statuses: set[int], doing: str) -> None:
        """Raises RegistryError for an answer of another status."""
        if answer.status not in statuses:
            raise self.refusal(answer, doing)

    def refusal(self, answer: Response, doing: str) -> RegistryError:
        scheme = answer.headers.get("www-authenticate", "")
        if answer.status == 401 and self._credential is not None and read_challenge(scheme) is None:
            return unasked(answer, doing, self.registry, scheme)
        return refusal(answer, doing, self.registry, signed_in=self._credential is not None)

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                http, auth = self._opened
                http.close()
                auth.close()
                self._opened = None

    def _open(self) -> tuple[Http, Auth]:
        with self._lock:
            if self._opened is None:
                http, challenge = self._ping()
                # The token server may be another host: it gets a client that has nothing of the registry's.
                realm = Http(verify=self._verify, deadline=self.access.deadline)
                secure = http.base.startswith("https:")
                auth = Auth(self.registry, self._credential, realm, secure=secure, realm_hosts=self.access.auth_hosts)
                auth.learn(challenge and _at_home(challenge, http.base))
                self._opened = http, auth
            return self._opened

    def _ping(self) -> tuple[Http, Challenge | None]:
        """Ask `/v2/` without an account: the answer says whether the registry speaks TLS and wants to know us."""
        loopback = _LOOPBACK.fullmatch(self._host) is not None
        schemes = ("http", "https") if loopback else ("https", "http") if self._insecure else ("https",)
        failure: HttpError | None = None
        for scheme in schemes:
            http = Http(
                f"{scheme}://{self._host}",
                # Digests are of the bytes as they are; and what is not packed does not unpack without end.
                headers={"Accept-Encoding": "identity"},
                verify=self._verify,
                certificate=self._certificate,
                deadline=self.access.deadline,
            )
            try:
                answer = http.request("GET", "/v2/")
            except HttpError as error:
                http.close()
                failure = error
                if error.unsent:
                    break
                continue
            if answer.status == 401:
                return http, read_challenge(answer.headers.get("www-authenticate", ""))
            # A port that speaks TLS answers plain http with 400, which no registry says to its own ping.
            if scheme == "https" or answer.status != 400:
                return http, None
            http.close()
        raise failure or HttpError(f"{self._host} answers neither as http nor as https", f"http://{self._host}")


def _at_home(challenge: Challenge, base: str) -> Challenge:
    """The challenge with a token server that is a path of the registry (`/token`: zot) as a whole address."""
    if not challenge.realm.startswith("/") or challenge.realm.startswith("//"):
        return challenge
    return replace(challenge, realm=joined(base + "/", challenge.realm))
