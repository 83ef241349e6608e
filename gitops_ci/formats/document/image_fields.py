"""The parts of images among the keys of one mapping: one string, repository and tag, registry, repository and tag.

A mapping may name several images (`image` and `initImage` with a tag each): keys are grouped by what precedes the
part they name. Nothing here decides whether an image is the wanted one: that is the plan's comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gitops_ci.dataclass import dataclass
from gitops_ci.formats.document.key_names import image_role_of
from gitops_ci.formats.document.key_pairs import insertion
from gitops_ci.formats.document.manifest_text import Entry, ManifestText
from gitops_ci.formats.document.other_versions import is_of_another_thing
from gitops_ci.formats.document.variables import NAMELESS, Variable, tagged, variable_of
from gitops_ci.imageref import DIGEST, TAG, ImageRef, has_host
from gitops_ci.model import Field, Role
from gitops_ci.yamltext import MappingNode as YamlMapping
from gitops_ci.yamltext import ScalarNode

__all__ = [
    "APP_VERSION",
    "DOCKER",
    "FOLLOWED",
    "NAMELESS",
    "Found",
    "artifact",
    "one_string",
    "parts",
    "runs_instead",
    "text_of",
    "version_of",
]

# Where a chart's values leave the tag empty.
APP_VERSION = "the chart's appVersion"
# The problem of a constraint: the operator that reads it writes the version itself.
FOLLOWED = "Argo CD Image Updater follows it by this constraint"
# The scheme of an image in addresses of KubeVirt's importer.
DOCKER = "docker://"
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Found:
    """An image and the fields that write it; see `ImageSite`. `prefix` are the words before the parts in their keys.

    `variable` are the keys of a variable that holds the version.
    """

    image: ImageRef
    fields: tuple[Field, ...]
    default: str = ""
    problem: str = ""
    prefix: str = ""
    variable: tuple[str, ...] = ()


def parts(
    source: ManifestText,
    entries: Mapping[str, Entry],
    mapping: YamlMapping | None = None,
    *,
    parent: str,
    registry: str = "",
) -> Iterator[Found]:
    """Every image that these pairs name, and every version whose image has no name here (`NAMELESS`).

    `mapping` is where a missing key could be added, `parent` the key it stands under, `registry` what a chart's
    `global.imageRegistry` says.
    """
    groups: dict[str, dict[Role, Entry]] = {}
    for key, entry in entries.items():
        if not isinstance(entry.value, ScalarNode) or not (known := image_role_of(key)):
            continue
        if known[1] != "version" or not is_of_another_thing(key, entries):
            groups.setdefault(known[0], {}).setdefault(known[1], entry)
    in_image = (part := image_role_of(parent)) is not None and part[1] == "reference"
    _lend_version(groups)
    for prefix, group in groups.items():
        host = text_of(group.get("registry"))
        if registry and "repository" in group and not has_host(text_of(group["repository"])):
            host = registry
        named = _name(group, host, in_image=in_image and not prefix)
        if named:
            yield from _image(source, mapping, group, *named, prefix=prefix)
        elif "tag" in group:
            yield from _version(source, None, group, NAMELESS, None, prefix=prefix)
    if in_image and (reference := entries.get("reference")):
        # A Kubernetes image volume: `image: {reference: ..., pullPolicy: ...}`.
        yield from one_string(source, reference)


def _lend_version(groups: dict[str, dict[Role, Entry]]) -> None:
    """`baseImage` and `tag`: a version without a name of its own belongs to the one image that has none."""
    plain = groups.get("", {})
    if "tag" not in plain or plain.keys() & {"reference", "repository", "name"}:
        return
    bare = [g for g in groups.values() if g.keys() & {"reference", "repository"} and not g.keys() & {"tag", "version"}]
    if len(bare) == 1:
        bare[0].update(groups.pop(""))


def _name(group: Mapping[Role, Entry], registry: str, *, in_image: bool) -> tuple[Entry, str] | None:
    """The scalar that an image's name ends in, and what stands elsewhere and goes before it."""
    repository, image, name = group.get("repository"), group.get("reference"), group.get("name")
    if repository and image and "/" not in text_of(image):
        # `repository: ghcr.io/acme` and `image: shop`: the first says where the second lies.
        return image, _path(registry, text_of(repository))
    if found := repository or image:
        return found, registry
    if name and ("tag" in group or (in_image and group.keys() & {"version", "digest"})):
        return name, registry
    return None


def _image(
    source: ManifestText,
    mapping: YamlMapping | None,
    group: Mapping[Role, Entry],
    name: Entry,
    host: str,
    *,
    prefix: str,
) -> Iterator[Found]:
    image = ImageRef.try_parse(_path(host, text_of(name)))
    alone = name is group.get("reference") and not group.keys() & {"tag", "version", "digest"}
    if image is None or image.tag or image.digest or alone:
        yield from one_string(source, name, host)
    else:
        yield from _version(source, mapping, group, image, name, prefix=prefix)


