"""Windows: which instants are open, and when the next one opens. Zones, changes of the clock, ends of years."""

import pytest

from gitops_ci.errors import UsageError
from gitops_ci.flows.environments import Environment
from gitops_ci.flows.freeze import freezes_of, misspelled, window_gate
from gitops_ci.moments import moment, rfc3339
from gitops_ci.windows import Schedule, Windows, window

OFFICE = Windows(allow=(window(cron="0 9 * * 1-5", lasts="8h", zone="Europe/Berlin"),))
HOLIDAYS = Windows(
    OFFICE.allow, (window(start="2026-12-20", end="2027-01-04", zone="Europe/Berlin", reason="holidays"),)
)
NIGHTS = Windows(allow=(window(cron="30 22 * * *", lasts="3h", zone="America/New_York"),))
GAP = Windows(allow=(window(cron="30 2 * * *", lasts="30m", zone="America/New_York"),))
TWICE = Windows(allow=(window(cron="30 1 * * *", lasts="30m", zone="America/New_York"),))
LEAP = Windows(allow=(window(cron="0 0 29 2 *", lasts="1d"),))
EITHER = Windows(allow=(window(cron="0 0 13 * fri", lasts="1d"),))
MANY = Windows(allow=(window(cron="*/15 8-10,20 1,15 jan-mar/2 *", lasts="5m"),))
DENY = Windows(deny=(window(cron="0 0 * * 0", lasts="24h"), window(cron="0 16 * * fri", lasts="32h", reason="weekend")))
SINCE = Windows(deny=(window(start="2026-03-01T12:00:00+01:00", end="2026-03-01T18:00:00", zone="Europe/Berlin"),))
NEVER = Windows(allow=(Schedule("0 0 30 2 *", 3600),))

# (windows, instant, None where it is open, else when it opens; "" for never)
INSTANTS = [
    (Windows(), "2026-12-25T00:00:00Z", None),
    # Winter time is UTC+1 in Berlin, summer time UTC+2.
    (OFFICE, "2026-12-18T07:59:59Z", "2026-12-18T08:00:00Z"),
    (OFFICE, "2026-12-18T08:00:00Z", None),
    (OFFICE, "2026-12-18T15:59:59Z", None),
    (OFFICE, "2026-12-18T16:00:00Z", "2026-12-21T08:00:00Z"),
    (OFFICE, "2026-12-19T10:00:00Z", "2026-12-21T08:00:00Z"),
    (OFFICE, "2026-07-01T06:59:59Z", "2026-07-01T07:00:00Z"),
    (OFFICE, "2026-07-01T07:00:00Z", None),
    (OFFICE, "2026-07-01T15:00:00Z", "2026-07-02T07:00:00Z"),
    # The weekend of the change of the clock: Friday by winter time, Monday by summer time, and back.
    (OFFICE, "2026-03-27T16:00:00Z", "2026-03-30T07:00:00Z"),
    (OFFICE, "2026-10-23T15:00:00Z", "2026-10-26T08:00:00Z"),
    # A year ends.
    (OFFICE, "2026-12-31T16:00:00Z", "2027-01-01T08:00:00Z"),
    (HOLIDAYS, "2026-12-19T22:59:59Z", "2027-01-05T08:00:00Z"),
    (HOLIDAYS, "2026-12-19T23:00:00Z", "2027-01-05T08:00:00Z"),
    (HOLIDAYS, "2026-12-21T10:00:00Z", "2027-01-05T08:00:00Z"),
    (HOLIDAYS, "2027-01-04T22:59:59Z", "2027-01-05T08:00:00Z"),
    (HOLIDAYS, "2027-01-05T08:00:00Z", None),
    # Over midnight, and over the end of a day in UTC.
    (NIGHTS, "2026-01-10T03:29:59Z", "2026-01-10T03:30:00Z"),
    (NIGHTS, "2026-01-10T03:30:00Z", None),
    (NIGHTS, "2026-01-10T06:29:59Z", None),
    (NIGHTS, "2026-01-10T06:30:00Z", "2026-01-11T03:30:00Z"),
    (NIGHTS, "2026-03-08T06:29:59Z", None),
    # 02:30 does not exist on 2026-03-08 in New York: it is 03:30 then.
    (GAP, "2026-03-07T07:30:00Z", None),
    (GAP, "2026-03-08T07:29:59Z", "2026-03-08T07:30:00Z"),
    (GAP, "2026-03-08T07:30:00Z", None),
    (GAP, "2026-03-09T06:30:00Z", None),
    # 01:30 comes twice on 2026-11-01: the first one counts.
    (TWICE, "2026-11-01T05:30:00Z", None),
    (TWICE, "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"),
    (LEAP, "2026-02-28T12:00:00Z", "2028-02-29T00:00:00Z"),
    (LEAP, "2028-02-29T12:00:00Z", None),
    (NEVER, "2026-02-28T12:00:00Z", ""),
    # Day of the month and of the week, both given: either.
    (EITHER, "2026-12-13T12:00:00Z", None),
    (EITHER, "2026-12-18T12:00:00Z", None),
    (EITHER, "2026-12-14T12:00:00Z", "2026-12-18T00:00:00Z"),
    (MANY, "2026-01-15T20:45:00Z", None),
    (MANY, "2026-01-15T20:50:00Z", "2026-03-01T08:00:00Z"),
    (MANY, "2026-03-15T10:47:00Z", None),
    # Times that forbid touch each other: the end of the last one counts.
    (DENY, "2026-12-18T15:59:59Z", None),
    (DENY, "2026-12-18T16:00:00Z", "2026-12-21T00:00:00Z"),
    (DENY, "2026-12-20T23:59:59Z", "2026-12-21T00:00:00Z"),
    (DENY, "2026-12-21T00:00:00Z", None),
    (SINCE, "2026-03-01T10:59:59Z", None),
    (SINCE, "2026-03-01T11:00:00Z", "2026-03-01T17:00:00Z"),
    (SINCE, "2026-03-01T17:00:00Z", None),
]


