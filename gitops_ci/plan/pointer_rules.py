"""`pointers` of the settings: rules for layouts where only a file's name, or a key, says which image a version is of.

    file: 'image-tags/{environment}/{name}'
    at: '$.image_tag'
    image: 'ghcr.io/acme/{name}'

A field in braces stands for a part of one folder's or file's name, and has one value in a rule's file, place and image.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.formats.pointer import Pointer
from gitops_ci.imageref import ImageRef

__all__ = ["PointedPlace", "PointerRule"]

_FIELD = re.compile(r"\{([A-Za-z][A-Za-z0-9_]{0,63})\}")
_MOST = 2  # fields in one part of a path: more could take long to tell apart
_EXAMPLE = "For example: file: 'tags/{environment}/{name}', at: '$.tag', image: 'ghcr.io/acme/{name}'"


@dataclass(frozen=True, slots=True)
class PointedPlace:
    """A place that a rule leads to; `fields` are what the braces stand for, `environment` among them."""

    pointer: Pointer
    image: ImageRef
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PointerRule:
    """One rule; `pointer` has the fields still in its path and steps."""

    pointer: Pointer
    image: str

    @classmethod
    def parse(cls, file: str, at: str, image: str) -> PointerRule:
        """Read a rule.

        Raises:
            UsageError: it points nowhere, names no image, or its image has a field that neither file nor place has.
        """
        pointer = Pointer.parse(f"{file}:{at}")
        in_file, in_place, in_image = (frozenset(_FIELD.findall(text)) for text in (file, at, image))
        for name in sorted(in_image - in_file - in_place):
            raise UsageError(f"{{{name}}} of the image '{image}' is neither in its file nor in at", hint=_EXAMPLE)
        for name in sorted(in_place - in_file - in_image):
            raise UsageError(f"{{{name}}} of '{at}' is neither in its file nor in its image", hint=_EXAMPLE)
        if any(len(_FIELD.findall(part)) > _MOST for part in (*file.split("/"), *image.split("/"))):
            raise UsageError(f"'{file}' or '{image}' has more than {_MOST} fields in one part", hint=_EXAMPLE)
        return cls(pointer, _normalized(image))

    def places(self, paths: Iterable[str]) -> Iterator[PointedPlace]:
        """Every place in these files whose image the file's name tells."""
        for path, fields in self._files(paths):
            if fields.keys() >= {*_FIELD.findall(self.image)} and (image := ImageRef.try_parse(self._name(fields))):
                yield self._place(path, fields, image)

    def pointers(self, paths: Iterable[str], image: ImageRef, *, match_name: bool = False) -> Iterator[PointedPlace]:
        """The places in these files that hold the version of an image."""
        wanted = self._fields_of(image, match_name=match_name)
        if wanted is None:
            return
        for path, fields in self._files(paths):
            if all(fields.get(key, value) == value for key, value in wanted.items()):
                yield self._place(path, {**wanted, **fields}, image.with_version(tag=None, digest=None))

    def _name(self, fields: Mapping[str, str]) -> str:
        return _FIELD.sub(lambda field: fields[field[1]], self.image)

    def _fields_of(self, image: ImageRef, *, match_name: bool) -> dict[str, str] | None:
        """What the fields of the rule's image stand for in this one; None where it is another image."""
        template, name = self.image, image.name
        if match_name:
            template, name = template.partition("/")[2], image.repository
        found = re.fullmatch(_pattern(template), name)
        return found.groupdict() if found else None

    def _files(self, paths: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
        wanted = re.compile(_pattern(self.pointer.path))
        for path in paths:
            if found := wanted.fullmatch(path):
                yield path, found.groupdict()

    def _place(self, path: str, fields: Mapping[str, str], image: ImageRef) -> PointedPlace:
        steps = tuple(
            replace(step, key=_filled(step.key, fields), text=_filled(step.text, fields)) for step in self.pointer.steps
        )
        quoted = {name: re.escape(value) for name, value in fields.items()}
        pattern = _filled(self.pointer.pattern, quoted)
        pointer = replace(self.pointer, path=path, steps=steps, pattern=pattern, image=image)
        return PointedPlace(pointer, image, fields)


def _normalized(image: str) -> str:
    """The image's name with its registry, the fields still in it.

    Raises:
        UsageError: it is not a name, or has a version.
    """
    stands_for = {f"zq{number}field": name for number, name in enumerate(_FIELD.findall(image))}
    names = iter(stands_for)
    named = ImageRef.try_parse(_FIELD.sub(lambda _: next(names), image))
    if named is None or named.tag or named.digest:
        raise UsageError(f"'{image}' is not an image without a version", hint=_EXAMPLE)
    text = named.name
    for word, name in stands_for.items():
        text = text.replace(word, f"{{{name}}}")
    return text


def _filled(text: str, fields: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: fields.get(field[1], field[0]), text)


def _pattern(template: str) -> str:
    """A regular expression for what a template may become: a field is a part of one path component."""
    known: set[str] = set()
    parts = []
    for number, part in enumerate(_FIELD.split(template)):
        if number % 2 == 0:
            parts.append(re.escape(part))
        elif part in known:
            parts.append(f"(?P={part})")
        else:
            known.add(part)
            parts.append(f"(?P<{part}>[^/]+?)")
    return "".join(parts)
