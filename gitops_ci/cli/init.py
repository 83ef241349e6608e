"""`gitops-ci init`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from gitops_ci.cli.help import HelpfulCommand
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.flows.init import SYSTEMS
from gitops_ci.imageref import ImageRef
from gitops_ci.model import FileChange, Log, Outcome
from gitops_ci.repourl import RepoUrl

if TYPE_CHECKING:
    from gitops_ci.flows.init import System
    from gitops_ci.flows.init.survey import Survey

__all__ = ["command", "files_here"]

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


@click.command("init", cls=HelpfulCommand)
@option("--ci", type=click.Choice(SYSTEMS), help="CI system. [what the repository's files and address tell]")
@option("--config-repo", metavar="URL", help="The repository with the manifests. [this one, if it has some]")
@option("--image", metavar="NAME", help="Where the image goes. [the code host's own registry]")
@option("--environment", metavar="NAME", help="Where a release goes first. [the first one found here]")
@option("--address", metavar="TEXT", help="Where the CI system finds gitops-ci: owner/name@ref, host/path.")
@option("--dry-run", is_flag=True, help="Only show what would be written.")
@option("--force", is_flag=True, help="Replace files that exist.")
@output_options
def command(
    ci: System | None,
    config_repo: str | None,
    image: str | None,
    environment: str | None,
    address: str | None,
    output: Output,
    *,
    dry_run: bool,
    force: bool,
) -> None:
    """Look at this repository and write a workflow or pipeline, and .gitops-ci.yaml, that work here.

    Run it at the root: of an application (it has a Dockerfile), of a config repository (it has manifests), or of both.
    """
    from gitops_ci.cli.facts import default_branch
    from gitops_ci.flows.init import InitRequest, applied_with_own_files, next_steps, starter_files
    from gitops_ci.flows.init.survey import survey

    def work(log: Log) -> Outcome:
        files = dict(files_here())
        found = survey(files)
        origin = _origin()
        system = ci or _system(origin)
        own = found.has_manifests and config_repo is None
        repository = RepoUrl.parse(config_repo) if config_repo else origin if own else None
        request = InitRequest(
            system=system,
            image=ImageRef.parse(image) if image else _usual_image(system, origin) if found.dockerfiles else None,
            config_repo=repository,
            own=own or (repository is not None and origin is not None and _same(repository, origin)),
            environment=_environment(environment, found),
            address=address or "",
            branch=default_branch() or "main",
            taken=frozenset(path for path in (".gitlab-ci.yml",) if os.path.exists(path)),
        )
        _tell(found, log)
        for told in applied_with_own_files(files):
            log.warn(told)
        outcome = _write(starter_files(request, found), log, dry_run=dry_run, force=force)
        for step in next_steps(request, found) if outcome.files else ():
            log.step(f"next: {step}")
        return outcome

    execute("init", output, work)


def _write(files: Mapping[str, str], log: Log, *, dry_run: bool, force: bool) -> Outcome:
    changes = [FileChange(path, _read(path), text) for path, text in files.items()]
    wrong = [change.path for change in changes if change.before not in {"", change.after}]
    if wrong and not force:
        raise UsageError(
            f"{', '.join(wrong)} would be replaced",
            hint="Nothing was written. Use --dry-run to see the difference, and --force to replace the files.",
        )
    changed = tuple(change for change in changes if change.before != change.after)
    for change in changed:
        if not dry_run:
            os.makedirs(os.path.dirname(change.path) or ".", exist_ok=True)
            with open(change.path, "w", encoding="utf-8", newline="") as file:
                file.write(change.after)
            if change.after.startswith("#!"):
                os.chmod(change.path, 0o755)  # noqa: S103 - a script that others run as well
        log.step(f"{'would write' if dry_run else 'wrote'} {change.path}")
    return Outcome(
        command="init",
        status="changed" if changed else "unchanged",
        files=changed,
        summary={"files": len(changed)},
        dry_run=dry_run,
    )


def _tell(found: Survey, log: Log) -> None:
    if found.dockerfiles:
        log.step(f"an application: {found.dockerfiles[0]}")
        for other in found.dockerfiles[1:]:
            log.warn(f"{other} is not built: copy the job for it")
    if found.kinds:
        log.step("manifests: " + ", ".join(f"{kind} ({number})" for kind, number in found.kinds.items()))
    if found.environments:
        log.step(f"environments: {', '.join(found.environments)}")


def files_here() -> Iterator[tuple[str, str]]:
    """The repository's files, and how those begin that may be manifests."""
    for folder, names, leaves in os.walk("."):
        names[:] = sorted(name for name in names if name not in _NEVER)
        for leaf in sorted(leaves):
            full = os.path.join(folder, leaf)
            path = os.path.normpath(full).replace(os.sep, "/")
            yield path, _read(full, _BEGINNING) if leaf.endswith(_READ) else ""


def _read(path: str, limit: int = -1) -> str:
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


def _system(origin: RepoUrl | None) -> System:
    if os.path.isdir(".github") or (origin and "github" in origin.host):
        return "github"
    if os.path.exists(".gitlab-ci.yml") or (origin and "gitlab" in origin.host):
        return "gitlab"
    for path, system in _TRACES.items():
        if os.path.exists(path):
            return system
    for part, system in _HOSTS.items():
        if origin and part in origin.host:
            return system
    raise UsageError("Cannot tell which CI system runs this repository", hint=f"Give --ci: {', '.join(SYSTEMS)}.")


def _usual_image(system: System, origin: RepoUrl | None) -> ImageRef | None:
    """The registry of the code host: GitHub's by the repository's name, GitLab's by a variable of its own."""
    if system == "gitlab":
        return None
    if system == "gitea" and origin is not None and origin.host:
        return ImageRef.parse(f"{origin.netloc}/{origin.path.lower()}")
    if origin is None or "github" not in origin.host:
        raise UsageError("Cannot tell where the image goes", hint="Give --image registry.example.com/acme/shop.")
    return ImageRef.parse(f"ghcr.io/{origin.path.lower()}")


def _environment(asked: str | None, found: Survey) -> str:
    if asked is None:
        return found.order[0] if found.order else ""
    if found.environments and asked not in found.environments:
        raise UsageError(
            f"There is no environment '{asked}' here", hint=f"Known environments: {', '.join(found.environments)}."
        )
    if not asked.replace("-", "").replace("_", "").replace(".", "").isalnum() or not asked.isascii():
        raise UsageError(f"'{asked}' is not the name of an environment", hint="For example: --environment staging")
    return asked


def _same(one: RepoUrl, other: RepoUrl) -> bool:
    return (one.host, one.path.lower()) == (other.host, other.path.lower())
