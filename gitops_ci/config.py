"""Read `.gitops-ci.yaml`: an unknown key is an error that says which and what was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from gitops_ci.config_keys import KEYS, SECTIONS, SOAK_KEYS, WINDOW_KEYS, Config, ImageSettings, VerifyRule
from gitops_ci.errors import UsageError
from gitops_ci.flows.environments import Environment, Soak
from gitops_ci.imageref import ImageRef
from gitops_ci.lazy import lazy_pattern
from gitops_ci.moments import duration
from gitops_ci.quantities import bytes_of, seconds_of
from gitops_ci.text import nearest
from gitops_ci.windows import Window, Windows, window
from gitops_ci.yamltext import AliasNode, Node, ScalarNode, SequenceNode, YamlError, YamlFile, read
from gitops_ci.yamltext import MappingNode as YamlMapping

if TYPE_CHECKING:
    from gitops_ci.plan import PointerRule

__all__ = ["load", "parse"]

T = TypeVar("T")

_SECRETS = frozenset({"token", "password", "registry-password", "registry-user", "registry-token", "github-token"})
_FORMS = ("environments", "images", "pointers", "promotion", "verify")
_WINDOWS = {"allow": ("allow", "window"), "deny": ("deny", "window")}
_WILDCARD = lazy_pattern(r"\[[^\[\]]+\]|[*?]+")
_QUANTITIES: Mapping[str, tuple[Callable[[str], float | None], str]] = {
    "seconds": (seconds_of, "it is a duration: 90s or 2m"),
    "bytes": (bytes_of, "it is a size: 64MiB or 2GiB"),
}


def load(path: str) -> Config:
    """Read a configuration file from disk.

    Raises:
        UsageError: it cannot be read, is not YAML, or says something that no option understands.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        hint = (
            "gitops-ci init writes one."
            if isinstance(error, FileNotFoundError)
            else "It has to be a text file in UTF-8 that this user may read."
        )
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"The configuration file {path} cannot be read: {said}", hint=hint) from error
    return parse(text, path)


@lru_cache(maxsize=16)
def parse(text: str, source: str) -> Config:
    """Read a configuration; `source` is the name that errors use.

    Several parts of a run ask for their own keys of one file: it is parsed once.
    """
    try:
        file = read(text)
    except YamlError as error:
        hint = "A value with ': ', ' #' or a bracket in front needs quotes. Indent with spaces, not tabs."
        raise UsageError(f"{source}:{error.line}: not YAML: {error.reason}", hint=hint) from None
    return _Reader(file, source).config()


def _images(texts: tuple[str, ...]) -> tuple[ImageRef, ...]:
    return tuple(map(ImageRef.parse, texts))


def _fits_some_name(glob: str) -> bool:
    """Whether a glob of images can fit a name: with a scheme or a version it never does, and its rule is none."""
    named = ImageRef.try_parse(_WILDCARD.sub("0", glob).lower())
    return named is not None and named.tag is None and named.digest is None


def _meant(key: str, known: list[str]) -> str:
    """What to do about an unknown key."""
    if key in _SECRETS:
        return "secrets come from the environment only: set GITOPS_CI_TOKEN, or GITOPS_CI_REGISTRY_PASSWORD"
    if near := nearest(key, known):
        return f"did you mean '{near}'?"
    for section, keys in KEYS.items():
        if section and key in keys:
            return f"it belongs into the section {section.replace('*', 'NAME').removesuffix('[]')}"
    return f"known keys: {', '.join(sorted(known))}"


