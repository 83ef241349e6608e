"""What the commands that only read print on stdout for people and for other programs: tags, a digest, an image."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gitops_ci.display import log_line, visible
from gitops_ci.model import ImageDetails, ImagePart, Outcome
from gitops_ci.reporting.base import prepare
from gitops_ci.reporting.summary import count

__all__ = [
    "config_text",
    "details",
    "digests",
    "docker_labels",
    "label_lines",
    "manifest_text",
    "pruned",
    "tag_lines",
    "verified",
]

# config key -> how it is called here
_SETTINGS = {
    "User": "user",
    "Entrypoint": "entrypoint",
    "Cmd": "command",
    "WorkingDir": "folder",
    "ExposedPorts": "ports",
    "StopSignal": "signal",
}


def tag_lines(outcome: Outcome) -> str:
    """A tag a line, with its digest where that was asked for."""
    images = prepare(outcome).images
    width = max((len(image.tag or "") for image in images), default=0)
    return _lines(f"{image.tag:<{width}}  {image.digest}" if image.digest else image.tag or "" for image in images)


def digests(outcome: Outcome) -> str:
    """A digest a line, and nothing else."""
    return _lines(image.digest or "" for image in prepare(outcome).images)


def manifest_text(outcome: Outcome) -> str:
    """The manifest, byte for byte where a log may show it: then its digest can be taken of what is printed."""
    [found] = outcome.inspected
    is_harmless = found.content.isascii() and all(c.isprintable() or c in "\n\t" for c in found.content)
    return found.content if is_harmless and "##" not in found.content else _json(found.manifest)


def config_text(outcome: Outcome) -> str:
    """The image's config as JSON."""
    [found] = prepare(outcome).inspected
    return _json(found.config)


def details(outcome: Outcome) -> str:
    """An image as people read it."""
    return _lines(line for found in prepare(outcome).inspected for line in _details(found))


def pruned(outcome: Outcome) -> str:
    """What was deleted, or would be, what stays and why, and the sum."""
    outcome = prepare(outcome)
    deed = "would delete" if outcome.dry_run else "deleted"
    rows = [(deed, image.reference, image.digest or "") for image in outcome.images]
    rows += [("kept", skip.path, skip.reason) for skip in outcome.skipped]
    width = max((len(reference) for _, reference, _ in rows), default=0)
    total = f"{outcome.command}: {deed} {count(len(outcome.images), 'tag')} of {outcome.summary.get('tags', 0):,}"
    return _lines([*(f"{one:<12}  {two:<{width}}  {three}" for one, two, three in rows), total])


def verified(outcome: Outcome) -> str:
    """Who signed an image, and where the signature is."""
    return _lines(
        f"{image.reference} ({image.digest}) is signed by {image.statement}, found in {image.found_in}"
        for image in prepare(outcome).verified
    )


def label_lines(outcome: Outcome) -> str:
    """KEY=VALUE a line, as docker/build-push-action takes them."""
    return _lines(f"{key}={value}" for key, value in prepare(outcome).labels.items())


def docker_labels(outcome: Outcome) -> str:
    """Options of `docker build`, in quotes as a shell and xargs read them."""
    return _lines(f"--label {shlex.quote(f'{key}={value}')}" for key, value in prepare(outcome).labels.items())


def _details(found: ImageDetails) -> Iterator[str]:
    rows = {
        "Image": found.reference,
        "Digest": found.digest,
        "Type": found.media_type,
        "Artifact": found.artifact_type,
        "Created": found.created,
        "Size": f"{found.size:,} bytes",
        "Platform": _platform(found.config),
    }
    yield from (f"{name:<10}{value}" for name, value in rows.items() if value)
    yield from _block("Platforms", _part_rows(found.platforms, lambda part: part.platform))
    yield from _block(count(len(found.layers), "layer"), _part_rows(found.layers, lambda part: f"{part.size:,}"))
    yield from _block("Config", _settings(found.config))
    yield from _block("Labels", (f"{key}={value}" for key, value in sorted(found.labels.items())))
    yield from _block("Annotations", (f"{key}={value}" for key, value in sorted(found.annotations.items())))
    kinds = _part_rows(found.referrers, lambda part: part.artifact_type or part.media_type)
    yield from _block("Referrers", kinds)


def _block(heading: str, rows: Iterable[str]) -> Iterator[str]:
    if listed := list(rows):
        yield heading
        yield from (f"  {row}" for row in listed)


def _part_rows(parts: Iterable[ImagePart], about: Any) -> list[str]:
    pairs = [(part.digest, about(part)) for part in parts]
    return [f"{digest}  {text}".rstrip() for digest, text in pairs]


def _platform(config: Mapping[str, Any]) -> str:
    parts = (config.get(key) for key in ("os", "architecture", "variant"))
    return "/".join(str(part) for part in parts if part)


def _settings(config: Mapping[str, Any]) -> Iterator[str]:
    inner = config.get("config")
    settings = inner if isinstance(inner, Mapping) else {}
    for key, name in _SETTINGS.items():
        value = settings.get(key)
        if value:
            yield f"{name}: {_words(value)}"
    variables = settings.get("Env")
    if isinstance(variables, tuple):
        yield from (f"env: {one}" for one in variables)


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    words = tuple(value) if isinstance(value, (tuple, Mapping)) else (value,)
    return " ".join(shlex.quote(str(word)) for word in words)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2).replace("##", "#\\u0023") + "\n"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{log_line(visible(line))}\n" for line in lines)
