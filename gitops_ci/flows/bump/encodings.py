"""Bytes of the repository as text: UTF-8 is edited, other Unicode encodings are distinguished from binary data."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from gitops_ci.model import Skip

__all__ = ["MARKS", "decoded"]

# Byte order marks of UTF-16 and UTF-32 (whose mark begins with that of UTF-16, or with NUL), as a search wants them:
# no word of a manifest can be found in those encodings.
MARKS = tuple(mark.decode("utf-8", "surrogateescape") for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))

_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(path: str, data: bytes, needles: Sequence[str]) -> str | Skip | None:
    """The text of a file, or why it cannot be edited; None for what names nothing, or is not text at all."""
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "")
    if encoding:
        text = data.decode(encoding, "replace")
        if not any(needle in text for needle in needles):
            return None
        reason = f"names the image in {encoding.upper()}, which is not edited"
        return Skip(path, 0, reason, "Store the file as UTF-8.", failed=True)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if b"\0" in data or not any(needle.encode() in data for needle in needles):
            return None
        line = data.count(b"\n", 0, error.start) + 1
        return Skip(path, line, "not UTF-8 text", "Store the file as UTF-8.", failed=True)
