"""`throughput`: records over seconds, for counts of an interval and for totals, to the microsecond."""

from __future__ import annotations

import pytest

from monitors.throughput import Throughput
from tests.monitors.sensor_messages import COUNT, SCHEMA, Item, Ran, Tick, Told, config, report, run, state

INTERVAL = Throughput()
TOTAL = Throughput(Throughput.Options(counts="total"))


def rates(monitor: Throughput, *items: Item) -> list[Told]:
    """Give the rates that come of messages."""
    return run(monitor, items).told("records_per_second")


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 6, delta=2)], [(10, 3)], id="a first report with delta_time is emitted"),
        pytest.param([report(10, 6)], [], id="a first report without it only sets the clock"),
        pytest.param([report(10, 6), report(14, 8)], [(14, 2)], id="the next counts from there, without its records"),
        pytest.param([report(10, 6), report(14, 8, delta=2)], [(14, 4)], id="delta_time goes before timestamps"),
        pytest.param([report(10, 6, delta=2), report(14, 8)], [(10, 3), (14, 2)], id="or the newest report"),
        pytest.param([report(10, 0, delta=2)], [(10, 0)], id="no records are a rate of zero"),
        pytest.param([report(10, 0.5, delta=2)], [(10, 0.25)], id="parts of records count"),
        pytest.param([report(10, [1, 2, 3], delta=2)], [(10, 3)], id="a list is summed"),
        pytest.param([report(10, [1, 2]), report(12, [3, 5])], [(12, 4)], id="also without delta_time"),
        pytest.param([report(10, [4], delta=2)], [(10, 2)], id="a list of one is the number"),
    ],
)
def test_an_interval_is_its_records_over_its_seconds(items: list[Item], expected: list[Told]) -> None:
    """Counts of an interval: records are `data`, seconds are `delta_time` or the difference to the newest report."""
    assert rates(INTERVAL, *items) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 6, delta=0)], [], id="no seconds, no rate"),
        pytest.param([report(10, 6, delta=0), report(12, 4, delta=2)], [(12, 5)], id="its records wait"),
        pytest.param(
            [report(10, 1, delta=0), report(10.5, 2, delta=0), report(12, 3, delta=4), report(14, 2, delta=2)],
            [(12, 1.5), (14, 1)],
            id="a burst is one rate, and the next begins anew",
        ),
        pytest.param([report(10, 1, delta=1), report(10, 5, id=2)], [(10, 1)], id="the same time has no seconds"),
        pytest.param(
            [report(10, 1, delta=1), report(10, 5, id=2), report(12, 1)], [(10, 1), (12, 3)], id="and its records wait"
        ),
        pytest.param([report(10, 9), report(10, 5, id=2), report(12, 1)], [(12, 3)], id="but not those of the first"),
    ],
)
def test_records_wait_until_there_are_seconds(items: list[Item], expected: list[Told]) -> None:
    """A rate is emitted as soon as the seconds since the last one are above zero, with all records since then."""
    assert rates(INTERVAL, *items) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param(
            [report(10, 6, delta=2), report(14, 8, delta=2), report(12, 2, delta=2)],
            [(10, 3), (14, 4), (14.000001, 1)],
            id="it is emitted at once, a microsecond after the last",
        ),
        pytest.param(
            [report(10, 6), report(14, 8), report(12, 2, delta=2), report(16, 4)],
            [(14, 2), (14.000001, 1), (16, 2)],
            id="the clock stays with the newest",
        ),
        pytest.param([report(10, 6), report(8, 2, delta=2)], [(8, 1)], id="at its own time where none was emitted"),
        pytest.param(
            [report(10, 6, delta=2), report(8, 2), report(12, 4, delta=2)],
            [(10, 3), (12, 3)],
            id="without delta_time it adds its records and no seconds",
        ),
        pytest.param([report(10, 6), report(8, 3), report(12, 5)], [(12, 4)], id="also where only the clock was set"),
        pytest.param(
            [report(10, 6, delta=2), report(8, 2, delta=0), report(12, 4, delta=2)],
            [(10, 3), (12, 3)],
            id="with delta_time 0 too",
        ),
        pytest.param(
            [report(10, 6, delta=0), report(8, 2, delta=2), report(12, 4, delta=2)],
            [(8, 4), (12, 2)],
            id="it takes along what waits",
        ),
    ],
)
def test_a_late_report_of_an_interval_is_added(items: list[Item], expected: list[Told]) -> None:
    """Counts of an interval: a report older than the newest is added and emitted at once, and moves no clock."""
    assert rates(INTERVAL, *items) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 100)], [], id="the first only sets count and clock"),
        pytest.param([report(10, 100, delta=2)], [], id="also where it has a delta_time"),
        pytest.param([report(10, 100), report(14, 108)], [(14, 2)], id="records and seconds are differences"),
        pytest.param([report(10, 100), report(14, 108, delta=1)], [(14, 2)], id="delta_time does not count"),
        pytest.param(
            [report(10, 100), report(14, 108), report(24, 128, delta=5)],
            [(14, 2), (24, 2)],
            id="since the last emission: a report was lost",
        ),
        pytest.param([report(10, 100), report(14, 100)], [(14, 0)], id="the same total is a rate of zero"),
        pytest.param([report(10, 100), report(14, 108, delta=0)], [], id="delta_time 0 waits"),
        pytest.param(
            [report(10, 100), report(14, 108, delta=0), report(16, 112, delta=2)],
            [(16, 2)],
            id="and the next has records and seconds of both",
        ),
        pytest.param([report(10, 100), report(10, 108, id=2)], [], id="no seconds, no rate"),
        pytest.param([report(10, 100), report(10, 108, id=2), report(12, 110)], [(12, 5)], id="its records wait"),
        pytest.param([report(10, [1, 100]), report(14, [104, 108])], [(14, 2)], id="of a list the last value holds"),
    ],
)
def test_a_total_is_differences(items: list[Item], expected: list[Told]) -> None:
    """Totals: records since the last total, over seconds since the report of the last emission, at first the first."""
    assert rates(TOTAL, *items) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 100), report(14, 8, delta=2)], [(14, 4)], id="seconds are delta_time where given"),
        pytest.param([report(10, 100), report(14, 8)], [(14, 2)], id="else the difference of timestamps"),
        pytest.param([report(10, 100), report(14, 0, delta=2)], [(14, 0)], id="it may begin with nothing"),
        pytest.param([report(10, 100), report(14, 8, delta=2), report(18, 16)], [(14, 4), (18, 2)], id="and goes on"),
        pytest.param(
            [report(10, 100), report(14, 108, delta=0), report(20, 4, delta=2)],
            [(20, 2)],
            id="what waited has the time to its own report: 8 + 4 records in 4 + 2 s",
        ),
        pytest.param(
            [report(10, 100), report(14, 8, delta=0), report(18, 16, delta=4)],
            [(18, 4)],
            id="a restart with delta_time 0 waits: 8 + 8 records in 0 + 4 s",
        ),
        pytest.param(
            [report(10, 100), report(14, 8, delta=1), report(18, 4, delta=2)],
            [(14, 8), (18, 2)],
            id="twice",
        ),
    ],
)
def test_a_total_that_falls_is_a_restart(items: list[Item], expected: list[Told]) -> None:
    """After a restart of the engine the new total is its records, and its seconds are what it says."""
    assert rates(TOTAL, *items) == expected


