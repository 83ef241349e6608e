"""What `init` has to know: from options, from what lies in this repository, and at a terminal from a person."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitops_ci.cli.ask import ask, choose
from gitops_ci.errors import UsageError
from gitops_ci.flows.init import SYSTEMS
from gitops_ci.imageref import ImageRef
from gitops_ci.repourl import RepoUrl

if TYPE_CHECKING:
    from gitops_ci.flows.init import InitRequest, System
    from gitops_ci.flows.init.survey import Survey

__all__ = ["files_here", "gathered", "text_of"]

# Files and folders of CI systems, and parts of the names of code hosts that have one.
_TRACES: Mapping[str, System] = {
    "Jenkinsfile": "jenkins",
    ".gitea": "gitea",
    ".forgejo": "gitea",
    "bitbucket-pipelines.yml": "bitbucket",
    "azure-pipelines.yml": "azure",
    ".woodpecker": "woodpecker",
    ".woodpecker.yml": "woodpecker",
    ".tekton": "tekton",
}
_HOSTS: Mapping[str, System] = {
    "bitbucket.org": "bitbucket",
    "dev.azure.com": "azure",
    "visualstudio.com": "azure",
    "codeberg.org": "gitea",
    "gitea": "gitea",
    "forgejo": "gitea",
}
_READ = (".yaml", ".yml", ".sourceignore", ".fleetignore")
_BEGINNING = 4096  # characters of a manifest that tell its kind
_NEVER = frozenset({".git", "node_modules", "vendor", "venv", "__pycache__"})
_PATH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*")


def gathered(
    files: Mapping[str, str],
    *,
    is_person: bool,
    ci: System | None,
    config_repo: str | None,
    image: str | None,
    dockerfiles: Sequence[str],
    environment: str | None,
    address: str,
) -> tuple[InitRequest, Survey, tuple[str, ...]]:
    """(what is to be written, what the repository holds, Dockerfiles that nobody asked to build)

    A person is asked for what no option gives.

    Raises:
        UsageError: something is missing that has no default, or a value is wrong.
        click.Abort: the person ended the input.
    """
    from gitops_ci.cli.facts import default_branch
    from gitops_ci.flows.init import InitRequest
    from gitops_ci.flows.init.survey import survey

    found = survey(files)
    origin = _origin()
    chosen = _dockerfiles(found, dockerfiles, is_person=is_person)
    left_out = () if dockerfiles else tuple(path for path in found.dockerfiles if path not in chosen)
    found = replace(found, dockerfiles=chosen)
    system = ci or _system(origin, is_person=is_person)
    is_application = bool(found.dockerfiles)
    repository = _config_repo(config_repo, origin, found, is_person=is_person)
    request = InitRequest(
        system=system,
        image=_image(image, system, origin, is_person=is_person) if is_application else None,
        config_repo=repository,
        own=(found.has_manifests and config_repo is None and repository is None)
        or (repository is not None and origin is not None and _same(repository, origin)),
        environment=_environment(environment, found, is_person=is_person and is_application),
        address=address,
        branch=default_branch() or "main",
        taken=frozenset(path for path in (".gitlab-ci.yml",) if os.path.exists(path)),
        name=origin.name if origin else os.path.basename(os.getcwd()),
    )
    return request, found, left_out


def files_here() -> Iterator[tuple[str, str]]:
    """The repository's files, and how those begin that may be manifests."""
    for folder, names, leaves in os.walk("."):
        names[:] = sorted(name for name in names if name not in _NEVER)
        for leaf in sorted(leaves):
            full = os.path.join(folder, leaf)
            path = os.path.normpath(full).replace(os.sep, "/")
            yield path, text_of(full, _BEGINNING) if leaf.endswith(_READ) else ""


