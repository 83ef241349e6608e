"""Requests to a code host: refusals become ForgeErrors, answers are read with care."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from gitops_ci.display import quoted
from gitops_ci.errors import ForgeError
from gitops_ci.forges.base import AutoMerge
from gitops_ci.http import Http, HttpError, Response, authority_of
from gitops_ci.secret import Secret, mask

__all__ = ["CATCHING_UP", "Api", "Fields", "as_list", "as_object", "client_of", "segment", "texts"]

CATCHING_UP = (1, 2, 4, 8, 16)  # seconds between looks at a host that is still busy with a push


def client_of(api_url: str, headers: Mapping[str, str | Secret], deadline: float | None) -> Http:
    """The client for a code host's API, which trusts the authorities that git trusts for this host."""
    authority = authority_of(urlsplit(api_url).hostname or "")
    return Http(api_url, headers=headers, deadline=deadline, verify=authority or True)


class Api:
    """Requests to one code host whose refusals are ForgeErrors.

    `explain` takes the host's own words out of an answer's JSON, `hint` says from status and words what to do.
    """

    def __init__(
        self, http: Http, name: str, *, explain: Callable[[Any], str], hint: Callable[[int, str], str]
    ) -> None:
        self.http = http
        self.name = name
        self._explain = explain
        self._hint = hint

    def get(self, path: str, doing: str, **params: str | int) -> Any:
        return self.send("GET", path, doing, params=params)

    def send(
        self,
        method: str,
        path: str,
        doing: str,
        body: Any = None,
        *,
        params: Mapping[str, str | int] | None = None,
        safe: bool | None = None,
    ) -> Any:
        """The answer's JSON, None without a body. `doing` says for the message what was going on.

        Raises:
            ForgeError: refused, or no answer (status 0).
        """
        try:
            answer = self.http.request(method, path, params=params, json=body, safe=safe)
            if answer.ok and answer.content:
                return _from(answer.json(Fields), answer.url)
            if answer.ok and method != "GET":
                return None
        except HttpError as error:
            # A page in place of the answer to a change: nobody knows whether the change was made.
            error.status = 0 if method != "GET" and 200 <= error.status < 300 else error.status
            trouble = f"{self.name} or the way to it has trouble: run again later, nothing is done twice."
            hint = (self._hint(error.status, "") if error.status else "") or error.hint or trouble
            may_be_done = method != "GET" and not error.unsent and not error.status
            what = f"{doing}, which may be done all the same" if may_be_done else doing
            raise ForgeError(f"{error.message} (while {what}, {error.url})", hint=hint, status=error.status) from None
        if answer.ok:
            message = f"{self.name} answered {answer.status} without content while {doing} ({answer.url})"
            raise ForgeError(message, hint=_NOT_THE_API, status=answer.status)
        raise self._refusal(answer, doing)

    def refusal(self, status: int, words: str, doing: str) -> ForgeError:
        """The error for an answer of this status with these words."""
        said = quoted(words) if words else ""
        hint = self._hint(status, words) or self._usual(status)
        message = f"{self.name} answered {status} while {doing}{f': {said}' if said else ''}"
        return ForgeError(message, hint=hint, status=status, words=said)

    def caught_up(
        self,
        look: Callable[[], Fields],
        head: Callable[[Fields], str],
        wanted: AutoMerge,
        doing: str,
        *,
        is_settled: Callable[[Fields], bool] = lambda _: True,
    ) -> Fields:
        """A pull request as `look` finds it once the host has noticed what was pushed: hosts do so in the background.

        Raises:
            ForgeError: its `head` is another commit than the wanted one all the time.
        """
        state, pauses = look(), iter(CATCHING_UP)
        while not (head(state) == wanted.commit and is_settled(state)):
            pause = next(pauses, None)
            if pause is None or not self.http.pause(pause):
                break
            state = look()
        if head(state) == wanted.commit:
            return state
        error = self.refusal(
            409, f"its head is {mask(head(state))[:12]} and not {wanted.commit[:12]}, which was pushed", doing
        )
        error.hint = f"{self.name} is still busy with the push, or somebody else pushed: run the command again."
        raise error

    def no_method(self, wanted: AutoMerge, doing: str) -> ForgeError:
        """The error for a repository that does not merge as it should."""
        said = "no method is allowed" if wanted.method == "auto" else f"it does not merge by {wanted.method}"
        error = self.refusal(422, said, doing)
        error.hint = "Name a method that the repository's settings allow with --merge-method."
        return error

    def _usual(self, status: int) -> str:
        """What to do where the host's own module knows nothing better."""
        if status >= 500:
            return f"{self.name} has trouble of its own: run again later, nothing is done twice."
        if status == 429:
            return "The rate limit is spent: run again later, or raise --deadline."
        if status in {400, 409, 422}:
            return f"{self.name} does not take what was asked for: look at --base, --title, --label and --reviewer."
        return ""

    def _refusal(self, answer: Response, doing: str) -> ForgeError:
        try:
            words = self._explain(answer.json())
        except (HttpError, AttributeError, KeyError, TypeError, IndexError):
            words = ""  # not the host's own words: a proxy's page
        error = self.refusal(answer.status, words, doing)
        if not words and "html" in answer.headers.get("content-type", ""):
            error.message += " with a web page, perhaps of a proxy"
        # Which repository or object: of a path with a mistake in it the host says no more than "Not Found".
        error.message += f" ({answer.url})"
        if answer.wait is not None and answer.status in {403, 429}:
            error.hint = (
                f"The rate limit is spent: it asks to wait {answer.wait:.0f} s, longer than the deadline allows."
            )
            error.status = 429
        return error


class Fields(dict[str, Any]):
    """An object of an answer. A field that has to be there and is not makes an error for people, not a traceback."""

    source = ""  # the address that answered

    def __missing__(self, key: str) -> Any:
        raise ForgeError(f"The code host's answer has no field '{key}'{_at(self)}", hint=_NOT_THE_API)


class Items(list[Any]):
    """A list of an answer."""

    source = ""


def _from(value: Any, url: str) -> Any:
    """The value of an answer, with the address for the errors about it."""
    found = Items(value) if isinstance(value, list) else value
    if isinstance(found, Items | Fields):
        found.source = url
    return found


def _at(value: Any) -> str:
    url = value.source if isinstance(value, Items | Fields) else ""
    return f" ({url})" if url else ""


def as_list(value: Any) -> list[Fields]:
    """A list of objects as an API answers it. Raises ForgeError when it is something else."""
    if not isinstance(value, list) or not all(isinstance(item, Fields) for item in value):
        raise ForgeError(f"The code host did not answer with a list{_at(value)}", hint=_NOT_THE_API)
    return value


def as_object(value: Any) -> Fields:
    """An object as an API answers it. Raises ForgeError when it is something else."""
    if not isinstance(value, Fields):
        raise ForgeError(f"The code host did not answer with an object{_at(value)}", hint=_NOT_THE_API)
    return value


def segment(text: str) -> str:
    """Text as one segment of a URL's path."""
    return quote(text, safe="")


def texts(items: Any, key: str) -> tuple[str, ...]:
    """The values under `key` of a list of objects; what is missing is left out."""
    return tuple(str(item[key]) for item in items or () if isinstance(item, dict) and item.get(key))


_NOT_THE_API = "Check that --api-url is the address of its API, and that --forge is the right kind."
