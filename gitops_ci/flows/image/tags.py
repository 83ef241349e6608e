"""Which tags a build gets in a repository: the strategies, asked with what the repository has."""

from __future__ import annotations

from contextlib import closing
from dataclasses import field, replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import UsageError
from gitops_ci.imageref import ImageRef, check_destination, in_lower_case
from gitops_ci.model import Log, Outcome, PushedTag, Skip
from gitops_ci.registry.base import Writer
from gitops_ci.registry.connection import Access
from gitops_ci.registry.credentials import credentials_for
from gitops_ci.registry.layout import LayoutFolder
from gitops_ci.registry.refusals import AccessDenied
from gitops_ci.registry.remote import Remote
from gitops_ci.tags import BuildFacts, TagChoice, check_strategies, choose, kind_of, uses_version, version_of

__all__ = ["TagRules", "TagsRequest", "check_tags", "list_tags", "open_destination", "plan_tags"]


@dataclass(frozen=True, slots=True)
class TagRules:
    """What decides the tags of a build. `known` are tags that exist elsewhere (in Git), `suffix` marks a variant.

    Without `floating` no tag that moves is given.
    """

    strategies: tuple[str, ...] = ()
    facts: BuildFacts = field(default_factory=BuildFacts)
    suffix: str = ""
    known: tuple[str, ...] = ()
    floating: bool = True


@dataclass(frozen=True, slots=True)
class TagsRequest:
    """A question for the tags of a build; `to` are the repositories it would go to, or nothing."""

    to: tuple[str, ...]
    rules: TagRules
    access: Access = field(default_factory=Access)


def open_destination(to: str, access: Access, *, account_of: str = "") -> Writer:
    """A registry's repository, or the folder of `oci:DIR`. Raises UsageError for a text that is neither.

    The account of the environment is for the registry of `account_of`, of `to` without one.
    """
    if to.startswith("oci:"):
        folder = to.removeprefix("oci:")
        if not folder or "\0" in folder:
            raise UsageError(f"'{to}' names no folder", hint="Write oci:DIR.")
        return LayoutFolder(folder)
    check_destination(to)
    ref = ImageRef.parse(to)
    if ref.digest is not None:
        raise UsageError(f"'{to}' names a digest", hint="An image is pushed to a repository and gets its tags there.")
    own = not account_of or (not account_of.startswith("oci:") and ImageRef.parse(account_of).registry == ref.registry)
    return Remote(ref, credentials_for(ref.registry, ref.repository, own=own), access, writes=True)


def check_tags(rules: TagRules, to: str) -> None:
    """Find out without any network what can never be right.

    Raises:
        UsageError: a tag or strategy that is none; a tag in `to` that is not the version's.
    """
    check_strategies(rules.strategies)
    check_destination(to)
    named = _named_tag(to)
    if named is None:
        git_tag = "" if rules.facts.version or not uses_version(rules.strategies) else rules.facts.tag
        if git_tag and to and not to.startswith("oci:"):
            rules.facts.tag_rule.check_component(git_tag, ImageRef.parse(to).repository)
        choose(rules.strategies, rules.facts, None, suffix=rules.suffix)
        return
    version = (version_of(rules.facts) or "").replace("+", "_")
    if rules.facts.version and named not in {lead + version + rules.suffix for lead in ("", "v")}:
        raise UsageError(
            f"--to names the tag {named}, but --version is {rules.facts.version}",
            hint="Leave the tag out of --to: the version decides it, and which others move. Or leave --version out for "
            "the tag in --to only.",
        )


