"""What `init` writes: a workflow or pipeline for the repository it found, and `.gitops-ci.yaml`, each line explained.

The texts lie in `starters/`. A line `#if a b` keeps what follows, up to `#end`, where all of the words hold; `@NAME@`
stands for a value. Values were checked at the door: none can change the meaning of YAML or of a shell line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal, get_args

from gitops_ci import __version__, known_files
from gitops_ci.errors import UsageError
from gitops_ci.flows.init.survey import Survey
from gitops_ci.imageref import ImageRef
from gitops_ci.project import REPOSITORY, SCHEMA_URL
from gitops_ci.repourl import RepoUrl

__all__ = ["SYSTEMS", "InitRequest", "System", "next_steps", "starter_files"]

System = Literal["github", "gitlab", "gitea", "bitbucket", "azure", "jenkins", "tekton", "woodpecker", "shell"]
SYSTEMS: tuple[System, ...] = get_args(System)
ACTION = f"{REPOSITORY}@v{__version__} # better pinned to the commit of that release"
TOOL = f"ghcr.io/{REPOSITORY}:v{__version__}"
COMPONENT = f"$CI_SERVER_FQDN/{REPOSITORY}"
_ABOUT = f"""\
# yaml-language-server: $schema={SCHEMA_URL}
# Settings of gitops-ci. Each key is an option of its commands. Flags and environment variables override it.
# `gitops-ci config show` prints the values that apply, `gitops-ci config check` checks the file."""
# What has kinds of its own, whose schemas nobody ships: what is said of it where one of them was found.
_WITH_OWN_KINDS = frozenset({"argocd", "flux", "fleet"})
_CATALOG = """\
  # Schemas of custom resources: folders, https addresses, or this public catalog, which is fetched and kept.
  # schema-locations: [default, crds-catalog]
"""
Maker = Callable[["InitRequest", Survey], dict[str, str]]
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class InitRequest:
    """`own` says that the config repository is this one; `address` is where the CI system finds gitops-ci.

    `inline` puts the settings into the workflow instead of `.gitops-ci.yaml`. `branch` is the default branch.
    `taken` are files that exist.
    """

    system: System
    image: ImageRef | None
    config_repo: RepoUrl | None
    own: bool = False
    environment: str = ""
    address: str = ""
    inline: bool = False
    branch: str = "main"
    taken: frozenset[str] = frozenset()


def starter_files(request: InitRequest, found: Survey) -> dict[str, str]:
    """The files to write, by path.

    Raises:
        UsageError: there is neither something to build nor something to validate, or something is not told.
    """
    if not found.dockerfiles and not found.has_manifests:
        raise UsageError(
            "There is no Dockerfile here and no Kubernetes manifest",
            hint="Run it at the root of an application's repository, or of the one with the manifests.",
        )
    if found.dockerfiles and request.config_repo is None:
        raise UsageError(
            "Cannot tell which repository contains the manifests",
            hint="Name it: gitops-ci init --config-repo https://github.com/acme/shop-config",
        )
    files = _MAKERS[request.system](request, found)
    if not files:
        raise UsageError(
            f"gitops-ci init writes no validation for {request.system}",
            hint="Run gitops-ci validate --changed-since auto in a job for each pull request.",
        )
    if not request.inline:
        files[known_files.CONFIG] = _config(request, found)
    return files


def next_steps(request: InitRequest, found: Survey) -> list[str]:
    """What a person has to do besides, in the CI system's own settings."""
    steps = []
    if found.dockerfiles:
        holds = _conditions(request, found)
        steps += [text for (system, word), text in _NEXT.items() if system == request.system and word in holds]
    if found.has_manifests and request.system == "github":
        steps.append("make the job Validate a required check of the default branch")
    if request.system in _PROMOTION and _promotes(request, found):
        steps.append(_PROMOTION[request.system])
    if request.system == "gitlab" and ".gitlab-ci.yml" in request.taken:
        steps.append("add to .gitlab-ci.yml: include: [{local: .gitlab/gitops-ci.yml}]")
    return steps


_NEXT = {
    ("github", "app"): "set the variable GITOPS_APP_ID and the secret GITOPS_APP_KEY: who opens the pull requests",
    ("github", "secret"): "set the secret CONFIG_REPO_TOKEN: who opens the pull requests",
    ("github", "own"): "allow GitHub Actions to create pull requests, in the repository's settings",
    ("github", "registry"): "set the variable REGISTRY_USER and the secret REGISTRY_PASSWORD: who pushes the image",
    ("gitlab", "release"): "set the masked and protected variable GITOPS_CI_TOKEN: who opens the merge requests",
    ("jenkins", "release"): "add the credentials config-repo-token and registry",
    ("gitea", "release"): "set the secrets CONFIG_REPO_TOKEN and REGISTRY_PASSWORD, and the variable REGISTRY_USER",
    ("bitbucket", "release"): "set the secured variables GITOPS_CI_TOKEN, GITOPS_CI_REGISTRY_USER and _PASSWORD",
    ("azure", "release"): "set the secret variables CONFIG_REPO_TOKEN, REGISTRY_USER and REGISTRY_PASSWORD",
    (
        "tekton",
        "release",
    ): "make the Secret gitops-ci with the key token, and a TaskRun with the parameters of the Task",
    (
        "woodpecker",
        "release",
    ): "set the secrets config_repo_token, registry_user and registry_password; trust the repository",
    ("shell", "release"): "set GITOPS_CI_TOKEN: who opens the pull requests",
}

