"""What a validation is asked to look for: options and configuration, added up."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from gitops_ci import known_files
from gitops_ci.cli.configured import config_of
from gitops_ci.cli.fail_on import parse_fail_on
from gitops_ci.cli.rendering_settings import chart_values, limits_of, pairs
from gitops_ci.errors import UsageError

if TYPE_CHECKING:
    from gitops_ci.flows.bump.gate_settings import GateSettings
    from gitops_ci.validation import Checks

__all__ = ["as_repository_says", "checks", "checks_here", "schema_cache"]

_T = TypeVar("_T")
_GIVEN = frozenset({ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT})


def checks(values: Mapping[str, Any]) -> Checks:
    """The checks that values of options ask for, by parameter name; what is absent keeps its default.

    Raises:
        UsageError: one of them means no version and no rule that exists.
    """
    from gitops_ci.rules.catalog import check_globs
    from gitops_ci.validation import DEFAULT_VERSION, Checks, Suppression, versions

    rules, skip_rules = tuple(values.get("rules") or ("*",)), tuple(values.get("skip_rules") or ())
    accepted = tuple(map(Suppression.parse, values.get("ignore") or ()))
    check_globs((*rules, *skip_rules, *(one.rule for one in accepted)))
    asked = values.get("kubernetes_version")
    return Checks(
        kubernetes_versions=versions(asked) if asked else (DEFAULT_VERSION,),
        missing_schema=values.get("missing_schema") or "warn",
        rules=rules,
        skip_rules=skip_rules,
        suppressions=accepted,
        skip_kinds=tuple(values.get("skip_kind") or ()),
    )


def checks_here(ctx: click.Context) -> Checks:
    """The checks of this run: options over the configuration file, which is named where it is what is wrong."""
    _of_file(ctx.params.get("config") or known_files.CONFIG, config_of(ctx).options)
    return checks(ctx.params)


def as_repository_says(ctx: click.Context) -> Callable[[str, str], GateSettings]:
    """The gate of a change, once its repository's own configuration has been read: its text, and its name in errors.

    What was said for this run holds, then the repository's own file, then the file beside the command. Paths are those
    of the repository's own file, and `--fail-on` of a command that publishes is about holds.
    """
    from gitops_ci.config import parse

    said = {name: value for name, value in ctx.params.items() if ctx.get_parameter_source(name) in _GIVEN}
    beside = config_of(ctx).options
    checks({**beside, **said})  # what is wrong here need not wait for the repository

    known: dict[tuple[str, str], GateSettings] = {}

    def gate(text: str, source: str) -> GateSettings:
        if (text, source) not in known:
            own = parse(text, source).options
            wanted = _named(source, lambda: checks({**beside, **own, **said}))
            known[text, source] = _named(source, lambda: _gate(own, beside, wanted, source))
        return known[text, source]

    return gate


def schema_cache() -> str:
    """The folder where schemas of other hosts are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "gitops-ci", "schemas")


def _gate(own: Mapping[str, Any], beside: Mapping[str, Any], wanted: Checks, source: str) -> GateSettings:
    from gitops_ci.flows.bump.gate_settings import GateSettings
    from gitops_ci.validation.custom_resources.fetched_schemas import FetchedSchemas

    values = {**beside, **own}
    # The folders beside the command are not folders of the config repository, and that one names no host.
    hosts = tuple(one for one in beside.get("schema_location", ()) if "://" in one or one == "crds-catalog")
    return GateSettings(
        wanted,
        exclude=tuple(own.get("validate_exclude", ())),
        renders=values.get("render") != "none",
        substitute=dict(pairs(values.get("substitute", ()), "substitute", "CLUSTER=prod")),
        values=chart_values(own.get("values", ())),
        limits=limits_of(values),
        fail_on=parse_fail_on(tuple(values.get("fail_on", ()))),
        crd_paths=tuple(own.get("crd_path", ())),
        schema_locations=tuple(own.get("schema_location", hosts)),
        hosts=frozenset(hosts),
        check_images=bool(values.get("check_images")),
        source=source,
        fetched=FetchedSchemas(schema_cache()),
    )


def _of_file(source: str, values: Mapping[str, Any]) -> Checks:
    """As `checks`, where it is a file that may be wrong: it is named."""
    return _named(source, lambda: checks(values))


def _named(source: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except UsageError as error:
        raise UsageError(f"{source}: {error.message}", hint=error.hint) from None