def text_of(path: str, limit: int = -1) -> str:
    """The text of a file; '' where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read(limit)
    except OSError:
        return ""


def _origin() -> RepoUrl | None:
    """The address of this repository on its code host, without what may stand in it besides."""
    from gitops_ci.cli.facts import origin_url

    try:
        return RepoUrl.parse(origin_url())
    except UsageError:
        return None


def _dockerfiles(found: Survey, asked: Sequence[str], *, is_person: bool) -> tuple[str, ...]:
    """The Dockerfiles to build: those that are named, else all but those of tests and examples."""
    from gitops_ci.flows.init import is_for_releases

    usual = tuple(filter(is_for_releases, found.dockerfiles)) or found.dockerfiles[:1]
    if asked:
        return _judged_dockerfiles(asked, found)
    if is_person and len(found.dockerfiles) > 1:
        return ask("Dockerfiles to build", lambda text: _judged_dockerfiles(text.split(), found), " ".join(usual))
    return usual


def _judged_dockerfiles(paths: Sequence[str], found: Survey) -> tuple[str, ...]:
    chosen = []
    for path in dict.fromkeys(os.path.normpath(path).replace(os.sep, "/") for path in paths):
        if not _PATH.fullmatch(path) or not os.path.isfile(path):
            known = f"Dockerfiles here: {', '.join(found.dockerfiles)}." if found.dockerfiles else ""
            raise UsageError(f"There is no Dockerfile '{path}' here", hint=known)
        chosen.append(path)
    return tuple(chosen)


def _system(origin: RepoUrl | None, *, is_person: bool) -> System:
    known = _known_system(origin)
    if is_person:
        chosen = choose("CI system", SYSTEMS, known)
        return next(system for system in SYSTEMS if system == chosen)
    if known is None:
        raise UsageError("Cannot tell which CI system runs this repository", hint=f"Give --ci: {', '.join(SYSTEMS)}.")
    return known


def _known_system(origin: RepoUrl | None) -> System | None:
    """The CI system that files of the repository or its address show."""
    if os.path.isdir(".github") or (origin and "github" in origin.host):
        return "github"
    if os.path.exists(".gitlab-ci.yml") or (origin and "gitlab" in origin.host):
        return "gitlab"
    for path, system in _TRACES.items():
        if os.path.exists(path):
            return system
    return next((system for part, system in _HOSTS.items() if origin and part in origin.host), None)


def _config_repo(asked: str | None, origin: RepoUrl | None, found: Survey, *, is_person: bool) -> RepoUrl | None:
    if asked:
        return RepoUrl.parse(asked)
    own = origin if found.has_manifests else None
    if is_person and found.dockerfiles:
        return ask("Repository with the manifests (URL)", _judged_repository, own.text if own else "")
    return own


def _judged_repository(text: str) -> RepoUrl:
    repository = RepoUrl.parse(text) if text else None
    if repository is None or not repository.host:
        raise UsageError(
            "The address of the repository has no host", hint="For example: https://github.com/acme/shop-config"
        )
    return repository


def _image(asked: str | None, system: System, origin: RepoUrl | None, *, is_person: bool) -> ImageRef | None:
    if asked:
        return ImageRef.parse(asked)
    usual = _usual_image(system, origin)
    if is_person and system != "gitlab":
        return ask("Image, without a tag", _judged_image, usual.name if usual else "")
    if usual is None and system != "gitlab":
        raise UsageError("Cannot tell where the image goes", hint="Give --image registry.example.com/acme/shop.")
    return usual


def _judged_image(text: str) -> ImageRef:
    if not text:
        raise UsageError("The name is missing", hint="For example: registry.example.com/acme/shop")
    return ImageRef.parse(text)


def _usual_image(system: System, origin: RepoUrl | None) -> ImageRef | None:
    """The registry of the code host: GitHub's by the repository's name. GitLab has a variable for its own."""
    if system == "gitea" and origin is not None and origin.host:
        return ImageRef.parse(f"{origin.netloc}/{origin.path.lower()}")
    if system == "gitlab" or origin is None or "github" not in origin.host:
        return None
    return ImageRef.parse(f"ghcr.io/{origin.path.lower()}")


def _environment(asked: str | None, found: Survey, *, is_person: bool) -> str:
    first = found.order[0] if found.order else ""
    if asked is not None:
        return _judged_environment(asked, found)
    if is_person:
        question = "Environment that a release goes to first (empty: all)"
        return ask(question, lambda text: _judged_environment(text, found) if text else "", first)
    return first


def _judged_environment(name: str, found: Survey) -> str:
    if found.environments and name not in found.environments:
        raise UsageError(
            f"There is no environment '{name}' here", hint=f"Known environments: {', '.join(found.environments)}."
        )
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or not name.isascii():
        raise UsageError(f"'{name}' is not the name of an environment", hint="For example: --environment staging")
    return name


def _same(one: RepoUrl, other: RepoUrl) -> bool:
    return (one.host, one.path.lower()) == (other.host, other.path.lower())
