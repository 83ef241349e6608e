"""Virtual environments by link: `python3 -m venv` writes the same each time, and so does pip for the same words."""

from __future__ import annotations

import shlex
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.once import folder_of_run

__all__ = ["quick_python"]

# `-m venv FOLDER` makes the environment without pip, and links the pip of this Python. linking_pip.py carries out
# `-m pip --python PROGRAM install` and the environment's own `pip install`.
_PYTHON = """\
#!/bin/sh
set -e
python={python} installed={installed} linking_pip={linking_pip}
case "$1 $2 $3" in
  "-m venv "*) [ "$#" != 3 ] || folder=$3 ;;
  "-I -m pip") shift 3 && exec "$python" -I "$linking_pip" {store} "$python" -I -m pip "$@" ;;
esac
[ -n "${{folder-}}" ] || exec "$python" "$@"
"$python" -m venv --without-pip "$folder"
for packages in "$folder"/lib/*/site-packages; do
  ln -s "$installed/pip" "$installed"/pip-*.dist-info "$packages"
done
program=$(cd "$folder" && pwd)/bin/python
for name in pip pip3; do
  printf '#!/bin/sh\\nexec "%s" -I "%s" "%s" "%s" -m pip "$@"\\n' \\
    "$python" "$linking_pip" {store} "$program" > "$folder/bin/$name"
  chmod +x "$folder/bin/$name"
done
"""


def quick_python(factory: pytest.TempPathFactory, folder: Path) -> Path:
    """Put a program `python3` into a folder: this Python, which makes and fills environments by links. The folder."""
    values = {
        "python": sys.executable,
        "installed": sysconfig.get_path("purelib"),
        "linking_pip": Path(__file__).with_name("linking_pip.py"),
        "store": folder_of_run(factory) / "installed",
    }
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "python3"
    program.write_text(_PYTHON.format(**{name: shlex.quote(str(value)) for name, value in values.items()}))
    program.chmod(0o755)
    return folder
