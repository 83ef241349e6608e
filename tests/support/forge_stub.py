"""What the stub code hosts share: a threaded server on loopback that keeps pull requests and lets nothing pass.

A request that the host's contract (tests/data/contracts) does not know, a body key it does not name, an answer of the
stub's own that it does not describe: each is a problem, and problems fail the test when the stub is left.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl

from tests.support.contract import Contract, Operation, load
from tests.support.http_server import Server, in_background

__all__ = ["Asked", "Fault", "ForgeStub", "Pull", "Refused", "route"]

Handler = Callable[["Asked"], tuple[int, Any]]


@dataclass
class Pull:
    """A pull request as any host keeps it. `reviews` are people who answered a request for review.

    `noticed` is the commit that the host's background jobs have dealt with, `looks` how often a client looked since.
    """

    number: int
    title: str
    body: str
    head: str
    base: str
    status: str = "open"
    draft: bool = False
    author: str = "gitops-bot"
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    comments: dict[int, str] = field(default_factory=dict)
    milestone: str = ""
    auto_merge: str = ""
    fork: bool = False  # it comes from a stranger's fork
    origin: str = ""  # the fork, OWNER/NAME, that it comes from
    version: int = 0
    noticed: str = ""
    looks: int = 0


@dataclass(frozen=True)
class Asked:
    """A request that has passed every check."""

    operation: Operation
    query: Mapping[str, str]
    body: Any

    @property
    def values(self) -> Mapping[str, str]:
        return self.operation.values


@dataclass(frozen=True)
class Recorded:
    """A request as it came, and the status it got (0: hung up)."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    status: int


@dataclass
class Fault:
    """A scripted trouble for the next `times` requests of this method whose path matches.

    `after` does the work first and then fails; status 0 hangs up without an answer.
    """

    method: str
    path: str
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False
    times: int = 1


