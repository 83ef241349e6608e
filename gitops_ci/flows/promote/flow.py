"""`promote`: what ran in one environment goes to the next, by the same change and pull request as a bump."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from gitops_ci.dataclass import dataclass
from gitops_ci.errors import FindingsError, GitopsCiError, NothingMatched, ProgramError
from gitops_ci.flows.bump import BumpRequest, bump_into
from gitops_ci.flows.bump.holds import hold_in
from gitops_ci.flows.environments import Mode
from gitops_ci.flows.freeze import window_gate
from gitops_ci.flows.history.reader import EnvironmentPast
from gitops_ci.flows.history.sites import familiar
from gitops_ci.flows.journal import Journal
from gitops_ci.flows.merges import MergeReader
from gitops_ci.flows.promote.batches import Batch, Pair, batches, is_meant, pairs
from gitops_ci.flows.promote.candidates import Candidate, Select, Selection, candidate
from gitops_ci.flows.promote.gates import Question, age, agreement, hold, set_gate, skipped, soak, stage, told, worst
from gitops_ci.flows.promote.publication import Words, bump_of
from gitops_ci.flows.promote.reading import Known, Place, ReadSets, Way, known
from gitops_ci.flows.promote.tested import Registry
from gitops_ci.flows.statuses import StatusReader, judged
from gitops_ci.imageref import ImageRef
from gitops_ci.model import Clock, Gate, Log, Outcome, Plan, Refreshed

__all__ = ["PromoteRequest", "promote"]


def _none(text: str, source: str) -> tuple[tuple[str, ...], ...]:
    del text, source
    return ()


@dataclass(frozen=True, slots=True)
class PromoteRequest:
    """The images (those of `bump.search`, without versions; () for all), and where they go: a name, or `auto`.

    `sources` are the environments that they come from, those of the settings without any. `sets` are names of images
    that go together, `together` makes one of all. `copies` brings an image to the target's registry. `skips` are gates
    that are passed, for a `reason`. `elsewhere` gives the request for the repository of an environment that has one of
    its own. `wait` are seconds in which gates may open.
    """

    bump: BumpRequest
    to: str
    sources: tuple[str, ...] = ()
    select: Select = "current"
    version: str = ""
    sets: tuple[tuple[str, ...], ...] = ()
    read_sets: ReadSets = _none
    together: bool = False
    copies: bool = False
    skips: frozenset[str] = frozenset()
    reason: str = ""
    wait: float = 0.0
    elsewhere: Callable[[str], BumpRequest] | None = None
    clock: Clock = time.time
    sleep: Callable[[float], None] = time.sleep


_PAUSE = 30.0  # seconds between two looks at gates that wait


def promote(request: PromoteRequest, log: Log) -> Outcome:
    """Run a promotion and report what came of it; errors are part of the outcome."""
    end = request.clock() + request.wait
    while True:
        run = _Run(request, Journal("promote", dry_run=request.bump.mode == "dry-run"), log)
        outcome = run.outcome()
        left = end - request.clock()
        if not run.waits or outcome.status != "unchanged" or left <= 0:
            return outcome
        request.sleep(min(left, _PAUSE))


class _Run:
    """One look at the environments, and what is done then. `waits`: a gate that opens by itself stopped a change.

    An error of one change keeps none of the others from its turn.
    """

    def __init__(self, request: PromoteRequest, journal: Journal, log: Log) -> None:
        self._request = request
        self._journal = journal
        self._log = log
        self._now = int(request.clock())
        self._readers: dict[str, StatusReader] = {}
        self._mergers: dict[str, MergeReader] = {}
        self._failed: GitopsCiError | None = None
        self._is_changed = False
        self.waits = False

    def outcome(self) -> Outcome:
        """What came of it: the first error, and all that was done."""
        try:
            with ExitStack() as stack:
                self._all(stack)
        except GitopsCiError as error:
            self._fail(error)
        except (OSError, MemoryError) as error:
            self._fail(ProgramError.of_machine(error))
        if self._failed is not None:
            return self._journal.failed(self._failed, with_commit=False)
        return self._journal.outcome(changed=self._is_changed)

    def _fail(self, error: GitopsCiError) -> None:
        if self._failed is None:
            self._failed = error
        else:
            self._log.warn(error.message)

    def _all(self, stack: ExitStack) -> None:
        """Promote to every target; the repositories stay open as long as `stack`."""
        request = self._request
        self._journal.fail_on_held = request.bump.fail_on_held
        found = known(
            request.bump, request.to, request.sources, self._elsewhere, request.read_sets, self._log, request.clock,
            stack,
        )  # fmt: skip
        seen = list[Question]()
        for way in found.ways:
            questions, notes = self._questions(way, found)
            seen += questions
            for note in notes:
                self._log.detail(f"{note}: left out")
            is_done = all(question.is_there for question in questions)
            for batch in list(batches(questions, (*found.sets, *request.sets), together=request.together)):
                if not all(question.is_there for question in batch.questions):
                    self._take(batch, way, found)
            if questions and is_done:
                self._log.step(f"{way.environment.name} is up to date with {', '.join(way.sources)}")
        if not seen:
            raise NothingMatched(
                "No image is in both environments", hint="`gitops-ci status` shows which image is where."
            )
        for image in request.bump.search.images:
            if not any(is_meant(image, one.image, one.candidate.name, self._match_name) for one in seen):
                raise NothingMatched(
                    f"{image.familiar} is not in both environments of any promotion",
                    hint="Correct its name. `gitops-ci status` shows which image is where.",
                )

    @property
    def _named(self) -> frozenset[str]:
        return frozenset(image.name for image in self._request.bump.search.images)

    @property
    def _match_name(self) -> bool:
        return self._request.bump.search.policy.match_name

    def _elsewhere(self, address: str) -> BumpRequest:
        assert self._request.elsewhere is not None, "whoever reads settings can reach the repositories that they name"
        return self._request.elsewhere(address)

    def _questions(self, way: Way, found: Known) -> tuple[list[Question], list[str]]:
        request = self._request
        target = found.places[way.environment.name].past
        sources = [found.places[name].past for name in way.sources]
        matched, notes = pairs(
            target.timeline,
            [source.timeline for source in sources],
            request.bump.search.images,
            match_name=self._match_name,
            every=request.to == "auto",
        )
        selection = Selection(request.select, request.version, way.environment.soak.seconds)
        questions = [
            Question(
                way.environment.name,
                pair.target,
                tuple(self._candidate(source, pair, selection) for source in sources),
                tuple(target.timeline.counts(pair.target.name)),
                self._now,
            )
            for pair in matched
        ]
        return questions, notes

    def _candidate(self, source: EnvironmentPast, pair: Pair, selection: Selection) -> Candidate:
        if not pair.others:
            return candidate(source, pair.source, selection, self._now)
        listed = ", ".join(map(familiar, (pair.source, *pair.others)))
        return Candidate(
            pair.source, source.scope.name, problem=f"{source.scope.name} has several images of this name: {listed}"
        )

    def _take(self, batch: Batch, way: Way, found: Known) -> None:
        try:
            self._promote(batch, way, found)
        except GitopsCiError as error:
            self._fail(error)

    def _promote(self, batch: Batch, way: Way, found: Known) -> None:
        place = found.places[way.environment.name]
        mode = self._mode(way)
        raw = self._gates(batch, way, found)
        skips = self._request.skips
        if any(question.candidate.problem for question in batch.questions):
            skips -= {"source-agrees"}  # there is no version to write
        gates = list(skipped(raw, skips))
        images = [question.wanted for question in batch.questions]
        stopping = [gate for gate in gates if gate.gate != "window" or mode == "push"]
        try:
            if worst(stopping) == "open" and "source-agrees" not in skips:
                images = self._check_registry(batch, gates, is_dry_run=mode == "dry-run")
                stopping = [gate for gate in gates if gate.gate != "window" or mode == "push"]
        finally:
            self._journal.gates += tuple(gates)
        for gate in stopping:
            if gate.state == "waiting":
                self._log.warn(told(gate))
        if worst(stopping) == "waiting":
            self.waits = True
            self._journal.counts["waiting"] = self._journal.counts.get("waiting", 0) + 1
        if closed := next((gate for gate in stopping if gate.state == "closed"), None):
            raise FindingsError(told(closed), hint=_hint(closed))
        if worst(stopping) == "open":
            passed = tuple(one for one, before in zip(gates, raw, strict=False) if one != before)
            for gate in passed:
                self._log.step(f"{gate.environment}: {', '.join(gate.images)}: {gate.gate} {gate.reason}")
            self._write(batch, way, place, tuple(images), tuple(gates), passed)

    def _mode(self, way: Way) -> Mode:
        return self._request.bump.mode or way.environment.mode or "pull-request"

    def _gates(self, batch: Batch, way: Way, found: Known) -> list[Gate]:
        """All gates of a batch that need no registry."""
        place, gates = found.places[way.environment.name], list[Gate]()
        for question in batch.questions:
            source = found.places[question.candidate.environment].past.timeline
            allowed = self._request.bump.search.policy.allow_downgrade
            gates.append(stage(question, way.sources, way.usual))
            gates.append(agreement(question))
            if worst(gates) == "closed" and question.candidate.problem:
                continue
            gates.append(age(question, source, allow_downgrade=allowed))
            gates.append(soak(self._as_merged(question, way, found), way.environment.soak.seconds))
            gates.append(self._status(question, way, found))
            gates.append(hold(question, hold_in(place.holds, way.environment.name, question.image)))
        if batch.members:
            gates.append(set_gate(way.environment.name, batch.members, batch.questions, self._named))
        names = tuple(question.image.familiar for question in batch.questions)
        gates.append(window_gate(way.environment, place.freezes, self._now, names))
        return gates

    def _as_merged(self, question: Question, way: Way, found: Known) -> Question:
        """The question with the host's time of the merge where that is later: a commit's time is its maker's clock.

        The host is asked only for what would be promoted otherwise.
        """
        seconds = way.environment.soak.seconds
        if not seconds or soak(question, seconds).state != "open":
            return question
        candidates = tuple(self._since_merge(one, found.places[one.environment]) for one in question.candidates)
        return replace(question, candidates=candidates)

    def _since_merge(self, one: Candidate, source: Place) -> Candidate:
        connect = source.bump.forge
        if not one.since or not one.commit or connect is None:
            return one
        reader = self._mergers.setdefault(str(source.bump.url), MergeReader(connect))
        try:
            merged = reader.merged(one.commit)
        except GitopsCiError as error:
            self._log.detail(
                f"soak counts from the commit's time, because the host has no time of a merge: {error.message}"
            )
            return one
        return replace(one, since=max(one.since, merged.time)) if merged else one

    def _status(self, question: Question, way: Way, found: Known) -> Gate:
        """What is reported of the commits that brought the version to each source, and of those after it."""
        wanted = way.environment.require_status
        for one in question.candidates if wanted else ():
            source = found.places[one.environment]
            commits = source.commits
            at = commits.index(one.commit) if one.commit in commits else 0
            end = commits.index(one.ended) if one.ended in commits else len(commits)
            connect = source.bump.forge
            assert connect is not None, "a promotion has a code host"
            reader = self._readers.setdefault(str(source.bump.url), StatusReader(connect))
            reported = judged(reader.newest(commits[at:end]), wanted)
            if reported.state != "open":
                return question.gate("status", reported.state, f"{one.environment}: {reported.reason}")
        return question.gate("status")

    def _check_registry(self, batch: Batch, gates: list[Gate], *, is_dry_run: bool) -> list[ImageRef]:
        """The images to write; the gates get what the registry says."""
        request = self._request
        registry = Registry(request.bump.access, self._log, request.copies, is_dry_run)
        images = []
        for question in batch.questions:
            gate, image = registry.check(question)
            at = next(n for n, g in enumerate(gates) if g.gate == gate.gate and g.images == gate.images)
            gates[at] = gate
            images.append(image)
        return images

    def _write(
        self,
        batch: Batch,
        way: Way,
        place: Place,
        images: tuple[ImageRef, ...],
        gates: tuple[Gate, ...],
        passed: tuple[Gate, ...],
    ) -> None:
        every = tuple(one for question in batch.questions for one in question.candidates)
        words = Words(every, gates, passed, self._request.reason)
        bump = bump_of(place.bump, way.environment, images, batch.members, words, self._request.skips)
        own = Journal("promote")
        names = tuple(question.image.familiar for question in batch.questions)
        try:
            changed = bump_into(own, bump, self._log)
        except GitopsCiError as error:
            if own.findings and isinstance(error, FindingsError):
                self._journal.gates += (Gate(way.environment.name, names, "validate", "closed", error.message),)
            own.tell_commit(error)
            raise
        finally:
            _merge(self._journal, own)
        if own.plan.changes:
            self._journal.gates += (Gate(way.environment.name, names, "validate", "open"),)
        if self._mode(way) == "push" and any(gate.state == "waiting" for gate in own.gates):
            self.waits = True
        self._is_changed = self._is_changed or changed
        self._note(own, way, images, changed=changed)

    def _note(self, own: Journal, way: Way, images: Sequence[ImageRef], *, changed: bool) -> None:
        if own.commit is None and own.pull_request is None:
            return
        pull = own.pull_request
        state = pull.state if pull else "pushed" if changed else "unchanged"
        branch = own.commit.branch if own.commit else pull.head if pull else ""
        base = pull.base if pull else branch
        made = Refreshed(branch, base, way.environment.name, tuple(map(str, images)), state, "", pull)
        self._journal.proposals += (made,)


def _merge(journal: Journal, own: Journal) -> None:
    """Add what one change came to."""
    plan, other = journal.plan, own.plan
    journal.plan = Plan(
        changes=(*plan.changes, *other.changes),
        unchanged=(*plan.unchanged, *other.unchanged),
        skipped=(*plan.skipped, *other.skipped),
        files=(*plan.files, *other.files),
    )
    for name, number in own.counts.items():
        journal.counts[name] = journal.counts.get(name, 0) + number
    journal.findings += own.findings
    journal.skipped += own.skipped
    journal.untouched += own.untouched
    journal.verified += own.verified
    journal.holds += own.holds
    journal.commit = own.commit or journal.commit
    journal.pull_request = own.pull_request or journal.pull_request
    journal.dry_run = journal.dry_run or own.dry_run
    journal.gates += tuple(gate for gate in own.gates if gate not in journal.gates)


def _hint(gate: Gate) -> str:
    if gate.gate == "source-agrees" and "several" in gate.reason:
        return "Name the image as its source has it, and with --version the version that goes on."
    return {
        "age": "--allow-downgrade writes the older version.",
        "stage": "Promote to the environment between them first. --skip-gate stage with --reason leaves it out.",
        "source-agrees": "Release a new version. --skip-gate source-agrees with --reason takes what the tag names now.",
        "window": f"Wait, or --skip-gate {gate.gate} with --reason.",
    }.get(gate.gate, f"--skip-gate {gate.gate} with --reason passes it.")
