"""Image references: `[registry[:port]/]repository[:tag][@digest]`.

The grammar is that of distribution/reference (github.com/distribution/reference, `reference.go`), the defaults are
Docker Hub's: no registry means `docker.io`, and one path component there means `library/`.
"""

from __future__ import annotations

import re
from dataclasses import field

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.lazy import lazy_pattern

__all__ = ["DIGEST", "DOCKER_HUB", "TAG", "ImageRef", "check_destination", "has_host", "in_lower_case"]

# Kinds of sources, and skopeo's transports.
_ONLY_SOURCES = frozenset(
    {"oci-archive", "docker-archive", "docker", "chart", "dir", "docker-daemon", "containers-storage", "tarball"}
)

DOCKER_HUB = "docker.io"
_HUB_ALIASES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})

_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])"
_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
TAG = lazy_pattern(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
DIGEST = lazy_pattern(_DIGEST)
_NAME = lazy_pattern(rf"(?:(?P<host>{_HOST}(?::[0-9]{{1,5}})?)/)?(?P<path>{_PATH}(?:/{_PATH})*)")
_SHA256 = lazy_pattern(r"sha256:[0-9a-f]{64}")
_LONGEST_PATH = 255  # distribution/reference, RepositoryNameTotalLengthMax: the host does not count, `library/` does
_LONGEST = 1024  # more than name, tag and digest together can have


@dataclass(frozen=True, slots=True)
class ImageRef:
    """One image reference, normalized for comparison; `written` keeps the name as its author spelled it."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None
    written: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> ImageRef:
        """Read a reference.

        Raises:
            UsageError: `text` is not an image reference; the message says which part is wrong.
        """
        found = _read(text)
        if isinstance(found, str):
            raise UsageError(f"'{text}' is not an image reference: {found}", hint=_hint(text))
        return found

    @classmethod
    def try_parse(cls, text: str) -> ImageRef | None:
        """As `parse`, with None for what is not a reference: most strings in a manifest are none."""
        found = _read(text)
        return None if isinstance(found, str) else found

    @property
    def name(self) -> str:
        """The normalized name without tag and digest: `docker.io/library/nginx`."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar(self) -> str:
        """The name as people write it: as its author did, else without Docker Hub's defaults."""
        if self.written:
            return self.written
        if self.registry != DOCKER_HUB:
            return self.name
        return self.repository.removeprefix("library/")

    @property
    def spellings(self) -> frozenset[str]:
        """Every way to write the name, in lower case: Docker Hub's images have several, the others one."""
        if self.registry != DOCKER_HUB:
            return frozenset({self.name.lower()})
        paths = {self.repository, self.repository.removeprefix("library/")}
        return frozenset(paths | {f"{host}/{path}" for host in _HUB_ALIASES for path in paths})

    @property
    def basename(self) -> str:
        """The last path component, the cheapest thing to search a repository for."""
        return self.repository.rpartition("/")[2]

    @property
    def slug(self) -> str:
        """The name for a branch: `ghcr.io-acme-shop`; distinct names stay readable, no character needs escaping."""
        return re.sub(r"[^a-z0-9._]+", "-", self.familiar.lower()).strip("-.")

    def same_image(self, other: ImageRef) -> bool:
        """Whether both name the same repository of the same registry, whatever tag and digest."""
        return self.registry == other.registry and self.repository == other.repository

    def with_version(self, *, tag: str | None, digest: str | None) -> ImageRef:
        return ImageRef(self.registry, self.repository, tag, digest, self.written)

    def __str__(self) -> str:
        text = self.familiar
        if self.tag is not None:
            text += f":{self.tag}"
        if self.digest is not None:
            text += f"@{self.digest}"
        return text


def _read(text: str) -> ImageRef | str:
    if len(text) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    rest, at, digest = text.partition("@")
    if at and not DIGEST.fullmatch(digest):
        return "what follows '@' is not a digest: sha256: and 64 hexadecimal digits"
    if digest.startswith("sha256:") and not _SHA256.fullmatch(digest):
        return "a sha256 digest has 64 lower-case hexadecimal digits"
    name, tag = rest, None
    head, colon, tail = rest.rpartition(":")
    if colon and "/" not in tail:
        name, tag = head, tail
        if not TAG.fullmatch(tag):
            return f"'{tag}' is not a tag"
    host, path = _split_host(name)
    matched = _NAME.fullmatch(name)
    if not matched or (host and matched["host"] is None):
        return "the repository must be lower case" if path != path.lower() else f"'{name}' is not a repository name"
    if re.fullmatch(r"[0-9a-f]{64}", name):
        return "64 hexadecimal digits are an image id, not a name"
    registry = host or DOCKER_HUB
    if registry in _HUB_ALIASES:
        registry = DOCKER_HUB
        path = path if "/" in path else f"library/{path}"
    if len(path) > _LONGEST_PATH:
        return f"its path is longer than {_LONGEST_PATH} characters"
    return ImageRef(registry, path, tag, digest or None, written=name)


def has_host(name: str) -> bool:
    """Whether a name begins with a registry."""
    return bool(_split_host(name)[0])


def _split_host(name: str) -> tuple[str, str]:
    """The registry host if the first component is one: it has a dot, a colon, or is `localhost`."""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return first, rest
    return "", name


def _hint(text: str) -> str:
    if "://" in text:
        return "Leave the scheme out: ghcr.io/acme/shop:1.4.2"
    if (lowered := in_lower_case(text)) != text and not isinstance(_read(lowered), str):
        return f"Write {lowered}"
    return "Write it as registry/repository:tag, for example ghcr.io/acme/shop:1.4.2"


def check_destination(to: str) -> None:
    """Raises UsageError for a kind of place that images are only read from: it looks like a name in Docker Hub."""
    kind, colon, _ = to.partition(":")
    if colon and kind in _ONLY_SOURCES:
        raise UsageError(
            f"'{to}' is not a destination: {kind}: names a place that gitops-ci does not write to",
            hint="Write a repository, as ghcr.io/acme/shop, or oci:DIR for a folder. tar makes an archive of it.",
        )


def in_lower_case(to: str) -> str:
    """A name as registries have it: CI systems tell it as its owner writes it (`Acme/Shop`). A tag keeps its case."""
    if to.startswith("oci:"):
        return to
    name, at, digest = to.partition("@")
    head, colon, tag = name.rpartition(":")
    lowered = f"{head.lower()}:{tag}" if colon and "/" not in tag else name.lower()
    return lowered + at + digest
