"""Tags: which of two is older, and which ones a build gets. Pure; the one importer of semver.

A *released* tag (`1.4.2`, `2.0.0-rc.1`) names one image for ever. A *floating* tag (`latest`, `1`, `1.4`, a branch)
names the newest of something and moves. A *build* tag (`main-3fa9c1e`) names the commit an image was built from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from semver import Version

from gitops_ci.errors import UsageError
from gitops_ci.imageref import TAG
from gitops_ci.tag_age import is_day_first, older_by_skeleton

__all__ = [
    "STRATEGIES",
    "BuildFacts",
    "Kind",
    "TagChoice",
    "check_strategies",
    "choose",
    "kind_of",
    "older",
    "slug",
    "version_of",
]

Kind = Literal["release", "build", "floating"]

# --------------------------------------------------------------------------------------------------- comparison

_VERSION_LIKE = re.compile(
    r"(?P<prefix>(?:[A-Za-z][A-Za-z0-9_.-]*?[-_])?)[vV]?(?P<numbers>\d{1,14}(?:\.\d{1,14})*)(?P<rest>(?:[-_+.A-Za-z].*)?)",
    re.ASCII,
)
_DESCRIBED = re.compile(r"-(\d{1,9})-g[0-9a-f]{4,40}")  # git describe: so many commits after the version
_BEFORE_RELEASE = re.compile(
    r"[-_.]?(?:a|alpha|b|beta|c|canary|cr|dev|ea|m|milestone|next|nightly|pre|preview|rc|snapshot|unstable)(?![A-Za-z]).*",
    re.IGNORECASE,
)


def older(candidate: str, current: str) -> bool | None:
    """Whether `candidate` is an older version than `current`; None when the two cannot be compared.

    Numbers compare as far as both go: `1.3.9` is older than `1.4`, `1.4.2` is neither older nor newer. What follows
    them compares when it is the same but for its numbers (`-rc.9`, `-rc.10`; `-debian-12-r3`), or by semver.org §11
    when it says that the version is not out yet (`-beta.1`, `-rc.1`, nothing). Tags that are no versions compare by
    their skeleton (`main-abc1234-1700000000`, `build-99`).
    """
    if is_day_first(candidate) or is_day_first(current):
        return None
    by_version = _older_version(candidate, current)
    return older_by_skeleton(candidate, current) if by_version is None else by_version


def _older_version(candidate: str, current: str) -> bool | None:
    a, b = _VERSION_LIKE.fullmatch(candidate), _VERSION_LIKE.fullmatch(current)
    if a is None or b is None or a["prefix"] != b["prefix"]:
        return None
    if not _same_scheme(a, b):
        return None
    numbers, others = _numbers(a["numbers"]), _numbers(b["numbers"])
    shared = min(len(numbers), len(others))
    if numbers[:shared] != others[:shared]:
        return numbers[:shared] < others[:shared]
    if len(numbers) != len(others):
        return None
    return _older_rest(a["rest"], b["rest"])


def _same_scheme(a: re.Match[str], b: re.Match[str]) -> bool:
    """A lone long number is a date or a build number, or a commit hash that happens to have digits only."""
    for one, other in ((a, b), (b, a)):
        if "." not in one["numbers"]:
            length = len(one["numbers"])
            if one["prefix"] or length == 7:
                return False
            if length > 3 and length != len(other["numbers"]):
                return False
    return True


def _older_rest(a: str, b: str) -> bool | None:
    if a == b:
        return False
    commits, other_commits = _commits_after(a), _commits_after(b)
    if commits is not None and other_commits is not None and commits != other_commits:
        return commits < other_commits
    if re.split(r"\d+", a) == re.split(r"\d+", b):
        return _numbers(a) < _numbers(b)
    if all(not rest or _BEFORE_RELEASE.fullmatch(rest) for rest in (a, b)):
        try:
            return _unreleased(a) < _unreleased(b)
        except ValueError:
            return None
    return None


def _commits_after(rest: str) -> int | None:
    if not rest:
        return 0
    described = _DESCRIBED.fullmatch(rest)
    return int(described[1]) if described else None


def _unreleased(rest: str) -> Version:
    # `rc10` counts as `rc.10`: as one identifier it would be older than `rc9`.
    words = re.sub(r"(?<=[A-Za-z])0*(?=\d)", ".", rest.lstrip("-_."))
    return Version(0, prerelease=words or None)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", text))


# ------------------------------------------------------------------------------------------------------- choice


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What is known about a build. `tag` is the Git tag it was started by, `moment` its time in seconds since 1970.

    `trusted` is False where the code comes from someone who may not push: a pull request from a fork.
    """

    version: str | None = None
    branch: str | None = None
    commit: str | None = None
    pull_request: int | None = None
    is_default_branch: bool = False
    tag: str | None = None
    trusted: bool = True
    moment: float | None = None


@dataclass(frozen=True, slots=True)
class TagChoice:
    """One tag, whether this build gets it, and why or why not: `newer` is the tag of what it belongs to instead."""

    tag: str
    included: bool
    why: str
    kind: Kind = "floating"
    newer: str = ""


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
            full = TagChoice(_valid(choice.tag + suffix), *_allowed(choice, facts), choice.kind, newer)
            if full.tag not in found or (full.included and not found[full.tag].included):
                found[full.tag] = full
    rank = {"release": 0, "build": 1, "floating": 2}
    return tuple(sorted(found.values(), key=lambda choice: (not choice.included, rank[choice.kind])))


