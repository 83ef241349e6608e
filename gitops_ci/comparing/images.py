"""The images that objects use, and which of them change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gitops_ci.imageref import DOCKER_HUB, ImageRef
from gitops_ci.model.rendered import ImageChange, ObjectChange

__all__ = ["changed_images", "image_changes", "is_same_name", "named", "publisher", "version_of"]


def named(image: str) -> str:
    """A reference without tag and digest."""
    plain = image.partition("@")[0]
    head, slash, last = plain.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def version_of(image: str) -> str:
    """Tag and digest of a reference."""
    return image.removeprefix(named(image)).lstrip(":@")


def is_same_name(old: str, new: str) -> bool:
    """Whether two references are of one repository: `nginx` is `docker.io/library/nginx`."""
    return _name(old) == _name(new)


def publisher(image: str) -> str:
    """The registry of a reference; on Docker Hub, where everybody has images, with the owner."""
    registry, _, rest = _name(image).partition("/")
    return f"{registry}/{rest.partition('/')[0]}" if registry == DOCKER_HUB else registry


def _name(image: str) -> str:
    found = ImageRef.try_parse(named(image))
    return found.name if found else named(image)


def image_changes(objects: Iterable[ObjectChange]) -> tuple[ImageChange, ...]:
    """Each image that changes from one version to another, with the objects that use it."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in objects:
        if one.before is None or one.after is None:
            continue
        for old, new in changed_images(one.before, one.after):
            is_same = is_same_name(old, new)
            if is_same and version_of(old) == version_of(new):
                continue  # another spelling of the same
            key = (named(new), version_of(old) if is_same else old, version_of(new))
            users = found.setdefault(key, [])
            users += [one.id] if one.id not in users else []
    return tuple(ImageChange(*key, tuple(users)) for key, users in sorted(found.items()))


def changed_images(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each image of an object that changes, before and after."""
    old, new = dict(_images(before)), dict(_images(after))
    for place in sorted(old.keys() & new.keys()):
        if old[place] != new[place]:
            yield old[place], new[place]


def _images(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every `image` of a container, by the path of names that leads to it."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "image" and isinstance(one, str) and one:
                yield f"{place}/{key}", one
            elif isinstance(one, (dict, list)):
                yield from _images(one, f"{place}/{key}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            name = one.get("name", number) if isinstance(one, dict) else number
            yield from _images(one, f"{place}[{name}]")
