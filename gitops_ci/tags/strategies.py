"""Which tags a build gets: one function a strategy, asked with what the registry has."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from gitops_ci.errors import UsageError
from gitops_ci.imageref import TAG
from gitops_ci.tags.choices import BuildFacts, TagChoice
from gitops_ci.tags.order import kind_of
from gitops_ci.tags.schemes import Release, parse_release, releases_of
from gitops_ci.tags.templates import check_template, date_of, fill, is_template

__all__ = ["STRATEGIES", "check_strategies", "choose", "slug", "uses_version", "version_of"]

# What `semver` itself writes: a branch of this name would take the tag of the releases.
_SERIES = re.compile(r"[vV]?\d+(?:\.\d+(?:\.\d+.*)?)?", re.ASCII)


def choose(
    strategies: tuple[str, ...], facts: BuildFacts, existing: Collection[str] | None, *, suffix: str = ""
) -> tuple[TagChoice, ...]:
    """The tags of a build, the included ones first and among them the most exact one first: that is the primary tag.

    A strategy is a name of `STRATEGIES`, some with an argument (`raw=edge`, `sha=40`, `date=%Y.%m.%d`); none means
    `auto`. `existing` are the tags that the registry and the source repository have, None when nobody can tell: then
    no version moves a floating tag. `suffix` (`-alpine`) marks a variant: its tags end so, and only those count.

    Raises:
        UsageError: an unknown strategy or argument, or a tag that no registry takes.
    """
    check_strategies(strategies)
    known = None if existing is None else {tag.removesuffix(suffix) for tag in existing if tag.endswith(suffix)}
    found: dict[str, TagChoice] = {}
    for strategy in strategies or ("auto",):
        name, _, argument = strategy.partition("=")
        for choice in STRATEGIES[name](argument, facts, known):
            newer = choice.newer + suffix if choice.newer else ""
            included, why = _allowed(choice, facts)
            full = replace(
                choice,
                tag=_valid(choice.tag + suffix),
                included=included,
                why=why,
                newer=newer,
                before=choice.before + suffix if choice.before else "",
                rivals=tuple(rival + suffix for rival in choice.rivals),
            )
            if full.tag not in found or (full.included and not found[full.tag].included):
                found[full.tag] = full
    rank = {"release": 0, "build": 1, "floating": 2}
    return tuple(sorted(found.values(), key=lambda choice: (not choice.included, rank[choice.kind])))


def uses_version(strategies: tuple[str, ...]) -> bool:
    """Whether the tags depend on the version, where the build has one."""
    names = [strategy.partition("=")[0] for strategy in strategies or ("auto",)]
    return bool({"auto", "semver", "channel"} & set(names)) or any("{version}" in strategy for strategy in strategies)


def check_strategies(strategies: tuple[str, ...]) -> None:
    """Raises UsageError for a strategy that does not exist, or has an argument that it does not understand."""
    for strategy in strategies:
        name, equals, argument = strategy.partition("=")
        if name not in STRATEGIES:
            raise UsageError(f"There is no tag strategy '{name}'", hint=f"Known strategies: {', '.join(STRATEGIES)}.")
        pattern, hint = _ARGUMENTS.get(name, ("", f"Write {name} without an argument."))
        if equals and not argument:
            raise UsageError(f"'{strategy}' has no argument", hint=hint or f"Write {name}, or what follows the '='.")
        if not re.fullmatch(pattern, argument, re.DOTALL):
            raise UsageError(f"'{strategy}' is not a tag strategy", hint=hint)
        if name == "raw":
            check_template(argument)


def slug(name: str) -> str:
    """A branch or tag name as a tag: `feature/Cart` is `feature-Cart`. Case stays, tags have it."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).lstrip("-.")[:100].rstrip("-.") or "ref"


def _allowed(choice: TagChoice, facts: BuildFacts) -> tuple[bool, str]:
    if choice.included and choice.kind == "floating" and facts.pull_request is not None:
        return False, "a pull request moves no floating tag"
    if choice.included and choice.kind != "build" and not facts.trusted:
        return False, "this build is not trusted: it comes from a fork"
    return choice.included, choice.why


