"""Secrets that cannot be printed by accident, and the mask that every printed line passes.

A token reaches the outside in more than one spelling: as it is, inside Basic auth (base64 of `user:token`, at any of
three alignments), percent-encoded in a URL, or escaped in JSON and HTML. `mask` finds all of them for every `Secret`
made in this process. `mask_foreign` is for the words of others, who may have wrapped or cut a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_ci.lazy import lazy_pattern

__all__ = ["MASK", "Secret", "basic_auth", "mask", "mask_foreign"]

MASK = "***"
# Below this a "secret" is a word: masking it would eat ordinary text, and nobody's token is this short.
_SHORTEST = 4
# A part of a secret, or a secret with white space inside it, is only masked from this length on: less is a word.
_SHORTEST_PART = 12
_SCHEMES = ("Authorization: ", "Basic ", "Bearer ")
# What stands around words that were cut: quotes, brackets, the marks of a cut. So many may be the secret's own.
_OWN = 8
_AROUND = "\"'`()[]{}<>.,:;\u2026 \t\r\n"
# Before each line of a server's words (git-push(1)).
_GIT_PREFIX = lazy_pattern(r"^remote:", re.MULTILINE)

_spellings: dict[str, None] = {}
# The spellings without white space, of which a part is masked too.
_solid: dict[str, None] = {}


class Secret:
    """A token or password. `repr` and `str` show `***`; `reveal` is for the one place that sends it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        _remember(value)

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def basic_auth(user: str, password: Secret) -> Secret:
    """The value of an `Authorization` header of RFC 7617, itself a secret."""
    import base64

    pair = f"{user}:{password.reveal()}".encode("utf-8", "surrogateescape")
    return Secret("Basic " + base64.b64encode(pair).decode("ascii"))


def mask(text: str) -> str:
    """`text` with every known secret, in every spelling, replaced by `***`."""
    return _without(text, [span for spelling in _spellings if spelling in text for span in _spans(text, spelling)])


def mask_foreign(text: str) -> str:
    """As `mask`, for the words of others, who may have wrapped a secret or cut it.

    A secret with white space between its characters is masked, and so is a part of 12 characters or more that begins a
    secret at the end of a line or of the text, or ends one at the beginning.
    """
    if not _solid:
        return mask(text)
    words = _GIT_PREFIX.sub(" " * len("remote:"), text)
    places = [place for place, character in enumerate(words) if not character.isspace()]
    compact = "".join(words.split())
    spans = [span for spelling in _solid if spelling in compact for span in _spans(compact, spelling)]
    spans += _cut(compact)
    text = _without(text, [(places[start], places[stop - 1] + 1) for start, stop in spans])
    return "".join(_without(line, _cut(line)) for line in mask(text).splitlines(keepends=True))


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """The text in which `***` replaces each span; spans that overlap are one."""
    if not spans:
        return text
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join((*parts, text[end:]))


def _spans(text: str, spelling: str) -> Iterator[tuple[int, int]]:
    at = text.find(spelling)
    while at >= 0:
        yield at, at + len(spelling)
        # One character on, not behind it: a secret may overlap itself.
        at = text.find(spelling, at + 1)


def _cut(text: str) -> list[tuple[int, int]]:
    """Where a text begins with the end of a secret, or ends with the beginning of one."""
    start = len(text) - len(text.lstrip(_AROUND).removeprefix("remote:").lstrip(_AROUND))
    end = len(text.rstrip(_AROUND))
    spans = []
    for at in range(max(0, start - _OWN), start + 1):
        spans += [(at, at + size) for spelling in _solid if (size := _ending(text[at : at + len(spelling)], spelling))]
    for stop in range(end, min(len(text), end + _OWN) + 1):
        beginnings = ((_beginning(text[max(0, stop - len(spelling)) : stop], spelling)) for spelling in _solid)
        spans += [(stop - size, stop) for size in beginnings if size]
    return spans


def _beginning(text: str, spelling: str) -> int:
    """How many characters at the end of a text begin a spelling, 0 when they are too few."""
    sizes = (at + _SHORTEST_PART for at, _ in _spans(spelling, text[-_SHORTEST_PART:] or spelling))
    return max((size for size in sizes if text.endswith(spelling[:size])), default=0)


def _ending(text: str, spelling: str) -> int:
    """How many characters at the beginning of a text end a spelling, 0 when they are too few."""
    sizes = (len(spelling) - at for at, _ in _spans(spelling, text[:_SHORTEST_PART] or spelling))
    return max((size for size in sizes if text.startswith(spelling[-size:])), default=0)


def _remember(value: str) -> None:
    if len(value) < _SHORTEST or value in _spellings:
        return
    known = dict.fromkeys(text for text in _spelled(value) if len(text) >= _SHORTEST)
    _spellings.update(known)
    solid = ("".join(text.split()) for text in known if not text.startswith(_SCHEMES))
    _solid.update(dict.fromkeys(text for text in solid if len(text) >= _SHORTEST_PART))


def _spelled(value: str) -> Iterator[str]:
    """A secret as it is, without its scheme, and as URLs, JSON, HTML, Python and base64 write it."""
    import json
    from functools import partial
    from html import escape
    from urllib.parse import quote, quote_plus

    yield value
    for scheme in _SCHEMES:
        if value.startswith(scheme):
            yield from _spelled(value.removeprefix(scheme))
            return
    yield " ".join(value.split())
    for quoted in (f(value, errors="surrogateescape") for f in (partial(quote, safe=""), quote, quote_plus)):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    for ascii_only in (True, False):
        literal = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (literal, literal.replace("/", "\\/"), literal.translate(_GO))
    yield from (escape(value), escape(value, quote=False), escape(value).replace("&#x27;", "&#39;"))
    yield from (repr(value)[1:-1], value.encode("unicode_escape").decode("ascii"))
    for core in _base64_cores(value):
        yield from (core, core.translate(_URL_SAFE))


# Go's encoding/json writes these so that they are safe in HTML.
_GO = str.maketrans({"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"})
_URL_SAFE = str.maketrans("+/", "-_")


def _base64_cores(value: str) -> list[str]:
    """The characters that `value` contributes to base64 text at each of the three byte alignments."""
    import base64

    raw = value.encode("utf-8", "surrogateescape")
    cores = []
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode("ascii").rstrip("=")
        # The first characters also carry bits of what stands before, the last one of what follows.
        start = (lead * 8 + 5) // 6
        end = (lead + len(raw)) * 8 // 6
        core = encoded[start:end]
        if len(core) >= 8:
            cores.append(core)
    return cores
