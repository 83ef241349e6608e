"""`--fail-on`: words and rules, one list for all commands."""

from __future__ import annotations

from gitops_ci.cli import complete
from gitops_ci.cli.options import Decorator, option
from gitops_ci.errors import UsageError
from gitops_ci.model import FAIL_ON_WORDS, FailOn
from gitops_ci.text import did_you_mean

__all__ = ["fail_on_option", "parse_fail_on"]


def fail_on_option() -> Decorator:
    """Adds `--fail-on`, whose texts `parse_fail_on` reads."""
    return option(
        "--fail-on",
        multiple=True,
        metavar="WORD|RULE",
        shell_complete=complete.fail_on,
        help="Also fail for: warning, skipped, or a rule, whose findings become errors. Repeatable.",
    )


def parse_fail_on(texts: tuple[str, ...]) -> FailOn:
    """Words and globs of rules; several in one text are separated by commas or spaces.

    Raises:
        UsageError: one is neither a word nor fits a rule.
    """
    from gitops_ci.rules.catalog import check_globs

    parts = [part for text in texts for part in text.replace(",", " ").split()]
    rules = tuple(part for part in parts if "/" in part or "*" in part)
    for part in parts:
        if part not in FAIL_ON_WORDS and part not in rules:
            hint = f"It is one of {', '.join(FAIL_ON_WORDS)}, or a rule such as repo/mutable-tag."
            raise UsageError(
                f"--fail-on does not accept '{part}'", hint=f"{did_you_mean(part, FAIL_ON_WORDS)} {hint}".lstrip()
            )
    check_globs(rules)
    return FailOn(frozenset(parts) - frozenset(rules), rules)