def _valid(tag: str) -> str:
    if TAG.fullmatch(tag):
        return tag
    raise UsageError(
        f"'{tag}' is not a tag",
        hint="A tag has up to 128 letters, digits, '_', '.' and '-', and begins with none of the last two.",
    )


def _auto(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    return (_semver if version_of(facts) else _sha)(argument, facts, existing)


def _semver(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    """`X.Y.Z`, and of the highest stable version of its series also `X.Y`, `X` and `latest`.

    `semver=v` writes `vX.Y.Z`. Build metadata follows after `_`, as Helm does it: `+` is not allowed in a tag.
    """
    text = version_of(facts)
    if text is None:
        return
    if kind_of(text) != "release":
        raise _no_version(text, facts)
    lead = "v" if argument == "v" else ""
    yield TagChoice(lead + text.replace("+", "_"), included=True, why="the version", kind="release")
    release = parse_release(text)
    if release is None:
        yield TagChoice("latest", included=False, why=f"{text} follows no known version scheme")
        return
    known = None if existing is None else releases_of(existing)
    for series in release.series():
        yield _of_series(release, series, known, lead)


def _of_series(
    release: Release, series: tuple[str, ...], known: tuple[tuple[Release, str], ...] | None, lead: str
) -> TagChoice:
    """The tag of a series of versions, `()` for all of them: it belongs to the newest stable one of the scheme."""
    tag = lead + ".".join(series) if series else "latest"
    if series == ("0",):
        return TagChoice(tag, included=False, why="0.x versions may be incompatible")
    if release.prerelease:
        return TagChoice(tag, included=False, why="a pre-release moves no floating tag")
    if known is None:
        return TagChoice(tag, included=False, why="the existing versions are not known")
    stable = [(one, name) for one, name in known if not one.prerelease and one.belongs_to(series)]
    own = [pair for pair in stable if pair[0].scheme == release.scheme]
    newest, name = max(own, key=lambda pair: pair[0].order, default=(release, ""))
    if newest.order > release.order:
        return TagChoice(tag, included=False, why=f"{newest.text} is newer", newer=name)
    others = {one.scheme: name for one, name in sorted(stable, key=lambda pair: pair[0].order)}
    others.pop(release.scheme, None)
    why = f"newest of {'.'.join(series)}.x" if series else "newest"
    return TagChoice(tag, included=True, why=why, before=name, rivals=tuple(others.values()), by_version=True)


def _no_version(text: str, facts: BuildFacts) -> UsageError:
    instead = f"--tags raw={text}" if facts.version else "--tags tag"
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return UsageError(
            f"'{text}' is not a whole version: the tag {text} belongs to the newest {text}.x, and moves",
            hint=f"Write the whole version, for example 1.4.2, or use {instead} for exactly this tag.",
        )
    return UsageError(
        f"'{facts.version or facts.tag}' is not a version, which has three numbers or more: 1.4.2, 1.4.2-rc.1",
        hint=f"Use {instead} for exactly this tag." if TAG.fullmatch(text) else "",
    )


def _channel(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    """The kind of pre-release: `rc` of 2.0.0-rc.1, unless a newer one of the kind, or a newer release, is there."""
    del argument
    release = parse_release(version_of(facts) or "")
    channel = _channel_of(release) if release else None
    if release is None or not channel:
        return
    if existing is None:
        yield TagChoice(channel, included=False, why="the existing versions are not known")
        return
    newer = [
        (other, tag)
        for other, tag in releases_of(existing)
        if other.scheme == release.scheme and _channel_of(other) in {channel, ""} and other.order > release.order
    ]
    # The tag belongs to the newest of its kind; a release ends the channel and has no place in it.
    newest = max(newer, key=lambda pair: (_channel_of(pair[0]) == channel, pair[0].order), default=None)
    if newest:
        own = newest[1] if _channel_of(newest[0]) == channel else ""
        yield TagChoice(channel, included=False, why=f"{newest[0].text} is newer", newer=own)
    else:
        yield TagChoice(channel, included=True, why=f"newest {channel}")


def _channel_of(release: Release) -> str | None:
    """`rc` of 2.0.0-rc.1, '' of a release, None of 2.0.0-1."""
    if not release.prerelease:
        return ""
    found = re.match(r"[A-Za-z]+", release.prerelease)
    return found[0] if found else None


def _sha(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    """`<branch>-<shortsha>`; `pr-12-<shortsha>` of a pull request, `sha-<shortsha>` where there is no branch."""
    del existing
    if not facts.commit:
        return
    lead = f"pr-{facts.pull_request}" if facts.pull_request else slug(facts.branch) if facts.branch else "sha"
    yield TagChoice(f"{lead}-{facts.commit[: int(argument or 7)]}", included=True, why="the commit", kind="build")


def _branch(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    """The branch itself, unless it is called like a version: a branch `1.4` would take the tag of the releases."""
    del argument, existing
    if not facts.branch:
        return
    tag = slug(facts.branch)
    taken = tag == "latest" or _SERIES.fullmatch(tag) is not None
    why = "its name belongs to the releases" if taken else "the branch"
    yield TagChoice(tag, included=not taken, why=why, by_commit=True)


def _pull_request(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    del argument, existing
    if facts.pull_request is not None:
        yield TagChoice(f"pr-{facts.pull_request}", included=True, why="the pull request", kind="build")


def _git_tag(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    del argument, existing
    if facts.tag:
        tag = slug(facts.tag.replace("+", "_"))
        yield TagChoice(tag, included=True, why="the Git tag", kind=kind_of(tag))


def _date(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    """The build's moment in UTC, as `%Y%m%d` without an argument."""
    del existing
    if facts.moment is not None:
        yield TagChoice(date_of(facts.moment, argument), included=True, why="the date", kind="build")


def _edge(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    """`edge`, or another name, for the newest build of the default branch."""
    del existing
    if facts.branch:
        why = "the default branch" if facts.is_default_branch else f"{facts.branch} is not the default branch"
        yield TagChoice(argument or "edge", facts.is_default_branch, why, by_commit=True)


def _raw(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    """The tag as it is, or a template (`raw={branch}-{short_sha}`), which gives none if this build lacks a field."""
    del existing
    if not is_template(argument):
        yield TagChoice(argument, included=True, why="asked for", kind=kind_of(argument))
    elif filled := fill(argument, facts, version_of(facts), slug):
        yield TagChoice(filled.tag, included=True, why=f"of {argument}", kind=filled.kind, by_commit=filled.by_commit)


Strategy = Callable[[str, BuildFacts, Collection[str] | None], Iterator[TagChoice]]

# The arguments that strategies understand, and what to write instead of others; the rest has none.
_ARGUMENTS = {
    "semver": ("v?", "Write semver, or semver=v for tags with a leading v."),
    "sha": (r"|[1-9]|[1-3][0-9]|40", "Write sha=12 for twelve digits of the commit; it has 40."),
    "date": (".*", ""),
    "edge": (".*", ""),
    "raw": (".+", "Write raw=TAG, as raw=edge."),
}

STRATEGIES: Mapping[str, Strategy] = {
    "auto": _auto,
    "semver": _semver,
    "channel": _channel,
    "sha": _sha,
    "branch": _branch,
    "pr": _pull_request,
    "tag": _git_tag,
    "date": _date,
    "edge": _edge,
    "raw": _raw,
}


def version_of(facts: BuildFacts) -> str | None:
    """The version as its author means it, without a leading `v`; a Git tag counts when it names one for this image."""
    if facts.version:
        return re.sub(r"^[vV](?=\d)", "", facts.version)
    return facts.tag_rule.version_in(facts.tag) if facts.tag else None
