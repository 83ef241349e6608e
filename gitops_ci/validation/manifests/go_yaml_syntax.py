"""A text read as go-yaml v2 reads it, by way of libyaml: where the two part, and what is done about it.

go-yaml v2 is libyaml of 2011 in Go; libyaml went on. Sources: sigs.k8s.io/yaml goyaml.v2 scannerc.go and parserc.go
beside libyaml 0.2.5 scanner.c. What only go-yaml reads is written otherwise before libyaml sees it, by as many
characters, so that offsets hold; what only libyaml reads is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from gitops_ci.lazy import lazy_pattern
from gitops_ci.validation.manifests.go_yaml import GoYamlError
from gitops_ci.yamltext import BOM, MappingNode, Node, ScalarNode, SequenceNode, YamlError, YamlFile, read_first, walk

__all__ = ["first_document", "refuse_what_go_refuses"]

# Stand-ins of the private use area: a colon, the two characters of `\'`, what fills up the place of `\ud83d\ude00`,
# and a byte order mark that begins a line: to go-yaml a character as others, where libyaml passes over it.
_COLON, _QUOTE, _FILLER, _MARK = "\ue000", "\ue001\ue002", "\ue003", "\ue004"
_STAND_INS = lazy_pattern("[\ue000-\ue004]")
# Each costs a reading; a text that has more of them is left refused.
_MOST_STAND_INS = 50
_PAIR = lazy_pattern(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_VERSION = lazy_pattern(r"^%YAML[ \t]+(\S+)", re.MULTILINE)
_SLASH = lazy_pattern(r'[^\\"]*(?:\\[^/][^\\"]*)*\\/')


def first_document(text: str) -> YamlFile:
    """The first document's nodes; what follows it nobody reads.

    Raises:
        YamlError: no YAML to libyaml, nor to go-yaml.
    """
    written = text.replace(f"\n{BOM}", f"\n{_MARK}") if f"\n{BOM}" in text else text
    for _ in range(_MOST_STAND_INS):
        try:
            file = read_first(written)
        except YamlError as error:
            if (other := _otherwise(written, error)) is None or _STAND_INS.search(text):
                raise
            written = other
            continue
        if written is not text:
            for root in file.documents:
                _restore(root)
        return YamlFile(text, file.documents, file.end)
    return read_first(text)


def refuse_what_go_refuses(text: str, root: Node | None) -> None:
    """Look at what libyaml has read.

    Raises:
        GoYamlError: no YAML to go-yaml.
    """
    if "%YAML" in text and (version := _VERSION.search(text, 0, root.start if root else len(text))):
        _refuse_version(version)
    if "\\/" in text and not _is_json(text):
        _refuse_slash(text, root)
    if "?" in text and ("[" in text or "{" in text):
        _refuse_question(root)


def _otherwise(text: str, error: YamlError) -> str | None:
    """The text with a stand-in where libyaml stopped and go-yaml does not, None when both do."""
    at = error.offset
    if error.reason.startswith("found unexpected ':'"):
        return text[:at] + _COLON + text[at + 1 :]
    if error.reason.startswith("found unknown escape") and text.startswith("\\'", at):
        return text[:at] + _QUOTE + text[at + 2 :]
    # To kubectl a file of JSON is not YAML, and only there two escapes make one character.
    if error.reason.startswith("found invalid Unicode character escape") and _is_json(text):
        return _PAIR.sub(_paired, text, count=1) if _PAIR.match(text, at - 2) else None
    return None


def _paired(pair: re.Match[str]) -> str:
    return _FILLER * 11 + bytes.fromhex(pair[1] + pair[2]).decode("utf-16-be")


def _restore(root: Node | None) -> None:
    for node in walk(root):
        if isinstance(node, ScalarNode) and _STAND_INS.search(node.value):
            node.value = node.value.replace(_COLON, ":").replace(_QUOTE, "'").replace(_FILLER, "").replace(_MARK, BOM)


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _refuse_version(version: re.Match[str]) -> None:
    if version[1] != "1.1":
        raise GoYamlError(f"found incompatible YAML document (%YAML {version[1]})", version.start())


def _refuse_slash(text: str, root: Node | None) -> None:
    for node in walk(root):
        quoted = isinstance(node, ScalarNode) and node.style == '"'
        if quoted and (escape := _SLASH.match(text, node.start + 1, node.end)):
            raise GoYamlError("found unknown escape character: a / is written without \\", escape.end() - 2)


def _refuse_question(root: Node | None) -> None:
    for node in walk(root):
        if isinstance(node, MappingNode | SequenceNode) and node.flow:
            for scalar in _scalars(node):
                if not scalar.style and "?" in scalar.value:
                    raise GoYamlError("a ? inside of brackets must be in quotes", scalar.start)


def _scalars(node: MappingNode | SequenceNode) -> Iterator[ScalarNode]:
    inside = node.items if isinstance(node, SequenceNode) else [part for pair in node.pairs for part in pair]
    return (item for item in inside if isinstance(item, ScalarNode))
