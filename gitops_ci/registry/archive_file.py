"""The file of an archive, as plain bytes: compressed ones are unpacked into a nameless file, stdin is read once."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import CHUNK, NO_IMAGE
from gitops_ci.registry.files import DAMAGED

__all__ = ["open_archive"]

STDIN = "-"
# What a compressed archive may unpack to: a bomb is a thousand times its size, an image twice or thrice.
_FREE = 1 << 30
_RATIO = 100
_DICTIONARY = 256 << 20  # bytes of memory for xz; its strongest level takes 65 MiB
_ZSTD = b"\x28\xb5\x2f\xfd"


def open_archive(path: str) -> IO[bytes]:
    """The archive without its compression. Raises RegistryError for what is not a file, or unpacks to far too much."""
    if path == STDIN:
        file = open(_stdin(), "rb")  # noqa: SIM115 - held open as long as the archive is read
    elif not stat.S_ISREG(os.stat(path).st_mode):
        raise RegistryError(f"{path} is not a file", hint="An archive is one file; a folder is given as oci:DIR.")
    else:
        file = open(path, "rb")  # noqa: SIM115
    start = file.read(6)
    file.seek(0)
    if start.startswith(_ZSTD):
        file.close()
        raise RegistryError(
            f"{path} is compressed with zstd, which is not read here", hint=f"Unpack it: zstd -dc FILE | … {STDIN}"
        )
    unpack = next((unpack for magic, unpack in _UNPACKERS.items() if start.startswith(magic)), None)
    return file if unpack is None else _unpacked(file, unpack, path)


_held: list[IO[bytes]] = []


def _stdin() -> str:
    """A file with what stands on standard input: a run may read its image more than once."""
    if not _held:
        held = tempfile.NamedTemporaryFile(prefix="gitops-ci-stdin-")  # noqa: SIM115 - as long as the process
        shutil.copyfileobj(sys.stdin.buffer, held, CHUNK)
        held.flush()
        _held.append(held)
    return str(_held[0].name)


def _unpacked(file: IO[bytes], unpack: Callable[[IO[bytes]], Iterator[bytes]], path: str) -> IO[bytes]:
    limit = max(_FREE, _RATIO * os.fstat(file.fileno()).st_size)
    target = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        with file:
            for piece in _limited(unpack(file), limit, path):
                target.write(piece)
        target.flush()
    except (lzma.LZMAError, EOFError) as error:
        target.close()
        raise RegistryError(f"{path} is not an archive that can be read: {error}", hint=DAMAGED) from None
    except BaseException:
        target.close()
        raise
    return target


def _limited(pieces: Iterator[bytes], limit: int, path: str) -> Iterator[bytes]:
    seen = 0
    for piece in pieces:
        seen += len(piece)
        if seen > limit:
            raise RegistryError(
                f"{path} unpacks to more than {limit:,} bytes, far too many for its size", hint=NO_IMAGE
            )
        yield piece


def _gunzip(file: IO[bytes]) -> Iterator[bytes]:
    gzip = zlib.decompressobj(wbits=31)
    while packed := file.read(CHUNK):
        while packed:
            yield gzip.decompress(packed, CHUNK)
            packed = gzip.unconsumed_tail
            if gzip.eof:
                packed = gzip.unused_data.lstrip(b"\0")
                gzip = zlib.decompressobj(wbits=31)


def _unxz(file: IO[bytes]) -> Iterator[bytes]:
    xz, is_whole = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DICTIONARY), True
    while packed := file.read(CHUNK):
        while packed or not xz.needs_input:
            yield xz.decompress(packed, CHUNK)
            packed, is_whole = b"", xz.eof
            if xz.eof:
                packed = xz.unused_data.lstrip(b"\0")
                xz = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DICTIONARY)
    if not is_whole:
        raise EOFError("it ends too early")


_UNPACKERS: dict[bytes, Callable[[IO[bytes]], Iterator[bytes]]] = {b"\x1f\x8b": _gunzip, b"\xfd7zXZ\0": _unxz}
