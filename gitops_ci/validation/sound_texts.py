"""Large documents that are sound: where several units render one, it is read exactly and judged once."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["SoundTexts"]

_LEAST = 8 * 1024  # characters; a shorter one is judged faster than it is looked up
_MOST = 64 * 1024 * 1024  # bytes of all that is kept


class SoundTexts:
    """Values by the text that they were read from, as bytes: as objects they would take ten times the memory."""

    def __init__(self) -> None:
        self._kept: dict[bytes, bytes] = {}
        self._room = _MOST

    def value(self, text: str) -> dict[str, Any] | None:
        """The value of a text that was found sound."""
        if len(text) < _LEAST or (kept := self._kept.get(_key(text))) is None:
            return None
        value: dict[str, Any] = json.loads(kept)
        return value

    def keep(self, text: str, value: dict[str, Any]) -> None:
        """Remember a sound document, as long as there is room."""
        if len(text) < _LEAST or self._room <= 0:
            return
        try:
            data = json.dumps(value, separators=(",", ":")).encode("ascii")
        except TypeError:
            return  # a value that is not text, number, list or mapping
        self._kept[_key(text)] = data
        self._room -= len(data)


def _key(text: str) -> bytes:
    from hashlib import blake2b

    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()
