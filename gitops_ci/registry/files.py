"""Named files of an image, in a folder or inside a tar archive, read in pieces. Nothing is ever unpacked.

An archive may be hostile: its names become keys, never paths; its links lead to other members or nowhere; what is no
plain file makes the whole archive refused.
"""

from __future__ import annotations

import os
import posixpath
import stat
import tarfile
import tempfile
import threading
import zlib
from collections.abc import Iterator
from typing import IO, Protocol

from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import CHUNK

__all__ = ["Files", "Folder", "Tar"]

_MOST_MEMBERS = 10_000  # an image of 100 platforms has some hundred
_LONGEST_LINK = 8  # links to links; `docker save` writes one
# What a compressed archive may unpack to: a bomb is a thousand times its size, an image twice or thrice.
_FREE = 1 << 30
_RATIO = 100

_BUILD_AGAIN = "The image is incomplete or damaged: write it again."


class Files(Protocol):
    """Files by name, with `/` between parts."""

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None when there is no such file. Raises RegistryError for what is no file."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a file in pieces. Raises RegistryError when it cannot be read."""

    def close(self) -> None:
        """Give open files back."""


class Folder:
    """The files of a folder.

    Links are followed (Bazel writes folders of links): where one leads cannot matter, since what is read must have
    the digest that its manifest announces.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def size(self, name: str) -> int | None:
        try:
            found = os.stat(os.path.join(self.path, name))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise _unreadable(os.path.join(self.path, name), error) from None
        if not stat.S_ISREG(found.st_mode):
            raise RegistryError(f"{os.path.join(self.path, name)} is not a file", hint=_BUILD_AGAIN)
        return found.st_size

    def chunks(self, name: str) -> Iterator[bytes]:
        path = os.path.join(self.path, name)
        try:
            with open(path, "rb", buffering=0) as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except OSError as error:
            raise _unreadable(path, error) from None

    def close(self) -> None:
        """Nothing is held open."""


class Tar:
    """The files inside a tar archive, which may be gzipped."""

    def __init__(self, path: str) -> None:
        """Raises RegistryError for a file that is missing, is no tar archive, or holds what no image has."""
        self.path = path
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        try:
            self._file = _opened(path)
            self._members = _members(self._file, path)
        except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError, OverflowError) as error:
            self.close()
            raise _unreadable(path, error) from None
        except BaseException:
            self.close()
            raise

    def size(self, name: str) -> int | None:
        found = self._members.get(name)
        return found[1] if found else None

    def chunks(self, name: str) -> Iterator[bytes]:
        offset, left = self._members[name]
        assert self._file is not None
        while left:
            with self._lock:  # one file, and layers are read at the same time
                self._file.seek(offset)
                chunk = self._file.read(min(CHUNK, left))
            if not chunk:
                raise RegistryError(f"{self.path} ends in the middle of {name}", hint=_BUILD_AGAIN)
            yield chunk
            offset, left = offset + len(chunk), left - len(chunk)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _opened(path: str) -> IO[bytes]:
    """The archive, unpacked into a nameless file of its own if it is gzipped."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise RegistryError(f"{path} is not a file", hint="An archive is one file; a folder is given as oci:DIR.")
    file = open(path, "rb")  # noqa: SIM115 - held open as long as the archive is read
    if file.read(2) != b"\x1f\x8b":
        return file
    file.seek(0)
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        with file:
            _unpack(file, unpacked, max(_FREE, _RATIO * os.path.getsize(path)), path)
    except BaseException:
        unpacked.close()
        raise
    return unpacked


def _unpack(file: IO[bytes], target: IO[bytes], limit: int, path: str) -> None:
    gzip = zlib.decompressobj(wbits=31)
    written = 0
    while packed := file.read(CHUNK):
        while packed:
            piece = gzip.decompress(packed, CHUNK)
            packed = gzip.unconsumed_tail
            written += target.write(piece)
            if written > limit:
                raise RegistryError(f"{path} unpacks to more than {limit:,} bytes, far too many for its size")
            if gzip.eof:
                packed = gzip.unused_data.lstrip(b"\0")
                gzip = zlib.decompressobj(wbits=31)
    target.flush()


def _members(file: IO[bytes], path: str) -> dict[str, tuple[int, int]]:
    """Where each plain file's bytes lie: name -> (offset, size)."""
    found: dict[str, tuple[int, int]] = {}
    links: dict[str, str] = {}
    total, last = os.fstat(file.fileno()).st_size, -1
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for number, member in enumerate(archive):
            name = _name(member.name, path)
            if number >= _MOST_MEMBERS:
                raise RegistryError(f"{path} is no archive of an image: it has more than {_MOST_MEMBERS:,} members")
            # A header that points backwards makes some versions of tarfile go in circles (CVE-2025-8194).
            if member.offset <= last or member.size < 0:
                raise RegistryError(f"{path} is no archive: the header of {member.name!r} points backwards")
            last = member.offset
            if member.isdir():
                continue
            if member.issym():
                links[name] = _name(posixpath.join(posixpath.dirname(name), member.linkname), path)
            elif member.islnk():
                links[name] = _name(member.linkname, path)
            elif not member.isreg() or member.sparse is not None:
                raise RegistryError(f"{path} holds {member.name!r}, which is neither file nor folder")
            elif member.offset_data + member.size > total:
                raise RegistryError(f"{path} ends in the middle of {member.name!r}", hint=_BUILD_AGAIN)
            else:
                found[name] = (member.offset_data, member.size)
    for name in links:
        found[name] = found[_followed(name, links, found, path)]
    return found


def _name(name: str, path: str) -> str:
    """A member's name without `./`. Raises RegistryError for one that leads out of the archive."""
    plain = posixpath.normpath(name)
    if name.startswith("/") or plain == ".." or plain.startswith("../") or "\0" in name or "\\" in name:
        raise RegistryError(
            f"{path} holds {name!r}, which lies outside of it",
            hint="No tool writes that into an image by itself: do not trust this archive.",
        )
    return plain


def _followed(name: str, links: dict[str, str], found: dict[str, tuple[int, int]], path: str) -> str:
    target = name
    for _ in range(_LONGEST_LINK):
        target = links.get(target, target)
        if target in found and target not in links:
            return target
    raise RegistryError(f"{path} holds {name!r}, a link to what is not in it", hint=_BUILD_AGAIN)


def _unreadable(path: str, error: Exception) -> RegistryError:
    if isinstance(error, OSError) and error.strerror:
        return RegistryError(f"{path} cannot be read: {error.strerror}", hint="Did the build write its result there?")
    return RegistryError(f"{path} is not a tar archive that can be read: {error}", hint=_BUILD_AGAIN)
