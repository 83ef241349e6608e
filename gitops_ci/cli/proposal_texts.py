"""The templates of branch, title, commit message and description, and what is known about the build for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gitops_ci.errors import UsageError
from gitops_ci.paths import leads_out
from gitops_ci.secret import mask

if TYPE_CHECKING:
    from gitops_ci.ci import CiContext

__all__ = ["check_templates", "proposal_texts", "read_body"]

_LONGEST_BODY = 100_000  # characters; no host takes so much


def proposal_texts(options: Mapping[str, Any], context: CiContext) -> dict[str, Any]:
    """What the options say of the texts of a proposal, as settings by name.

    Raises:
        UsageError: a template has a field that does not exist, or the file cannot be read.
    """
    from gitops_ci.reporting.proposal_fields import FIELDS, fields_in
    from gitops_ci.tags.templates import FIELDS as BUILD_FIELDS

    texts = {
        "title": options["title"] or "",
        "body": _body_of_run(options["body"]) if options["body"] else "",
        "commit_message": options["commit_message"] or "",
        "branch": options["branch"] or "",
    }
    check_templates(texts)
    written = {field for text in texts.values() for field in fields_in(text) if field.partition(":")[0] in BUILD_FIELDS}
    # A token that a variable carried into a text must not be published with it.
    return {name: mask(text) for name, text in texts.items()} | {"build": _build(written - {*FIELDS}, context)}


def check_templates(texts: Mapping[str, str]) -> None:
    """Refuse templates, by the names of their options, with fields that do not exist.

    Raises:
        UsageError: one has such a field.
    """
    from gitops_ci.reporting.proposal_fields import FIELDS, PARTS, check_fields, has_lone_brace
    from gitops_ci.tags.templates import FIELDS as BUILD_FIELDS

    known = (*FIELDS, *(name for name in BUILD_FIELDS if name not in FIELDS))
    for name, text in texts.items():
        if name != "body" and has_lone_brace(text):
            raise UsageError(
                f"--{name.replace('_', '-')} has an unmatched brace: {text!r}", hint="Write fields as {image}."
            )
        check_fields(f"--{name.replace('_', '-')}", text, (*known, *(PARTS if name == "body" else ())))


def _body_of_run(path: str) -> str:
    ctx = click.get_current_context(silent=True)
    from_file = ctx is not None and ctx.get_parameter_source("body") is ParameterSource.DEFAULT_MAP
    return read_body(path, from_file=from_file)


def read_body(path: str, *, from_file: bool) -> str:
    """The text of a description's template; one that the configuration file names has to be in this folder.

    Raises:
        UsageError: it is elsewhere, cannot be read, or is too long.
    """
    if from_file and (os.path.isabs(path) or os.path.normpath(path).startswith(os.pardir) or leads_out(path)):
        raise UsageError(
            f"pull-request.body names {path}, which is outside of this folder",
            hint="Name a file of the repository, or give --body on the command line.",
        )
    try:
        with click.open_file(path, encoding="utf-8") as file:
            text = file.read(_LONGEST_BODY + 1)
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"The description's template {path} cannot be read: {said}", hint="--body requires a file ('-' is stdin)."
        ) from error
    if len(text) > _LONGEST_BODY:
        raise UsageError(
            f"The description's template {path} is too long", hint="Code hosts accept 4,000 to 65,536 characters."
        )
    return str(text)


def _build(written: set[str], context: CiContext) -> dict[str, str]:
    """The values of fields that tell of the build, as they are written: `short_sha:12`."""
    from gitops_ci.cli.facts import build_facts
    from gitops_ci.tags.templates import check_template, date_of

    if not written:
        return {}
    for name in sorted(written):
        check_template(f"{{{name}}}")
    facts = build_facts(context, None)
    values = {
        "branch": facts.branch or "",
        "sha": facts.commit or "",
        "timestamp": "" if facts.moment is None else str(int(facts.moment)),
        "pr": str(facts.pull_request or ""),
        "run": facts.run,
    }

    def value(written: str) -> str:
        name, _, argument = written.partition(":")
        if name == "short_sha":
            return (facts.commit or "")[: int(argument or 7)]
        if name == "date":
            return "" if facts.moment is None else date_of(facts.moment, argument)
        return values[name]

    return {name: value(name) for name in sorted(written)}
