"""The files inside a tar archive, read where they lie: nothing is ever unpacked.

An archive may be hostile: its names become keys, never paths; its links lead to other members or nowhere; what is no
plain file makes the whole archive refused.
"""

from __future__ import annotations

import io
import os
import posixpath
import tarfile
import threading
import zlib
from collections.abc import Iterator
from typing import IO

from gitops_ci.errors import RegistryError
from gitops_ci.registry.archive_file import open_archive
from gitops_ci.registry.base import CHUNK, NO_IMAGE
from gitops_ci.registry.files import DAMAGED, unreadable

__all__ = ["Tar"]

_MOST_MEMBERS = 10_000  # an image of 100 platforms has some hundred
_LONGEST_HEADER = 64 * 1024  # names of a longer path than any system opens; a layer's own headers lie inside of it
_LONGEST_LINK = 8  # links to links; `docker save` writes one


class Tar:
    """The files inside a tar archive, which may be compressed with gzip or xz."""

    def __init__(self, path: str) -> None:
        """Raises RegistryError for a file that is missing, is not a tar archive, or holds what no image has."""
        self.path = path
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        try:
            self._file = open_archive(path)
            self._members = _members(self._file, path)
        except OSError as error:
            self.close()
            raise unreadable(path, error) from None
        except (EOFError, zlib.error, tarfile.TarError, ValueError, OverflowError) as error:
            self.close()
            raise RegistryError(f"{path} is not a tar archive that can be read: {error}", hint=DAMAGED) from None
        except BaseException:
            self.close()
            raise

    def names(self) -> tuple[str, ...]:
        return tuple(self._members)

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
                raise RegistryError(f"{self.path} ends in the middle of {name}", hint=DAMAGED)
            yield chunk
            offset, left = offset + len(chunk), left - len(chunk)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _Headers(io.RawIOBase):
    """An archive as tarfile reads it, which is headers only: a name of some hundred MiB is not taken into memory."""

    def __init__(self, file: IO[bytes], path: str) -> None:
        self._file = file
        self._path = path

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_HEADER:
            raise RegistryError(f"{self._path} has a header of {size:,} bytes, far more than any name", hint=DAMAGED)
        return self._file.read(size)


def _members(file: IO[bytes], path: str) -> dict[str, tuple[int, int]]:
    """Where each plain file's bytes lie: name -> (offset, size)."""
    found: dict[str, tuple[int, int]] = {}
    links: dict[str, str] = {}
    total, last = os.fstat(file.fileno()).st_size, -1
    file.seek(0)
    with tarfile.open(fileobj=_Headers(file, path), mode="r:") as archive:
        for number, member in enumerate(archive):
            name = _name(member.name, path)
            if number >= _MOST_MEMBERS:
                raise RegistryError(
                    f"{path} is not an archive of an image: it has more than {_MOST_MEMBERS:,} members", hint=NO_IMAGE
                )
            # A header that points backwards makes some versions of tarfile go in circles (CVE-2025-8194).
            if member.offset <= last or member.size < 0:
                raise _broken_header(path, member.offset)
            last = member.offset
            if member.isdir():
                continue
            if member.issym():
                links[name] = _name(posixpath.join(posixpath.dirname(name), member.linkname), path)
            elif member.islnk():
                links[name] = _name(member.linkname, path)
            elif not member.isreg() or member.sparse is not None:
                raise RegistryError(f"{path} holds {member.name!r}, which is neither file nor folder", hint=NO_IMAGE)
            elif member.offset_data + member.size > total:
                raise RegistryError(f"{path} ends in the middle of {member.name!r}", hint=DAMAGED)
            else:
                found[name] = (member.offset_data, member.size)
        # Where tarfile does not understand a header, newer versions end there without a word.
        file.seek(archive.offset)
        if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise _broken_header(path, archive.offset)
    for name in links:
        found[name] = found[_followed(name, links, found, path)]
    return found


def _broken_header(path: str, offset: int) -> RegistryError:
    return RegistryError(f"{path} is not an archive: its header at byte {offset:,} is broken", hint=NO_IMAGE)


def _name(name: str, path: str) -> str:
    """A member's name without `./`. Raises RegistryError for one that leads out of the archive."""
    plain = posixpath.normpath(name)
    if name.startswith("/") or plain == ".." or plain.startswith("../") or "\0" in name or "\\" in name:
        raise RegistryError(
            f"{path} holds {name!r}, which is outside of it",
            hint="No build tool writes such an entry: do not trust this archive.",
        )
    return plain


def _followed(name: str, links: dict[str, str], found: dict[str, tuple[int, int]], path: str) -> str:
    target = name
    for _ in range(_LONGEST_LINK):
        target = links.get(target, target)
        if target in found and target not in links:
            return target
    raise RegistryError(f"{path} holds {name!r}, a link to what is not in it", hint=DAMAGED)
