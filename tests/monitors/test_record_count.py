"""`record_count`: running sums of the records that throughput measures, without any need of seconds."""

from __future__ import annotations

import pytest

from monitors.record_count import RecordCount
from tests.monitors.sensor_messages import ENCODING, Item, Tick, Told, config, report, run, state

INTERVAL = RecordCount()
TOTAL = RecordCount(RecordCount.Options(counts="total"))


def sums(monitor: RecordCount, *items: Item) -> list[Told]:
    """Give the running sums that come of messages."""
    return run(monitor, items).told("records_total")


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 6)], [(10, 6)], id="a report that only sets the clock counts"),
        pytest.param([report(10, 6), report(12, 4)], [(10, 6), (12, 10)], id="each adds"),
        pytest.param([report(10, 6, delta=0)], [(10, 6)], id="no seconds are needed"),
        pytest.param([report(10, 0)], [(10, 0)], id="nothing is a count too"),
        pytest.param([report(10, 0.5), report(12, 0.25)], [(10, 0.5), (12, 0.75)], id="parts of records"),
        pytest.param([report(10, [1, 2, 3])], [(10, 6)], id="a list is summed"),
        pytest.param([report(10, 6), report(10, 1, id=2)], [(10, 6), (10.000001, 7)], id="reports of one time"),
        pytest.param([report(10, 6), report(10, 6)], [(10, 6)], id="a duplicate counts once"),
        pytest.param([report(10, 6, delta=1), report(8, 4, delta=1)], [(10, 6), (10.000001, 10)], id="a late one adds"),
        pytest.param([report(10, 6), report(8, 4)], [(10, 6), (10.000001, 10)], id="also without delta_time"),
    ],
)
def test_intervals_are_summed(items: list[Item], expected: list[Told]) -> None:
    """Counts of an interval: the sum grows by `data` with every report, late ones too, and is emitted at once."""
    assert sums(INTERVAL, *items) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 100)], [(10, 0)], id="the first gives 0"),
        pytest.param([report(10, 100, delta=2)], [(10, 0)], id="also with delta_time"),
        pytest.param([report(10, 100), report(14, 108)], [(10, 0), (14, 8)], id="then the difference"),
        pytest.param([report(10, 100), report(14, 100)], [(10, 0), (14, 0)], id="which may be nothing"),
        pytest.param(
            [report(10, [90, 100]), report(14, [101, 108])], [(10, 0), (14, 8)], id="the last value of a list"
        ),
        pytest.param([report(10, 100), report(14, 8), report(18, 9)], [(10, 0), (14, 8), (18, 9)], id="a restart"),
        pytest.param([report(10, 100), report(14, 0)], [(10, 0), (14, 0)], id="a restart with nothing yet"),
        pytest.param([report(10, 100), report(14, 108), report(12, 104)], [(10, 0), (14, 8)], id="late is left out"),
        pytest.param(
            [report(10, 100), report(14, 108), report(12, 3, delta=2), report(18, 110)],
            [(10, 0), (14, 8), (18, 10)],
            id="and is no restart",
        ),
        pytest.param([report(10, 100), report(10, 108, id=2)], [(10, 0), (10.000001, 8)], id="reports of one time"),
        pytest.param([report(10, 100), report(14, 108, delta=0)], [(10, 0), (14, 8)], id="no seconds are needed"),
    ],
)
def test_totals_grow_by_differences(items: list[Item], expected: list[Told]) -> None:
    """Totals: the sum grows by the difference to the last total, and by the whole of one that has fallen."""
    assert sums(TOTAL, *items) == expected


def test_the_sum_goes_over_restarts_and_names() -> None:
    """Neither a restart of the engine nor a new name of its model begins the sum anew."""
    ran = run(TOTAL, [report(10, 100), report(14, 108), config(15, "gru"), report(18, 5)])

    assert [(item.tags["model"], item.value) for item in ran.metrics()] == [("e", 0), ("e", 8), ("gru", 13)]


def test_engines_and_slots_have_sums_of_their_own() -> None:
    """The records of one engine or slot are not those of another."""
    ran = run(
        INTERVAL,
        [report(10, 6, src="a"), report(10, 7, src="b"), report(10, 8, src="a", tap="manifold.1.records.count")],
    )

    assert ran.told("records_total", engine="a", slot="0") == [(10, 6)]
    assert ran.told("records_total", engine="a", slot="1") == [(10, 8)]
    assert ran.told("records_total", engine="b", slot="0") == [(10, 7)]


@pytest.mark.parametrize(
    "other",
    [report(11, 5, tap=ENCODING), report(11, 5, tap="sys.cpu.utilization"), state(11, "running"), Tick(11)],
    ids=["rejected records", "cpu", "a state", "a tick"],
)
def test_nothing_else_adds_to_the_sum(other: Item) -> None:
    """Other taps, other messages and time that passes change nothing."""
    assert sums(INTERVAL, report(10, 6), other, report(14, 8)) == [(10, 6), (14, 14)]
