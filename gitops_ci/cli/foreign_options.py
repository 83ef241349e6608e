"""Options that people know from other programs, and what they are called here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

__all__ = ["advice_for", "safe_suggestions"]

# A command's own option of this name goes first: then nothing here is asked.
_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "--token": "Set the variable GITOPS_CI_TOKEN: an option would show the token in process lists.",
        "--password": "Set GITOPS_CI_TOKEN, or GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD for a registry.",
        "--username": "Set GITOPS_CI_TOKEN, or GITOPS_CI_REGISTRY_USER and GITOPS_CI_REGISTRY_PASSWORD for a registry.",
        "--repo": "Use --config-repo with the repository's URL.",
        "--repository": "Use --config-repo for the config repository, --to for the registry.",
        "--git-provider": "Use --forge.",
        "--provider": "Use --forge.",
        "--strict": "Unknown fields are always errors. Use --fail-on warning to fail for warnings, too.",
        "--labels": "Use --label, once for each label. The image's labels: gitops-ci image labels.",
        "--reviewers": "Use --reviewer, once for each reviewer.",
        "--push": "release and `image push` always push. bump pushes to the base branch with --mode push.",
        "--exclude": "Name the files to change or check as PATH, or by --path.",
        "--target": "Use --base for the branch to change.",
        "--target-branch": "Use --base for the branch to change.",
        "--head": "Use --branch for the name of the pull request's branch.",
        "--message": "Use --commit-message.",
        "--pr-title": "Use --title.",
        "--pr-body": "Use --body with a file.",
        "--create-pr": "A pull request is the default. --mode push commits to the base branch.",
        "--auto-merge": "Use --merge when-green.",
        "--tag": "Write the tag into the reference: ghcr.io/acme/shop:1.5.0. For a build, use --version or --tags.",
        "--image": "Give the image as an argument: gitops-ci bump ghcr.io/acme/shop:1.5.0.",
        "--config": "Give the file as an argument.",
        "--file": "Use --path for files of the config repository, or give PATH.",
        "--filename": "Give the file as an argument.",
        "--ignore-missing-schemas": "Use --missing-schema ignore.",
        "--skip": "Use --skip-kind.",
        "--summary": "The last line is the summary. Use --output json for numbers.",
        "--json": "Use --output json.",
        "--force": "--allow-downgrade writes an older version, --allow-move moves a released tag.",
        "-f": "Give files and folders as arguments.",
        "-R": "Folders are read with everything below them.",
        "--recursive": "Folders are read with everything below them.",
        "-k": "A folder with a kustomization is rendered: give it as an argument.",
        "-n": "gitops-ci reads files. The namespace is the one in the manifests.",
        "--namespace": "gitops-ci reads files. The namespace is the one in the manifests.",
        "--context": "gitops-ci needs no cluster.",
        "--kubeconfig": "gitops-ci needs no cluster.",
        "-y": "gitops-ci asks nothing here.",
        "--yes": "gitops-ci asks nothing here.",
        "--no-color": "Use --color never.",
    }
)
# What makes a run less safe is never suggested for a misspelling.
_WEAKENING = ("--allow-", "--insecure", "--skip-", "--ignore", "--no-", "--any-", "--reopen", "--force")


def advice_for(name: str) -> str:
    """What to use instead of another program's option, or an empty text."""
    return _ADVICE.get(name.partition("=")[0], "")


def safe_suggestions(name: str, near: Iterable[str], known: Iterable[str] = ()) -> list[str]:
    """The suggestions that do not weaken anything, unless the misspelled option begins like one that does.

    An option of `known` that begins with the name goes first: `--env` is `--environment`.
    """
    if longer := [one for one in known if one.startswith(f"{name}") and one != name and not one.startswith(_WEAKENING)]:
        return longer
    return [one for one in near if not one.startswith(_WEAKENING) or name.startswith(_WEAKENING)]
