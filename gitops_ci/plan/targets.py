"""The images a run is about: which one a site names, and whether a text can name one at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gitops_ci.errors import UsageError
from gitops_ci.formats.document.manifest_text import ManifestText
from gitops_ci.formats.document.occupied import OccupiedSpans
from gitops_ci.imageref import DOCKER_HUB, ImageRef
from gitops_ci.model import ImageSite, Skip
from gitops_ci.plan.command_lines import names_image
from gitops_ci.plan.flavors import flavor_of

__all__ = ["Targets"]

# Up to here asking for one word after the other is faster than taking a text apart.
_FEW = 16
_WORD = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*")
# What a reference may follow: the default of a variable (`${IMAGE:-`), a variable for its registry (`$REGISTRY/`).
_REFERENCE = re.compile(
    r"(?:(?P<default>\$\{[A-Za-z_]\w{0,127}:?[-=+])|(?P<host>\$[A-Za-z_]\w{0,127}/)|(?<=://)|(?<=[})]/)|(?<![\w./:@-]))"
    r"(?P<name>[A-Za-z0-9][\w.-]{0,254}(?::[0-9]{1,5}(?=/))?(?:/[a-z0-9][\w.-]{0,254}){0,32})"
    r"(?P<version>:?(?=\{\{|<<-?[ \t]|<<inputs\.|\$[{(A-Za-z_])|(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?)"
)
# A name that an expression completes: `'ghcr.io/acme/shop:' + version`; and one that is the key of a version.
_COMPLETED = re.compile(r""":["'`]""")
_KEY = re.compile(r"""["']?[ \t]*[:=][ \t]+["']?v?\d""")
# `<< inputs.tag >>` is the template of a ResourceSet of Flux; `<<END` is none.
_TEMPLATE = re.compile(r"\{\{|<<-?[ \t]|<<inputs\.|\$[{(A-Za-z_]")
_VARIABLE = re.compile(r"\$\{[^\s${}]{0,256}\}")
_COMMENT = re.compile(r"(?:^|[ \t])#[^\r\n\"']*\Z", re.MULTILINE)
_COMMENT_LINE = re.compile(r"[ \t]*(?:#|//)")
_LONG_LINE = 500
_MOST = 50  # places of one file that are listed one by one
_SURE_TAG = re.compile(r":v?\d+\..*")
_PORT = re.compile(r":\d{1,5}")
# What makes a name without a slash an image: `FROM node:22`, `ARG BASE=node:22`, `image = "node:22"`,
# `COPY --from=node:22`, `container: node:22`, `docker://node:22`.
_IMAGE_FOLLOWS = re.compile(
    r"""(?:^[ \t]*FROM[ \t]+(?:--\S{1,100}[ \t]+)?|^[ \t]*ARG[ \t]+\w{1,100}=["']?|--from=|docker(?:-image)?://"""
    r"""|(?:image|container)["']?[ \t]{0,9}[:=][ \t]{0,9}["']?)\Z""",
    re.IGNORECASE,
)
# On the line of such a program a name with a tag is an image, and a name with a number may be a host with a port.
_IMAGE_PROGRAM = re.compile(r"\b(?:buildah|crane|docker|nerdctl|podman|skopeo)\b")


