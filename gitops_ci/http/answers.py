"""An answer: status, headers, and a body that is read at once or piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gitops_ci.http.addresses import host, shown
from gitops_ci.http.failures import HttpError, unanswered

if TYPE_CHECKING:
    import requests

__all__ = ["Response"]

LARGEST = 64 * 1024 * 1024  # bytes of an answer that is read into memory


class Response:
    """An answer, whatever its status. `headers` are looked up without regard to case.

    `wait` are the seconds that the server asked to wait (`Retry-After`, a spent rate limit), None when it did not.
    """

    def __init__(self, answer: requests.Response, content: bytes | None, wait: float | None) -> None:
        self.status: int = answer.status_code
        self.headers: Mapping[str, str] = answer.headers
        self.url = shown(answer.url)
        self.wait = wait
        self._answer = answer
        self._content = content

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_rate_limit(self) -> bool:
        """Whether it asks for fewer requests. Only its words tell GitHub's secondary limit from another 403."""
        if self.status != 403:
            return self.status == 429
        said = self.text.casefold()
        return "secondary rate limit" in said or "abuse detection" in said

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
                f"{host(self.url)} answered {self.status} with {kind} where JSON was expected",
                self.url,
                self.status,
                hint="Check the address of the API, and that no proxy or login page answers.",
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
            raise unanswered(error, self.url) from None
        finally:
            self._answer.close()

    def close(self) -> None:
        self._answer.close()


def _limited(pieces: Iterable[bytes], url: str) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > LARGEST:
            error = HttpError(f"the answer of {host(url)} is larger than {LARGEST >> 20} MiB", url)
            error.final = True
            raise error
        yield piece
