"""Settings of one image of a repository that builds several: `images:` of the configuration file.

The image is the one that the command line names. `release`, `image push` and `image tags` use `--image-name`, `--to`,
or else the name of the SOURCE: `api:build` is the entry of `ghcr.io/acme/api`. `bump` uses its references.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef

if TYPE_CHECKING:
    from gitops_ci.config_keys import ImageSettings

__all__ = ["defaults_of_image", "hint_for"]

_LAYOUTS = ("oci:", "oci-archive:", "docker-archive:")


def defaults_of_image(
    images: Sequence[ImageSettings], given: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Any]:
    """The values of options that the entry of the named image decides; nothing where none is named or has an entry.

    `given` are the parameters of the command line by name, before they are converted.

    Raises:
        UsageError: several images are named whose entries have different paths or environments.
    """
    if not images:
        return {}
    if "references" in given:
        return _of_bump([entry for text in given["references"] if (entry := _entry(images, text))], given, environ)
    named = _words(given.get("image_name") or environ.get("GITOPS_CI_IMAGE_NAME"))
    named = named or _words(given.get("to") or environ.get("GITOPS_CI_TO"))
    entry = next((one for text in named if (one := _entry(images, text))), None)
    if entry is None and not named:
        entry = _by_source(images, given.get("source")) or (images[0] if len(images) == 1 else None)
    if entry is None:
        return {}
    found = {"to": entry.to or (entry.image,), "path": entry.path, "tags": entry.tags, "environment": entry.environment}
    if entry.to:
        found["image_name"] = entry.image
    return {name: value for name, value in found.items() if value}


def hint_for(images: Iterable[ImageSettings]) -> str:
    """What to do where none of the entries is meant."""
    names = ", ".join(one.image for one in images)
    return f"images: in .gitops-ci.yaml has {names}. Name one with --to or --image-name." if names else ""


def _of_bump(entries: Sequence[ImageSettings], given: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("path", "environment"):
        values = {getattr(one, name) for one in entries} - {(), ""}
        if len(values) > 1 and not (given.get(name) or environ.get(f"GITOPS_CI_{name.upper()}")):
            listed = ", ".join(one.image for one in entries)
            raise UsageError(
                f"images: in .gitops-ci.yaml has a different {name} for each of {listed}",
                hint=f"Bump them one after the other, or give --{name}.",
            )
        if len(values) == 1:
            found[name] = values.pop()
    return found


def _entry(images: Iterable[ImageSettings], text: object) -> ImageSettings | None:
    """The entry whose image, or destination, has this name."""
    wanted = _ref(text)
    if wanted is None:
        return None
    for one in images:
        if any((ref := _ref(name)) and ref.same_image(wanted) for name in (one.image, *one.to)):
            return one
    return None


def _by_source(images: Iterable[ImageSettings], source: object) -> ImageSettings | None:
    """The entry that alone has the last part of the source's name."""
    if not isinstance(source, str) or source.startswith(_LAYOUTS):
        return None
    ref = _ref(source.removeprefix("registry:"))
    found = [one for one in images if ref and (known := _ref(one.image)) and known.basename == ref.basename]
    return found[0] if len(found) == 1 else None


def _ref(text: object) -> ImageRef | None:
    try:
        return ImageRef.parse(str(text).lower()) if text else None
    except UsageError:
        return None


def _words(value: object) -> list[str]:
    return (
        value.split()
        if isinstance(value, str)
        else [str(one) for one in value]
        if isinstance(value, (list, tuple))
        else []
    )