def _version(
    source: ManifestText,
    mapping: YamlMapping | None,
    group: Mapping[Role, Entry],
    image: ImageRef,
    name: Entry | None,
    *,
    prefix: str,
) -> Iterator[Found]:
    """An image whose version is in scalars of its own."""
    tag, digest = group.get("tag") or group.get("version"), group.get("digest")
    fields = [tag and source.field("tag", tag), digest and source.field("digest", digest)]
    if tag is None and mapping and name and name.alias is None:
        fields[0] = insertion(source, mapping, name, "tag")
    known = tuple(field for field in fields if field)
    read = version_of(text_of(tag), text_of(digest))
    variable = variable_of(text_of(tag)) if read is None and digest is None else None
    if variable and tag and isinstance(tag.value, ScalarNode):
        field = variable.default and source.part_field("tag", tag.value, *_shifted(tag.value, variable.default))
        if field and TAG.fullmatch(field.text):
            named = image.with_version(tag=field.text, digest=None)
            yield Found(named, (field,), prefix=prefix, variable=variable.keys)
        else:
            yield Found(image, known, problem=_is_variable(variable), prefix=prefix, variable=variable.keys)
    elif read is None:
        problem = f"its version is written as '{text_of(tag) or text_of(digest)}'"
        yield Found(image, known, problem=problem, prefix=prefix)
    else:
        default = "" if any(read) else APP_VERSION
        yield Found(image.with_version(tag=read[0], digest=read[1]), known, default, prefix=prefix)


def one_string(source: ManifestText, entry: Entry, host: str = "") -> Iterator[Found]:
    """An image that one scalar names whole, but for the registry that may stand elsewhere (`host`).

    What precedes a `=` is a name that the image is given (`name=image`, Argo CD; `--option=image`).
    """
    text = text_of(entry)
    if not text:
        return
    if text.startswith(DOCKER) and isinstance(entry.value, ScalarNode):
        start = entry.value.value.index(DOCKER) + len(DOCKER)
        field = source.part_field("reference", entry.value, start, len(entry.value.value.rstrip()))
    else:
        field = source.field("reference", entry)
    image = ImageRef.try_parse(_path(host, field.text.rpartition("=")[2])) if field else None
    if image and field:
        yield Found(image, (field,))
    elif field and isinstance(entry.value, ScalarNode) and not host:
        yield from _with_variable(source, entry.value, field)


def _with_variable(source: ManifestText, scalar: ScalarNode, field: Field) -> Iterator[Found]:
    """`${IMAGE:-acme/shop:1.4}`, `acme/shop:${TAG:-1.4}` and `acme/shop:$TAG`."""
    text = scalar.value.strip()
    if found := tagged(text):
        image, variable = found
        tag = variable.default and source.part_field("tag", scalar, *_shifted(scalar, variable.default))
        if tag and TAG.fullmatch(tag.text):
            yield Found(image.with_version(tag=tag.text, digest=None), (tag,), variable=variable.keys)
        else:
            yield Found(image, (field,), problem=_is_variable(variable), variable=variable.keys)
    elif (whole := variable_of(text)) and whole.default:
        default = source.part_field("reference", scalar, *_shifted(scalar, whole.default))
        named = ImageRef.try_parse(default.text) if default else None
        if default and named and (named.tag or named.digest):
            yield Found(named, (default,))


def _shifted(scalar: ScalarNode, place: tuple[int, int]) -> tuple[int, int]:
    """A place in the text without the space around it, as one in the value."""
    before = len(scalar.value) - len(scalar.value.lstrip())
    return place[0] + before, place[1] + before


def _is_variable(variable: Variable) -> str:
    return f"its version is the variable {variable.name}"


def runs_instead(image: ImageRef) -> str:
    """The problem of a name that an override replaces by another one: a mirror's, most often."""
    return f"{image.familiar} runs in its place"


def artifact(source: ManifestText, url: str, version: Mapping[Role, Entry]) -> Iterator[Found]:
    """What an address like `oci://ghcr.io/acme/shop` names, its tag and digest written apart."""
    image = ImageRef.try_parse(url.removeprefix("oci://"))
    if image and not (image.tag or image.digest):
        yield from _version(source, None, version, image, None, prefix="")


def _path(*names: str) -> str:
    return "/".join(name.strip("/") for name in names if name)


def version_of(tag: str, digest: str = "") -> tuple[str | None, str | None] | None:
    """Tag and digest of what the two scalars hold (`v1`, `v1@sha256:…`, `sha256:…`); None when it is neither."""
    written, _, pinned = tag.rpartition("@") if "@" in tag else (tag, "", "")
    if DIGEST.fullmatch(written):
        written, pinned = "", written
    pinned = digest or pinned
    if _HEX.fullmatch(pinned):
        pinned = f"sha256:{pinned}"
    if (written and not TAG.fullmatch(written)) or (pinned and not DIGEST.fullmatch(pinned)):
        return None
    return written or None, pinned or None


def text_of(entry: Entry | None) -> str:
    """The text of a scalar; '' for what a reader takes for a number or a boolean where a name is asked for."""
    if entry is None or not isinstance(entry.value, ScalarNode):
        return ""
    value = entry.value.value.strip()
    return "" if value in {"true", "false", "null", "~"} and not entry.value.style else value