# What a person does for the workflow or job that promotes.
_PROMOTION = {
    "github": "allow GitHub Actions to create pull requests, in the repository's settings: promote opens them",
    "gitlab": "add a pipeline schedule for promote, and the masked variable GITOPS_CI_TOKEN: who opens merge requests",
}


def _github(request: InitRequest, found: Survey) -> dict[str, str]:
    files = {}
    if found.dockerfiles:
        files[".github/workflows/release.yml"] = _filled("github-release.yml", request, found)
    if found.has_manifests:
        files[".github/workflows/pre-merge.yml"] = _filled("github-validate.yml", request, found)
    if _promotes(request, found):
        files[".github/workflows/promote.yml"] = _filled("github-promote.yml", request, found)
    return files


def _gitlab(request: InitRequest, found: Survey) -> dict[str, str]:
    whole = ".gitlab-ci.yml" not in request.taken
    return {".gitlab-ci.yml" if whole else ".gitlab/gitops-ci.yml": _filled("gitlab.yml", request, found)}


def _promotes(request: InitRequest, found: Survey) -> bool:
    """Whether this is the repository with the manifests, and one of its environments comes after another."""
    return request.own and any(found.before(name) for name in found.order)


def _jenkins(request: InitRequest, found: Survey) -> dict[str, str]:
    return {"Jenkinsfile": _filled("Jenkinsfile", request, found)} if found.dockerfiles else {}


def _shell(request: InitRequest, found: Survey) -> dict[str, str]:
    return {"release.sh": _filled("release.sh", request, found)} if found.dockerfiles else {}


def _in_one_file(name: str, starter: str) -> Maker:
    return lambda request, found: {name: _filled(starter, request, found)}


def _in_two_files(folder: str, system: str, suffix: str) -> Maker:
    """A file for releases, and one for the check of pull requests."""

    def make(request: InitRequest, found: Survey) -> dict[str, str]:
        files = {}
        if found.dockerfiles:
            files[f"{folder}/release{suffix}"] = _filled(f"{system}-release.yml", request, found)
        if found.has_manifests:
            files[f"{folder}/validate{suffix}"] = _filled(f"{system}-validate.yml", request, found)
        return files

    return make


def _tekton(request: InitRequest, found: Survey) -> dict[str, str]:
    return {".tekton/gitops-ci-release.yaml": _filled("tekton.yml", request, found)} if found.dockerfiles else {}


_MAKERS: Mapping[System, Maker] = {
    "github": _github,
    "gitlab": _gitlab,
    "gitea": _in_two_files(".gitea/workflows", "gitea", ".yml"),
    "bitbucket": _in_one_file("bitbucket-pipelines.yml", "bitbucket.yml"),
    "azure": _in_one_file("azure-pipelines.yml", "azure.yml"),
    "jenkins": _jenkins,
    "tekton": _tekton,
    "woodpecker": _in_two_files(".woodpecker", "woodpecker", ".yaml"),
    "shell": _shell,
}


def _filled(name: str, request: InitRequest, found: Survey) -> str:
    text = resources.files("gitops_ci.flows.init").joinpath("starters", name).read_text(encoding="utf-8")
    holds = _conditions(request, found)
    lines: list[str] = []
    keep = True
    for line in text.splitlines():
        if line.startswith("#if "):
            keep = all(word in holds for word in line.split()[1:])
        elif line == "#end":
            keep = True
        elif keep:
            lines.append(line)
    values = _values(request, found)
    return re.sub(r"@([A-Z_]+)@", lambda match: values[match[1]], "\n".join(lines) + "\n")


def _conditions(request: InitRequest, found: Survey) -> set[str]:
    ghcr = request.system == "github" and request.image is not None and request.image.registry == "ghcr.io"
    app = not request.own and request.config_repo is not None and "github" in request.config_repo.host
    return {
        name
        for name, holds in {
            "inline": request.inline,
            "file": not request.inline,
            "environment": bool(request.environment),
            "own": request.own,
            "other": not request.own,
            "app": app,
            "secret": not request.own and not app,
            "ghcr": ghcr,
            "registry": not ghcr,
            "to": request.inline or request.image is None,
            "release": bool(found.dockerfiles),
            "validate": found.has_manifests,
            "only-validate": not found.dockerfiles and not _promotes(request, found),
            "no-release": not found.dockerfiles,
            "promote": _promotes(request, found),
            "whole": ".gitlab-ci.yml" not in request.taken,
        }.items()
        if holds
    }


