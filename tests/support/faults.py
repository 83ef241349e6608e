"""One fault between two requests of a `bump`, and a second run without any: what is there, and what was printed of it.

Every request of a run, to Git and to the API of the code host, goes through one of two proxies that count together. A
fault meets the request of one number, or with `storm` that request and all after it.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.fault_proxy import Answer, Asked, Cut, Fault, FaultProxy, Passed, fault_proxy
from tests.support.forge_hosts import Host, hosting
from tests.support.git_http import git_server
from tests.support.runs import Done, finish, start

__all__ = ["DEADLINE", "FAULTS", "MODES", "SLOW", "Case", "Undisturbed", "Verdict", "cases", "try_case", "undisturbed"]

MODES = ("push", "pull-request")
DEADLINE = 8  # seconds that a run with a fault may take by its own option
UNDISTURBED = 60  # and one without
LONGEST = DEADLINE + 10 + 22  # one look at a branch comes after the deadline; the rest is for a busy machine
LINGERS = 10  # seconds after the run until nobody holds a connection
IMAGE = "ghcr.io/acme/shop:1.5.0"
FILE = "apps/shop/values.yaml"
FILES = {FILE: "image:\n  repository: ghcr.io/acme/shop\n  tag: 1.4.1\n", "README.md": "# Config\n"}
PAGE = b"<!DOCTYPE html><html><title>Maintenance</title><body>We will be back soon.</body></html>"
HTML = {"Content-Type": "text/html"}


def _body(change: Callable[[bytes], bytes]) -> Passed:
    def changed(answer: Answer) -> Answer:
        assert isinstance(answer.body, bytes)
        return replace(answer, body=change(answer.body))

    return Passed(changed)


def _short(answer: Answer) -> bytes:
    """The headers promise the whole body, and half of it comes."""
    assert isinstance(answer.body, bytes)
    head = [f"HTTP/1.1 {answer.status} OK", *(f"{name}: {value}" for name, value in answer.headers.items())]
    head += [f"Content-Length: {len(answer.body)}", "", ""]
    return "\r\n".join(head).encode() + answer.body[: len(answer.body) // 2]


def _late(answer: Answer) -> Answer:
    time.sleep(3)
    return answer


def _slowly(body: bytes) -> Iterator[bytes]:
    for byte in body:
        time.sleep(0.25)
        yield bytes([byte])


def _trickling(answer: Answer) -> Answer:
    assert isinstance(answer.body, bytes)
    return replace(answer, body=_slowly(answer.body))


# What happens to a request. The first nine keep it from being carried out; after the others it is.
FAULTS: Mapping[str, Callable[[str], Fault]] = {
    "reset before": lambda _: Cut(),
    "closed before": lambda _: Cut(orderly=True),
    "half of the request": lambda _: Cut(0.5),
    "500": lambda _: Answer(500),
    "503": lambda _: Answer(503, {"Retry-After": "1"}),
    "429": lambda _: Answer(429, {"Retry-After": "1"}),
    "403": lambda _: Answer(403),
    "web page before": lambda _: Answer(200, HTML, PAGE),
    "redirect": lambda elsewhere: Answer(302, {"Location": f"http://{elsewhere}/there"}),
    "reset after": lambda _: Cut(of="answer"),
    "closed after": lambda _: Cut(of="answer", orderly=True),
    "half of the headers": lambda _: Passed(lambda answer: b"HTTP/1.1 200 OK\r\nContent-Ty"),
    "reset in the answer": lambda _: Cut(0.5, of="response"),
    "short": lambda _: Passed(_short),
    "truncated": lambda _: _body(lambda body: body[: len(body) // 2]),
    "empty": lambda _: _body(lambda body: b""),
    "doubled": lambda _: _body(lambda body: body * 2),
    "502 after": lambda _: Passed(lambda answer: Answer(502)),
    "web page after": lambda _: Passed(lambda answer: Answer(200, HTML, PAGE)),
    "late": lambda _: Passed(_late),
    "trickling": lambda _: Passed(_trickling),
    "silent": lambda _: Passed(lambda answer: b"", silent=True),
}
SLOW = frozenset({"late", "trickling", "silent"})


@dataclass(frozen=True)
class Case:
    """Which request of a run meets which fault, on which code host."""

    host: str
    mode: str
    fault: str
    number: int
    storm: bool = False

    def __str__(self) -> str:
        return f"{self.host}, {self.mode}, {self.fault} at request {self.number}{' and after it' * self.storm}"


@dataclass(frozen=True)
class Verdict:
    """What became of a case. `wrong` is what must not be; `there` whether the whole change was there after the run.

    `printed` is whether a run that failed named what had landed until then; None where nothing had.
    """

    case: Case
    code: int
    there: bool
    printed: bool | None
    seconds: float
    wrong: tuple[str, ...]
    output: str


Run = Callable[[Path, list[str], dict[str, str]], Done]


def _as_a_process(folder: Path, arguments: list[str], environment: dict[str, str]) -> Done:
    return finish(start(folder, *arguments, environment=environment), 90)


class Place:
    """A config repository and its code host behind proxies, and how to bump there."""

    def __init__(self, folder: Path, repo: Any, hosted: Host, proxies: list[FaultProxy], run: Run) -> None:
        self.folder, self.repo, self.run = folder, repo, run
        self.stub, self.forge = hosted.stub, hosted.kind.forge
        self.git, self.api, self.elsewhere = proxies
        self.environment = {"GITOPS_CI_TOKEN": self.stub.token, "TMPDIR": str(folder)}
        self._lock = threading.Lock()
        self.asked: list[Asked] = []

    def break_at(self, case: Case | None) -> None:
        """Count the requests from one on, and do harm as the case says."""
        self.asked = []

        def script(asked: Asked) -> Fault:
            with self._lock:
                self.asked.append(asked)
                number = len(self.asked)
            if case and (number == case.number or (case.storm and number > case.number)):
                return FAULTS[case.fault](self.elsewhere.host)
            return None

        self.git.script = self.api.script = script

    def bump(self, mode: str, deadline: int = UNDISTURBED) -> Done:
        path = f"http://{self.git.host}/{self.stub.path}.git"
        api = self.stub.api_url.replace(self.api.upstream, self.api.host)
        arguments = ["bump", IMAGE, "--config-repo", path, "--mode", mode, "--forge", self.forge]
        arguments += ["--api-url", api, "--deadline", str(deadline)]
        if mode == "pull-request":
            arguments += ["--label", "gitops", "--reviewer", "ada"]
        return self.run(self.folder, arguments, self.environment)

    def settle(self) -> float:
        """Wait until what was sent is carried out and nobody holds a connection; seconds."""
        began = time.monotonic()
        for proxy in (self.git, self.api):
            proxy.settle()
        return time.monotonic() - began

    def landed(self) -> list[str]:
        """The commits on branches that were not there before."""
        return [tip for branch, tip in self.repo.tips().items() if self.repo.count(branch) > 1]

    def is_there(self, mode: str) -> bool:
        """Whether the whole change is where it was to go."""
        heads = ["main"] if mode == "push" else [pull.head for pull in self.stub.pulls if pull.status == "open"]
        return any(b"tag: 1.5.0" in self.repo.read(FILE, head) for head in heads)

    def state(self) -> Any:
        """Everything that outlives a run, without what differs from one commit to the next of the same content."""
        self.repo.git("fsck", "--strict")
        branches = {
            name: (self.repo.git("rev-parse", f"{name}^{{tree}}"), self.repo.count(name), self.repo.message(name))
            for name in self.repo.tips()
        }
        pulls = [
            (p.head, p.base, p.title, p.body.replace(self.api.host, ""), p.status, p.labels, p.reviewers, p.comments)
            for p in self.stub.pulls
        ]
        return branches, pulls, os.listdir(self.folder)


@contextmanager
def place(host: str, run: Run = _as_a_process) -> Iterator[Place]:
    """A config repository of one image on a code host of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(git_server(folder / "served"))
        hosted = stack.enter_context(hosting(host, token=server.token))
        repo = server.make_repo(hosted.stub.path, FILES)
        hosted.stub.branch_exists = lambda branch: branch in repo.tips()
        hosted.stub.tip = lambda branch: repo.tips().get(branch, "1" * 40)
        upstreams = [f"127.0.0.1:{server.port}", hosted.stub.origin.partition("://")[2], "127.0.0.1:1"]
        proxies = [stack.enter_context(fault_proxy(upstream)) for upstream in upstreams]
        proxies[-1].script = lambda asked: Answer(404)
        (folder / "run").mkdir()
        yield Place(folder / "run", repo, hosted, proxies, run)


