"""`gitops-ci bump`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.ci import detect
from gitops_ci.cli.configured import ConfiguredCommand
from gitops_ci.cli.ignored_options import warn_of_ignored
from gitops_ci.cli.options import Output, option, output_options
from gitops_ci.cli.registry_options import access_options, registry_access
from gitops_ci.cli.repository_options import repository_options
from gitops_ci.cli.run import execute
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.model import Log, Outcome

__all__ = ["command"]

_CHART = "chart:"


@click.command("bump", cls=ConfiguredCommand)
@click.argument("references", nargs=-1, metavar="REF...")
@option("--from-file", metavar="FILE", help="More references: a YAML list ('-' is stdin).")
@repository_options
@access_options
@output_options
@click.pass_context
def command(
    ctx: click.Context, /, references: tuple[str, ...], from_file: str | None, output: Output, **options: Any
) -> None:
    """Find every place that names the image in the config repository, edit it, validate and publish.

    REF is an image reference with tag, digest or both: ghcr.io/acme/shop:1.5.0. A Helm chart in a registry is
    chart:oci://ghcr.io/acme/charts/shop:1.5.0.
    """
    from gitops_ci.cli.repository import bump_request, refuse_untrusted
    from gitops_ci.flows.bump import bump

    refuse_untrusted(detect(variables()), options)
    images = tuple(_image(text) for text in (*references, *_listed(from_file)))
    if not images:
        raise UsageError("No image is given", hint="gitops-ci bump ghcr.io/acme/shop:1.5.0")
    request = replace(bump_request(ctx, images, options), access=registry_access(options))

    def work(log: Log) -> Outcome:
        warn_of_ignored(ctx, options, log)
        return bump(request, log)

    execute("bump", output, work)


def _image(text: str) -> ImageRef:
    image = ImageRef.parse(_chart(text) if text.startswith(_CHART) else text)
    if image.tag is None and image.digest is None:
        raise UsageError(f"'{text}' has neither tag nor digest", hint=f"Write the tag after a colon: {text}:1.5.0.")
    return image


def _chart(text: str) -> str:
    """A chart of a registry as the registry names it.

    Raises:
        UsageError: it lies in a repository of another kind.
    """
    if not text.startswith(f"{_CHART}oci://"):
        raise UsageError(
            f"'{text}' is not a chart in a registry", hint="Write it as chart:oci://ghcr.io/acme/charts/shop:1.5.0"
        )
    # A tag has no `+`: Helm writes `_` there.
    return text.removeprefix(f"{_CHART}oci://").replace("+", "_")


def _listed(path: str | None) -> list[str]:
    if path is None:
        return []
    from gitops_ci.yamltext import ScalarNode, SequenceNode, YamlError, read

    try:
        with click.open_file(path, encoding="utf-8") as file:
            documents = read(file.read()).documents
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        hint = "It is a YAML list of image references, one a line: - ghcr.io/acme/shop:1.5.0"
        raise UsageError(f"{path} cannot be read: {said}", hint=hint) from error
    except YamlError as error:
        hint = "One image reference a line: - ghcr.io/acme/shop:1.5.0"
        raise UsageError(f"{path}:{error.line}: not YAML: {error.reason}", hint=hint) from None
    root = documents[0] if documents else None
    if not isinstance(root, SequenceNode) or not all(isinstance(item, ScalarNode) for item in root.items):
        raise UsageError(f"{path} is not a list of image references", hint="- ghcr.io/acme/shop:1.5.0")
    return [item.value for item in root.items if isinstance(item, ScalarNode)]