def _values(request: InitRequest, found: Survey) -> Mapping[str, str]:
    name = request.image.basename if request.image else "image"
    repository = request.config_repo
    return {
        "ADDRESS": request.address or (ACTION if request.system in {"github", "gitea"} else COMPONENT),
        "BRANCH": request.branch if _BRANCH.fullmatch(request.branch) else "main",
        "BUILD": f"{name}:build",
        "BUILD_RULE": _rule(found, 4),
        "RELEASE_RULE": _rule(found, 8),
        "CONFIG_NAME": repository.name if repository else "",
        "CONFIG_OWNER": repository.owner if repository else "",
        "CONFIG_REPO": repository.text if repository else "",
        "CONTEXT": _context(found),
        "ENVIRONMENT": request.environment,
        "IMAGE": request.image.name if request.image else "$CI_REGISTRY_IMAGE",
        "PATHS": _paths(request.system, found),
        "TOOL": TOOL,
        "VERSION": __version__,
    }


def _rule(found: Survey, indent: int) -> str:
    """When a commit on the default branch is a release of an application that lies beside its own manifests.

    GitLab's `changes` names what counts, and cannot name what does not: an application at the root is released by tags.
    """
    blank = " " * indent
    folder = (found.dockerfiles[0] if found.dockerfiles else "").rpartition("/")[0]
    if not folder or not _WORD.fullmatch(folder.replace("/", "")):
        return f"{blank}# The application is at the root: only tags release it."
    # In a scheduled pipeline `changes` holds for every file.
    condition = '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE != "schedule"'
    return f'{blank}- if: {condition}\n{blank}  changes: ["{folder}/**/*"]'


def _context(found: Survey) -> str:
    """The arguments of `docker build` for the Dockerfile nearest to the root."""
    path = found.dockerfiles[0] if found.dockerfiles else "Dockerfile"
    folder, _, name = path.rpartition("/")
    return (folder or ".") if name == "Dockerfile" else f"--file {path} {folder or '.'}"


def _paths(system: System, found: Survey) -> str:
    folders = found.folders if all(_WORD.fullmatch(folder) for folder in found.folders) else (".",)
    if system == "github" and len(folders) > 1:
        return "|" + "".join(f"\n            {folder}" for folder in folders)
    return " ".join(folders)


def _config(request: InitRequest, found: Survey) -> str:
    """`.gitops-ci.yaml`: of an application, of a config repository, or of both in one."""
    blocks = [_ABOUT]
    if found.dockerfiles:
        blocks += _application(request)
    if found.environments:
        blocks.append(_environments(found))
    if found.has_manifests:
        blocks.append(
            "# How manifests are checked.\n"
            "validate:\n"
            "  # What the clusters run: one version, or a range where they differ. The newest known when left out.\n"
            '  # kubernetes-version: "1.33..1.35"\n'
            + (_CATALOG if found.kinds.keys() & _WITH_OWN_KINDS else "")
            + "  # A resource whose schema is not known: fail, warn or ignore.\n"
            "  missing-schema: warn"
        )
    return "\n\n".join(blocks) + "\n"


def _application(request: InitRequest) -> list[str]:
    blocks = []
    if request.image:
        about = "# Where `release` pushes the image; it is also the name that manifests have for it."
        blocks.append(f"{about}\nimage: {request.image.name}")
    blocks.append(
        "# The repository whose manifests name the image; `release` changes it by pull request.\n"
        f"config-repo: {request.config_repo}"
    )
    if request.environment:
        blocks.append(f"# Where a release goes first.\nenvironment: {request.environment}")
    blocks.append("# What the pull requests look like.\npull-request:\n  labels: [gitops]")
    return blocks


def _environments(found: Survey) -> str:
    order = found.order
    lines = ["# What a name stands for: files of this repository; `base:` would name a branch.", "environments:"]
    for name in (*order, *(name for name in found.environments if name not in order)):
        globs = ", ".join(json.dumps(glob) for glob in found.environments[name])
        lines += [f"  {name}:", f"    paths: [{globs}]"]
        if before := found.before(name):
            lines += [f"    promote-from: [{', '.join(before)}]", "    promote: auto"]
    if any(found.before(name) for name in order):
        lines[1:1] = [
            "# `gitops-ci promote --to NAME` carries images from the environment of promote-from, by pull request.",
            "# `--to auto` does so for each environment with promote: auto.",
        ]
    return "\n".join(lines)
