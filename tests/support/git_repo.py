"""Git repositories for tests: bare, built by `git fast-import`, the same ids on every machine.

Thousands of files and commits take a second: one process writes them all.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["BareRepo", "Entry", "commit_files", "make_repo", "read_folder"]

# 2026-01-01T00:00:00Z; each further commit of `history` is a minute later.
FIRST_COMMIT = 1767225600
AUTHOR = "Ada Author <ada@example.com>"


@dataclass(frozen=True)
class Entry:
    """A file with a mode of its own: `120000` is a symbolic link, `100755` executable, `160000` a submodule's id."""

    data: bytes
    mode: str = "100644"


# What code hosts offer: partial clone, and fetching any object by its id. What they leave to another hour: tidying up.
_OF_HOSTS = """\
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[receive]
	autogc = false
[gc]
	auto = 0
"""

Files = Mapping[str, str | bytes | Entry | None]


@dataclass(frozen=True)
class BareRepo:
    """A bare repository on disk, and questions that tests ask about it."""

    path: Path

    def git(self, *args: str, stdin: bytes | None = None) -> str:
        """Run git in the repository; the output without its last newline."""
        run = subprocess.run(["git", "-C", str(self.path), *args], input=stdin, capture_output=True, check=False)
        assert run.returncode == 0, f"git {args[0]}: {run.stderr.decode(errors='replace')}"
        return run.stdout.decode().removesuffix("\n")

    def head(self, ref: str = "main") -> str:
        return self.git("rev-parse", "--verify", f"{ref}^{{commit}}")

    def branches(self) -> list[str]:
        return sorted(self.tips())

    def tips(self) -> dict[str, str]:
        """The commit of each branch, read where Git has it: stubs of code hosts ask for it with every request."""
        packed, heads = self.path / "packed-refs", self.path / "refs" / "heads"
        text = packed.read_text() if packed.exists() else ""
        found = {name: commit for commit, name in re.findall(r"(?m)^([0-9a-f]{40}) refs/heads/(.+)$", text)}
        for folder, _, files in os.walk(heads):
            for file in files:
                with suppress(FileNotFoundError):  # a push deletes it right now
                    if not file.endswith(".lock"):
                        path = Path(folder, file)
                        found[path.relative_to(heads).as_posix()] = path.read_text().strip()
        return found

    def read(self, path: str, ref: str = "main") -> bytes:
        """The bytes of one file."""
        return subprocess.run(
            ["git", "-C", str(self.path), "cat-file", "blob", f"{ref}:{path}"], capture_output=True, check=True
        ).stdout

    def read_each(self, names: Sequence[str]) -> list[bytes]:
        """The bytes of some blobs, named by id or as `main:base/deployment.yaml`, by one run of Git."""
        command = ["git", "-C", str(self.path), "cat-file", "--batch"]
        wanted = "".join(f"{name}\n" for name in names).encode()
        answer = io.BytesIO(subprocess.run(command, input=wanted, capture_output=True, check=True).stdout)
        found = []
        for name in names:
            _, kind, size = answer.readline().split()
            assert kind == b"blob", name
            found.append(answer.read(int(size)))
            answer.readline()
        return found

    def files(self, ref: str = "main") -> dict[str, bytes]:
        """Every file of a commit."""
        listed = dict(line.split("\t", 1)[::-1] for line in self.git("ls-tree", "-rz", ref).split("\0")[:-1])
        return dict(zip(listed, self.read_each([entry.split()[2] for entry in listed.values()]), strict=True))

    def message(self, ref: str = "main") -> str:
        return self.git("log", "-1", "--format=%B", ref).rstrip("\n")

    def count(self, ref: str = "main") -> int:
        """How many commits a branch has."""
        return int(self.git("rev-list", "--count", ref))

    def diff(self, before: str, after: str) -> str:
        return self.git("diff", "--no-color", "--no-ext-diff", before, after)

    def set(self, **config: str) -> None:
        """Settings of the repository; `__` stands for the dot: `uploadpack__allowFilter="false"`."""
        for key, value in config.items():
            self.git("config", key.replace("__", "."), value)

    def remove(self) -> None:
        shutil.rmtree(self.path)

    def hook(self, name: str, script: str) -> None:
        """Install a server hook (`pre-receive`, `update`, ...): a script with its `#!` line."""
        path = self.path / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)


