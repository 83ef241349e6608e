"""The life of a pull request, written once for all hosts with an API."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import ForgeError
from gitops_ci.forges.api import Api
from gitops_ci.forges.base import AutoMerge
from gitops_ci.forges.limits import cut, cut_title, same
from gitops_ci.model import RETIRED, Proposal, PullRequest

__all__ = ["Additions", "RestForge", "attempt", "without_refused"]

T = TypeVar("T")

_LOST = frozenset({0, 500, 502, 503, 504})  # after these nobody knows whether the work was done


@dataclass(frozen=True, slots=True)
class Additions:
    """Labels, people and a milestone: asked for, or really added, with what was refused in `warnings`."""

    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    milestone: str = ""

    def __bool__(self) -> bool:
        return bool(self.labels or self.reviewers or self.assignees or self.milestone)

    def __add__(self, other: Additions) -> Additions:
        return Additions(
            (*self.labels, *other.labels),
            (*self.reviewers, *other.reviewers),
            (*self.assignees, *other.assignees),
            (*self.warnings, *other.warnings),
            self.milestone or other.milestone,
        )


class RestForge(ABC):
    """The life of a pull request, in terms of the few requests in which hosts differ."""

    TITLE_LIMIT: ClassVar[int] = 255
    BODY_LIMIT: ClassVar[int] = 65_536
    COMMENT_LIMIT: ClassVar[int] = 65_536

    def __init__(self, api: Api) -> None:
        self._api = api

    # What a host has to tell: each is one or two requests.

    @abstractmethod
    def default_branch(self) -> str: ...

    @abstractmethod
    def _merge(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        """As `merge_when_green`; it looks first whether that has happened, so that it may be called again."""

    @abstractmethod
    def _pulls(self, *, head: str, base: str, every: bool) -> Iterable[PullRequest]:
        """Pull requests from `head` to `base` of this very repository, newest first; only open ones unless `every`."""

    @abstractmethod
    def _create(self, proposal: Proposal) -> PullRequest:
        """Send the request that opens one; labels and people that go with it are in the answer."""

    @abstractmethod
    def _exists(self, error: ForgeError) -> bool:
        """Whether `_create` was refused because there is one already."""

    def _lags(self, error: ForgeError) -> bool:
        """Whether `_create` was refused because the host has not noticed yet what was pushed a moment ago."""
        del error
        return False

    @abstractmethod
    def _rewrite(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        """Send title and body, and make it a draft where the proposal is one."""

    @abstractmethod
    def _add(self, pull_request: PullRequest, missing: Additions) -> Additions:
        """Add labels and people; what really was added, and warnings for the rest."""

    @abstractmethod
    def _close(self, pull_request: PullRequest) -> None:
        """Close it without merging; where that cannot be asked twice, look first whether it is open."""

    @abstractmethod
    def _comments(self, pull_request: PullRequest) -> Iterable[tuple[Any, str]]:
        """What identifies each comment to this host, and its text."""

    @abstractmethod
    def _say(self, pull_request: PullRequest, text: str, *, instead_of: Any | None) -> None:
        """Add a comment, or put `text` in the place of one."""

    def _reviewed_by(self, pull_request: PullRequest) -> Collection[str]:
        """Who answered a request for review already, where a host takes them off the list of those asked."""
        del pull_request
        return ()

    def _whole(self, pull_request: PullRequest) -> PullRequest:
        """A pull request that a search found, with what a host's searches leave out."""
        return pull_request

    # What they have in common.

    def find_open(self, *, head: str, base: str) -> PullRequest | None:
        found = next((p for p in self._pulls(head=head, base=base, every=False) if p.status == "open"), None)
        return self._whole(found) if found else None

    def find_latest(self, *, head: str, base: str) -> PullRequest | None:
        pulls = list(self._pulls(head=head, base=base, every=True))
        found = next((p for p in pulls if p.status == "open"), pulls[0] if pulls else None)
        return self._whole(found) if found else None

    def open(self, proposal: Proposal) -> PullRequest:
        wanted = self._fitting(proposal)
        made, ours = self._create_once(wanted)
        return replace(made, state="opened") if ours else self.update(made, wanted)

    def update(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        wanted = self._fitting(proposal)
        if same(pull_request.title, wanted.title) and same(pull_request.body, wanted.body):
            return replace(pull_request, state="unchanged")
        return replace(self._rewrite(pull_request, wanted), state="updated")

    def complete(self, pull_request: PullRequest, proposal: Proposal) -> PullRequest:
        # Those who get a label or a task one by one: one that is refused keeps nothing from the others.
        parts = [
            *(Additions(labels=(name,)) for name in _missing(proposal.labels, pull_request.labels)),
            *(Additions(assignees=(name,)) for name in _missing(proposal.assignees, pull_request.assignees)),
        ]
        if reviewers := self._unasked(pull_request, proposal):
            parts.append(Additions(reviewers=reviewers))
        if proposal.milestone and not pull_request.milestone:  # one that a person chose stays
            parts.append(Additions(milestone=proposal.milestone))
        found = pull_request
        for part in parts:
            try:
                found = _with(found, self._add(found, part))
            except ForgeError as error:
                names = ", ".join((*part.labels, *part.assignees, *part.reviewers)) or part.milestone
                kinds = {"Label": part.labels, "Assignee": part.assignees, "Reviewer": part.reviewers}
                kind = next((kind for kind, some in kinds.items() if some), "Milestone")
                found = _with(found, Additions(warnings=(f"{kind} {names} was not added: {error.message}",)))
        return found

    def comment(self, pull_request: PullRequest, text: str, *, key: str, is_new: bool = True) -> None:
        _again_if_lost(lambda: self._comment_once(pull_request, text, key, is_new=is_new))

    def close(self, pull_request: PullRequest, *, comment: str) -> bool:
        if pull_request.status != "open":
            return True
        # The reason first: killed in between, the next run finds it said and closes.
        self.comment(pull_request, comment, key="closed")
        self._mark_retired(pull_request)
        _again_if_lost(lambda: self._close(pull_request))
        return True

    def merge_when_green(self, pull_request: PullRequest, wanted: AutoMerge) -> bool:
        return _again_if_lost(lambda: self._merge(pull_request, wanted))

    def _comment_once(self, pull_request: PullRequest, text: str, key: str, *, is_new: bool) -> None:
        # A link definition without a link: no renderer shows it, every host keeps it.
        marker = f"[//]: # (gitops-ci:{key})"
        wanted = f"{cut(text, self.COMMENT_LIMIT - len(marker) - 2).rstrip()}\n\n{marker}"
        for comment, said in self._comments(pull_request):
            if marker in said:
                if not same(said, wanted):
                    self._say(pull_request, wanted, instead_of=comment)
                return
        if is_new:
            self._say(pull_request, wanted, instead_of=None)

    def _mark_retired(self, pull_request: PullRequest) -> None:
        """Note in the description who closes it. The next update after a person reopened it takes the note away.

        Who closed a pull request is in no field that all hosts have, and the account may be a person's own.
        """
        if RETIRED in pull_request.body:
            return
        body = f"{cut(pull_request.body, self.BODY_LIMIT - len(RETIRED) - 2).rstrip()}\n\n{RETIRED}"
        marked = Proposal(pull_request.head, pull_request.base, pull_request.title, body)
        try:
            _again_if_lost(lambda: self._rewrite(pull_request, marked))
        except ForgeError as error:
            # A host may refuse the new text for what else it holds: that must not keep the pull request open.
            if error.status not in {400, 403, 409, 422}:
                raise

    def _fitting(self, proposal: Proposal) -> Proposal:
        title, body = cut_title(proposal.title, self.TITLE_LIMIT), cut(proposal.body, self.BODY_LIMIT)
        return replace(proposal, title=title, body=body)

    def _create_once(self, proposal: Proposal) -> tuple[PullRequest, bool]:
        """(The pull request, whether this call opened it).

        After a lost answer, or "there is one already", the host is searched before anything is sent again.
        """
        for last in (False, False, True):
            try:
                return self._create(proposal), True
            except ForgeError as error:
                if proposal.draft and error.status in {400, 403, 409, 422} and "draft" in error.words.casefold():
                    made, ours = self._create_once(replace(proposal, draft=False))
                    return replace(made, warnings=(*made.warnings, f"It is not a draft: {error.words}")), ours
                if self._lags(error) and not last and self._api.http.pause(2):
                    continue
                exists = self._exists(error)
                if not exists and error.status not in _LOST:
                    raise
                # Searches lag behind: what exists must turn up, what was lost may never have been.
                found = self._searched(proposal, pauses=(0, 1, 2, 4) if exists else (0, 1))
                if found is not None:
                    return found, not exists
                if exists or last:
                    raise
        raise AssertionError

    def _searched(self, proposal: Proposal, *, pauses: tuple[int, ...]) -> PullRequest | None:
        for pause in pauses:
            if pause and not self._api.http.pause(pause):
                return None
            if (found := self.find_open(head=proposal.head, base=proposal.base)) is not None:
                return found
        return None

    def _unasked(self, pull_request: PullRequest, proposal: Proposal) -> tuple[str, ...]:
        """Who is to be asked for review. Who has reviewed this very content is not asked again."""
        missing = _missing(proposal.reviewers, pull_request.reviewers)
        if not missing or pull_request.state != "unchanged":
            return missing
        try:
            return _missing(missing, self._reviewed_by(pull_request))
        except ForgeError:
            return ()  # rather not at all than again with every run


def _with(pull_request: PullRequest, added: Additions) -> PullRequest:
    """A pull request with what was added to it."""
    return replace(
        pull_request,
        state="updated" if pull_request.state == "unchanged" and added else pull_request.state,
        labels=(*pull_request.labels, *added.labels),
        reviewers=(*pull_request.reviewers, *added.reviewers),
        assignees=(*pull_request.assignees, *added.assignees),
        milestone=pull_request.milestone or added.milestone,
        warnings=tuple(dict.fromkeys((*pull_request.warnings, *added.warnings))),
    )


def without_refused(
    people: Sequence[str], send: Callable[[Sequence[str]], PullRequest], is_about: Callable[[ForgeError], bool]
) -> PullRequest:
    """What `send` gives for these reviewers, without those whom the host refuses by now, with a warning for each.

    A request names all reviewers that there are, and the refusal (`is_about` tells it from others) nobody: somebody
    left, or was deactivated. Mostly it is one, so each is left out in turn first; an approval would be lost otherwise.
    """
    try:
        return send(people)
    except ForgeError as error:
        if not is_about(error) or not people:
            raise
    for name in people:
        try:
            return _dropped(send([other for other in people if other != name]), (name,))
        except ForgeError as error:
            if not is_about(error):
                raise
    found, kept = send(()), list[str]()
    for name in people:
        try:
            found = send([*kept, name])
            kept.append(name)
        except ForgeError as error:
            if not is_about(error):
                raise
    return _dropped(found, [name for name in people if name not in kept])


def _dropped(pull_request: PullRequest, names: Iterable[str]) -> PullRequest:
    warnings = tuple(f"{name} cannot review any more and was taken off the reviewers" for name in names)
    return _with(pull_request, Additions(warnings=warnings))


def _again_if_lost(work: Callable[[], T]) -> T:
    """Do work once more after a lost answer; it looks by itself what the first time has done."""
    try:
        return work()
    except ForgeError as error:
        if error.status not in _LOST:
            raise
        return work()


def attempt(request: Callable[[], object], done: Additions, refused: str) -> Additions:
    """`done` when the request succeeds, else a warning that begins with `refused`."""
    try:
        request()
    except ForgeError as error:
        return Additions(warnings=(f"{refused}: {error.message}",))
    return done


def milestone_titled(found: Iterable[Any], wanted: str, id_field: str, send: Callable[[int], PullRequest]) -> Additions:
    """Set the open milestone of this title, out of those that a host listed; where there is none, that is a warning."""
    number = next((one[id_field] for one in found if str(one.get("title")).casefold() == wanted.casefold()), None)
    if number is None:
        return Additions(warnings=(f"There is no open milestone '{wanted}': make it",))
    if not send(number).milestone:  # left out in silence where the token may not
        return Additions(warnings=(f"The milestone '{wanted}' was not set: check that the token may set it",))
    return Additions(milestone=wanted)


def _missing(wanted: Iterable[str], present: Collection[str]) -> tuple[str, ...]:
    known = {name.casefold() for name in present}
    return tuple(name for name in dict.fromkeys(wanted) if name.casefold() not in known)
