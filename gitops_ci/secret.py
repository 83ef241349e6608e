"""Secrets that cannot be printed by accident, and the mask that every printed line passes.

A token reaches the outside in more than one spelling: as it is, inside Basic auth (base64 of `user:token`, at any of
three alignments), and percent-encoded in a URL. `mask` knows all of them for every `Secret` made in this process.
"""

from __future__ import annotations

__all__ = ["Secret", "basic_auth", "mask"]

MASK = "***"
# Below this a "secret" is a word: masking it would eat ordinary text, and nobody's token is this short.
_SHORTEST = 4

_spellings: dict[str, None] = {}


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

    pair = f"{user}:{password.reveal()}".encode()
    return Secret("Basic " + base64.b64encode(pair).decode("ascii"))


def mask(text: str) -> str:
    """`text` with every known secret, in every spelling, replaced by `***`."""
    for spelling in _spellings:
        if spelling in text:
            text = text.replace(spelling, MASK)
    return text


def _remember(value: str) -> None:
    if len(value) < _SHORTEST:
        return
    import json
    from urllib.parse import quote, quote_plus

    known = {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], *_base64_cores(value)}
    if value.startswith("Basic "):
        known.add(value.removeprefix("Basic "))
    # Longest first, so that a spelling that contains another one is masked whole.
    merged = sorted({*_spellings, *(k for k in known if len(k) >= _SHORTEST)}, key=lambda s: (-len(s), s))
    _spellings.clear()
    _spellings.update(dict.fromkeys(merged))


def _base64_cores(value: str) -> list[str]:
    """The characters that `value` contributes to base64 text at each of the three byte alignments."""
    import base64

    raw = value.encode()
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
