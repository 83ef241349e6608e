#!/usr/bin/env python3
"""List what changed between two Kubernetes releases in the functions that the API server rules were written from.

    scripts/upstream_changes.py OLD NEW

OLD and NEW are folders with the sources of `k8s.io/kubernetes`: two checkouts, or two folders of a Go module cache,
where the staging repositories lie beside (`apimachinery@v0.36.2` beside `kubernetes@v1.36.2`). The script prints each
changed function that `gitops_ci/validation/upstream.toml` names, or that such a function calls in its package, and the
validation tags (`+k8s:`) of API types that came, went or changed. This is the worklist of a release.
"""

from __future__ import annotations

import difflib
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "gitops_ci" / "validation" / "upstream.toml"
STAGING = "staging/src/k8s.io/"
_FUNCTION = re.compile(r"^func (?:\([^)]*\) )?(?P<name>\w+)\(.*?^}", re.MULTILINE | re.DOTALL)
_ONE_LINE = re.compile(r"^func (?:\([^)]*\) )?(?P<name>\w+)\(.*\{.*\}$", re.MULTILINE)
_TAG = re.compile(r"^\s*// (\+k8s:\S.*)$")
_FIELD = re.compile(r"^\s*(?:type )?(\w+) .*(?:json:\"([\w,]*)|struct \{)")


def locate(tree: Path, path: str) -> Path | None:
    """A file or folder of a source tree; staging repositories may lie beside the tree, as in a Go module cache."""
    if (tree / path).exists():
        return tree / path
    if not path.startswith(STAGING):
        return None
    repository, _, rest = path.removeprefix(STAGING).partition("/")
    version = tree.name.partition("@v1.")[2]
    found = tree.parent / f"{repository}@v0.{version}" / rest
    return found if version and found.exists() else None


@cache
def functions(folder: Path) -> Mapping[str, str]:
    """The functions of a Go package by name, tests left out."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.go")):
        if not file.name.endswith("_test.go"):
            text = file.read_text(encoding="utf-8")
            for pattern in (_ONE_LINE, _FUNCTION):
                for match in pattern.finditer(text):
                    found.setdefault(match["name"], match[0])
    return found


def closure(names: list[str], known: Mapping[str, str]) -> set[str]:
    """The functions and all that they call in the same package."""
    found: set[str] = set()
    waiting = [name for name in names if name in known]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [called for called in re.findall(r"\b(\w+)\b", known[name]) if called in known]
    return found


def changed(old: Path, new: Path, path: str, names: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """(function, what happened, the changed lines) for the functions of one file's package."""
    before, after = (locate(tree, path) for tree in (old, new))
    was, now = (functions(place.parent) if place else {} for place in (before, after))
    for name in names:
        if name not in now:
            yield name, "is gone" if name in was else "is in neither release", []
    for name in sorted(closure(names, was) | closure(names, now)):
        if was.get(name) != now.get(name):
            lines = list(
                difflib.unified_diff(
                    was.get(name, "").splitlines(), now.get(name, "").splitlines(), "", "", "", "", 0, ""
                )
            )
            what = "changed" if name in was and name in now else "new" if name in now else "gone"
            yield name, what, [line for line in lines[2:] if not line.startswith("@@")]


def tags(tree: Path) -> dict[str, set[str]]:
    """The validation tags of the API types: `apps/v1 DeploymentSpec.replicas` -> tags."""
    found: dict[str, set[str]] = {}
    api = locate(tree, f"{STAGING}api")
    for file in sorted(api.glob("*/*/types.go")) if api else ():
        owner, waiting = "", set[str]()
        for line in file.read_text(encoding="utf-8").splitlines():
            if tag := _TAG.match(line):
                waiting.add(tag[1])
            elif (field := _FIELD.match(line)) and not line.lstrip().startswith("//"):
                if line.startswith("type "):
                    owner = field[1]
                place = (
                    owner if line.startswith("type ") else f"{owner}.{(field[2] or field[1]).split(',')[0] or field[1]}"
                )
                if waiting:
                    found[f"{file.parent.relative_to(api)} {place}"] = waiting
                waiting = set()
    return found


# (file, function) -> what happened, the changed lines, and the modules that it concerns
Changes = dict[tuple[str, str], tuple[str, list[str], list[str]]]


def worklist(record: Mapping[str, Mapping[str, list[str]]], old: Path, new: Path) -> Changes:
    found: Changes = {}
    for module, sources in record.items():
        for path, names in sources.items():
            for name, what, lines in changed(old, new, path, names):
                found.setdefault((path, name), (what, lines, []))[2].append(module)
    return found


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    old, new = (Path(text).resolve() for text in arguments)
    found = worklist(tomllib.loads(RECORD.read_text(encoding="utf-8"))["modules"], old, new)
    for (path, name), (what, lines, modules) in sorted(found.items()):
        print(f"{path}: {name} {what} (for {', '.join(modules)})")
        print("".join(f"    {line}\n" for line in lines), end="")
    was, now = tags(old), tags(new)
    count = 0
    for place in sorted(was.keys() | now.keys()):
        for sign, one, other in (("-", was, now), ("+", now, was)):
            for tag in sorted(one.get(place, set()) - other.get(place, set())):
                count += 1
                print(f"{place}: {sign} {tag}")
    print(f"{len(found)} functions and {count} tags changed", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
