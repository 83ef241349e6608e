"""What a shell offers for an option's value: names that a family, the rules or the configuration file know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from gitops_ci import known_files
from gitops_ci.errors import GitopsCiError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["environments", "fail_on", "formats", "kubernetes_versions", "report_files", "risks", "rules", "strategies"]


def environments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The environments of the configuration file that the command line names, else of the one here."""
    del param
    from gitops_ci.config import load

    try:
        config = load(ctx.params.get("config") or known_files.CONFIG)
    except GitopsCiError:
        return []  # the command reports a broken file when it runs
    return _offered(config.environments, incomplete)


def fail_on(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The words, and the rules."""
    from gitops_ci.model import FAIL_ON_WORDS

    return [*_offered(FAIL_ON_WORDS, incomplete), *rules(ctx, param, incomplete)]


def formats(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    del ctx, param
    from gitops_ci.formats import FORMATS

    return _offered(FORMATS, incomplete)


def kubernetes_versions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    del ctx, param
    from gitops_ci.validation import VERSIONS

    return _offered(VERSIONS, incomplete)


def report_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`FORMAT=`; the file is the shell's own business."""
    del ctx, param
    from gitops_ci.reporting import REPORTERS

    return _offered((f"{name}=" for name in REPORTERS if name != "text"), incomplete)


def risks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    del ctx, param
    from gitops_ci.comparing import RISKS

    return _offered(("change", "risk", "skipped", *RISKS), incomplete)


def rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    del ctx, param
    from gitops_ci.rules.catalog import FAMILIES, RULE_IDS

    return _offered((*(f"{family}/*" for family in FAMILIES), *RULE_IDS), incomplete)


def strategies(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Tag strategies; those before a comma stay as they are."""
    del ctx, param
    from gitops_ci.tags import STRATEGIES

    before, comma, begun = incomplete.rpartition(",")
    return _offered((f"{before}{comma}{name}" for name in STRATEGIES), f"{before}{comma}{begun}")


def _offered(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
