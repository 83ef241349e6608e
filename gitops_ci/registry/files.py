"""Named files of an image, read in pieces: what a folder and an archive have in common."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Protocol

from gitops_ci.errors import RegistryError
from gitops_ci.registry.base import CHUNK

__all__ = ["DAMAGED", "Files", "Folder", "unreadable"]

DAMAGED = "The image is incomplete or damaged: write it again."


class Files(Protocol):
    """Files by name, with `/` between parts."""

    def size(self, name: str) -> int | None:
        """The size of a file in bytes; None when there is no such file. Raises RegistryError for what is not a file."""

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
            raise unreadable(os.path.join(self.path, name), error) from None
        if not stat.S_ISREG(found.st_mode):
            raise RegistryError(f"{os.path.join(self.path, name)} is not a file", hint=DAMAGED)
        return found.st_size

    def chunks(self, name: str) -> Iterator[bytes]:
        path = os.path.join(self.path, name)
        try:
            with open(path, "rb", buffering=0) as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except OSError as error:
            raise unreadable(path, error) from None

    def close(self) -> None:
        """Nothing is held open."""


def unreadable(path: str, error: OSError | ValueError) -> RegistryError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return RegistryError(f"{path} cannot be read: {reason}", hint="Check that the build wrote its result there.")