@dataclass(frozen=True)
class Undisturbed:
    """What two runs without a fault leave, and how many requests the first of them sends, some of which write."""

    state: Any
    requests: int
    writes: tuple[int, ...]


def undisturbed(host: str, mode: str, run: Run = _as_a_process) -> Undisturbed:
    with place(host, run) as here:
        here.break_at(None)
        code, output = here.bump(mode)
        assert code == 0, output
        asked = tuple(here.asked)
        writes = tuple(n for n, one in enumerate(asked, 1) if one.method != "GET" and "upload-pack" not in one.path)
        code, output = here.bump(mode)
        assert code == 0, output
        assert here.is_there(mode)
        return Undisturbed(here.state(), len(asked), writes)


def try_case(case: Case, expected: Any, run: Run = _as_a_process) -> Verdict:
    """Run the program with a fault, then without one, and judge both."""
    with place(case.host, run) as here:
        here.break_at(case)
        began = time.monotonic()
        code, output = here.bump(case.mode, DEADLINE)
        seconds = time.monotonic() - began
        lingered = here.settle()
        there, landed = here.is_there(case.mode), here.landed()
        named = [tip[:12] in output for tip in landed]
        may_have = any(words in output for words in ("may have landed", "may still work on the push"))
        printed = (may_have or all(named)) if landed and code else None
        here.break_at(None)
        again, output_again = here.bump(case.mode)
        here.settle()
        wrong = [
            (code == 0 and not there, "exit 0 and it is not there"),
            (code not in {0, 5, 6}, f"exit {code}"),
            ("Traceback" in output + output_again or "a bug" in output + output_again, "a bug"),
            (here.stub.token in output + output_again, "the token is printed"),
            (_carries_a_token(here.elsewhere), "the token went elsewhere"),
            (seconds > LONGEST, f"it took {seconds:.0f} s"),
            (lingered > LINGERS, f"a helper ran on for {lingered:.0f} s"),
            (again != 0, f"the next run ends with {again}"),
            (
                again == 0 and (now := here.state()) != expected,
                "doubled, or otherwise not what an undisturbed run leaves",
            ),
        ]
        said = output if again == 0 else f"{output}\n--- the next run\n{output_again}"
        if again == 0 and now != expected:
            said += "".join(
                f"\n--- {which}\n{json.dumps(what)}" for which, what in (("left", now), ("expected", expected))
            )
        return Verdict(case, code, there, printed, seconds, tuple(what for is_so, what in wrong if is_so), said)


def cases(host: str, mode: str, requests: int, faults: Sequence[str], *, storm: bool = False) -> list[Case]:
    """Each fault at each request."""
    return [Case(host, mode, fault, number, storm) for number in range(1, requests + 1) for fault in faults]


def _carries_a_token(proxy: FaultProxy) -> bool:
    return any({"authorization", "private-token"} & {*asked.headers} for asked in proxy.asked)
