"""The client: tries, redirects, and who gets which header."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from gitops_ci import __version__
from gitops_ci.dataclass import dataclass
from gitops_ci.http.addresses import host, is_loopback, joined, origin_of, shown
from gitops_ci.http.answers import Response
from gitops_ci.http.failures import CONNECT_TIMEOUT, HttpError, is_final, never_sent, unanswered
from gitops_ci.http.patience import in_time
from gitops_ci.http.trust import trusted
from gitops_ci.http.waiting import asked_wait, backoff, unasked_wait
from gitops_ci.secret import Secret

if TYPE_CHECKING:
    import requests

__all__ = ["Body", "Http", "Redirects"]

Redirects = Literal["same-origin", "without-credentials"]

READ_TIMEOUT = 60.0
PATIENCE = 120.0  # seconds that one request may spend on retries when no deadline is set
TRIES = 6  # with the pauses between them about 15 s, longer than the hiccup of a host that is being deployed
UNREACHABLE_TRIES = 4  # refused: rather a mistake in the address, said after about 3 s
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_PASSING = frozenset({500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What may follow a redirect to another host: nothing that says who we are.
_HARMLESS = frozenset({"accept", "range", "if-none-match"})


@dataclass(frozen=True, slots=True)
class Body:
    """A request body of known length that is produced in pieces, again for every try."""

    size: int
    chunks: Callable[[], Iterable[bytes]]

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks())


class Http:
    """A client of one origin.

    `base` is put before relative URLs and is the origin that `headers` are for: an absolute URL elsewhere gets none of
    them. `verify` is as in requests (True, False, or the path of a CA bundle), `certificate` a client's certificate and
    key for the base's origin. `deadline` is a moment of `clock` after
    which nothing is tried again.
    """

    def __init__(
        self,
        base: str = "",
        *,
        headers: Mapping[str, str | Secret] | None = None,
        verify: bool | str = True,
        certificate: tuple[str, str] | None = None,
        deadline: float | None = None,
        timeout: float = READ_TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.base = base.rstrip("/")
        self.deadline = deadline
        self._headers = dict(headers or {})
        if not base and any(isinstance(value, Secret) for value in self._headers.values()):
            raise ValueError("secret headers need a base: they belong to one origin")
        self._verify = verify
        self._certificate = certificate
        self._timeout = timeout
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._opened: requests.Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def pause(self, seconds: float) -> bool:
        """Wait before the next try; False, at once, if the deadline does not allow it."""
        if self.deadline is not None and self._clock() + seconds >= self.deadline:
            return False
        self._sleep(seconds)
        return True

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        data: bytes | Body | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        stream: bool = False,
        safe: bool | None = None,
        redirects: Redirects = "same-origin",
    ) -> Response:
        """Send and return the answer, of any status.

        `headers` go to this URL's origin in addition to the client's. `safe` says whether the request may be repeated
        (None: by the method). `stream=True` leaves the body to `iter_bytes`. `redirects="without-credentials"` also
        follows to other origins, with a bare request.

        Raises:
            HttpError: no answer came within the deadline, or it leads where it may not.
        """
        target = url if "://" in url else self.base + url
        asked = _Request(method, target, dict(params or {}), json, data, dict(headers or {}), stream, redirects)
        may_repeat = safe if safe is not None else method in _REPEATABLE
        until = self.deadline if self.deadline is not None else self._clock() + PATIENCE
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._answer(asked, until)
            except _Broken as broken:
                pause = _pause_after_failure(broken, attempt, may_repeat=may_repeat)
                if pause is None or self._clock() + pause >= until:
                    raise broken.error from None
            else:
                pause = _pause_after(answer, attempt, may_repeat=may_repeat)
                if pause is None or self._clock() + pause >= until:
                    return answer
                answer.close()
            self._sleep(pause)

    def _answer(self, asked: _Request, until: float) -> Response:
        """The answer, whole unless it is a stream, before `until`. What we send may take as long as it takes."""
        left = until - self._clock()
        if left <= 0 or isinstance(asked.data, Body):
            return self._follow(asked, until)
        try:
            return in_time(left, lambda: self._follow(asked, until))
        except TimeoutError:
            late = HttpError(f"the deadline passed before {host(asked.url)} had answered in full", shown(asked.url))
            raise _Broken(late, unsent=False, final=True) from None

    def _follow(self, asked: _Request, until: float) -> Response:
        current = asked
        for _ in range(6):
            answer = self._send(current, until)
            location = answer.headers.get("location", "")
            if answer.status_code not in _REDIRECTS or not location:
                return self._read(answer, stream=asked.stream)
            answer.close()
            current = current.redirected(answer.status_code, joined(current.url, location))
        raise HttpError(f"{host(asked.url)} redirects in a loop", shown(asked.url), 310)

    def _send(self, asked: _Request, until: float) -> requests.Response:
        import requests

        url = asked.url
        left = until - self._clock()
        if left <= 0:
            raise HttpError(f"the deadline passed before {host(url)} answered", shown(url))
        own_origin = origin_of(url) == origin_of(self.base)
        own = self._headers if own_origin else {}
        loopback = is_loopback(url)
        try:
            return self._session().request(
                asked.method,
                url,
                params=asked.params or None,
                json=asked.json,
                data=asked.data,
                headers={name: _header(value) for name, value in {**own, **asked.headers}.items()},
                stream=True,
                allow_redirects=False,
                verify=trusted(self._verify),
                cert=self._certificate if own_origin else None,
                timeout=(min(CONNECT_TIMEOUT, left), min(self._timeout, left)),
                # As Go's clients do: no proxy is asked for this very machine.
                proxies={"http": None, "https": None, "all": None} if loopback else None,  # type: ignore[dict-item]
            )
        except (requests.RequestException, ValueError, OSError) as error:
            raise _Broken(unanswered(error, url), unsent=never_sent(error), final=is_final(error)) from None

    def _read(self, answer: requests.Response, *, stream: bool) -> Response:
        response = Response(answer, None, asked_wait(answer.status_code, answer.headers, self._now()))
        if not stream or response.status >= 400:
            try:
                _ = response.content
            except HttpError as error:
                raise _Broken(error, unsent=False, final=error.final) from None
        return response

    def _session(self) -> requests.Session:
        if self._opened is None:
            from http.cookiejar import DefaultCookiePolicy

            import requests

            session = requests.Session()
            session.headers["User-Agent"] = f"gitops-ci/{__version__}"
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            # trust_env brings proxies and REQUESTS_CA_BUNDLE; an `auth` that does nothing keeps .netrc out of it.
            session.trust_env = True
            session.auth = _as_it_is
            if self._verify is False:  # whoever asked for it knows: not said again at every request
                from urllib3 import disable_warnings
                from urllib3.exceptions import InsecureRequestWarning

                disable_warnings(InsecureRequestWarning)
            self._opened = session
        return self._opened


@dataclass(frozen=True, slots=True)
class _Request:
    """One request as it was asked for; `headers` are only those of this URL's origin."""

    method: str
    url: str
    params: Mapping[str, str | int]
    json: Any
    data: bytes | Body | None
    headers: Mapping[str, str | Secret]
    stream: bool
    redirects: Redirects

    def redirected(self, status: int, url: str) -> _Request:
        """The request that a redirect asks for (RFC 9110 §15.4), where it may be followed."""
        origin, other = origin_of(self.url), origin_of(url)
        # 301 to 303 turn a POST into a GET: its meaning is lost, and no API that we speak to wants that.
        refused = status in {301, 302, 303} and self.method not in {"GET", "HEAD"}
        if other != origin:
            downgrade = origin[0] == "https" and other[0] != "https"
            refused |= self.redirects == "same-origin" or downgrade or other[0] not in {"http", "https"}
        if refused:
            raise HttpError(
                f"{host(self.url)} redirects to {shown(url)}, which is not followed",
                shown(self.url),
                status,
                hint="Credentials stay with the host they are for. If the repository has moved, use its new address.",
            )
        kept = {k: v for k, v in self.headers.items() if other == origin or k.lower() in _HARMLESS}
        return replace(self, url=url, params={}, headers=kept)


class _Broken(Exception):
    """A try without an answer: `unsent` when the request never left, `final` when another try cannot help."""

    def __init__(self, error: HttpError, *, unsent: bool, final: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.unsent = error.unsent = unsent
        self.final = final


def _pause_after(answer: Response, attempt: int, *, may_repeat: bool) -> float | None:
    """Seconds until the next try, None when this answer is the last word."""
    if answer.wait is not None and (may_repeat or answer.status in {403, 429}):
        return max(answer.wait, backoff(attempt))
    if answer.is_rate_limit:  # nothing was done, so that even a POST is repeated
        return unasked_wait(attempt, tries=TRIES if answer.status == 429 else 0)
    if answer.status in _PASSING and may_repeat and attempt < TRIES:
        return backoff(attempt)
    return None


def _pause_after_failure(broken: _Broken, attempt: int, *, may_repeat: bool) -> float | None:
    if broken.final or not (may_repeat or broken.unsent):
        return None
    return backoff(attempt) if attempt < (UNREACHABLE_TRIES if broken.unsent else TRIES) else None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _header(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
