"""Compare the feature gates of gitops_ci/validation/gates.py with upstream's defaults, release by release.

    python scripts/gate_defaults.py ~/go/pkg/mod/k8s.io/kubernetes@v1.*

The arguments are folders with the sources of `k8s.io/kubernetes`, one for each minor release, such as those of a Go
module cache. Take the last patch of a release: a default may change between patches. Each gate is printed whose feature
is on by default from another release on than gates.py has it. The exit code is 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gitops_ci.validation import gates  # noqa: E402
from gitops_ci.validation.gates import Gate  # noqa: E402

_FOLDER = re.compile(r"@v1\.([0-9]+)\.[0-9]+$")
_VERSIONED = re.compile(r'MustParse\("1\.([0-9]+)"\), Default: (true|false)')


def main() -> int:
    found = [(int(matched[1]), Path(name)) for name in sys.argv[1:] if (matched := _FOLDER.search(name.rstrip("/")))]
    texts = {minor: _features(folder) for minor, folder in sorted(found)}
    if not texts:
        print(__doc__)
        return 2
    wrong = 0
    for gate in vars(gates).values():
        if not isinstance(gate, Gate) or not gate.name.isalnum():
            continue
        sides = {
            minor: is_on(texts[minor], gate.name, minor) for minor in (gate.since - 1, gate.since) if minor in texts
        }
        if sides != {gate.since - 1: False, gate.since: True}:
            wrong += 1
            print(f"{gate.name}: gates.py has 1.{gate.since}, upstream {sides}")
    return 1 if wrong else 0


def _features(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((folder / "pkg" / "features").glob("*.go")))


def is_on(text: str, name: str, minor: int) -> bool:
    """Whether a feature is on by default; one that a release does not know is off."""
    constant = re.search(rf'^\s*(\w+)\s+featuregate\.Feature\s*=\s*"{name}"', text, re.MULTILINE)
    known = constant[1] if constant else name
    if plain := re.search(rf"^\t+(?:\w+\.)?{known}:\s*\{{Default: (true|false)", text, re.MULTILINE):
        return plain[1] == "true"
    versioned = re.search(rf"^\t+(?:\w+\.)?{known}:\s*\{{\n((?:\t+\{{Version.*\n)+)", text, re.MULTILINE)
    rows = _VERSIONED.findall(versioned[1]) if versioned else []
    return [default for version, default in rows if int(version) <= minor][-1:] == ["true"]


if __name__ == "__main__":
    raise SystemExit(main())
