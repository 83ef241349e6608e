"""Some things at a time: results in order, the first failure at once, nothing to wait for afterward."""

from __future__ import annotations

import threading
import time

import pytest

from gitops_ci.registry.parallel import each


def test_results_are_in_the_order_of_the_items():
    def work(number):
        time.sleep((5 - number) / 100)
        return number * 10

    assert each(work, range(5), at_once=5) == [0, 10, 20, 30, 40]
    assert each(work, [], at_once=3) == []


def test_no_more_than_so_many_run_at_a_time():
    running, most, lock = 0, 0, threading.Lock()

    def work(_):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    each(work, range(20), at_once=3)
    assert most == 3


def test_the_first_failure_ends_the_rest():
    begun, stop = [], threading.Event()

    def work(number):
        begun.append(number)
        if number == 1:
            raise ValueError("one")
        stop.wait(20)

    began = time.monotonic()
    with pytest.raises(ValueError, match="one"):
        each(work, range(100), at_once=2, stop=stop)
    assert time.monotonic() - began < 15
    assert begun == [0, 1]


def test_what_hangs_is_left_behind():
    release = threading.Event()

    def work(number):
        if number == 0:
            release.wait(30)
        else:
            raise ValueError("other")

    began = time.monotonic()
    with pytest.raises(ValueError, match="other"):
        each(work, range(2), at_once=2)
    assert time.monotonic() - began < 20
    release.set()
