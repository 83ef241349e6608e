"""A packaged Helm chart as what is pushed: `chart:FILE`, or the name of a file that ends in `.tgz`.

A chart has one tag, its version, and its repository is named like it: Helm finds it by both.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.ci import detect
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef, in_lower_case
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.flows.image.tags import TagRules

__all__ = ["as_source", "chart_rules", "is_chart", "without_scheme"]

_CHART = "chart:"
_SCHEME = "oci://"
# Options that give an image its tags.
_OF_IMAGES = ("tags", "tag_suffix", "version_from")


def as_source(source: str) -> str:
    """The source with its kind: an archive of a chart needs none."""
    return f"{_CHART}{source}" if source.endswith(".tgz") and os.path.isfile(source) else source


def is_chart(source: str) -> bool:
    return source.startswith(_CHART)


def without_scheme(name: str) -> str:
    """The name of a chart's repository, which Helm writes with `oci://`."""
    return name.removeprefix(_SCHEME)


def chart_rules(source: str, options: Mapping[str, Any]) -> TagRules:
    """The one tag of a chart.

    Raises:
        UsageError: an option gives it others, or a destination is not named like the chart.
        RegistryError: it is not a packaged chart.
    """
    from gitops_ci.cli.facts import build_facts
    from gitops_ci.flows.image.tags import TagRules
    from gitops_ci.registry.chart_archive import chart_metadata

    metadata = chart_metadata(source.removeprefix(_CHART))
    name, version = metadata["name"], metadata["version"]
    for option in _OF_IMAGES:
        if click.get_current_context().get_parameter_source(option) == click.core.ParameterSource.COMMANDLINE:
            raise UsageError(
                f"--{option.replace('_', '-')} is for images, and {source} is a chart",
                hint=f"A chart has one tag, its version: {version}.",
            )
    if options["version"] and options["version"] != version:
        raise UsageError(
            f"--version is {options['version']}, but the version of the chart is {version}",
            hint=f"Package it with that version: helm package --version {options['version']} DIR",
        )
    for to in options["to"]:
        if not to.startswith("oci:") and (there := ImageRef.parse(in_lower_case(to))).basename != name:
            raise UsageError(
                f"--to {to} is not named like the chart, {name}", hint=f"Helm finds it as {there.familiar}/{name}."
            )
    lead = "v" if version.startswith("v") else ""
    facts = build_facts(detect(variables()), version.removeprefix(lead))
    return TagRules((f"semver={lead}" if lead else "semver",), facts, floating=False)