def make_repo(path: Path, files: Files, *, branch: str = "main", history: int = 1) -> BareRepo:
    """A bare repository at `path` with `history` commits: the last one holds `files`, those before it none."""
    stream = bytearray()
    for number in range(history - 1):
        _write_commit(stream, branch, {}, f"Commit {number + 1}", FIRST_COMMIT + 60 * number, parent="")
    _write_commit(stream, branch, files, "Files", FIRST_COMMIT + 60 * (history - 1), parent="")
    if len(stream) > _KEPT:
        _import(path, branch, bytes(stream))
    else:
        _write(path, _made(branch, bytes(stream)))
    return BareRepo(path)


# Bytes of a repository that is made once and then written again: most tests begin with one of a few small ones, and
# Git's programs take ten times as long.
_KEPT = 1 << 16


@cache
def _made(branch: str, stream: bytes) -> Mapping[str, bytes | None]:
    """What such a repository is on disk: the files by path, and None for a folder, which comes before what is in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made")
        _import(path, branch, stream)
        found = sorted(path.rglob("*"))
        return {one.relative_to(path).as_posix(): one.read_bytes() if one.is_file() else None for one in found}


def _write(path: Path, made: Mapping[str, bytes | None]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        target = f"{path}/{name}"
        if data is None:
            os.makedirs(target, exist_ok=True)
        else:
            with open(target, "wb") as file:
                file.write(data)


def _import(path: Path, branch: str, stream: bytes) -> None:
    path.mkdir(parents=True, exist_ok=True)
    init = ["git", "init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(path)]
    subprocess.run(init, check=True, capture_output=True)
    with (path / "config").open("a") as config:
        config.write(_OF_HOSTS)
    BareRepo(path).git("-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--force", stdin=stream)


def commit_files(
    repo: BareRepo, files: Files, *, branch: str = "main", message: str = "Change", parent: str = ""
) -> str:
    """Add a commit on `branch` (a new branch starts at `parent`); a file whose value is None is deleted. Its id."""
    when, tip = repo.git("log", "-1", "--format=%ct %H", parent or branch).split()
    stream = bytearray()
    _write_commit(stream, branch, files, message, int(when) + 60, parent=tip)
    stream += b"get-mark :1\n"
    return repo.git("fast-import", "--quiet", stdin=bytes(stream))


def read_folder(folder: Path) -> dict[str, bytes | Entry]:
    """The files below a folder, by path relative to it; symbolic links and executable files keep their kind."""
    found: dict[str, bytes | Entry] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = Entry(str(path.readlink()).encode(), "120000")
        elif path.is_file():
            found[name] = Entry(path.read_bytes(), "100755") if path.stat().st_mode & 0o100 else path.read_bytes()
    return found


def _write_commit(stream: bytearray, branch: str, files: Files, message: str, when: int, *, parent: str) -> None:
    text = message.encode()
    stream += (
        f"commit refs/heads/{branch}\nmark :1\nauthor {AUTHOR} {when} +0000\ncommitter {AUTHOR} {when} +0000\n".encode()
    )
    stream += b"data %d\n%b\n" % (len(text), text)
    if parent:
        stream += f"from {parent}\n".encode()
    for name, content in files.items():
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        if content is None:
            stream += f"D {quoted}\n".encode()
            continue
        entry = (
            content if isinstance(content, Entry) else Entry(content.encode() if isinstance(content, str) else content)
        )
        if entry.mode == "160000":
            stream += f"M 160000 {entry.data.decode()} {quoted}\n".encode()
            continue
        stream += f"M {entry.mode} inline {quoted}\n".encode()
        stream += b"data %d\n%b\n" % (len(entry.data), entry.data)
    stream += b"\n"
