"""A root file system from Debian's packages: what the container image of this project is built on in a test.

It has no product of another project inside but Debian's packages, and reaches the package servers as this machine does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from tests.support import CHECKOUT, missing

__all__ = ["debian"]

_RELEASE = "bookworm"
_PACKAGES = "python3,python3-venv,ca-certificates,git,openssh-client"
# How this machine reaches package servers; the last one holds the certificates of those that it trusts.
_SETTINGS = (
    *("/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d", "/etc/pip.conf"),
    "/etc/ssl/certs/ca-certificates.crt",
)


def debian() -> Path:
    """The file system as a tar archive, made once."""
    program = shutil.which("debootstrap", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if program is None or os.geteuid() != 0:
        missing("debootstrap (Debian package debootstrap) makes the root file system, as root")
    folder = CHECKOUT / ".cache" / "image-base"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{_RELEASE}.tar"
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not archive.exists():
            _make(program, folder / "root", archive)
    return archive


def _make(program: str, root: Path, archive: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    command = [program, "--variant=minbase", f"--include={_PACKAGES}", _RELEASE, str(root), _mirror()]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        missing(f"debootstrap: {made.stdout.strip()[-300:]}")
    for name in _SETTINGS:
        source, target = Path(name), root / name.removeprefix("/")
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, target)
    for name in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"):
        shutil.rmtree(root / name, ignore_errors=True)
    part = archive.with_suffix(".part")
    subprocess.run(["tar", "--create", "--numeric-owner", f"--file={part}", f"--directory={root}", "."], check=True)
    part.rename(archive)
    shutil.rmtree(root)


def _mirror() -> str:
    """The server of Debian's packages that apt uses here. apt also knows which of its files count."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(ORIGIN)"],
        capture_output=True,
        text=True,
        check=False,
    )
    sites = (line.partition(" ") for line in targets.stdout.splitlines())
    found = next((site for site, _, release in sites if release == f"{_RELEASE} Debian"), "")
    if not found:
        missing(f"apt has no lists of Debian's {_RELEASE}: run apt-get update")
    return found
