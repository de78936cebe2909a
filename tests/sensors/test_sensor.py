from __future__ import annotations

import random
from typing import Any

import pytest

from engine.clock import ManualClock
from sensors.descriptor import parse
from sensors.sensor import Reader
from sensors.taps import Tap
from sensors.watch import Watch

SECOND = 1_000_000


class Gauge:
    """A tap whose readings are told beforehand: at second N the N-th of them."""

    name = "gauge"
    counts = False

    def __init__(self, clock: ManualClock, values: list[float | None]) -> None:
        """Read by the clock."""
        self._clock = clock
        self._values = values

    def reader(self) -> Reader:
        """Read the value of the second."""
        return lambda: self._values[int(self._clock.now() // SECOND)]


def chance() -> float:
    """No sensor here leaves anything to chance."""
    raise AssertionError


def reports(words: dict[str, Any], values: list[float | None]) -> list[tuple[float, Any, float]]:
    """Move the clock second by second through the values; gives second, data and delta_time of each report."""
    clock, watch = ManualClock(), Watch()
    watch.install(parse({"Tap": "gauge", **words}), Gauge(clock, values), now=0, chance=chance)
    found = []
    for _ in values[1:]:
        clock.advance(SECOND)
        found += [(clock.monotonic(), r.data, r.delta_time) for r in watch.move(clock.now())]
    return found


EACH = {"Activate": {"Type": "regular", "Interval": 1}, "Report": {"Interval": 3}}
VALUES: list[float | None] = [None, 4, 1, 7, 2, 9, 2, 5]
#                      second  0    1  2  3  4  5  6  7

TABLE: list[tuple[dict[str, Any], list[tuple[float, Any, float]]]] = [
    # what stands in the descriptor beside Activate and Report -> second, data, delta_time of the reports
    ({}, [(3, [4, 1, 7], 3), (6, [2, 9, 2], 3)]),
    ({"Aggregate": "accumulate"}, [(3, [4, 1, 7], 3), (6, [2, 9, 2], 3)]),
    ({"Aggregate": "sum"}, [(3, 12, 3), (6, 13, 3)]),  # 4+1+7, 2+9+2
    ({"Aggregate": "count"}, [(3, 3, 3), (6, 3, 3)]),
    ({"Filter": {"Type": ">", "Threshold": 4}}, [(3, 7, 3), (6, 9, 3)]),  # one value is a number, not a list
    ({"Filter": {"Type": ">=", "Threshold": 4}}, [(3, [4, 7], 3), (6, 9, 3)]),
    ({"Filter": {"Type": "<", "Threshold": 4}}, [(3, 1, 3), (6, [2, 2], 3)]),
    ({"Filter": {"Type": "<=", "Threshold": 4}}, [(3, [4, 1], 3), (6, [2, 2], 3)]),
    ({"Filter": {"Type": "within-range", "MinValue": 2, "MaxValue": 7}}, [(3, [4, 7], 3), (6, [2, 2], 3)]),
    ({"Filter": {"Type": "outside-range", "MinValue": 2, "MaxValue": 7}}, [(3, 1, 3), (6, 9, 3)]),
    ({"Filter": {"Type": ">", "Threshold": 8}}, [(6, 9, 6)]),  # nothing to say at 3, so the next covers 6 seconds
    ({"Filter": {"Type": ">", "Threshold": 8}, "Aggregate": "sum"}, [(3, 0, 3), (6, 9, 3)]),
    ({"Filter": {"Type": ">", "Threshold": 8}, "Aggregate": "count"}, [(3, 0, 3), (6, 1, 3)]),
    ({"Filter": {"Type": ">", "Threshold": "1K"}}, []),
    # two values are enough for a report, whatever its interval
    ({"Aggregate": {"Type": "accumulate", "SampleSize": 2}}, [(2, [4, 1], 2), (3, 7, 1), (5, [2, 9], 2), (6, 2, 1)]),
    ({"Aggregate": {"Type": "sum", "SampleSize": 2}}, [(2, 5, 2), (3, 7, 1), (5, 11, 2), (6, 2, 1)]),
    ({"Aggregate": {"Type": "count", "SampleSize": 2}}, [(2, 2, 2), (3, 1, 1), (5, 2, 2), (6, 1, 1)]),
]


@pytest.mark.parametrize(("words", "expected"), TABLE)
def test_filters_and_aggregation_of_the_table(words: dict[str, Any], expected: list[tuple[float, Any, float]]) -> None:
    """Under a moved clock the reports are those of the table."""
    assert reports({**EACH, **words}, VALUES) == expected


def test_without_report_each_reading_goes_at_once() -> None:
    """A regular sensor that has no interval for reports sends each reading that passes when it is taken."""
    words = {"Activate": {"Type": "regular", "Interval": 2}, "Filter": {"Type": "<", "Threshold": 2}}

    assert reports(words, VALUES) == [(2, 1, 2)]


def test_without_report_a_size_decides() -> None:
    """With SampleSize and no interval a report goes out as soon as it stands for so many values, and not before."""
    words = {"Activate": {"Type": "regular", "Interval": 1}, "Aggregate": {"Type": "sum", "SampleSize": 3}}

    assert reports(words, VALUES) == [(3, 12, 3), (6, 13, 3)]


def test_what_cannot_be_read_is_no_reading() -> None:
    """Nothing, and numbers that are not numbers, neither count nor end a sensor."""
    values = [None, 1, None, float("nan"), float("inf"), 2, None]

    assert reports({**EACH, "Aggregate": "count"}, values) == [(3, 1, 3), (6, 1, 3)]


def test_a_permanent_sensor_of_a_count_reports_what_was_counted() -> None:
    """Each report has the records since the last one, from the installation on, with their time."""
    watch, tap = Watch(), Tap("manifold.0.records.count")
    tap.add(100)
    watch.install(parse({"Tap": tap.name}), tap, now=0, chance=chance)
    found = []
    for second, records in enumerate([3, 0, 0, 0, 4, 1, 0, 0, 0, 0], 1):
        tap.add(records)
        found += watch.move(second * SECOND)

    assert [(report.data, report.delta_time, report.id) for report in found] == [(7, 5, 1), (1, 5, 1)]


@pytest.mark.parametrize("end", ["uninstall", "finish", "duration"])
def test_no_record_is_missed_at_the_end_of_a_sensor(end: str) -> None:
    """However a sensor of a count ends, it reads a last time: the reports add up to what was counted."""
    watch, tap = Watch(), Tap("manifold.0.records.count")
    words = {"Type": "regular", "Interval": 2} | ({"Duration": 5} if end == "duration" else {})
    number = watch.install(parse({"Tap": tap.name, "Activate": words}), tap, now=0, chance=chance)
    found = []
    for second in range(1, 5):
        tap.add(10)
        found += watch.move(second * SECOND)
    tap.add(3)
    if end == "uninstall":
        found += filter(None, [watch.uninstall(number, 5 * SECOND)])
    else:
        found += watch.finish(5 * SECOND) if end == "finish" else watch.move(5 * SECOND)

    assert [(report.data, report.delta_time) for report in found] == [(20, 2), (20, 2), (3, 1)]


def test_a_gauge_is_not_read_a_last_time() -> None:
    """At the end of a sensor of a gauge only what it has collected goes out."""
    clock, watch = ManualClock(), Watch()
    number = watch.install(parse({"Tap": "gauge", **EACH}), Gauge(clock, VALUES), now=0, chance=chance)
    clock.advance(SECOND)
    watch.move(clock.now())
    clock.advance(SECOND)
    left = watch.uninstall(number, clock.now())

    assert left is not None
    assert (left.data, left.delta_time) == (4, 2)


def test_a_sensor_that_is_over_stays_in_the_list() -> None:
    """One whose reads are used up is shown as not active until it is taken out, and says nothing more."""
    clock, watch = ManualClock(), Watch()
    words = {"Tap": "gauge", "Activate": {"Type": "regular", "Interval": 1, "MaxReads": 1}}
    number = watch.install(parse(words), Gauge(clock, VALUES), now=0, chance=chance)
    clock.advance(SECOND)
    found = watch.move(clock.now())

    assert [report.data for report in found] == [4]
    assert [(sensor.tap, sensor.active) for sensor in watch] == [("gauge", False)]
    assert watch.uninstall(number, clock.now()) is None
    assert watch.next is None


def test_a_tap_that_cannot_be_read_keeps_no_other_from_its_work() -> None:
    """A reading that raises is counted, each time; the other sensors report, and it is tried again."""
    clock, watch = ManualClock(), Watch()
    watch.install(parse({"Tap": "gauge", **EACH}), Gauge(clock, []), now=0, chance=chance)
    tap = Tap("manifold.0.records.count")
    watch.install(parse({"Tap": tap.name, "Report": {"Interval": 1}}), tap, now=0, chance=chance)
    found = []
    for _ in range(3):
        clock.advance(SECOND)
        found += watch.move(clock.now())

    assert (watch.errors, [report.tap for report in found]) == (3, [tap.name] * 3)


def test_a_count_has_one_sensor() -> None:
    """A second sensor of a count is refused, because monitors would add up both; of a gauge it is not."""
    clock, watch = ManualClock(), Watch()
    for tap in (Tap("manifold.0.records.count"), Gauge(clock, VALUES)):
        watch.install(parse({"Tap": tap.name}), tap, now=0, chance=random.random)
    watch.install(parse({"Tap": "gauge"}), Gauge(clock, VALUES), now=0, chance=random.random)

    with pytest.raises(ValueError, match=r"has sensor 1.*uninstall\(1\) first"):
        watch.install(parse({"Tap": "manifold.0.records.count"}), Tap("manifold.0.records.count"), now=0, chance=chance)
    with pytest.raises(ValueError, match="there is no sensor 9; there are 1, 2, 3"):
        watch.uninstall(9, 0)