def plan_tags(rules: TagRules, to: str, destination: Writer | None, log: Log | None = None) -> tuple[TagChoice, ...]:
    """The tags of a build, those it gets first. A tag that `to` itself names is the only one.

    Raises:
        UsageError: nothing decides a tag for this build.
    """
    if named := _named_tag(to):
        return (TagChoice(named, included=True, why="named by --to", kind=kind_of(named)),)
    choices = choose(rules.strategies, rules.facts, _existing(rules, destination, log), suffix=rules.suffix)
    if not rules.floating:
        choices = tuple(_without_floating(choice) for choice in choices)
    if destination:
        choices = tuple(_without_rivals(choice, destination) for choice in choices)
    if not any(choice.included for choice in choices):
        reasons = "; ".join(f"{choice.tag}: {choice.why}" for choice in choices)
        raise UsageError(
            f"There is no tag for this build{f' ({reasons})' if reasons else ''}",
            hint="Use --version 1.4.2, --tags with another strategy, or a tag in --to.",
        )
    return choices


def _without_floating(choice: TagChoice) -> TagChoice:
    if choice.kind != "floating" or not choice.included:
        return choice
    return replace(choice, included=False, why="--no-floating leaves it as it is")


def _without_rivals(choice: TagChoice, destination: Writer) -> TagChoice:
    """Leave a floating tag to a version of another scheme that holds it: nobody can tell which of the two is newer."""
    if not choice.included or not choice.rivals:
        return choice
    try:
        holder = destination.digest(choice.tag)
        if holder is None or (choice.before and destination.digest(choice.before) == holder):
            return choice
        rival = next((rival for rival in choice.rivals if destination.digest(rival) == holder), "")
    except AccessDenied:
        return choice
    if not rival:
        return choice
    why = f"it is {rival}, which cannot be compared: 'gitops-ci image retag' with the tag {choice.tag} moves it once"
    return replace(choice, included=False, why=why)


def list_tags(request: TagsRequest, log: Log) -> Outcome:
    """The tags of a build as an outcome: what it gets are images, what it does not get is skipped, with the reason."""
    destinations = [in_lower_case(to) for to in request.to] or [""]
    for to in destinations:
        check_tags(request.rules, to)
    images: list[PushedTag] = []
    skipped: list[Skip] = []
    for to in destinations:
        found, left = _tags_at(to, request, destinations[0], log)
        images += found
        skipped += left
    return Outcome("image tags", "unchanged", images=tuple(images), skipped=tuple(skipped), dry_run=True)


def _tags_at(to: str, request: TagsRequest, first: str, log: Log) -> tuple[list[PushedTag], list[Skip]]:
    if not to:
        return _listed(plan_tags(request.rules, "", None), None, log)
    with closing(open_destination(to, request.access, account_of=first)) as destination:
        return _listed(plan_tags(request.rules, to, destination, log), destination, log)


def _listed(choices: tuple[TagChoice, ...], destination: Writer | None, log: Log) -> tuple[list[PushedTag], list[Skip]]:
    images, skipped = [], []
    for choice in choices:
        reference = destination.address(choice.tag) if destination else choice.tag
        if not choice.included:
            skipped.append(Skip(reference, 0, choice.why))
            continue
        digest = _today(destination, choice.tag, log) if destination else None
        images.append(PushedTag(reference, choice.tag, digest, "present" if digest else "planned", choice.why))
    return images, skipped


def _today(destination: Writer, tag: str, log: Log) -> str | None:
    try:
        return destination.digest(tag)
    except AccessDenied as error:
        log.detail(f"{destination.address(tag)} is not there, or may not be read: {error.message}")
        return None


def _existing(rules: TagRules, destination: Writer | None, log: Log | None) -> tuple[str, ...] | None:
    """The tags that a version has to be compared with; None when they cannot be known."""
    if version_of(rules.facts) is None:
        return ()
    listed = destination.tags() if destination else ()
    if listed is not None:
        return (*listed, *rules.known)
    if destination and log:
        rest = (
            "only the tags of Git say which version is the newest" if rules.known else "no tag but the version's moves"
        )
        log.warn(f"{destination.name} does not let this account list its tags: {rest}")
    return rules.known or None


def _named_tag(to: str) -> str | None:
    return None if not to or to.startswith("oci:") else ImageRef.parse(to).tag
