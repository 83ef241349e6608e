"""`gitops-ci demo`: the real `release` command on parts made in a folder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import click

from gitops_ci.cli.help import HelpfulCommand
from gitops_ci.cli.terminal import wants_color
from gitops_ci.errors import UsageError
from gitops_ci.flows.demo import IMAGE

__all__ = ["command"]

_WHERE = ("--config-repo", "config.git", "--forge", "git")
_RELEASE = (
    "release", "oci:build:1.4.2", "--to", "oci:registry", "--image-name", str(IMAGE), "--version", "1.4.2",
    "--environment", "staging", *_WHERE,
)  # fmt: skip
_PROMOTE = ("promote", "--to", "production", "--skip-gate", "source-agrees", "--reason", "demo", *_WHERE)


@click.command("demo", cls=HelpfulCommand)
@click.option("--keep", metavar="DIR", help="Create everything in this new folder, and keep it.")
def command(keep: str | None) -> None:
    """Try the whole workflow in a temporary folder. It needs Python and Git.

    An OCI image layout replaces the built image, another folder the registry, and a bare Git repository the config
    repository. The demo pushes the branch there, and prints the text of its pull request.
    """
    from gitops_ci.flows.demo import make_config_repository, make_image

    with _folder(keep) as folder, contextlib.chdir(folder):
        make_image("build", "1.4.2")
        make_config_repository("config.git")
        click.echo(f"""\
The folder {folder} contains:
  build/       an image that was just built (OCI layout, tag 1.4.2)
  config.git   a config repository on 1.4.1: a Kustomize app with two
               environments, Helm values, and an Argo CD Application
""")
        _play("Show what would change", *_RELEASE, "--mode", "dry-run")
        _play("Push the image to the folder registry/, and propose the change", *_RELEASE)
        _play("Run the same command again: nothing changes", *_RELEASE)
        _play("In place of a merge, push the change to main", *_RELEASE, "--mode", "push")
        _play("Promote the images of staging to production. The demo asks no registry for the digest", *_PROMOTE)
        if keep:
            click.echo(f"""\
Look around:
  git -C {keep}/config.git log --stat --all
  git -C {keep}/config.git diff main gitops-ci/production/{IMAGE.slug}
  cat {keep}/registry/index.json""")
        else:
            click.echo("The folder was deleted. Use --keep DIR to keep it.")


def _play(title: str, *arguments: str) -> None:
    from gitops_ci.cli import main

    click.secho(f"=== {title}", bold=True, color=wants_color(sys.stdout))
    click.echo(f"$ gitops-ci {' '.join(arguments)}")
    code = main.main(list(arguments), prog_name="gitops-ci", standalone_mode=False)
    if code:
        raise click.exceptions.Exit(code)
    click.echo()


@contextlib.contextmanager
def _folder(keep: str | None) -> Iterator[str]:
    if keep is None:
        with TemporaryDirectory(prefix="gitops-ci-demo-") as folder:
            yield folder
        return
    try:
        os.makedirs(keep)
    except FileExistsError:
        raise UsageError(f"{keep} exists already", hint="Name a new folder: nothing of yours is overwritten.") from None
    yield os.path.abspath(keep)
