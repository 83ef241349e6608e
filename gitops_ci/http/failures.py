"""What went wrong when no usable answer came, in words of our own: a library's message may quote a URL whole."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ci.http.addresses import host, shown

__all__ = ["CONNECT_TIMEOUT", "HttpError", "is_final", "never_sent", "unanswered"]

CONNECT_TIMEOUT = 10.0


class HttpError(Exception):
    """No usable answer came: unreachable, TLS, timeout, a redirect that was refused, a body that is not JSON.

    Every room turns it into its own error. `url` is without query; `status` is 0 when there was no answer at all.
    `unsent` says that no connection was made, `final` that another try would end as this one.
    """

    def __init__(self, message: str, url: str, status: int = 0, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.url = url
        self.status = status
        self.hint = hint
        self.unsent = False
        self.final = False


def unanswered(error: Exception, url: str) -> HttpError:
    """What went wrong, in words of our own: a library's message may quote a URL with all its query."""
    import requests
    from urllib3.exceptions import NameResolutionError

    name, where = host(url), shown(url)
    causes = list(_chain(error))
    if isinstance(error, requests.exceptions.InvalidHeader | UnicodeError):
        hint = "Check the token for a line break or another control character."
        return HttpError(f"a header for {name} contains characters that headers cannot contain", where, hint=hint)
    if isinstance(error, requests.exceptions.SSLError):
        reason = next((text for c in causes if (text := getattr(c, "verify_message", ""))), "the handshake failed")
        hint = "For a private certificate authority set SSL_CERT_FILE to its certificate file."
        return HttpError(f"TLS with {name} failed: {reason}", where, hint=hint)
    if isinstance(error, requests.exceptions.ProxyError):
        hint = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
        return HttpError(f"the proxy for {name} refused or does not answer", where, hint=hint)
    if any(isinstance(c, NameResolutionError) for c in causes):
        hint = "Check the address for a typo, and the network's DNS."
        return HttpError(f"cannot resolve host {name}", where, hint=hint)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return HttpError(f"{name} does not answer: no connection within {CONNECT_TIMEOUT:.0f} s", where)
    if isinstance(error, requests.exceptions.Timeout) or any(isinstance(c, TimeoutError) for c in causes):
        return HttpError(f"{name} accepted the request and did not answer in time", where)
    if any(isinstance(c, ConnectionRefusedError) for c in causes):
        return HttpError(
            f"{name} refuses connections", where, hint="Check that the service runs, and that the port is right."
        )
    if isinstance(error, ValueError):
        return HttpError(f"{where!r} is not an address that can be asked over HTTP", where, hint="Check the address.")
    if isinstance(error, requests.exceptions.RequestException):
        return HttpError(f"{name} closed the connection", where)
    return HttpError(f"{name} could not be asked: {getattr(error, 'strerror', None) or type(error).__name__}", where)


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


def never_sent(error: Exception) -> bool:
    """Whether no connection was made, so that not even a POST can have had an effect."""
    import requests
    from urllib3.exceptions import NewConnectionError

    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return any(isinstance(c, NewConnectionError) for c in _chain(error))


def is_final(error: Exception) -> bool:
    """Whether another try would end as this one. A name that does not exist is; a resolver that cannot say is not."""
    import socket

    import requests

    unknown = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
    if any(isinstance(c, socket.gaierror) and c.errno in unknown for c in _chain(error)):
        return True
    return isinstance(error, (requests.exceptions.SSLError, ValueError)) and not isinstance(
        error, requests.exceptions.ChunkedEncodingError
    )