class Targets:
    """Images by name, each with the version to write; of one image there may be several flavors.

    Raises:
        UsageError: two of them ask for different versions of one flavor of an image.
    """

    def __init__(self, targets: Sequence[ImageRef], *, match_name: bool) -> None:
        self._by_name: dict[str, list[ImageRef]] = {}
        self._by_repository: dict[str, list[ImageRef]] = {}
        self._match_name = match_name
        for target in targets:
            others = self._by_name.setdefault(target.name, [])
            if target in others:
                continue
            if (same := next((other for other in others if not _are_flavors(other, target)), None)) is not None:
                raise UsageError(
                    f"{same} and {target} are two versions of one image",
                    hint="Give each image once in a run, or once for each flavor (3.13-slim and 3.13-alpine).",
                )
            others.append(target)
            self._by_repository.setdefault(target.repository, []).append(target)
        self._words = frozenset(target.basename for target in targets)
        self._by_path = {target.repository.removeprefix("library/"): target for target in targets}

    def of(self, image: ImageRef) -> ImageRef | None:
        """The wanted image that `image` is, whatever its version; of several flavors the one of its tag, else any."""
        found = self._by_name.get(image.name)
        if found is None and self._match_name:
            found = self._by_repository.get(image.repository)
        if not found:
            return None
        flavor = flavor_of(image.tag)
        return next((target for target in found if flavor_of(target.tag) == flavor), found[0])

    def has_flavors(self, target: ImageRef) -> bool:
        """Whether several flavors of an image are wanted."""
        return len(self._by_name.get(target.name, ())) > 1

    @property
    def basenames(self) -> frozenset[str]:
        """The last parts of the wanted names."""
        return self._words

    def parents(self) -> tuple[str, ...]:
        """What the addresses of the repositories that hold a wanted chart end in: `ghcr.io/acme/charts`."""
        found = (target.name.rpartition("/")[0] for targets in self._by_name.values() for target in targets)
        # Docker Hub has several names.
        return tuple(dict.fromkeys(name.removeprefix(f"{DOCKER_HUB}/") for name in found))

    def mentioned(self, text: str) -> bool:
        """Whether the last part of a wanted name is in the text: cheap, and never wrong about a no."""
        if len(self._words) <= _FEW:
            return any(word in text for word in self._words)
        if not self._words.isdisjoint(_WORD.findall(text)):
            return True
        # Behind a backslash a word may have a letter more (`\nshop`).
        return "\\" in text and any(word in text for word in self._words)

    def first_line_with_name(self, text: str) -> int:
        """The line of the first whole name of a wanted image, 0 when there is none; for what nobody can parse."""
        for match in re.finditer(r"[a-z0-9][\w.-]{0,254}(?:/[a-z0-9][\w.-]{0,254}){0,32}", text):
            path = match[0].split("/")
            if any("/".join(path[at:]) in self._by_path for at in range(max(0, len(path) - 8), len(path))):
                return text.count("\n", 0, match.start()) + 1
        return 0

    def elsewhere(self, source: ManifestText, sites: Sequence[ImageSite]) -> Iterator[Skip]:
        """References to wanted images that no format knows, and those that something else completes."""
        known = OccupiedSpans(sites)
        found = (
            (match, self._named(source, match))
            for match in self._references(source)
            # A default behind the name (`${TAG:-1.4}`) may be a marked value.
            if not known.overlaps(match.start("name"), _end_of_variable(source.text, match.end()))
        )
        yield from _listed(source, ((match, named) for match, named in found if named))

    def written(self, source: ManifestText) -> Iterator[Skip]:
        """Every line that has the whole name of a wanted image, with or without a version, comments included.

        For an image that no format finds: what nobody reads may still name it.
        """
        matches = self._references(source, anywhere=True)
        yield from _listed(source, ((match, found) for match in matches if (found := self._bare(match))))

    def _named(self, source: ManifestText, match: re.Match[str]) -> tuple[str, str, ImageRef] | None:
        """What to say of a reference, what to do about it, and the wanted image; None for what is none of one."""
        name, written = match["name"], match["name"] + match["version"].removesuffix(":")
        is_completed = not match["version"] and _COMPLETED.match(source.text, match.end())
        templated = bool(match["default"] or _TEMPLATE.match(source.text, match.end()) or is_completed)
        is_key = "/" in name and not match["version"] and _KEY.match(source.text, match.end())
        if not (templated or is_key or _is_version(match)) or name.rpartition("/")[2] not in self._words:
            return None
        if not _is_value(source, match.start("name"), match.end()):
            return None
        at = match.start("name")
        if (match["host"] or source.text[max(0, at - 2) : at] in {"}/", ")/"}) and (target := self._by_path.get(name)):
            return (
                f"names {written} on a registry that something fills in",
                "Write the registry out, or bump by --at.",
                target,
            )
        target = self._target(name)
        if target is None:
            return None
        if templated:
            return f"names {name} with a version that something fills in", "Bump what fills it.", target
        if is_key:
            return (
                f"names {name} as the key of a version",
                f"Mark the line {_mark(name)}, or give it with --at.",
                target,
            )
        if not (source.is_yaml or source.is_template):
            return f"names {written} in a file that no format reads", f"Mark the line {_mark(name)}.", target
        return (
            f"names {written} in a place that no format knows",
            f"Mark the line {_mark(name)}, or give it with --at.",
            target,
        )

    def _bare(self, match: re.Match[str]) -> tuple[str, str, ImageRef] | None:
        name = match["name"]
        if name.rpartition("/")[2] not in self._words or not ("/" in name or _is_version(match)):
            return None
        target = self._by_path.get(name) if match["host"] else self._target(name)
        if target is None:
            return None
        return f"names {name} where no format reads it", f"Mark the line of its version {_mark(name)}.", target

    def _target(self, name: str) -> ImageRef | None:
        image = ImageRef.try_parse(name)
        return self.of(image) if image else None

    def _references(self, source: ManifestText, *, anywhere: bool = False) -> Iterator[re.Match[str]]:
        """Whatever looks like a reference, on the lines where a value (or anything) holds a wanted word."""
        text = source.text
        if len(self._words) > _FEW:
            yield from _REFERENCE.finditer(text)
            return
        end = 0
        for word in re.finditer("|".join(map(re.escape, self._words)), text):
            if word.start() >= end and (anywhere or source.is_in_value(word.start())):
                start = text.rfind("\n", 0, word.start()) + 1
                end = text.find("\n", word.start())
                end = len(text) if end < 0 else end
                yield from _REFERENCE.finditer(text, start, end)


