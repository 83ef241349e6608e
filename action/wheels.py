"""Install the action's packages from wheels: `wheels.py STORE KEY FOLDER [--from DOWNLOADED] LOCK...`.

pip takes seconds for what it did before. The first job of a machine has pip download the wheels (DOWNLOADED), later
jobs find them in the store. Other jobs can write to the store, so nothing in it is trusted: a wheel is unpacked from
the bytes whose hash a lock file contains, and each package that the lock files ask for must be there. Where one is
not, the exit code is 1, and FOLDER may hold some of them.

STORE/<hash>.whl are wheels, STORE/<KEY>.txt names those of one Python and lock, a hash a line.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 64 << 20  # of a wheel: the largest has 16 MB
MOST_KEYS = 4  # versions of Python and of the lock that a machine keeps wheels for


class Unusable(Exception):
    """The store does not have what the lock files ask for."""


def locked(paths: list[str]) -> tuple[dict[str, str], set[str]]:
    """The package of each hash, and the packages that this Python and platform need."""
    from pip._vendor.packaging.markers import Marker

    packages, needed = {}, set()
    for path in paths:
        for entry in re.split(r"\n(?=[A-Za-z0-9])", Path(path).read_text(encoding="utf-8")):
            head, *hashes = entry.split("--hash=sha256:")
            found = re.match(r"([A-Za-z0-9._-]+)==[^;\\]*(?:;([^\\]*))?", head)
            if not found:
                continue
            packages.update({one[:64]: found[1] for one in hashes})
            if not found[2] or Marker(found[2].strip()).evaluate():
                needed.add(found[1])
    return packages, needed


def read(path: Path) -> bytes:
    """A regular file of the store: whatever else another job put there does not make this one wait."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unusable(f"{path} is not a file")
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unusable(f"{path} is too large")
    return data


def kept(store: Path, key: str) -> Iterator[Path]:
    for one in read(store / f"{key}.txt").decode("ascii").split():
        yield store / f"{one}.whl"


def unpack(wheels: Iterable[Path], folder: Path, locks: list[str]) -> dict[str, bytes]:
    """Write the packages of these wheels to a folder; the wheels by hash."""
    packages, needed = locked(locks)
    done: dict[str, bytes] = {}
    for path in wheels:
        data = read(path)
        digest = hashlib.sha256(data).hexdigest()
        if digest not in packages or digest in done:
            raise Unusable(f"{path} is not the wheel of a lock file")
        done[digest] = data
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            if any(".data/" in name for name in wheel.namelist()):
                raise Unusable(f"{path} has parts that only an installer can place")
            wheel.extractall(folder)
    if sorted(packages[one] for one in done) != sorted(needed):
        raise Unusable("there are not exactly the packages of the lock files")
    return done


def keep(store: Path, key: str, wheels: dict[str, bytes]) -> None:
    store.mkdir(parents=True, exist_ok=True)
    for digest, data in wheels.items():
        write(store / f"{digest}.whl", data)
    write(store / f"{key}.txt", "\n".join(wheels).encode())
    forget(store)


def install(store: Path, key: str, folder: Path, downloaded: Path | None, locks: list[str]) -> None:
    if downloaded:
        wheels = unpack(sorted(downloaded.glob("*.whl")), folder, locks)
        with suppress(OSError):  # no store: the next job downloads again
            keep(store, key, wheels)
        return
    unpack(kept(store, key), folder, locks)
    os.utime(store / f"{key}.txt")  # the latest to be removed


def write(path: Path, data: bytes) -> None:
    """Whole, or not at all: other jobs read at the same time."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with open(descriptor, "wb") as file:
        file.write(data)
    os.replace(name, path)


def forget(store: Path) -> None:
    """Remove all but the keys that were used last, and what no key names."""
    keys = sorted(store.glob("*.txt"), key=lambda path: path.lstat().st_mtime, reverse=True)
    used = set(keys[:MOST_KEYS])
    for key in keys[:MOST_KEYS]:
        with suppress(OSError, Unusable, UnicodeDecodeError):
            used.update(kept(store, key.stem))
    for path in set(store.iterdir()) - used:
        with suppress(OSError):
            path.unlink()


if __name__ == "__main__":
    store, key, folder, *locks = sys.argv[1:]
    downloaded = Path(locks[1]) if locks[0] == "--from" else None
    try:
        install(Path(store), key, Path(folder), downloaded, locks[2:] if downloaded else locks)
    except (Unusable, OSError, ImportError, ValueError, zipfile.BadZipFile):
        sys.exit(1)
