from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.descriptor import parse
from sensors.schedule import Schedule

SECOND = 1_000_000
START = 7_300_000
"""Any time: nothing may depend on where the clock stands."""


def schedule(*, seed: int = 1, **words: Any) -> Schedule:
    """Make the schedule of a descriptor that was installed at START."""
    return Schedule(parse({"Tap": "a", **words}), start=START, chance=random.Random(seed).random)


def walk(made: Schedule, seconds: float) -> tuple[list[float], list[float]]:
    """Move time to whatever is next, up to some seconds; gives the times of readings and of reports."""
    readings, reports = [], []
    while made.next is not None and made.next <= START + seconds * SECOND:
        now = made.next
        due = made.move(now)
        readings += [(now - START) / SECOND] * due.read
        reports += [(now - START) / SECOND] * due.report
    return readings, reports


TABLE: list[tuple[dict[str, Any], list[float], list[float]]] = [
    # descriptor, times of readings within 10 seconds, times of reports
    ({}, [5, 10], [5, 10]),
    ({"Report": {"Interval": 4}}, [4, 8], [4, 8]),
    ({"Activate": {"Type": "regular", "Interval": 3}}, [3, 6, 9], [3, 6, 9]),
    ({"Activate": {"Type": "regular", "Intensity": 0.5}}, [2, 4, 6, 8, 10], [2, 4, 6, 8, 10]),
    ({"Activate": {"Type": "regular", "Interval": 2}, "Report": {"Interval": 5}}, [2, 4, 6, 8, 10], [5, 10]),
    ({"Activate": {"Type": "regular", "Interval": 4}, "Report": {"Interval": 3}}, [4, 8], [3, 6, 9]),
    # the end: at the last moment of the duration a reading still counts, and what was collected is reported
    ({"Activate": {"Type": "regular", "Interval": 2, "Duration": 6}}, [2, 4, 6], [2, 4, 6]),
    ({"Activate": {"Type": "regular", "Interval": 2, "Duration": 5}, "Report": {"Interval": 4}}, [2, 4], [4, 5]),
    ({"Activate": {"Type": "regular", "Interval": 2, "MaxReads": 3}, "Report": {"Interval": 5}}, [2, 4, 6], [5, 6]),
    ({"Activate": {"Type": "permanent", "Duration": 7}, "Report": {"Interval": 3}}, [3, 6], [3, 6, 7]),
    ({"Activate": {"Type": "permanent", "MaxReads": 1}, "Report": {"Interval": 3}}, [3], [3]),
    ({"Activate": {"Type": "regular", "Interval": 3, "Duration": 7, "MaxReads": 1}}, [3], [3]),
]


@pytest.mark.parametrize(("words", "readings", "reports"), TABLE)
def test_the_times_of_the_table(words: dict[str, Any], readings: list[float], reports: list[float]) -> None:
    """Under a moved clock a sensor reads and reports when the table says, and then no more."""
    assert walk(schedule(**words), 10) == (readings, reports)


def test_what_was_missed_is_not_made_up() -> None:
    """Who comes late finds one reading due, and the next one on the grid."""
    made = schedule(Activate={"Type": "regular", "Interval": 2}, Report={"Interval": 5})
    due = made.move(START + 11 * SECOND)

    assert (due.read, due.report, made.next) == (True, True, START + 12 * SECOND)


def test_nothing_is_due_before_its_time() -> None:
    """A look that is too early changes nothing."""
    made = schedule()
    due = made.move(START + 5 * SECOND - 1)

    assert (due.read, due.report, due.over, made.next) == (False, False, False, START + 5 * SECOND)


def test_who_comes_after_the_end_finds_the_last_reading_of_before() -> None:
    """A reading that was due within the duration is taken late rather than not at all; then it is over."""
    made = schedule(Activate={"Type": "regular", "Interval": 2, "Duration": 5})
    due = made.move(START + 60 * SECOND)

    assert (due.read, due.report, due.over, made.next) == (True, True, True, None)
    assert made.move(START + 61 * SECOND) == (False, False, True)


def test_random_readings_have_exponential_gaps() -> None:
    """The mean gap is the interval, and as many gaps are longer than it as an exponential distribution has: 1/e."""
    readings, _ = walk(schedule(Activate={"Type": "random", "Interval": 0.5}), 10_000)
    gaps = [later - earlier for earlier, later in zip([0.0, *readings], readings, strict=False)]

    # 20,000 gaps expected: the mean is within 4 standard errors, 4 * 0.5 / sqrt(20,000) = 0.014, the share as well
    assert sum(gaps) / len(gaps) == pytest.approx(0.5, abs=0.015)
    assert sum(gap > 0.5 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-1), abs=0.015)


def test_a_seed_makes_random_readings_the_same() -> None:
    """The same seed gives the same times, another one others."""
    words: dict[str, Any] = {"Activate": {"Type": "random", "Intensity": 2}}

    assert walk(schedule(seed=1, **words), 50) == walk(schedule(seed=1, **words), 50)
    assert walk(schedule(seed=1, **words), 50) != walk(schedule(seed=2, **words), 50)


def test_a_random_sensor_goes_on_after_a_long_absence() -> None:
    """After hours of absence the next reading is again some gap ahead, found at once."""
    made = schedule(Activate={"Type": "random", "Interval": 0.01})
    later = START + 100 * 3_600 * SECOND
    made.move(later)

    assert made.next is not None
    assert later < made.next < later + SECOND


@given(
    st.sampled_from(["permanent", "regular", "random"]),
    st.integers(1, 50),
    st.none() | st.integers(1, 50),
    st.none() | st.integers(1, 300),
    st.lists(st.integers(0, 100), max_size=60),
)
def test_any_walk_moves_forward_and_ends(
    kind: str, every: int, report: int | None, duration: int | None, steps: list[int]
) -> None:
    """However time moves: what is next lies ahead, readings within the duration only, and nothing after the end."""
    activate: dict[str, Any] = {"Type": kind} if kind == "permanent" else {"Type": kind, "Interval": every / 10}
    if duration is not None:
        activate["Duration"] = duration / 10
    words: dict[str, Any] = {"Activate": activate} | ({} if report is None else {"Report": {"Interval": report / 10}})
    made, now, over = schedule(**words), START, False

    for step in steps:
        now += step * SECOND // 10
        due = made.move(now)
        assert not (over and (due.read or due.report))
        over = due.over
        assert (made.next is None) == over
        assert made.next is None or made.next > now
    assert over == (duration is not None and now >= START + duration * SECOND // 10)
