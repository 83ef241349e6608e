"""One environment in time: which commit brought which version of which image, and what is there in the end. Pure.

Commits come oldest first. A change counts once for an image and version, however many places it has. A rollback is a
change to a version that came to the environment for the first time *before* the one that it replaces; a version that
comes back after it was taken back is a redeploy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gitops_ci.configrepo import LogEntry
from gitops_ci.flows.history.sites import Use, familiar
from gitops_ci.flows.trailers import digests_in, first_trailers, pull_request_in
from gitops_ci.model import Deployment
from gitops_ci.model.history import DeploymentKind

__all__ = ["Period", "Stacked", "Timeline"]

_Key = tuple[str | None, str | None]  # tag and digest, as they are written
_Counts = Mapping[_Key, int]  # no Counter: a history has many thousands of changes, and these are made for each
_NONE: _Counts = {}
# The trailers that a deployment shows. To read those of a message takes 10 of the 70 us that a commit takes.
_TELLING = ("Requested-By", "Source-Commit", "Source-Repository", "Promoted-From", "Rollback-Of")


class Stacked(NamedTuple):
    """A version that was in effect. `time` 0: it came before the history that was read."""

    tag: str | None
    digest: str | None
    time: int
    commit: str

    @property
    def name(self) -> str:
        return self.tag or self.digest or ""


class Period(NamedTuple):
    """From `time` on every place of an image had this version; without tag and digest they had several, or none.

    `commit` began it, "" where that is before the history that was read.
    """

    time: int
    tag: str | None
    digest: str | None
    commit: str = ""

    @property
    def name(self) -> str:
        return self.tag or self.digest or ""


class Timeline:
    """Fed by `apply`, commit after commit."""

    def __init__(self, environment: str) -> None:
        self.environment = environment
        self.deployments: list[Deployment] = []
        # By image: how many places have each version now.
        self._counts: dict[str, _Counts] = {}
        # By image: versions in the order in which they came first.
        self._first: dict[str, dict[str, int]] = {}
        self._came: dict[tuple[str, str], Stacked] = {}
        self._known: dict[tuple[str, str], Stacked] = {}
        self._stacks: dict[str, dict[str, Stacked]] = {}
        self._periods: dict[str, list[Period]] = {}

    def apply(self, entry: LogEntry, message: str, changes: Iterable[tuple[Sequence[Use], Sequence[Use]]]) -> None:
        """What one commit changed: the places of each file before and after. `message` has the trailers that count."""
        gone: dict[str, dict[_Key, int]] = {}
        come: dict[str, dict[_Key, int]] = {}
        for change in changes:
            before, after = _differing(*change)
            _count(before, gone)
            _count(after, come)
        digests = digests_in(message) if come else {}
        for name in sorted({*gone, *come}):
            out, into = gone.get(name, _NONE), come.get(name, _NONE)
            if out != into:
                removed, added = _less(out, into), _less(into, out)
                known = {key: key[1] or digests.get((name, key[0])) for key in added}
                self._change(entry, message, name, removed, added, known)

    def counts(self, name: str) -> _Counts:
        return self._counts.get(name, _NONE)

    def came(self, name: str, version: str) -> Stacked | None:
        """When a version came that is there now, and by which commit."""
        return self._came.get((name, version))

    def known(self, name: str, version: str) -> Stacked | None:
        """A version that was there at any time, as it came last."""
        return self._known.get((name, version))

    def by_digest(self, name: str, digest: str) -> Stacked | None:
        """The version that had a digest."""
        return next((one for (image, _), one in self._known.items() if image == name and one.digest == digest), None)

    def stack(self, name: str) -> tuple[Stacked, ...]:
        """The versions that were in effect, the present one last; without those that were taken back."""
        return tuple(self._stacks.get(name, {}).values())

    def periods(self, name: str) -> tuple[Period, ...]:
        """The times in which all places of an image had one version, oldest first; each ends where the next begins."""
        return tuple(self._periods.get(name, ()))

    def versions(self, name: str) -> tuple[str, ...]:
        """All versions that the environment ever had, in the order in which they came first."""
        return tuple(self._first.get(name, ()))

    @property
    def names(self) -> tuple[str, ...]:
        """The images that are there now."""
        return tuple(sorted(name for name, counts in self._counts.items() if counts))

    @property
    def ever(self) -> tuple[str, ...]:
        return tuple(sorted(self._first))

    def _change(
        self,
        entry: LogEntry,
        message: str,
        name: str,
        removed: _Counts,
        added: _Counts,
        digests: dict[_Key, str | None],
    ) -> None:
        before = self._counts.get(name, _NONE)
        after = self._counts[name] = _after(before, removed, added)
        had, has = _labels(before), _labels(after)
        self._count_period(entry, name, after, is_one=len(has) == 1)
        if entry.is_cut:
            for key in added:
                self._arrived(name, Stacked(*key, time=0, commit=""))
            return
        said = first_trailers(message) if any(key in message for key in _TELLING) else {}
        for old, new in _steps(before, after, removed, added, had, has):
            kind = self._kind(name, old, new, said)
            came = self._came.get((name, old or ""))
            digest = next((digests[key] for key in added if _label(key) == new and digests.get(key)), None)
            self.deployments.append(
                Deployment(
                    time=entry.time,
                    environment=self.environment,
                    image=familiar(name),
                    old=old,
                    new=new,
                    digest=digest,
                    kind=kind,
                    by=said.get("Requested-By") or entry.author,
                    commit=entry.commit,
                    pull_request=pull_request_in(entry.message),
                    source_commit=said.get("Source-Commit", ""),
                    source_repository=said.get("Source-Repository", ""),
                    restores=came.time if came and kind == "rollback" else 0,
                )
            )
            self._moved(name, new, kind)
        for key in added:
            label = _label(key)
            if label not in had and label in has:
                self._arrived(name, Stacked(key[0], digests.get(key), entry.time, entry.commit), is_new=True)
        for label in had - has:
            self._came.pop((name, label), None)
        if not has:
            self._stacks.pop(name, None)

    def _count_period(self, entry: LogEntry, name: str, now: _Counts, *, is_one: bool) -> None:
        digests = {digest for _, digest in now if digest}
        is_whole = is_one and len(digests) <= 1
        tag, digest = (next(iter(now))[0], next(iter(digests), None)) if is_whole else (None, None)
        here = Period(0, tag, digest) if entry.is_cut else Period(entry.time, tag, digest, entry.commit)
        known = self._periods.setdefault(name, [])
        last = known[-1] if known else None
        if last and last.name == here.name and (not last.digest or not here.digest or last.digest == here.digest):
            if here.digest and not last.digest:
                known[-1] = last._replace(digest=here.digest)
        else:
            known.append(here)

    def _kind(self, name: str, old: str | None, new: str | None, said: Mapping[str, str]) -> DeploymentKind:
        if old is None:
            return "add"
        if new is None:
            return "remove"
        first = self._first.get(name, {})
        if old == new:
            return "redeploy"
        if new in first:
            return "rollback" if first[new] < first.get(old, len(first)) else "redeploy"
        if said.get("Rollback-Of"):
            return "rollback"
        return "promote" if said.get("Promoted-From") else "deploy"

    def _arrived(self, name: str, version: Stacked, *, is_new: bool = False) -> None:
        label = version.name
        first = self._first.setdefault(name, {})
        first.setdefault(label, len(first))
        known = self._known.get((name, label))
        if known and known.digest and not version.digest:
            version = version._replace(digest=known.digest)
        self._came[name, label] = self._known[name, label] = version
        stack = self._stacks.setdefault(name, {})
        there = stack.get(label)
        if there is None:
            stack[label] = version
        elif is_new:
            stack[label] = version._replace(digest=version.digest or there.digest)

    def _moved(self, name: str, new: str | None, kind: DeploymentKind) -> None:
        """A rollback takes from the stack what came after the version it goes back to."""
        if kind != "rollback" or new is None:
            return
        stack, first = self._stacks.get(name, {}), self._first.get(name, {})
        versions, limit = list(stack), first.get(new, -1)
        stays = (
            versions[: versions.index(new) + 1] if new in stack else [v for v in versions if first.get(v, 0) < limit]
        )
        for version in set(versions).difference(stays):
            del stack[version]


def _differing(before: Sequence[Use], after: Sequence[Use]) -> tuple[Sequence[Use], Sequence[Use]]:
    """Without the places that both sides have in common, as most are: they count on neither."""
    if len(before) != len(after):
        return before, after
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if one is not other]
    return [one for one, _ in pairs], [other for _, other in pairs]


def _count(uses: Iterable[Use], counted: dict[str, dict[_Key, int]]) -> None:
    for name, tag, digest, _ in uses:
        counts, key = counted.setdefault(name, {}), (tag, digest)
        counts[key] = counts.get(key, 0) + 1


def _steps(
    before: _Counts, after: _Counts, removed: _Counts, added: _Counts, had: set[str], has: set[str]
) -> Iterator[tuple[str | None, str | None]]:
    """The version that was replaced and the one that replaces it, for each version that a commit brings.

    `had` and `has` are the versions before and after.
    """
    if not before or not after:
        for label in sorted(has or had):
            yield (None, label) if not before else (label, None)
        return
    for label in _by_number(added):
        others = [old for old in _by_number(removed) if old != label]
        if others:
            # A tag that moved in name only has the same digest on both sides.
            yield others[0], label
        elif _digest_changed(label, removed, added):
            yield label, label
        elif label not in had:
            yield _by_number(before)[0], label
    if not added and (lost := sorted(had - has)):
        for label in lost:
            yield label, _by_number(after)[0]


def _digest_changed(label: str, removed: _Counts, added: _Counts) -> bool:
    """Whether one tag has another digest now; that a digest is written at all is not a change of the version."""
    old = {digest for tag, digest in removed if (tag or digest) == label and digest}
    new = {digest for tag, digest in added if (tag or digest) == label and digest}
    return bool(old and new and old != new)


def _label(key: _Key) -> str:
    return key[0] or key[1] or ""


def _labels(counts: _Counts) -> set[str]:
    return {tag or digest or "" for tag, digest in counts}


def _less(one: _Counts, other: _Counts) -> _Counts:
    """What one has more of."""
    return {key: more for key, number in one.items() if (more := number - other.get(key, 0)) > 0}


def _after(before: _Counts, removed: _Counts, added: _Counts) -> _Counts:
    """The places that are left, and those that came."""
    after = _less(before, removed)
    return {**after, **{key: number + after.get(key, 0) for key, number in added.items()}}


def _by_number(counts: _Counts) -> list[str]:
    """The versions, those with the most places first."""
    if len(counts) == 1:
        return [_label(key) for key in counts]
    found: dict[str, int] = {}
    for key, number in counts.items():
        found[_label(key)] = found.get(_label(key), 0) + number
    return sorted(found, key=lambda label: (-found[label], label))
