"""A fault at a request of a bump: nothing is lost, doubled or claimed, and the next run finds what landed.

A few faults at the requests that write, by `make test`; every fault at every request on three code hosts by
`make soak`, as `benchmarks/faults.py` tries them.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest

from tests.support.effort import SOAKING
from tests.support.faults import FAULTS, MODES, Case, cases, try_case, undisturbed

HOSTS = ("github", "gitlab", "gitea") if SOAKING else ("github",)
FEW = ("closed after", "web page before", "truncated", "closed before", "502 after", "redirect", "doubled")


@pytest.fixture
def here(run, monkeypatch):
    """The program in this process, which does not wait before it tries again."""
    monkeypatch.setattr("gitops_ci.http.waiting.uniform", lambda *_: 0.0)
    monkeypatch.setattr("gitops_ci.configrepo.repository._PAUSES", (0.0, 0.0))

    def call(folder, arguments, environment):
        ran = run(*arguments, environment=environment)
        return ran.code, ran.out + ran.err

    return call


def in_processes(host, mode):
    """Every fault at every request."""
    quiet = undisturbed(host, mode)
    with ThreadPoolExecutor(4) as pool:
        chosen = cases(host, mode, quiet.requests, [*FAULTS])
        return list(pool.map(lambda case: try_case(case, quiet.state), chosen))


def in_this_process(host, mode, here):
    """Two of a few faults at each request that writes."""
    quiet = undisturbed(host, mode, here)
    numbers = [number for number in quiet.writes for _ in range(2)]
    chosen = [Case(host, mode, fault, number) for fault, number in zip(cycle(FEW), numbers, strict=False)]
    return [try_case(case, quiet.state, here) for case in chosen]


@pytest.mark.soak
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("host", HOSTS)
def test_a_fault_at_a_request_loses_nothing(here, host, mode):
    verdicts = in_processes(host, mode) if SOAKING else in_this_process(host, mode, here)
    assert verdicts
    assert [f"{v.case}: {', '.join(v.wrong)} (exit {v.code})\n{v.output}" for v in verdicts if v.wrong] == []
