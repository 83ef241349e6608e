"""Whether the fast reader and the exact one agree on real documents: `python benchmarks/readers.py FOLDER…`.

Every YAML document below the folders that holds a character of YAML's syntax for tags, anchors and keys, or is large,
is read by both, each text once. It ends with exit code 1 if one is read otherwise.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gitops_ci.fast_yaml.ambiguity import AMBIGUOUS, classify
from gitops_ci.fast_yaml.reader import load_fast
from gitops_ci.validation.manifests.documents import Piece, split
from gitops_ci.validation.manifests.go_yaml import GoYamlError
from gitops_ci.yamltext import MOST_VALUES, YamlError

_SYNTAX = ("?", "!", "&", "<<")


def documents(folders: list[str]) -> Iterator[tuple[str, Piece]]:
    seen: set[bytes] = set()
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.y*ml")):
            try:
                text = path.read_text(encoding="utf-8") if path.is_file() else ""
            except (OSError, UnicodeDecodeError):
                continue
            for piece in split(text):
                key = blake2b(piece.text.encode("utf-8", "surrogatepass")).digest()
                if key not in seen and (any(sign in piece.text for sign in _SYNTAX) or len(piece.text) > MOST_VALUES):
                    seen.add(key)
                    yield str(path), piece


def difference(piece: Piece) -> str:
    """'exact' when the fast reader leaves a document to the exact one, 'alike', or what is different."""
    value = load_fast(piece.text)
    try:
        if value is None or classify(value) == AMBIGUOUS:
            return "exact"
        loaded = piece.load()
    except RecursionError:
        return "exact"
    except (YamlError, GoYamlError) as error:
        return f"refused: {error}"
    return "another value" if loaded.duplicates or plain(loaded.value) != plain(value) else "alike"


def plain(value: Any) -> Any:
    """A value that equals another of the same JSON types: to go-yaml 2.0 is 2."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return isinstance(value, bool), value


def main(folders: list[str]) -> int:
    found: Counter[tuple[str, str]] = Counter()
    wrong, started = 0, time.process_time()
    for path, piece in documents(folders):
        kind = "definitions" if "kind: CustomResourceDefinition" in piece.text else "others"
        answer = difference(piece)
        found[kind, answer if answer in {"exact", "alike"} else "different"] += 1
        if answer not in {"exact", "alike"}:
            wrong += 1
            print(f"{path}:{piece.line + 1}: {answer}")
    for (kind, answer), number in sorted(found.items()):
        print(f"{number:6} {kind} {answer}")
    print(f"{time.process_time() - started:.0f} CPU s, {os.cpu_count()} processors")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
