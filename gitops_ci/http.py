"""HTTP to code hosts and registries: timeouts, retries, rate limits, redirects. The one importer of requests.

What a caller can rely on:

- Every request ends: it has timeouts, and its retries end with the deadline.
- A secret goes to the origin it was given for, and nowhere else: headers of the client belong to its `base`, and no
  redirect carries them away. `.netrc` is not read; proxies and CA bundles of the environment are.
- What may be repeated is repeated (RFC 9110 §9.2.2): GET, HEAD, PUT and DELETE on connection errors, 429 and 5xx.
  A POST is repeated only where the server said that it did nothing, or where nothing was sent.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import uniform
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import SplitResult, urljoin, urlsplit

from gitops_ci import __version__
from gitops_ci.secret import Secret

if TYPE_CHECKING:
    import requests

__all__ = ["Body", "Http", "HttpError", "Response", "origin_of"]

Redirects = Literal["same-origin", "without-credentials"]

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
PATIENCE = 120.0  # seconds that one request may spend on retries when no deadline is set
TRIES = 6  # with the pauses below about 15 s, longer than the hiccup of a host that is being deployed
UNREACHABLE_TRIES = 4  # refused or unknown: rather a mistake in the address, said after about 3 s
LARGEST = 64 * 1024 * 1024  # bytes of an answer that is read into memory
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_PASSING = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What may follow a redirect to another host: nothing that says who we are.
_HARMLESS = frozenset({"accept", "range", "if-none-match"})
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1")


class HttpError(Exception):
    """No usable answer came: unreachable, TLS, timeout, a redirect that was refused, a body that is no JSON.

    Every room turns it into its own error. `url` is without query; `status` is 0 when there was no answer at all.
    `unsent` says that no connection was made.
    """

    def __init__(self, message: str, url: str, status: int = 0, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.url = url
        self.status = status
        self.hint = hint
        self.unsent = False


@dataclass(frozen=True, slots=True)
class Body:
    """A request body of known length that is produced piece by piece, anew for every try."""

    size: int
    chunks: Callable[[], Iterable[bytes]]

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks())


class Response:
    """An answer, whatever its status. `headers` are looked up without regard to case.

    `wait` are the seconds that the server asked to wait (`Retry-After`, a spent rate limit), None when it did not.
    """

    def __init__(self, answer: requests.Response, content: bytes | None, wait: float | None) -> None:
        self.status: int = answer.status_code
        self.headers: Mapping[str, str] = answer.headers
        self.url = _shown(answer.url)
        self.wait = wait
        self._answer = answer
        self._content = content

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def content(self) -> bytes:
        """The whole body. Raises HttpError when it breaks off or is larger than 64 MiB."""
        if self._content is None:
            self._content = b"".join(_limited(self.iter_bytes(), self.url))
        return self._content

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", errors="replace")

    def json(self, make: Callable[[dict[str, Any]], Any] | None = None) -> Any:
        """The body as JSON, `make` applied to every object.

        Raises:
            HttpError: it is something else (a login page, a proxy's notice).
        """
        import json

        try:
            return json.loads(self.content, object_hook=make)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no content type")
            raise HttpError(
                f"{_host(self.url)} answered {self.status} with {kind} where JSON was expected",
                self.url,
                self.status,
                hint="Is this the address of the API, and is no proxy or login page in between?",
            ) from None

    def iter_bytes(self, size: int = 1 << 20) -> Iterator[bytes]:
        """The body in pieces of at most `size` bytes, for a request made with `stream=True`."""
        if self._content is not None:
            yield self._content
            return
        import requests

        try:
            yield from self._answer.iter_content(size)
        except requests.RequestException as error:
            raise _unanswered(error, self.url) from None
        finally:
            self._answer.close()

    def close(self) -> None:
        self._answer.close()


class Http:
    """A client of one origin.

    `base` is put before relative URLs and is the origin that `headers` are for: an absolute URL elsewhere gets none of
    them. `verify` is as in requests (True, False, or the path of a CA bundle). `deadline` is a moment of `clock` after
    which nothing is tried again.
    """

    def __init__(
        self,
        base: str = "",
        *,
        headers: Mapping[str, str | Secret] | None = None,
        verify: bool | str = True,
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
        """Wait before asking for something anew; False, at once, when the deadline does not allow it."""
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
                answer = self._follow(asked, until)
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

    def _follow(self, asked: _Request, until: float) -> Response:
        current = asked
        for _ in range(6):
            answer = self._send(current, until)
            location = answer.headers.get("location", "")
            if answer.status_code not in _REDIRECTS or not location:
                return self._read(answer, stream=asked.stream)
            answer.close()
            current = current.redirected(answer.status_code, _joined(current.url, location))
        raise HttpError(f"{_host(asked.url)} redirects in circles", _shown(asked.url), 310)

    def _send(self, asked: _Request, until: float) -> requests.Response:
        import requests

        url = asked.url
        left = until - self._clock()
        if left <= 0:
            raise HttpError(f"the deadline passed before {_host(url)} answered", _shown(url))
        own = self._headers if origin_of(url) == origin_of(self.base) else {}
        loopback = _LOOPBACK.fullmatch(_split(url).hostname or "") is not None
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
                verify=self._verify,
                timeout=(min(CONNECT_TIMEOUT, left), min(self._timeout, left)),
                # As Go's clients do: no proxy is asked for this very machine.
                proxies={"http": None, "https": None, "all": None} if loopback else None,  # type: ignore[dict-item]
            )
        except (requests.RequestException, ValueError, OSError) as error:
            raise _Broken(_unanswered(error, url), unsent=_never_sent(error), final=_is_final(error)) from None

    def _read(self, answer: requests.Response, *, stream: bool) -> Response:
        response = Response(answer, None, _asked_wait(answer, self._now()))
        if not stream or response.status >= 400:
            try:
                _ = response.content
            except HttpError as error:
                raise _Broken(error, unsent=False, final=False) from None
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
                f"{_host(self.url)} redirects to {_shown(url)}, which is not followed",
                _shown(self.url),
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


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454), the default port filled in; empty for a relative URL."""
    parts = _split(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme.lower(), (parts.hostname or "").lower(), port or {"https": 443, "http": 80}.get(parts.scheme, 0)


def _pause_after(answer: Response, attempt: int, *, may_repeat: bool) -> float | None:
    """Seconds until the next try, None when this answer is the last word."""
    if answer.wait is not None and (may_repeat or answer.status in {403, 429}):
        return max(answer.wait, _backoff(attempt))
    if answer.status in _PASSING and may_repeat and attempt < TRIES:
        return _backoff(attempt)
    return None


def _pause_after_failure(broken: _Broken, attempt: int, *, may_repeat: bool) -> float | None:
    if broken.final or not (may_repeat or broken.unsent):
        return None
    return _backoff(attempt) if attempt < (UNREACHABLE_TRIES if broken.unsent else TRIES) else None


def _backoff(attempt: int) -> float:
    """0.5, 1, 2, 4, ... at most 30 seconds, half of it jitter so that parallel jobs do not march in step."""
    return min(30.0, 0.5 * 2.0 ** (attempt - 1)) * uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def _asked_wait(answer: requests.Response, now: float) -> float | None:
    """Seconds that the answer asks to wait, by `Retry-After` (RFC 9110 §10.2.3) or a spent rate limit.

    Dates are compared with the server's own `Date`, so that a wrong clock on either side does no harm.
    A negative or unreadable value asks for nothing.
    """
    if answer.status_code not in {403, 429, 503}:
        return None
    from email.utils import parsedate_to_datetime

    def moment(text: str) -> float | None:
        try:
            return parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None

    server_now = moment(answer.headers.get("date", "")) or now
    told = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,15}", told):
        return float(told)
    if told and (at := moment(told)) is not None:
        return max(0.0, at - server_now)
    for prefix in ("x-ratelimit-", "ratelimit-"):
        if answer.headers.get(prefix + "remaining", "").strip() == "0":
            reset = answer.headers.get(prefix + "reset", "").strip()
            if re.fullmatch(r"\d{1,15}", reset):
                # GitHub and GitLab give a moment, the IETF draft seconds from now.
                return max(0.0, float(reset) - server_now) if float(reset) > 1e9 else float(reset)
    return None


def _unanswered(error: Exception, url: str) -> HttpError:
    """What went wrong, in words of our own: a library's message may quote a URL with all its query."""
    import requests
    from urllib3.exceptions import NameResolutionError

    host, shown = _host(url), _shown(url)
    causes = list(_chain(error))
    if isinstance(error, requests.exceptions.InvalidHeader | UnicodeError):
        hint = "Is there a line break or another odd character in the token?"
        return HttpError(f"a header for {host} has characters that no header may have", shown, hint=hint)
    if isinstance(error, requests.exceptions.SSLError):
        reason = next((text for c in causes if (text := getattr(c, "verify_message", ""))), "the handshake failed")
        hint = "For a private certificate authority set REQUESTS_CA_BUNDLE to its certificate file."
        return HttpError(f"TLS with {host} failed: {reason}", shown, hint=hint)
    if isinstance(error, requests.exceptions.ProxyError):
        hint = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
        return HttpError(f"the proxy on the way to {host} refused or does not answer", shown, hint=hint)
    if any(isinstance(c, NameResolutionError) for c in causes):
        return HttpError(f"there is no host {host}: the name does not resolve", shown, hint="Check the address.")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return HttpError(f"{host} does not answer: no connection within {CONNECT_TIMEOUT:.0f} s", shown)
    if isinstance(error, requests.exceptions.Timeout) or any(isinstance(c, TimeoutError) for c in causes):
        return HttpError(f"{host} took the request and did not answer in time", shown)
    if any(isinstance(c, ConnectionRefusedError) for c in causes):
        return HttpError(f"{host} refuses connections", shown, hint="Is the service running, and is the port right?")
    if isinstance(error, ValueError):
        return HttpError(f"{shown!r} is not an address that can be asked over HTTP", shown, hint="Check the address.")
    if isinstance(error, requests.exceptions.RequestException):
        return HttpError(f"{host} broke the connection off", shown)
    return HttpError(f"{host} could not be asked: {getattr(error, 'strerror', None) or type(error).__name__}", shown)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all that caused it, the ones that urllib3 keeps in `reason` and `args` included."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        current = todo.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]


def _never_sent(error: Exception) -> bool:
    """Whether no connection was made, so that not even a POST can have had an effect."""
    import requests
    from urllib3.exceptions import NewConnectionError

    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return any(isinstance(c, NewConnectionError) for c in _chain(error))


def _is_final(error: Exception) -> bool:
    import requests

    return isinstance(error, (requests.exceptions.SSLError, ValueError)) and not isinstance(
        error, requests.exceptions.ChunkedEncodingError
    )


def _limited(pieces: Iterable[bytes], url: str) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > LARGEST:
            raise HttpError(f"the answer of {_host(url)} is larger than {LARGEST >> 20} MiB", url)
        yield piece


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _header(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url.partition("?")[0], "", "")


def _host(url: str) -> str:
    return _split(url).netloc.rpartition("@")[2] or url


def _shown(url: str) -> str:
    """A URL fit for a message: without user, query and fragment."""
    parts = _split(url)
    return f"{parts.scheme}://{_host(url)}{parts.path}" if parts.scheme else parts.path