class Refused(Exception):
    """An answer that says no."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def route(method: str, template: str) -> Callable[[Callable[..., tuple[int, Any]]], Callable[..., tuple[int, Any]]]:
    """Mark a method of a stub as what answers this request of the contract."""

    def mark(function: Callable[..., tuple[int, Any]]) -> Callable[..., tuple[int, Any]]:
        function.operation = (method, template)  # type: ignore[attr-defined]
        return function

    return mark


class ForgeStub:
    """A code host with one repository `acme/config`; use it as a context manager.

    `branch_exists` tells whether a branch is in the real Git repository behind it, `tip` gives its commit; without one
    it is made up from the branch's name. `people` may be reviewers and assignees.
    """

    CONTRACT: ClassVar[str]
    PREFIX: ClassVar[str] = ""  # before the contract's paths in a URL
    OWNER = "acme"
    NAME = "config"

    def __init__(self, branch_exists: Callable[[str], bool] | None = None, *, token: str = "stub-token-0123") -> None:
        self.branch_exists = branch_exists or (lambda branch: True)
        self.tip: Callable[[str], str] | None = None
        self.token = token
        self.default_branch = "main"
        self.fork = ""  # OWNER/NAME of a fork that pull requests may come from
        self.fork_tip: Callable[[str], str] | None = None  # a branch's commit there, "" where there is none
        self.pulls: list[Pull] = []
        self.requests: list[Recorded] = []
        self.problems: list[str] = []
        self.faults: list[Fault] = []
        self.people = ["ada", "grace", "linus"]
        self.author = "gitops-bot"
        self.labels: list[str] = []
        self.milestones = ["Q3", "Q4"]
        self.reported: list[tuple[str, str, str, str]] = []
        self.merges: dict[str, list[tuple[int, str, str]]] = {}
        self.push_lag = 0  # looks at a pull request until the host has noticed a push
        self.search_lag = 0  # searches that do not show a new pull request yet
        self.contract: Contract = load(self.CONTRACT)
        self._lock = threading.RLock()
        self._serving = ExitStack()
        self._next_comment = 100
        marked = [name for name in dir(type(self)) if hasattr(getattr(type(self), name), "operation")]
        self._routes: dict[tuple[str, str], Handler] = {
            getattr(type(self), name).operation: getattr(self, name) for name in marked
        }

    # For tests.

    @property
    def api_url(self) -> str:
        return self.origin + self.PREFIX

    @property
    def path(self) -> str:
        """The repository's path on the host, as it stands in its clone address."""
        return f"{self.OWNER}/{self.NAME}"

    @property
    def merging(self) -> list[Pull]:
        """Pull requests that the host will merge by itself, or has merged."""
        return [p for p in self.pulls if p.auto_merge or p.status == "merged"]

    @property
    def origin(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def fault(self, method: str, path: str, status: int, **options: Any) -> None:
        self.faults.append(Fault(method, path, status, **options))

    def add_pull(self, head: str = "feature", base: str = "main", **values: Any) -> Pull:
        with self._lock:
            pull = Pull(len(self.pulls) + 1, values.pop("title", "t"), values.pop("body", "b"), head, base, **values)
            self.pulls.append(pull)
            return pull

    def report(self, commit: str, context: str, state: str, by: str = "flux") -> None:
        """Somebody reports `success`, `failure` or `pending` of a commit."""
        self.reported.insert(0, (commit, context, state, by))

    def merges_of(self, commit: str) -> list[tuple[int, str, str]]:
        """(number, by, RFC 3339 time) of the merged pull requests of a commit."""
        return self.merges.get(commit, [])

    def merge_of(self, commit: str, number: int, by: str, time: str) -> None:
        """Somebody merged a pull request, and this commit came of it."""
        self.merges.setdefault(commit, []).append((number, by, time))

    def statuses_of(self, commit: str) -> list[tuple[str, str, str]]:
        """(context, state, by), the newest first."""
        return [(context, state, by) for of, context, state, by in self.reported if of == commit]

    def pull(self, number: int | str) -> Pull:
        found = next((p for p in self.pulls if p.number == int(number)), None)
        if found is None:
            raise self.refusal(404)
        return found

    def sent(self, method: str, path: str = "") -> list[Recorded]:
        """Requests of this method whose path matches."""
        return [r for r in self.requests if r.method == method and re.search(path, r.path)]

    # For the hosts.

    def refusal(self, status: int, words: str = "") -> Refused:
        raise NotImplementedError

    def authorized(self, headers: Mapping[str, str]) -> bool:
        raise NotImplementedError

    def sha(self, branch: str) -> str:
        """A branch's commit."""
        return self.tip(branch) if self.tip else hashlib.sha1(branch.encode()).hexdigest()

    def head_sha(self, pull: Pull) -> str:
        """The commit of the branch that a pull request comes from."""
        return self.fork_tip(pull.head) if pull.origin and self.fork_tip else self.sha(pull.head)

    def has_head(self, branch: str, origin: str = "") -> bool:
        """Whether a branch is there, in the repository or in a fork."""
        return bool(self.fork_tip and self.fork_tip(branch)) if origin else self.branch_exists(branch)

    def noticed(self, pull: Pull) -> str:
        """The commit that the host shows as a pull request's head: after a push it is the one before for a while."""
        tip = self.head_sha(pull)
        pull.noticed = pull.noticed or tip
        if pull.status != "open":
            return pull.noticed  # what was pushed to the branch since is not part of it
        if pull.noticed != tip:
            pull.looks += 1
            if pull.looks > self.push_lag:
                pull.noticed, pull.looks = tip, 0
                self.on_push(pull)
        return pull.noticed

    def merged(self, pull: Pull) -> None:
        """A person merges a pull request and keeps its branch."""
        pull.noticed, pull.status = self.head_sha(pull), "merged"

    def on_push(self, pull: Pull) -> None:
        """What this host does to a pull request when it notices a push to its head."""

    def add_comment(self, pull: Pull, text: str) -> int:
        self._next_comment += 1
        pull.comments[self._next_comment] = text
        return self._next_comment

    def duplicate(self, head: str, base: str, origin: str = "") -> Pull | None:
        wanted = (head, base, "open", False, origin)
        return next((p for p in self.pulls if (p.head, p.base, p.status, p.fork, p.origin) == wanted), None)

    def listed(self, pulls: list[Pull]) -> list[Pull]:
        """What a search shows: newest first, and nothing new while it lags."""
        if self.search_lag and pulls:
            self.search_lag -= 1
            return []
        return sorted(pulls, key=lambda p: -p.number)

    # The server.

    def __enter__(self) -> Self:
        stub = self

        class Connection(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                size = int(self.headers.get("content-length", 0))
                body = self.rfile.read(size)
                if len(body) < size:
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, answer, extra = stub._serve(self.command, self.path, headers, body)
                if status == 0:
                    self.close_connection = True
                    return
                content = (
                    answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
                )
                self.send_response_only(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                if content:
                    kind = "text/html" if isinstance(answer, bytes) else "application/json"
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names

            def log_message(self, *args: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Connection)
        self._serving.enter_context(in_background(self._server))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._serving.close()
        if self.problems:
            said = "requests or answers against the contract:\n" + "\n".join(self.problems)
            if error is None:
                raise AssertionError(said)
            error.add_note(said)

    def _serve(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any, Any]:
        path, _, query = target.partition("?")
        parsed = json.loads(body) if body else None
        with self._lock:
            fault = self._fault(method, path)
            if fault and not fault.after:
                status, answer, extra = fault.status, fault.body, fault.headers
            else:
                status, answer = self._answer(method, path, query, headers, body)
                extra = {}
                if fault:
                    status, answer, extra = fault.status, fault.body, fault.headers
            self.requests.append(Recorded(method, path, query, headers, parsed, status))
            return status, answer, extra

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None

    def _answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        said = f"{method} {path}{'?' + query if query else ''}"
        if not path.startswith(self.PREFIX):
            return self._problem(said, "outside of the API")
        operation = self.contract.find(method, path.removeprefix(self.PREFIX))
        if operation is None:
            return self._problem(said, f"no such request in {self.contract.file}")
        problems = list(self.contract.request_problems(operation, query, headers.get("content-type", ""), body))
        if problems:
            return self._problem(said, *problems)
        handler = self._routes.get((method, operation.template))
        if handler is None:
            return self._problem(said, "this stub does not expect it")
        if not headers.get("user-agent", "").startswith("gitops-ci/"):
            return self._problem(said, "no User-Agent")
        try:
            if not self.authorized(headers):
                raise self.refusal(401)
            asked = Asked(operation, dict(parse_qsl(query, keep_blank_values=True)), json.loads(body) if body else None)
            status, answer = handler(asked)
        except Refused as refused:
            status, answer = refused.status, refused.body
        problems = list(self.contract.answer_problems(operation, status, answer))
        return self._problem(said, *problems) if problems else (status, answer)

    def _problem(self, said: str, *problems: str) -> tuple[int, Any]:
        self.problems += [f"{said}: {problem}" for problem in problems]
        return 418, {"message": "; ".join(problems)}
