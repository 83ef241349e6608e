"""pip in a job: `linking_pip.py STORE PYTHON -m pip WORD...` runs what follows the store.

An installation takes seconds of CPU, and gives the same for the same words, settings and lists into an environment that
has the same packages. The first in a run of the tests is pip's own. What it added is kept in the store, and every
environment links to it. Python then also compiles each package once.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

_PLACE = b"{environment}"
_LISTS = {"--requirement", "-r", "--constraint", "-c"}


def main(store: Path, command: list[str]) -> int:
    if "install" not in command:
        return subprocess.call(command)
    program = command[command.index("--python") + 1] if "--python" in command else command[0]
    environment = Path(os.path.abspath(program)).parents[1]
    [packages] = environment.glob("lib/*/site-packages")
    store.mkdir(exist_ok=True)
    kept = store / _key(command, program, packages)
    with kept.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not kept.exists():
            before = {folder: _names(folder) for folder in (packages, environment / "bin")}
            if code := subprocess.call(command):
                return code
            _keep(environment, before, kept)
    for path in (kept / "site-packages").iterdir():
        (packages / path.name).symlink_to(path)
    for path in (kept / "bin").iterdir():
        copied = environment / "bin" / path.name
        copied.write_bytes(path.read_bytes().replace(_PLACE, bytes(environment)))
        copied.chmod(0o755)
    return 0


def _key(command: list[str], program: str, packages: Path) -> str:
    """All that an installation depends on, besides the packages that can be found: those are the same for a run."""
    lists = [word for before, word in itertools.pairwise(command) if before in _LISTS]
    words = [word for word in command if word not in {program, *lists}]
    settings = Path(os.environ["HOME"], ".config", "pip", "pip.conf")
    texts = [path.read_text() for path in [*map(Path, lists), settings] if path.exists()]
    variables = sorted(one for one in os.environ.items() if one[0].startswith("PIP_"))
    text = json.dumps([words, texts, variables, sorted(_names(packages))])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _keep(environment: Path, before: dict[Path, set[str]], kept: Path) -> None:
    """Move what was added to the store. A program's first line is the path of its environment."""
    made = kept.with_suffix(".new")
    shutil.rmtree(made, ignore_errors=True)
    for folder, known in before.items():
        (made / folder.name).mkdir(parents=True)
        for name in _names(folder) - known:
            shutil.move(folder / name, made / folder.name / name)
    for program in (made / "bin").iterdir():
        program.write_bytes(program.read_bytes().replace(bytes(environment), _PLACE))
    made.rename(kept)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