class _Reader:
    def __init__(self, file: YamlFile, source: str) -> None:
        self._file = file
        self._source = source

    def config(self) -> Config:
        root = self._file.documents[0] if self._file.documents else None
        if root is None or (isinstance(root, ScalarNode) and root.value == ""):
            return Config()
        options: dict[str, Any] = {}
        environments: dict[str, Environment] = {}
        pointers: tuple[PointerRule, ...] = ()
        verify: dict[str, VerifyRule] = {}
        images: tuple[ImageSettings, ...] = ()
        together: tuple[tuple[str, ...], ...] = ()
        for name, value in self._pairs(root, "the configuration", [*KEYS[""], *SECTIONS, *_FORMS]):
            if name in KEYS[""]:
                option, kind = KEYS[""][name]
                options[option] = self._value(value, name, kind)
            elif name == "environments":
                environments = self._environments(value)
            elif name == "pointers":
                pointers = tuple(self._pointers(value))
            elif name == "images":
                images = tuple(self._images(value))
            elif name == "verify":
                verify = self._verify(value)
            elif name == "promotion":
                together = self._section(value, name, KEYS["promotion"]).get("together", ())
            else:
                options |= self._section(value, name, KEYS[name])
        proxy = MappingProxyType  # several users share what is parsed once
        return Config(proxy(options), proxy(environments), pointers, proxy(verify), self._source, images, together)

    def _pointers(self, node: Node) -> Iterator[PointerRule]:
        from gitops_ci.plan import PointerRule

        if not isinstance(node, SequenceNode):
            raise self._error(node, "pointers is not a list", "each item has file, at and image")
        for item in node.items:
            found = self._section(item, "pointers", KEYS["pointers[]"])
            if missing := sorted(KEYS["pointers[]"].keys() - found.keys()):
                raise self._error(item, f"a pointer has no {missing[0]}", "it needs file, at and image")
            try:
                yield PointerRule.parse(**found)
            except UsageError as error:
                raise self._error(item, error.message, error.hint) from None

    def _images(self, node: Node) -> Iterator[ImageSettings]:
        from gitops_ci.imageref import ImageRef

        if not isinstance(node, SequenceNode):
            raise self._error(node, "images is not a list", "each item has image, and to, path, tags or environment")
        seen: dict[str, int] = {}
        for item in node.items:
            found = self._section(item, "images", KEYS["images[]"])
            if "image" not in found:
                raise self._error(item, "an item of images has no image", "it is the name that manifests have")
            try:
                ref = ImageRef.parse(found["image"])
            except UsageError as error:
                raise self._error(item, error.message, error.hint) from None
            if ref.tag or ref.digest:
                raise self._error(item, f"images has {ref} with a version", "write the name alone")
            if ref.name in seen:
                hint = f"the first is in line {seen[ref.name]}: keep one of them"
                raise self._error(item, f"{ref.familiar} is in images twice", hint)
            seen[ref.name] = self._file.position(item.start)[0]
            yield ImageSettings(**found)

    def _verify(self, node: Node) -> dict[str, VerifyRule]:
        found = {}
        for images, value in self._pairs(node, "verify", None):
            if not _fits_some_name(images):
                raise self._error(
                    value,
                    f"verify.{images} fits no image's name",
                    "write the name without https:// and without a version; * stands for any characters",
                )
            rule = VerifyRule(**self._section(value, f"verify.{images}", KEYS["verify.*"]))
            try:
                rule.check()
            except UsageError as error:
                raise self._error(value, f"verify.{images}: {error.message}", error.hint) from None
            found[images] = rule
        return found

    def _environments(self, node: Node) -> dict[str, Environment]:
        found = {}
        for name, value in self._pairs(node, "environments", None):
            settings = self._section(value, f"environments.{name}", KEYS["environments.*"])
            found[name] = Environment(name, **settings)
        return found

    def _section(self, node: Node, where: str, keys: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
        return {
            keys[name][0]: self._value(value, f"{where}.{name}", keys[name][1])
            for name, value in self._pairs(node, where, list(keys))
        }

    def _pairs(self, node: Node, where: str, known: list[str] | None) -> list[tuple[str, Node]]:
        if isinstance(node, ScalarNode) and node.value in {"", "~", "null"}:
            return []
        if not isinstance(node, YamlMapping):
            raise self._error(node, f"{where} is not a mapping")
        pairs: list[tuple[str, Node]] = []
        lines: dict[str, int] = {}
        for key, value in node.pairs:
            if not isinstance(key, ScalarNode):
                raise self._error(key, f"a key of {where} is not a word")
            if known is not None and key.value not in known:
                meant = _meant(key.value, known)
                raise self._error(key, f"unknown key '{key.value}' in {where}", meant)
            if key.value in lines:
                hint = f"the first is in line {lines[key.value]}: keep one of them"
                raise self._error(key, f"'{key.value}' is in {where} twice", hint)
            lines[key.value] = self._file.position(key.start)[0]
            pairs.append((key.value, value.target if isinstance(value, AliasNode) else value))
        return pairs

    def _value(self, node: Node, name: str, kind: str) -> Any:
        if kind in {"texts", "names"}:
            items = node.items if isinstance(node, SequenceNode) else [node]
            found = tuple(self._text(item, name) for item in items)
            if kind == "names" and not all(found):
                raise self._error(node, f"{name} has an empty name", "write a name, or leave the key out")
            return found
        if kind in {"pairs", "lists"}:
            pairs = self._pairs(node, name, None)
            if kind == "pairs":
                return tuple(f"{key}={self._text(value, f'{name}.{key}')}" for key, value in pairs)
            return tuple(f"{key}={one}" for key, value in pairs for one in self._value(value, f"{name}.{key}", "texts"))
        if kind == "windows":
            return Windows(**self._section(node, name, _WINDOWS))
        if kind == "window":
            items = node.items if isinstance(node, SequenceNode) else [node]
            return tuple(self._window(item, name) for item in items)
        if kind == "groups":
            return self._groups(node, name)
        if kind == "soak":
            return self._soak(node, name)
        text = self._text(node, name)
        if kind == "flag":
            if text not in {"true", "false"}:
                raise self._error(node, f"{name} is '{text}'", "it is true or false")
            return text == "true"
        if kind in _QUANTITIES:
            read_quantity, hint = _QUANTITIES[kind]
            if (quantity := read_quantity(text)) is None:
                raise self._error(node, f"{name} is '{text}'", hint)
            return quantity
        if kind.startswith("choice:"):
            words = kind.removeprefix("choice:").split(",")
            if text not in words:
                raise self._error(node, f"{name} is '{text}'", f"it is one of {', '.join(words)}")
        return text

    def _soak(self, node: Node, name: str) -> Soak:
        """A duration, or a mapping with one."""
        settings = self._section(node, name, SOAK_KEYS) if isinstance(node, YamlMapping) else {}
        if isinstance(node, YamlMapping) and not settings.get("seconds"):
            raise self._error(node, f"{name} has no duration", "{for: 4h, protect: true}")
        text = settings.get("seconds") or self._text(node, name)
        return Soak(self._checked(node, name, lambda: duration(text)), settings.get("protect", False))

    def _window(self, node: Node, name: str) -> Window:
        settings = self._section(node.target if isinstance(node, AliasNode) else node, name, WINDOW_KEYS)
        return self._checked(node, name, lambda: window(**settings))

    def _groups(self, node: Node, name: str) -> tuple[tuple[str, ...], ...]:
        """Lists of images; one image is in one list only, and a list has two at least."""
        if not isinstance(node, SequenceNode) or not all(isinstance(item, SequenceNode) for item in node.items):
            raise self._error(node, f"{name} is not a list of lists", "[[ghcr.io/acme/frontend, ghcr.io/acme/backend]]")
        seen: set[str] = set()
        found = []
        for item in node.items:
            images = self._value(item, name, "texts")
            refs = self._checked(item, name, partial(_images, images))
            names = {image.name: image.familiar for image in refs}
            if versioned := next((ref for ref in refs if ref.tag or ref.digest), None):
                raise self._error(item, f"{name} has {versioned} with a version", "write the name alone")
            if len(names) < 2:
                raise self._error(item, f"{name} has an image alone", "each list has two images or more")
            if twice := next((shown for full, shown in names.items() if full in seen), ""):
                raise self._error(
                    item, f"{name} has {twice} in two lists", "make one list of both, or leave it out of one"
                )
            seen |= names.keys()
            found.append(images)
        return tuple(found)

    def _checked(self, node: Node, name: str, read_value: Callable[[], T]) -> T:
        """What a value means; an error of it gets its place."""
        try:
            return read_value()
        except UsageError as error:
            raise self._error(node, f"{name}: {error.message}", error.hint) from None

    def _text(self, node: Node, name: str) -> str:
        target = node.target if isinstance(node, AliasNode) else node
        if not isinstance(target, ScalarNode):
            raise self._error(node, f"{name} is not a single value")
        return target.value

    def _error(self, node: Node, what: str, hint: str = "") -> UsageError:
        line, column = self._file.position(node.start)
        return UsageError(f"{self._source}:{line}:{column}: {what}", hint=hint[:1].upper() + hint[1:])
