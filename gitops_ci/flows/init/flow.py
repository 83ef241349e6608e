"""What `init` writes: a workflow or pipeline for the repository that it found, and `.gitops-ci.yaml`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from gitops_ci import __version__, known_files
from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.flows.init.applications import Application, applications
from gitops_ci.flows.init.starter import filled
from gitops_ci.flows.init.survey import Survey
from gitops_ci.imageref import ImageRef
from gitops_ci.project import REPOSITORY, SCHEMA_URL, TEMPLATES_URL
from gitops_ci.repourl import RepoUrl

__all__ = ["SYSTEMS", "InitRequest", "System", "starter_files"]

System = Literal["github", "gitlab", "gitea", "bitbucket", "azure", "jenkins", "tekton", "woodpecker", "shell"]
SYSTEMS: tuple[System, ...] = get_args(System)
ACTION = f"{REPOSITORY}@v{__version__} # better pinned to the commit of that release"
TOOL = f"ghcr.io/{REPOSITORY}:v{__version__}"
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
    `taken` are files that exist. `name` is that of the repository.
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
    name: str = ""


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


def _github(request: InitRequest, found: Survey) -> dict[str, str]:
    files = {}
    for application in applications_of(request, found):
        name = f".github/workflows/{_named('release', application)}.yml"
        files[name] = _filled("github-release.yml", request, found, application)
    if found.has_manifests:
        files[".github/workflows/pre-merge.yml"] = _filled("github-validate.yml", request, found)
    if promotes(request, found):
        files[".github/workflows/promote.yml"] = _filled("github-promote.yml", request, found)
    return files


def _gitlab(request: InitRequest, found: Survey) -> dict[str, str]:
    whole = ".gitlab-ci.yml" not in request.taken
    return {".gitlab-ci.yml" if whole else ".gitlab/gitops-ci.yml": _filled("gitlab.yml", request, found)}


def promotes(request: InitRequest, found: Survey) -> bool:
    """Whether this is the repository with the manifests, and one of its environments comes after another."""
    return request.own and any(found.before(name) for name in found.order)


def _jenkins(request: InitRequest, found: Survey) -> dict[str, str]:
    return {"Jenkinsfile": _filled("Jenkinsfile", request, found)} if found.dockerfiles else {}


def _shell(request: InitRequest, found: Survey) -> dict[str, str]:
    return {
        f"{_named('release', application)}.sh": _filled("release.sh", request, found, application)
        for application in applications_of(request, found)
    }


def _named(word: str, application: Application) -> str:
    return f"{word}-{application.name}" if application.name else word


def _in_one_file(name: str, starter: str) -> Maker:
    return lambda request, found: {name: _filled(starter, request, found)}


def _in_two_files(folder: str, system: str, suffix: str) -> Maker:
    """A file for releases, and one for the check of pull requests."""

    def make(request: InitRequest, found: Survey) -> dict[str, str]:
        files = {}
        for application in applications_of(request, found):
            name = f"{folder}/{_named('release', application)}{suffix}"
            files[name] = _filled(f"{system}-release.yml", request, found, application)
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


def _filled(name: str, request: InitRequest, found: Survey, *only: Application) -> str:
    """A starter, filled for the applications: all of them, or `only` one whose file it is."""
    return filled(
        name,
        only or applications_of(request, found) or (Application(),),
        lambda application: conditions(request, found, application),
        lambda application: _values(request, found, application),
    )


def conditions(request: InitRequest, found: Survey, application: Application) -> set[str]:
    """The words that `#if` lines of starters may name, of those that are true."""
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
            "to": request.inline or request.image is None or bool(application.name),
            "one": not application.name,
            "several": bool(application.name),
            "release": bool(found.dockerfiles),
            "validate": found.has_manifests,
            "only-validate": not found.dockerfiles and not promotes(request, found),
            "no-release": not found.dockerfiles,
            "promote": promotes(request, found),
            "whole": ".gitlab-ci.yml" not in request.taken,
        }.items()
        if holds
    }


def _values(request: InitRequest, found: Survey, application: Application) -> Mapping[str, str]:
    name = application.name or (request.image.basename if request.image else "image")
    repository = request.config_repo
    image = image_of(request, application)
    return {
        "ADDRESS": request.address or ACTION,
        "ALL_TAGS": ", ".join(f'"{one.prefix}v*"' for one in applications_of(request, found)),
        "APP": application.name,
        "ARCHIVE": f"{application.name or 'image'}.tar",
        "BRANCH": request.branch if _BRANCH.fullmatch(request.branch) else "main",
        "BUILD": f"{name}:build",
        "BUILD_RULE": _rule(application, 4),
        "RELEASE_RULE": _rule(application, 8),
        "CONFIG_NAME": repository.name if repository else "",
        "CONFIG_OWNER": repository.owner if repository else "",
        "CONFIG_REPO": repository.text if repository else "",
        "CONTEXT": application.context,
        "ENVIRONMENT": request.environment,
        "ID": f"_{application.name.replace('-', '_')}" if application.name else "",
        "IMAGE": image,
        # Only an instance that --address names has a copy of the components.
        "INCLUDE": f"component: {request.address}" if request.address else f"remote: {TEMPLATES_URL}",
        "OF_VERSION": f"@{__version__}" if request.address else ".yml",
        # What the command line of a job needs in a repository with several applications.
        "OPTIONS": f" --to {image} --tag-prefix {application.prefix}" if application.name else "",
        "PATHS": _paths(request.system, found),
        "PREFIX": application.prefix,
        "TOOL": TOOL,
        "VERSION": __version__,
    }


def image_of(request: InitRequest, application: Application) -> str:
    """The name of an application's image."""
    if request.image is None:
        return application.image("$CI_REGISTRY_IMAGE", "")
    return application.image(request.image.name, request.image.registry)


