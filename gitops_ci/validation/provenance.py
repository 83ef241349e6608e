"""From a rendered object back to the file that people edit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gitops_ci.fast_yaml.ambiguity import AMBIGUOUS, classify
from gitops_ci.fast_yaml.reader import load_fast
from gitops_ci.validation.manifests.documents import Document, Piece, split
from gitops_ci.validation.manifests.go_yaml import GoYamlError
from gitops_ci.validation.manifests.merged import FLUX, is_options_of_a_service
from gitops_ci.validation.report import Rendered
from gitops_ci.yamltext import YamlError

__all__ = ["SourceMap"]

_MOST_FILES = 4096


class SourceMap:
    """The documents that one rendered unit was made of, by what they are."""

    def __init__(self, unit: Rendered) -> None:
        self.unit = unit
        self._texts = dict(unit.sources)
        self._found: dict[tuple[str, str], list[tuple[str, Document]]] | None = None

    def file_of(self, piece: Piece) -> str:
        """The file a rendered document came from, else the unit's own."""
        source = self.unit.source_of(piece.text)
        return source if source in self._texts else self.unit.file

    def locate(self, document: Document) -> Document:
        """The document, knowing where it came from."""
        document.is_assumed = self.unit.is_assumed or self._is_completed(document)
        document.is_partial = self.unit.is_partial
        source = self.unit.source_of(document.piece.text)
        if source is not None and source in self._texts:
            return document.rendered(self.unit.unit, template=(source, self._texts[source]))
        return document.rendered(self.unit.unit, origin=self._origin(document))

    def _is_completed(self, document: Document) -> bool:
        is_switched_off = document.group.endswith(FLUX) and document.kind in self.unit.completed
        return is_switched_off or (self.unit.merges and is_options_of_a_service(document))

    def _origin(self, document: Document) -> Document | None:
        """The source of the same kind and name; a prefix or a hash may have been added to the name."""
        same, name = self._index().get((document.group, document.kind), []), document.name
        if exact := next((one for own, one in same if own == name), None):
            return exact
        if within := [(own, one) for own, one in same if own and own in name]:
            return max(within, key=lambda named: len(named[0]))[1]
        # Kustomize's `namespace` gives its name to each Namespace.
        return same[0][1] if document.kind == "Namespace" and len(same) == 1 else None

    def _index(self) -> dict[tuple[str, str], list[tuple[str, Document]]]:
        if self._found is None:
            self._found = {}
            for path, text in self.unit.sources:
                for document in _documents(path, text):
                    of_kind = self._found.setdefault((document.group, document.kind), [])
                    of_kind.append((document.name, document))
        return self._found


@lru_cache(maxsize=_MOST_FILES)
def _documents(path: str, text: str) -> tuple[Document, ...]:
    """The objects of a source; many units are made of one base."""
    found = []
    for index, piece in enumerate(split(text)):
        value: Any = load_fast(piece.text)
        try:
            if value is None or classify(value) == AMBIGUOUS:
                value = piece.load().value
        except (YamlError, GoYamlError, RecursionError):
            continue
        if isinstance(value, dict) and value.get("kind"):
            found.append(Document(path, str(index), piece, value))
    return tuple(found)