def _are_flavors(a: ImageRef, b: ImageRef) -> bool:
    flavors = flavor_of(a.tag), flavor_of(b.tag)
    return None not in flavors and flavors[0] != flavors[1]


def _end_of_variable(text: str, at: int) -> int:
    variable = _VARIABLE.match(text, at)
    return variable.end() if variable else at


def _mark(name: str) -> str:
    return f"with the comment `# gitops-ci: image={name}`"


def _listed(source: ManifestText, found: Iterable[tuple[re.Match[str], tuple[str, str, ImageRef]]]) -> Iterator[Skip]:
    for number, (match, (reason, hint, image)) in enumerate(found):
        line = source.line(match.start("name"))
        if number == _MOST:
            yield Skip(source.path, line, "names it in further places that no format knows", image=image.name)
            return
        yield Skip(source.path, line, reason, hint, image=image.name)


def _is_value(source: ManifestText, start: int, end: int) -> bool:
    """Whether characters lie in a value, and not in a comment, be it one of a program that the value holds."""
    if not source.is_in_value(start) or not source.is_in_value(end - 1):
        return False
    line = source.text.rfind("\n", max(0, start - _LONG_LINE), start) + 1 or max(0, start - _LONG_LINE)
    if not source.is_yaml and _COMMENT_LINE.match(source.text, line):
        return False
    return not _COMMENT.search(source.text, line, start)


def _is_version(match: re.Match[str]) -> bool:
    """Whether what follows a name is its version; `redis:6379` and `docker:dind-runner` may be anything."""
    version = match["version"]
    if not version or "/" in match["name"] or "@" in version or _SURE_TAG.fullmatch(version):
        return bool(version)
    text, at = match.string, match.start("name")
    before = text[max(text.rfind("\n", 0, at) + 1, at - _LONG_LINE) : at]
    is_port = _PORT.fullmatch(version) is not None
    if _IMAGE_FOLLOWS.search(before) or (not is_port and _IMAGE_PROGRAM.search(before)):
        return True
    return is_port and names_image(text, at)