def applications_of(request: InitRequest, found: Survey) -> tuple[Application, ...]:
    """What this repository releases."""
    return applications(found.dockerfiles, request.name)


def _rule(application: Application, indent: int) -> str:
    """When a commit on the default branch is a release of an application that is not alone in its repository.

    GitLab's `changes` names what counts, and cannot name what does not: an application at the root is released by tags.
    """
    blank = " " * indent
    if not application.folder:
        return f"{blank}# The application is at the root: only tags release it."
    # In a scheduled pipeline `changes` holds for every file.
    condition = '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PIPELINE_SOURCE != "schedule"'
    return f'{blank}- if: {condition}\n{blank}  changes: ["{application.folder}/**/*"]'


def _paths(system: System, found: Survey) -> str:
    folders = found.folders if all(_WORD.fullmatch(folder) for folder in found.folders) else (".",)
    if system == "github" and len(folders) > 1:
        return "|" + "".join(f"\n            {folder}" for folder in folders)
    return " ".join(folders)


def _config(request: InitRequest, found: Survey) -> str:
    """`.gitops-ci.yaml`: of an application, of a config repository, or of both in one."""
    blocks = [_ABOUT]
    if found.dockerfiles:
        blocks += _application(request, applications_of(request, found))
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


def _application(request: InitRequest, built: tuple[Application, ...]) -> list[str]:
    blocks = []
    if request.image and len(built) > 1:
        about = "# Where `release` pushes the images. Manifests use the same names."
        blocks.append("\n".join([about, "images:", *(f"  - image: {image_of(request, one)}" for one in built)]))
    elif request.image:
        about = "# Where `release` pushes the image. Manifests use the same name."
        blocks.append(f"{about}\nimage: {request.image.name}")
    blocks.append(
        "# The repository with the manifests. `release` changes it by pull request.\n"
        f"config-repo: {request.config_repo}"
    )
    if request.environment:
        blocks.append(f"# The environment of the first deployment.\nenvironment: {request.environment}")
    blocks.append("# The pull requests that `release` opens.\npull-request:\n  labels: [gitops]")
    return blocks


def _environments(found: Survey) -> str:
    order = found.order
    lines = ["# The files of each environment. `base:` would name a branch.", "environments:"]
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