def check_strategies(strategies: tuple[str, ...]) -> None:
    """Raises UsageError for a strategy that does not exist, or has an argument that it does not understand."""
    for strategy in strategies:
        name, _, argument = strategy.partition("=")
        if name not in STRATEGIES:
            raise UsageError(f"There is no tag strategy '{name}'", hint=f"There are: {', '.join(STRATEGIES)}.")
        pattern, hint = _ARGUMENTS.get(name, ("", f"Write {name} without an argument."))
        if not re.fullmatch(pattern, argument, re.DOTALL):
            raise UsageError(f"'{strategy}' is not a tag strategy", hint=hint)


def kind_of(tag: str) -> Kind:
    """What a tag that somebody wrote promises, by its look: three numbers and more are a release."""
    matched = _VERSION_LIKE.fullmatch(tag)
    if matched and matched["numbers"].count(".") >= 2:
        return "release"
    return "build" if re.search(r"(?:^|-)[0-9a-f]{7,40}$", tag) else "floating"


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
    if not Version.is_valid(text):
        return
    version = Version.parse(text)
    major, minor = str(version.major), f"{version.major}.{version.minor}"
    stable = None if existing is None else {v: tag for v, tag in _versions(existing).items() if not v.prerelease}
    for tag, series in (
        (lead + minor, (version.major, version.minor)),
        (lead + major, (version.major,)),
        ("latest", ()),
    ):
        newer = ""
        if tag == lead + "0":
            included, why = False, "0.x versions promise nothing to each other"
        elif version.prerelease:
            included, why = False, "a pre-release moves no floating tag"
        elif stable is None:
            included, why = False, "which versions there are is not known"
        else:
            higher = max((v for v in stable if v > version and v.to_tuple()[: len(series)] == series), default=None)
            included = higher is None
            newer = stable[higher] if higher else ""
            why = (
                f"{higher} is newer" if higher else f"newest of {'.'.join(map(str, series))}.x" if series else "newest"
            )
        yield TagChoice(tag, included, why, newer=newer)


def _no_version(text: str, facts: BuildFacts) -> UsageError:
    instead = f"--tags raw={text}" if facts.version else "--tags tag"
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return UsageError(
            f"'{text}' is not a whole version: the tag {text} belongs to the newest {text}.x, and moves",
            hint=f"Say which {text} it is, as 1.4.2, or {instead} for exactly this tag.",
        )
    return UsageError(
        f"'{facts.version or facts.tag}' is not a version: that is three numbers at least, as 1.4.2 or 1.4.2-rc.1",
        hint=f"For exactly this tag say {instead}." if TAG.fullmatch(text) else "",
    )


def _channel(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    """The kind of pre-release: `rc` of 2.0.0-rc.1, unless a newer one of the kind, or a newer release, is there."""
    del argument
    version = _parsed(version_of(facts) or "")
    if version is None or not version.prerelease:
        return
    channel = _channel_of(version)
    if not channel:
        return
    known = _versions(existing or ())
    newer = [v for v in known if _channel_of(v) in {channel, ""} and _in_order(v) > _in_order(version)]
    # The tag belongs to the newest of its kind; a release ends the channel and has no place in it.
    newest = max(newer, key=lambda v: (_channel_of(v) == channel, _in_order(v)), default=None)
    if existing is None:
        yield TagChoice(channel, included=False, why="which versions there are is not known")
    elif newest:
        own = known[newest] if _channel_of(newest) == channel else ""
        yield TagChoice(channel, included=False, why=f"{newest} is newer", newer=own)
    else:
        yield TagChoice(channel, included=True, why=f"newest {channel}")


def _channel_of(version: Version) -> str | None:
    """`rc` of 2.0.0-rc.1, '' of a release, None of 2.0.0-1."""
    if not version.prerelease:
        return ""
    found = re.match(r"[A-Za-z]+", version.prerelease)
    return found[0] if found else None


def _in_order(version: Version) -> Version:
    """The version for comparison: `rc10` counts as `rc.10`, else it would be older than `rc9`."""
    return version.replace(prerelease=_unreleased(version.prerelease).prerelease if version.prerelease else None)


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
    taken = tag == "latest" or _VERSION_LIKE.fullmatch(tag) is not None
    yield TagChoice(tag, included=not taken, why="its name belongs to the releases" if taken else "the branch")


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
    """The build's time in UTC, `%Y%m%d` unless told: of the commit where known, so that a re-run says the same."""
    del existing
    if facts.moment is not None:
        tag = datetime.fromtimestamp(facts.moment, UTC).strftime(argument or "%Y%m%d")
        yield TagChoice(tag, included=True, why="the date", kind="build")


def _edge(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    """`edge`, or another name, for the newest build of the default branch."""
    del existing
    if facts.branch:
        why = "the default branch" if facts.is_default_branch else f"{facts.branch} is not the default branch"
        yield TagChoice(argument or "edge", facts.is_default_branch, why)


def _raw(argument: str, facts: BuildFacts, existing: Collection[str] | None) -> Iterator[TagChoice]:
    del facts, existing
    yield TagChoice(argument, included=True, why="asked for", kind=kind_of(argument))


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
    """The version as its author means it, without a leading `v`; a Git tag counts when it ends in a version."""
    if facts.version:
        return re.sub(r"^[vV](?=\d)", "", facts.version)
    named = re.search(r"(?:^|[/_-])[vV]?(\d+\.\d+.*)$", facts.tag or "")
    return named[1] if named else None


def _versions(tags: Collection[str]) -> dict[Version, str]:
    """The versions among tags, each with its tag."""
    return {version: tag for tag in sorted(tags) if (version := _parsed(tag))}


def _parsed(tag: str) -> Version | None:
    text = re.sub(r"^[vV](?=\d)", "", tag).replace("_", "+", 1)
    return Version.parse(text) if Version.is_valid(text) else None
