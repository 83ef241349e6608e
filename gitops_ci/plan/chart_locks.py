"""Chart.lock beside a Chart.yaml whose dependencies change: the locked versions and the digest of both lists.

Helm refuses to build a chart whose lock does not fit. Source: helm.sh/helm `internal/resolver/resolver.go` (`HashReq`):
SHA-256 of the JSON that Go writes for the two lists, `pkg/chart/v2/dependency.go` for their fields. Pure.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gitops_ci import splice
from gitops_ci.formats import ManifestText, chart_version
from gitops_ci.known_files import CHART
from gitops_ci.model import Change, Edit, Field, FileChange, Plan, Skip
from gitops_ci.plan import pinning
from gitops_ci.yamltext import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, YamlError

__all__ = ["dependencies", "digest", "lock_of", "with_locks"]

_LOCKS = {CHART: "Chart.lock", "requirements.yaml": "requirements.lock"}
# Fields of a dependency in the order in which Go writes them; those without a value are left out, but for two.
_FIELDS = ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias")
_ALWAYS = frozenset({"name", "repository"})
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_STRINGS = frozenset({"name", "version", "repository", "condition", "alias"})


def lock_of(path: str) -> str:
    """The path of the lock that belongs to a chart's list of dependencies; '' for any other file."""
    folder, _, name = path.rpartition("/")
    return posixpath.join(folder, _LOCKS[name]) if name in _LOCKS else ""


def with_locks(plan: Plan, sources: Iterable[ManifestText]) -> Plan:
    """The plan with the locks that its changes of dependencies need; a lock that did not fit before is reported."""
    known = {source.path: source for source in sources}
    for file in plan.files:
        lock = known.get(lock_of(file.path))
        changes = [c for c in plan.changes if c.path == file.path and c.format == chart_version.ID]
        if lock is None or not changes:
            continue
        done = _locked(file, lock, changes)
        if isinstance(done, Skip):
            plan = replace(plan, skipped=(*plan.skipped, done))
        else:
            after = splice.apply(lock.text, [change.edit for change in done])
            file_change = FileChange(lock.path, lock.text, after)
            plan = replace(plan, changes=(*plan.changes, *done), files=(*plan.files, file_change))
    return plan


def _locked(file: FileChange, lock: ManifestText, changes: Sequence[Change]) -> list[Change] | Skip:
    try:
        before, after = (dependencies(ManifestText(file.path, text)) for text in (file.before, file.after))
        root = next((root for root in lock.yaml.documents if isinstance(root, MappingNode)), None)
        locked = dependencies(lock)
    except YamlError as error:
        return _stale(lock, error.line)
    written = root.scalar("digest") if root else None
    if root is None or written is None or written.value != digest(before, locked):
        return _stale(lock, 1)
    done: list[Change] = []
    now = [dict(one) for one in locked]
    for old, new in zip(before, after, strict=True):
        if old == new:
            continue
        at = next((n for n, one in enumerate(locked) if _same(one, old)), None)
        change = next((c for c in changes if c.edit.new == new["version"] and c.image.basename == new["name"]), None)
        field = _field(lock, root, at) if at is not None else None
        edit = pinning.replacement(field, str(new["version"])) if field else None
        if at is None or edit is None or change is None:
            return _stale(lock, 1)
        now[at]["version"] = new["version"]
        done.append(Change(lock.path, chart_version.ID, change.resource, change.image, edit, change.previous))
    field = lock.scalar_field("digest", written)
    edit = pinning.replacement(field, digest(after, now)) if field else None
    if edit is None or not _is_whole(lock, [*(c.edit for c in done), edit]):
        return _stale(lock, 1)
    return (
        [*done, replace(done[0], edit=edit)]
        if written.start > done[0].edit.span.start
        else [replace(done[0], edit=edit), *done]
    )


def _is_whole(lock: ManifestText, edits: list[Edit]) -> bool:
    try:
        return not splice.confirm(lock.yaml, edits, splice.apply(lock.text, edits))
    except ValueError:
        return False


def _same(locked: Mapping[str, object], wanted: Mapping[str, object]) -> bool:
    return all(locked.get(key) == wanted.get(key) for key in ("name", "repository", "version"))


def _stale(lock: ManifestText, line: int) -> Skip:
    reason = "does not fit the chart's dependencies and was not changed"
    return Skip(lock.path, line, reason, "Run `helm dependency update` in the chart's folder and commit the result.")


def digest(wanted: Sequence[Mapping[str, object]], locked: Sequence[Mapping[str, object]]) -> str:
    """The digest that Helm writes into a lock."""
    ordered = [[{key: one[key] for key in _FIELDS if key in one} for one in listed] for listed in (wanted, locked)]
    text = json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":  # Go writes these as escapes
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _field(lock: ManifestText, root: MappingNode, at: int) -> Field | None:
    listed = root.get("dependencies")
    item = listed.items[at] if isinstance(listed, SequenceNode) else None
    scalar = item.scalar("version") if isinstance(item, MappingNode) else None
    return lock.scalar_field("version", scalar) if scalar else None


def dependencies(source: ManifestText) -> list[dict[str, object]]:
    """The dependencies of a chart or a lock with the fields that Go keeps."""
    root = next((root for root in source.yaml.documents if isinstance(root, MappingNode)), None)
    listed = root.get("dependencies") if root else None
    found = []
    for item in listed.items if isinstance(listed, SequenceNode) else ():
        data = _data(item)
        if not isinstance(data, dict):
            raise YamlError("a dependency is not a mapping", 1)
        for key in _STRINGS & data.keys():
            node = item.get(key) if isinstance(item, MappingNode) else None
            data[key] = node.value if isinstance(node, ScalarNode) else data[key]
        kept = {key: data.get(key) for key in _FIELDS}
        found.append({key: value or "" for key, value in kept.items() if value or key in _ALWAYS})
    return found


def _data(node: Node) -> object:
    """What a YAML reader makes of a node; numbers do not occur where Go keeps a field."""
    if isinstance(node, AliasNode):
        return _data(node.target)
    if isinstance(node, MappingNode):
        pairs = ((_text(key), _data(value)) for key, value in node.pairs)
        return dict(sorted(pairs))
    if isinstance(node, SequenceNode):
        return [_data(item) for item in node.items]
    return node.value if node.style else _WORDS.get(node.value, node.value)


def _text(node: Node) -> str:
    return node.value if isinstance(node, ScalarNode) else ""
