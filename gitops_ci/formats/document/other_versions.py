"""Versions that are not image's: `version` beside `kind` or `group` is an API's, beside `chart` a chart's.

Such a mapping selects objects or names a type: `target` of a kustomize patch, `source` and `select` of a replacement,
references of custom resources. An operator's pair of `image` and `version` (Prometheus, Argo CD) has none of these
keys.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ci.formats.document.key_names import words_of
from gitops_ci.formats.document.manifest_text import Entry
from gitops_ci.yamltext import MappingNode as YamlMapping
from gitops_ci.yamltext import SequenceNode

__all__ = ["is_of_another_thing"]

_OWNERS = (("kind",), ("group",), ("resource",), ("plural",), ("singular",), ("chart",), ("chart", "name"))
_LISTS = (("kinds",), ("groups",), ("resources",), ("plurals",))


def is_of_another_thing(key: str, entries: Mapping[str, Entry]) -> bool:
    """Whether the version under `key` belongs to an API or a chart that the other keys name.

    Keys with a prefix are compared among themselves: `targetVersion` beside `targetKind`.
    """
    words = words_of(key)
    if words[-1:] != ("version",) or "image" in words:
        return False
    prefix = _without_api(words[:-1])
    return any(name != key and _owner(name, entry) == prefix for name, entry in entries.items())


def _owner(key: str, entry: Entry) -> tuple[str, ...] | None:
    """The prefix of a key that names an API or a chart; `resources` with limits and requests names none."""
    if isinstance(entry.value, YamlMapping):
        return None
    words = words_of(key)
    if words[-2:] == ("api", "version"):
        return words[:-2]
    endings = _LISTS if isinstance(entry.value, SequenceNode) else _OWNERS
    ending = next((ending for ending in endings if words[-len(ending) :] == ending), None)
    return _without_api(words[: -len(ending)]) if ending else None


def _without_api(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[:-1] if words[-1:] == ("api",) else words
