"""What a repository holds, as far as `init` wants to know: an application, manifests and their kinds, environments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import field

from gitops_ci import known_files
from gitops_ci.dataclass import dataclass

__all__ = ["Survey", "survey"]

# From where changes start to where they end; what stands beside each other is the same stage under two names.
_RANKS = (
    ("dev", "development"),
    ("test", "testing", "qa", "int", "integration"),
    ("staging", "stage", "uat", "acceptance"),
    ("preprod", "preproduction", "canary"),
    ("prod", "production", "live"),
)
_KNOWN = {name for rank in _RANKS for name in rank}
_FOLDER = re.compile(r"(?:^|/)(overlays|environments|envs|clusters|stages)/([a-z0-9][a-z0-9-]*)/")
_VALUES = re.compile(rf"(?:^|/)values[-.]({'|'.join(sorted(_KNOWN))})\.ya?ml$")
_DOCKERFILE = re.compile(r"(?:[A-Za-z0-9._/-]+/)?(?:Dockerfile|Containerfile)")
_GROUP = re.compile(r"^apiVersion:\s*[\"']?([a-z0-9.-]+)/", re.MULTILINE)
_RESOURCE = re.compile(r"^apiVersion:\s*\S.*?^kind:\s*[A-Z]", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Survey:
    """`kinds` counts files by kind, `environments` are globs by name, `folders` those at the root with manifests."""

    dockerfiles: tuple[str, ...] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folders: tuple[str, ...] = ()

    @property
    def has_manifests(self) -> bool:
        return bool(self.kinds)

    @property
    def order(self) -> tuple[str, ...]:
        """The environments whose place in a promotion their name tells, in that order."""
        return tuple(name for rank in _RANKS for name in rank if name in self.environments)

    def before(self, name: str) -> tuple[str, ...]:
        """The environments whose stage comes right before that of another one, as their names tell."""
        stages = [[one for one in rank if one in self.environments] for rank in _RANKS]
        at = next((number for number, stage in enumerate(stages) if name in stage), 0)
        return tuple(next((stage for stage in reversed(stages[:at]) if stage), ()))


def survey(files: Mapping[str, str]) -> Survey:
    """Look at files: `files` are the beginnings of their texts by path; of what is not YAML the text may be empty."""
    kinds: Counter[str] = Counter()
    environments: dict[str, set[str]] = {}
    folders: set[str] = set()
    for path, text in files.items():
        kind = _kind(path, text)
        if not kind:
            continue
        kinds[kind] += 1
        folders.add(path.partition("/")[0] if "/" in path else ".")
        for name, glob in _environments(path):
            environments.setdefault(name, set()).add(glob)
    dockerfiles = [path for path in files if _DOCKERFILE.fullmatch(path)]
    return Survey(
        dockerfiles=tuple(sorted(dockerfiles, key=lambda path: (path.count("/"), path))),
        kinds=dict(sorted(kinds.items())),
        environments={name: tuple(sorted(globs)) for name, globs in sorted(environments.items())},
        folders=(".",) if "." in folders else tuple(sorted(folders)),
    )


def _kind(path: str, text: str) -> str:
    name = path.rpartition("/")[2]
    if path.startswith("."):
        return ""  # the CI system's own files
    if name in known_files.KUSTOMIZATIONS:
        return "kustomize"
    if name == known_files.CHART or _VALUES.search(path):
        return "helm"
    if name in known_files.FLEET:
        return "fleet"
    if not name.endswith((".yaml", ".yml")):
        return ""
    groups = set(_GROUP.findall(text))
    if "argoproj.io" in groups:
        return "argocd"
    if any(group.endswith(".toolkit.fluxcd.io") for group in groups):
        return "flux"
    if any(group.endswith("cattle.io") for group in groups):
        return "fleet"
    return "kubernetes" if _RESOURCE.search(text) else ""


def _environments(path: str) -> list[tuple[str, str]]:
    """The environments that a path belongs to, each with the glob that says so."""
    found = [(name, f"**/{name}/**") for name in path.split("/")[:-1] if name in _KNOWN]
    if (folder := _FOLDER.search(path)) and folder[2] not in _KNOWN:
        found.append((folder[2], f"**/{folder[1]}/{folder[2]}/**"))
    if values := _VALUES.search(path):
        found.append((values[1], f"**/{path.rpartition('/')[2]}"))
    return found