@pytest.mark.parametrize(("windows", "instant", "opens"), INSTANTS, ids=[f"{n}-{i[1]}" for n, i in enumerate(INSTANTS)])
def test_an_instant_is_open_or_says_when_it_will_be(windows, instant, opens):
    state = windows.at(moment(instant))
    assert (state.is_open, rfc3339(state.opens) if state.opens else "") == (opens is None, opens or "")
    assert state.is_open or state.reason


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("has cron and for", {"cron": "0 9 * * *"}),
        ("has cron and for", {"start": "2026-01-01"}),
        ("has cron and for", {"cron": "0 9 * * *", "lasts": "1h", "start": "2026-01-01", "end": "2026-01-02"}),
        ("never opens", {"start": "2026-01-02", "end": "2026-01-01"}),
        ("not a cron expression", {"cron": "0 9 * *", "lasts": "1h"}),
        ("is not a valid hour", {"cron": "0 24 * * *", "lasts": "1h"}),
        ("is not a valid minute", {"cron": "*/0 9 * * *", "lasts": "1h"}),
        ("is not a valid day of the week", {"cron": "0 9 * * fri-mon", "lasts": "1h"}),
        ("is not a valid month", {"cron": "0 9 * x *", "lasts": "1h"}),
        ("is not a duration", {"cron": "0 9 * * *", "lasts": "long"}),
        ("not a length of a window", {"cron": "0 9 * * *", "lasts": "0h"}),
        ("not a time zone", {"cron": "0 9 * * *", "lasts": "1h", "zone": "../../etc/passwd"}),
        ("not a time zone", {"cron": "0 9 * * *", "lasts": "1h", "zone": "Mars/Base"}),
        ("is not a date", {"start": "yesterday", "end": "2026-01-01"}),
        ("never comes", {"cron": "0 0 30 feb *", "lasts": "1h"}),
        ("never comes", {"cron": "0 0 31 4,6,9,11 *", "lasts": "1h"}),
        ("not a cron expression", {"cron": "@daily", "lasts": "1h"}),
        ("is not a valid day of the week", {"cron": "0 9 * * 8", "lasts": "1h"}),
        ("is not a valid day of the month", {"cron": "0 9 L * *", "lasts": "1h"}),
    ],
)
def test_a_window_that_cannot_be_is_told(said, settings):
    with pytest.raises(UsageError, match=said):
        window(**settings)


FROZEN = b"- {environments: [prod*], from: 2026-11-27, until: 2026-11-30, reason: audit}\n- {environments: dev}\n"


@pytest.mark.parametrize(
    ("environment", "instant", "state"),
    [
        ("production", "2026-11-26T23:59:59Z", "open"),
        ("production", "2026-11-27T00:00:00Z", "closed"),
        ("production", "2026-11-30T23:59:59Z", "closed"),
        ("production", "2026-12-01T00:00:00Z", "open"),
        ("staging", "2026-11-28T00:00:00Z", "open"),
        ("dev", "2026-01-01T00:00:00Z", "closed"),
    ],
)
def test_a_freeze_stops_the_environments_that_it_names(environment, instant, state):
    gate = window_gate(Environment(environment), freezes_of(FROZEN), moment(instant))
    assert gate.state == state


@pytest.mark.parametrize(
    "data",
    [
        *(b"{", b"\xff", b"freeze", b"{enviroments: [dev]}", b"{until: tomorrow}", b"[1]"),
        # Valid YAML that would stop nothing.
        b"environments:\nreason: audit\n",
        b"environments: [prod, '']\n",
        b"{from: 2026-12-24, until: 2026-12-01}",
        b"until: 1970-01-01\n---\nreason: audit\n",
    ],
)
def test_a_freeze_that_cannot_be_read_stops_everything(data):
    gate = window_gate(Environment("dev"), freezes_of(data), 0)
    assert (gate.state, "cannot be read" in gate.reason) == ("closed", True)


@pytest.mark.parametrize("data", [None, b"", b"# nothing\n"])
def test_without_a_freeze_the_windows_decide(data):
    assert window_gate(Environment("dev"), freezes_of(data), 0).state == "open"
    assert window_gate(Environment("dev", windows=OFFICE), freezes_of(data), 0).state == "waiting"


def test_windows_that_do_not_open_any_more_need_a_person():
    windows = Windows((window(start="2026-01-01", end="2026-01-02"),))
    gate = window_gate(Environment("production", windows=windows), (), moment("2026-02-01"))
    assert (gate.state, "no later time" in gate.reason) == ("closed", True)
    assert window_gate(Environment("production", windows=windows), (), moment("2025-12-01")).state == "waiting"


def test_a_freeze_of_a_name_that_is_like_one_is_told():
    freezes = freezes_of(b"environments: [productoin, 'stag*', europe]\n")
    (said,) = misspelled(freezes, ["production", "staging"])
    assert "'productoin'" in said
    assert "did you mean 'production'" in said
