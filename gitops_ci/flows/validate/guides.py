"""What a guide or a script of the repository has a person create: it is in no manifest, and nothing is missing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from gitops_ci.lazy import lazy_pattern

__all__ = ["made_by_hand"]

_ENDS = (".md", ".adoc", ".rst", ".txt", ".sh", ".bash", ".mk")
_NAMES = frozenset({"Makefile", "justfile", "Justfile", "Taskfile.yml", "Taskfile.yaml"})
_NOT_READ = frozenset({".git", "node_modules", "vendor"})
_LARGEST = 1 << 20
_SHORT = {"ConfigMap": "cm", "ServiceAccount": "sa", "PriorityClass": "pc", "PersistentVolumeClaim": "pvc"}
_WORDS = lazy_pattern(r"[^\s`'\"]+")


def made_by_hand(root: str) -> Callable[[str, str], bool]:
    """Whether a `kubectl create` of the repository makes an object of a kind and name; files are read when asked."""
    commands: list[frozenset[str]] = []
    was_read = False

    def is_made(kind: str, name: str) -> bool:
        nonlocal was_read
        if not was_read:
            commands.extend(_commands(root))
            was_read = True
        kinds = {kind.lower(), f"{kind.lower()}s", _SHORT.get(kind, "")}
        return any(name in words and kinds & words for words in commands)

    return is_made


def _commands(root: str) -> Iterator[frozenset[str]]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if one not in _NOT_READ)
        for name in sorted(names):
            if name in _NAMES or name.endswith(_ENDS):
                yield from _in_text(_read(os.path.join(folder, name)))


def _read(path: str) -> str:
    try:
        if os.path.islink(path) or os.path.getsize(path) > _LARGEST:
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _in_text(text: str) -> Iterator[frozenset[str]]:
    if "create" not in text:
        return
    for line in text.replace("\\\n", " ").split("\n"):
        words = frozenset(_WORDS.findall(line)) if "create" in line else frozenset()
        if "create" in words and words & {"kubectl", "oc"}:
            yield words