@pytest.mark.parametrize(
    "late",
    [report(12, 104), report(12, 104, delta=2), report(12, 90, delta=2), report(9, 99)],
    ids=["without delta_time", "with it", "with a total that falls", "before the first"],
)
def test_a_late_total_is_left_out(late: bytes) -> None:
    """Totals: a report older than the newest changes neither count nor clock."""
    assert rates(TOTAL, report(10, 100), report(14, 108), late, report(18, 116)) == [(14, 2), (18, 2)]


def test_emission_times_of_a_series_increase() -> None:
    """Reports of one time give rates at that time and at microseconds after it."""
    items = [report(10, 1, delta=1, id=ident) for ident in range(4)]

    assert rates(INTERVAL, *items) == [(10, 1), (10.000001, 1), (10.000002, 1), (10.000003, 1)]


def test_a_time_that_was_moved_moves_later_ones() -> None:
    """A report at a time that an earlier emission was moved to is moved too."""
    items = [report(10, 1, delta=1), report(10, 2, delta=1, id=2), report(10.000001, 3, delta=1)]

    assert rates(INTERVAL, *items) == [(10, 1), (10.000001, 2), (10.000002, 3)]


def test_a_duplicate_counts_once() -> None:
    """A report that comes again, at once or later, adds nothing."""
    first, second = report(10, 6, delta=2), report(12, 4, delta=2)

    assert rates(INTERVAL, first, first, second, first) == [(10, 3), (12, 2)]


def test_engines_and_slots_are_series_of_their_own() -> None:
    """Counts and clocks of one engine or slot are nothing to another."""
    ran = run(
        INTERVAL,
        [
            report(10, 6, src="a"),
            report(11, 6, src="b", delta=1),
            report(12, 6, src="a", tap="manifold.12.records.count", delta=3),
            report(14, 8, src="a"),
        ],
    )

    assert ran.told("records_per_second", engine="a", slot="0") == [(14, 2)]
    assert ran.told("records_per_second", engine="a", slot="12") == [(12, 2)]
    assert ran.told("records_per_second", engine="b", slot="0") == [(11, 6)]


@pytest.mark.parametrize(
    "other",
    [
        report(11, 5, tap=SCHEMA, delta=1),
        report(11, 5, tap="sys.memory", delta=1),
        report(11, 5, tap="manifold.0.records.counts", delta=1),
        report(11, 5, tap="manifold.x.records.count", delta=1),
        report(11, 5, tap=f"{COUNT} ", delta=1),
        state(11, "running"),
        Tick(11),
    ],
    ids=["rejected records", "memory", "a longer tap", "no number", "a space", "a state", "a tick"],
)
def test_nothing_else_is_a_count(other: Item) -> None:
    """Other taps, other messages and time that passes give no rate and move no clock."""
    assert rates(INTERVAL, report(10, 6), other, report(14, 8)) == [(14, 2)]


def renamed() -> Ran:
    """Run an engine that gets a model, and another, in the middle of what waits."""
    items = [report(10, 6, delta=2), config(11, "lstm"), report(12, 4, delta=0), config(12, "gru"), report(14, 4)]
    return run(INTERVAL, items, engines={"e": "listed"})


def test_the_model_is_a_tag_and_no_part_of_the_series() -> None:
    """What is emitted after an engine-config message carries the new name, and what waited is kept."""
    ran = renamed()

    assert [(item.tags["model"], item.value) for item in ran.metrics()] == [("listed", 3), ("gru", 4)]


def test_an_engine_without_a_name_has_its_id_as_model() -> None:
    """Nobody has to list an engine for its rates to be found."""
    ran = run(INTERVAL, [report(10, 6, delta=2)])

    assert dict(ran.metrics()[0].tags) == {
        "workflow": "w",
        "monitor": "m",
        "model": "e",
        "engine": "e",
        "slot": "0",
    }
