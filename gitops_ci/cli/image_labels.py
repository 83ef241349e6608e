"""`gitops-ci image labels`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from gitops_ci.ci import detect
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.options import LinesOption, Output, option, output_options
from gitops_ci.cli.registry_options import CONFIG, pairs_of
from gitops_ci.cli.run import execute
from gitops_ci.cli.tag_options import tag_options, tag_rules
from gitops_ci.variables import variables

__all__ = ["labels_command"]


@click.command("labels", cls=ConfiguredCommand)
@tag_options
@option(
    "--add",
    multiple=True,
    cls=LinesOption,
    metavar="KEY=VALUE",
    help="Add a label, or replace a computed one. Repeatable.",
)
@CONFIG
@output_options(docker=True)
def labels_command(output: Output, **options: Any) -> None:
    """Print the OCI labels for the image that is built, one KEY=VALUE per line.

    With --output docker, each line is an option of docker build, for xargs.
    """
    from gitops_ci.cli.facts import origin_url
    from gitops_ci.flows.image.labels import LabelsRequest, Project, label_image
    from gitops_ci.reporting import images

    context = detect(variables())
    url = context.repository_url or (origin_url() if context.provider == "none" else "")
    project = Project(url, context.project_title, context.project_description, context.project_license)
    request = LabelsRequest(tag_rules(options), project, pairs_of(options["add"], "--add"))
    printer = images.docker_labels if output.format == "docker" else images.label_lines
    output = replace(output, format="json" if output.format == "json" else "text", printer=printer)
    execute("image labels", output, lambda log: label_image(request, log))
