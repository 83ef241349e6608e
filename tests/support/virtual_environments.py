"""Virtual environments by copy: of what `python3 -m venv` writes, nearly all is pip, and it is the same each time."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.once import once

__all__ = ["quick_python"]

# `-m venv FOLDER` makes the environment without pip, and then copies pip from one that was made before. Its programs
# begin with the path of the environment.
_SCRIPT = """\
#!/bin/sh
set -e
python={python} model={model}
if [ "$#" != 3 ] || [ "$1 $2" != "-m venv" ]; then exec "$python" "$@"; fi
"$python" -m venv --without-pip "$3"
cp -R "$model/lib" "$3"
for name in pip pip3; do
  {{ printf '#!%s/bin/python\\n' "$(cd "$3" && pwd)"; tail -n +2 "$model/bin/$name"; }} > "$3/bin/$name"
  chmod +x "$3/bin/$name"
done
"""


def quick_python(factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Put a program `python3` into a folder: this Python, which makes virtual environments by copying. The folder."""
    model = once(factory, "virtual-environment", _make)
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "python3"
    program.write_text(_SCRIPT.format(python=shlex.quote(sys.executable), model=shlex.quote(str(model))))
    program.chmod(0o755)
    return folder


def _make(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
