"""Two jobs push different content as one version: all orders of what they ask the registry, one after the other."""

from __future__ import annotations

import itertools
import threading

import pytest

from gitops_ci.errors import RegistryError
from gitops_ci.flows.image import tagging
from gitops_ci.flows.image.push import PushRequest, push_image
from gitops_ci.flows.image.tags import TagRules
from gitops_ci.registry.base import Silent
from gitops_ci.tags import BuildFacts
from tests.support.fault_proxy import fault_proxy
from tests.support.layouts import LayoutWriter
from tests.support.registry_state import tags

_numbers = itertools.count(1)
JOBS = ("a", "b")
# The steps of a job that matter: the last look at the version before it is stored, the PUT, the last look of all. Each
# begins with this request for it; what comes before the first, both jobs have behind them.
STEPS = {("HEAD", 3): "look", ("PUT", 1): "store", ("HEAD", 5): "check"}
ORDERS = sorted(set(itertools.permutations("aaabbb")))


class Quiet:
    """A log that nobody reads."""

    def step(self, message):
        pass

    detail = warn = step


class Schedule:
    """Lets the steps of the jobs happen in one order. A job that has ended does its other steps at once: none."""

    def __init__(self, order):
        self._order = list(order)
        self._running = set(JOBS)  # who is on the way to its next step
        self._ended = set()
        self._turn = threading.Condition()

    def wait(self, job):
        """The job is at its next step, and waits until it is the turn of that step, and nobody else runs."""
        with self._turn:
            self._running.discard(job)
            self._turn.notify_all()
            assert self._turn.wait_for(lambda: not self._running and self._next() == job, 60), self._order
            self._order.remove(job)
            self._running.add(job)

    def end(self, job):
        with self._turn:
            self._running.discard(job)
            self._ended.add(job)
            self._turn.notify_all()

    def _next(self):
        return next((job for job in self._order if job not in self._ended), None)


def expected(order):
    """Which jobs pass, and whose image the version is, by what each sees."""
    steps = {job: iter(("look", "store", "check")) for job in JOBS}
    there, failed = None, set()
    for job in order:
        step = next(steps[job])
        if job in failed:
            continue
        if step == "store":
            there = job
        elif there not in {None, job}:
            failed.add(job)
    return set(JOBS) - failed, there


def loses_nothing(order):
    """Whether the last look of whoever stores second lies behind the other's PUT."""
    stores = [place for place, job in enumerate(order) if order[: place + 1].count(job) == 2]
    second = order[stores[1]]
    return order.index(second) > stores[0]


@pytest.fixture
def jobs(registry, tmp_path, monkeypatch):
    """Run both jobs in an order; what came of each, and the digest that the version names."""
    monkeypatch.setattr(tagging, "_PATIENCE", 0.2)
    digests = {job: LayoutWriter(tmp_path / job).simple("x", [{job: b"1" * 400}]) for job in JOBS}

    def run(order):
        name, schedule, results = f"orders/shop-{next(_numbers)}", Schedule(order), {}

        def work(job):
            def script(asked):
                if asked.path.endswith("/manifests/1.2.3") and (asked.method, asked.number) in STEPS:
                    schedule.wait(job)

            with fault_proxy(registry) as proxy:
                proxy.script = script
                rules = TagRules(facts=BuildFacts(version="1.2.3"), floating=False)
                request = PushRequest(f"oci:{tmp_path / job}", f"{proxy.host}/{name}", rules)
                try:
                    results[job] = push_image(request, Quiet(), Silent()).images[0].digest
                except RegistryError as error:
                    results[job] = error
                finally:
                    schedule.end(job)

        threads = [threading.Thread(target=work, args=(job,)) for job in JOBS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results, tags(f"{registry}/{name}")["1.2.3"]

    run.digests = digests
    return run


@pytest.mark.parametrize("order", ORDERS, ids="".join)
def test_both_pass_only_where_the_second_looked_before_the_first_stored(jobs, order):
    results, there = jobs(order)
    passing, owner = expected(order)
    assert {job for job, result in results.items() if result == jobs.digests[job]} == passing
    assert there == jobs.digests[owner]
    assert owner in passing, "the version is the image of a job that passed"
    if passing == set(JOBS):
        assert not loses_nothing(order)


def test_the_orders_are_all_of_them():
    assert len(ORDERS) == 20
    lost = [order for order in ORDERS if len(expected(order)[0]) == 2]
    assert 0 < len(lost) < len(ORDERS)
