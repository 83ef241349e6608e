"""The options that decide the tags of a build, and what they add up to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from gitops_ci.ci import detect
from gitops_ci.cli import complete
from gitops_ci.cli.options import option
from gitops_ci.variables import variables

if TYPE_CHECKING:
    from gitops_ci.flows.image.tags import TagRules

__all__ = ["TAG_OPTIONS", "copy_rules", "promotion_rules", "split_strategies", "tag_options", "tag_rules"]

TAG_OPTIONS = (
    option(
        "--to",
        multiple=True,
        metavar="REPOSITORY",
        help="Registry repository, with a tag or without; or oci:DIR. Repeatable: the image goes to all of them.",
    ),
    option("--version", metavar="VERSION", help="The version that is released. [the Git tag's]"),
    option(
        "--version-from",
        metavar="FILE",
        help="Read the version from package.json, pyproject.toml, Cargo.toml, Chart.yaml, or a file with one line.",
    ),
    option(
        "--tags",
        multiple=True,
        metavar="STRATEGY",
        shell_complete=complete.strategies,
        help="semver[=v], sha[=DIGITS], branch, pr, tag, date[=FORMAT], edge[=NAME], channel, raw=TAG; separated by "
        "commas or repeated. TAG may have fields: raw={branch}-{short_sha}. "
        "[semver if there is a version, else sha]",
    ),
    option(
        "--tag-suffix",
        default="",
        show_default=False,
        metavar="TEXT",
        help="Ending of every tag, for a variant: -alpine.",
    ),
    option(
        "--tag-prefix",
        default="",
        show_default=False,
        metavar="TEXT",
        help="Prefix of this image's Git tags: shop/ for shop/v1.4.2. Other tags are ignored.",
    ),
    option(
        "--tag-match",
        default="",
        show_default=False,
        metavar="REGEX",
        help="Pattern of this image's Git tags; its first group is the version: 'shop-v(.+)'.",
    ),
    option(
        "--tag-date",
        type=click.Choice(["commit", "run"]),
        help="Source of the date in a tag. [the run's if a schedule started it, else the commit's]",
    ),
    option("--no-floating", is_flag=True, help="Move no tag: push 1.4.2, but not 1.4, 1, latest or a branch's name."),
)


def tag_options(function: Callable[..., Any]) -> Any:
    """Adds the options that decide tags, but for where the image goes."""
    return functools.reduce(lambda decorated, decorate: decorate(decorated), reversed(TAG_OPTIONS[1:]), function)


def tag_rules(options: Mapping[str, Any]) -> TagRules:
    """What the options, the CI system and the Git checkout say of a build's tags.

    Raises:
        UsageError: a version file or a rule for Git tags that cannot be used.
    """
    from gitops_ci.cli.facts import build_facts, git_tags
    from gitops_ci.cli.version_file import version_from
    from gitops_ci.flows.image.tags import TagRules
    from gitops_ci.tags import GitTagRule

    rule = GitTagRule(options["tag_prefix"], options["tag_match"])
    rule.check()
    version = options["version"] or version_from(options["version_from"])
    facts = build_facts(detect(variables()), version, tag_rule=rule, dated_by=options["tag_date"])
    # Only versions are compared with what exists.
    known = rule.versions_in(git_tags(), facts.tag) if facts.version or facts.tag else ()
    strategies = split_strategies(options["tags"])
    return TagRules(strategies, facts, options["tag_suffix"], known, floating=not options["no_floating"])


def promotion_rules(options: Mapping[str, Any], tag: str, *, series: bool) -> TagRules:
    """The rules by which an image keeps its tag elsewhere; with `series` 1.4.2 takes 1.4, 1 and latest along.

    The checkout of a promotion is not the image's: its Git tags are not versions of it.
    """
    from gitops_ci.cli.facts import build_facts
    from gitops_ci.flows.image.tags import TagRules
    from gitops_ci.tags import version_of_tag

    version = version_of_tag(tag) if series else ""
    facts = build_facts(detect(variables()), version or None, dated_by=options["tag_date"])
    strategy = f"raw={tag}" if not facts.version else "semver" if tag[0].isdigit() else "semver=v"
    return TagRules((strategy,), facts, options["tag_suffix"], floating=not options["no_floating"])


def copy_rules(options: Mapping[str, Any]) -> TagRules:
    """The rules for a copy of every tag under its own name; a pull request moves no tag there either."""
    from gitops_ci.cli.facts import build_facts
    from gitops_ci.flows.image.tags import TagRules

    return TagRules(facts=build_facts(detect(variables()), None, dated_by=options["tag_date"]))


def split_strategies(given: tuple[str, ...]) -> tuple[str, ...]:
    """The strategies of several texts, of which each may have some, separated by commas."""
    return tuple(word.strip() for text in given for word in text.split(",") if word.strip())
