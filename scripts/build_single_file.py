"""Build gitops-ci as one file that needs Python and nothing else: dist/gitops-ci-VERSION-PYTHON-PLATFORM.pyz.

The packages are those of gitops_ci/requirements.txt, with their hashes. Some of them are compiled, so a file is for one
version of Python and one platform, and says so where it is started by another. It unpacks itself once into the user's
cache folder. SHA256SUMS lists all files of dist/.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipapp
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_MAIN = '''\
import os, sys, sysconfig, tempfile, zipfile

DIGEST, TAG, PLATFORM = {digest!r}, {tag!r}, {platform!r}


def _folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "gitops-ci", "single-file", DIGEST)


def _unpack(folder):
    """Whole or not at all: several may start at once."""
    parent = os.path.dirname(folder)
    os.makedirs(parent, mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as new:
        with zipfile.ZipFile(sys.path[0]) as archive:
            names = [name for name in archive.namelist() if name.startswith("packages/")]
            archive.extractall(new, names)
        try:
            os.rename(os.path.join(new, "packages"), folder)
        except OSError:
            if not os.path.isdir(folder):
                raise


if sys.implementation.cache_tag != TAG or sysconfig.get_platform() != PLATFORM:
    sys.stderr.write(
        f"error: this file is for {{TAG}} on {{PLATFORM}}, and this is {{sys.implementation.cache_tag}} on "
        f"{{sysconfig.get_platform()}}\\nhint: Use the file for your Python, the container image, or pipx.\\n"
    )
    sys.exit(7)
folder = _folder()
if not os.path.isdir(folder):
    try:
        _unpack(folder)
    except OSError as error:
        sys.stderr.write(f"error: {{os.path.dirname(folder)}} cannot be written: {{error.strerror}}\\n")
        sys.stderr.write("hint: Set XDG_CACHE_HOME to a folder that this user may write.\\n")
        sys.exit(7)
sys.path.insert(1, folder)
from gitops_ci.__main__ import main

main()
'''


def build(target: Path, *pip_options: str) -> Path:
    """Build the file for this Python and platform, and the list of checksums beside it."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        packages = tree / "packages"
        install = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        install += ["--no-compile", "--target", str(packages), *pip_options]
        lock = str(ROOT / "gitops_ci" / "requirements.txt")
        subprocess.run([*install, "--require-hashes", "--only-binary=:all:", "--requirement", lock], check=True)
        _copy_package(packages)
        version = _version(packages)
        platform = sysconfig.get_platform()
        tag = str(sys.implementation.cache_tag)
        digest = _digest(packages)
        (tree / "__main__.py").write_text(_MAIN.format(digest=digest, tag=tag, platform=platform))
        made = target / f"gitops-ci-{version}-{tag.replace('cpython-', 'cp')}-{platform}.pyz"
        _settle_times(tree)
        zipapp.create_archive(tree, made, "/usr/bin/env python3", compressed=True)
        made.chmod(0o755)
    _write_sums(target)
    return made


def _copy_package(packages: Path) -> None:
    for path in sorted((ROOT / "gitops_ci").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = packages / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def _version(packages: Path) -> str:
    text = (packages / "gitops_ci" / "__init__.py").read_text()
    return text.partition('__version__ = "')[2].partition('"')[0]


def _digest(packages: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(packages.rglob("*")):
        if path.is_file():
            whole.update(str(path.relative_to(packages)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:32]


def _settle_times(tree: Path) -> None:
    """The same files give the same archive."""
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", "315619200"))
    for path in tree.rglob("*"):
        os.utime(path, (moment, moment))


def _write_sums(target: Path) -> None:
    files = sorted(path for path in target.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (target / "SHA256SUMS").write_text("".join(lines))


def main() -> int:
    made = build(ROOT / "dist", *sys.argv[1:])
    with zipfile.ZipFile(made) as archive:
        print(f"{made.relative_to(ROOT)}: {made.stat().st_size / 1e6:.1f} MB, {len(archive.namelist())} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
