"""Which files a chart is made of, its local dependencies among them, and whether any leads out of the repository.

Source: helm.sh/docs/topics/charts; helm/pkg/chart/loader (links are followed), pkg/chartutil/jsonschema.go.
"""

from __future__ import annotations

import io
import json
import posixpath
import re
import tarfile
from collections.abc import Iterator
from typing import Any

from gitops_ci.rendering.base import join
from gitops_ci.rendering.deployment import Closure
from gitops_ci.rendering.documents import dig, items, text_of
from gitops_ci.rendering.tree import SourceTree
from gitops_ci.yamltext import YamlError

__all__ = ["CHART", "chart_value", "collect_chart"]

CHART = "Chart.yaml"
_SCHEMA = "values.schema.json"
_DEEPEST = 20
_LARGEST_SCHEMA = 4 * 1024 * 1024
# Schemas that every validator carries; it would fetch any other.
_KNOWN_SCHEMA = re.compile(
    r"https?://json-schema\.org/(?:draft-0[467]|draft/2019-09|draft/2020-12|schema)/?(?:schema)?#?"
)


def chart_value(folder: str, tree: SourceTree) -> dict[str, Any]:
    """What Chart.yaml says.

    Raises:
        YamlError: it cannot be read.
    """
    found = tree.documents(join(folder, CHART))
    return found[0].value if found else {}


def collect_chart(folder: str, tree: SourceTree, closure: Closure, above: tuple[str, ...] = ()) -> None:
    """Add a chart, and the charts that it has by `file://`, to a closure."""
    closure.folders.add(folder)
    _take_all(folder, tree, closure)
    try:
        value = chart_value(folder, tree)
    except YamlError as error:
        closure.error = f"{join(folder, CHART)}:{error.line}: it cannot be read: {error.reason}"
        return
    if not value:
        closure.error = f"{join(folder, CHART)} is empty"
        return
    for dependency in (*items(value, "dependencies"), *_requirements(folder, tree)):
        _dependency(dependency, folder, tree, closure, above)


def _requirements(folder: str, tree: SourceTree) -> list[Any]:
    """Dependencies as charts of the first version write them."""
    path = join(folder, "requirements.yaml")
    try:
        found = tree.documents(path) if tree.is_file(path) else ()
    except YamlError:
        return []
    return items(found[0].value, "dependencies") if found else []


def _take_all(folder: str, tree: SourceTree, closure: Closure) -> None:
    for path in tree.below(folder):
        if tree.leads_out(path):
            closure.refuse(f"{path} is a link that leads out of the repository")
            return
        real = tree.resolve(path)
        if links := tree.links_on(path):
            closure.links |= links
            below = tree.below(real) if real and tree.is_folder(real) else [real] if real else []
            closure.files.update(one for one in below if not tree.links_on(one))
        else:
            closure.files.add(path)
        if real is not None:
            _check_schema(path, real, tree, closure)


def _check_schema(path: str, real: str, tree: SourceTree, closure: Closure) -> None:
    """A schema may name others, by file or address: the validator reads them."""
    if posixpath.basename(path) == _SCHEMA:
        texts = [tree.data(real) or b""]
    elif path.endswith((".tgz", ".tar.gz")):
        texts = list(_packed_schemas(tree.data(real) or b""))
    else:
        return
    for text in texts:
        if leading := _reference_away(text):
            closure.refuse(f"{path} refers to {leading!r}: the schema of values must be whole")


def _packed_schemas(data: bytes) -> Iterator[bytes]:
    """The schemas in a packed chart, read as a stream and never unpacked."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r|gz") as archive:
            for count, member in enumerate(archive):
                if count > 10_000:
                    return
                if member.isfile() and member.name.endswith(_SCHEMA) and member.size <= _LARGEST_SCHEMA:
                    file = archive.extractfile(member)
                    yield file.read() if file else b""
                elif member.isfile() and member.name.endswith((".tgz", ".tar.gz")) and member.size <= _LARGEST_SCHEMA:
                    file = archive.extractfile(member)
                    yield from _packed_schemas(file.read() if file else b"")
    except (tarfile.TarError, OSError, EOFError):
        return


def _reference_away(text: bytes) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "" if b"://" not in text and b"$ref" not in text else "what cannot be read"
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            for key, inside in one.items():
                if key in {"$ref", "$dynamicRef", "$recursiveRef"} and isinstance(inside, str):
                    if not inside.startswith("#") and not _KNOWN_SCHEMA.fullmatch(inside):
                        return inside
                elif key == "$schema" and isinstance(inside, str) and not _KNOWN_SCHEMA.fullmatch(inside):
                    return inside
                stack.append(inside)
        elif isinstance(one, list):
            stack += one
    return ""


def _dependency(value: Any, folder: str, tree: SourceTree, closure: Closure, above: tuple[str, ...]) -> None:
    name, origin = text_of(dig(value, "name")), text_of(dig(value, "repository"))
    if not name or _is_vendored(name, folder, tree):
        return
    if not origin.startswith("file://"):
        closure.remote[f"chart {name} of {origin}" if origin else f"chart {name} in charts/"] = None
        return
    path = posixpath.join("" if folder == "." else folder, origin.removeprefix("file://"))
    if tree.leads_out(path):
        closure.refuse(f"{join(folder, CHART)}: the dependency '{origin}' leads out of the repository")
        return
    target = tree.resolve(path)
    if target is None or not tree.is_file(join(target, CHART)):
        closure.error = f"{join(folder, CHART)}: there is no chart at '{origin}'"
        return
    if target in above or len(above) > _DEEPEST:
        closure.error = f"{join(folder, CHART)}: the dependency '{origin}' includes itself, in the end"
        return
    inner = Closure()
    collect_chart(target, tree, inner, (*above, folder))
    placed = join(folder, f"charts/{name}")
    for one in sorted(inner.files):
        if one.startswith(f"{target}/"):
            inner.copies[join(placed, one[len(target) + 1 :])] = one
    moved = {
        f"{placed}{path[len(target) :]}": one for path, one in inner.copies.items() if path.startswith(f"{target}/")
    }
    inner.copies |= moved
    closure.absorb(inner)


def _is_vendored(name: str, folder: str, tree: SourceTree) -> bool:
    charts = join(folder, "charts")
    packed = re.compile(rf"{re.escape(charts)}/{re.escape(name)}-v?\d[^/]*\.tgz")
    return tree.is_file(join(charts, f"{name}/{CHART}")) or any(packed.fullmatch(path) for path in tree.below(charts))
