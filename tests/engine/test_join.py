"""Two streams that are joined: who meets whom, when a pair goes out, what is late, twice, alone, or too much."""

from __future__ import annotations

import msgspec
import pytest

from engine.events import Metric
from engine.testing import END, At, Line, feed, plan_of
from engine.times import SECOND
from tests.engine.pairing import Pairs, Plain, after, left, odd, pairs, plan, right, shown

CASES: dict[str, tuple[list[Line], Pairs]] = {
    "the time is the later of the two": ([left(1, "a"), right(5, "a")], [(5, "a", "left0", "right0")]),
    "either side may come first": ([right(1, "a"), left(5, "a")], [(5, "a", "left0", "right0")]),
    "exactly wait apart is not too far": ([left(0, "a"), right(20, "a")], [(20, "a", "left0", "right0")]),
    "a microsecond more is": ([left(0, "a"), right(20.000001, "a")], [(20, "a", "left0", "-")]),
    "other keys do not meet": (
        [left(0, "a"), right(0, "b"), right(20, "x")],
        [(20, "a", "left0", "-"), (20, "b", "-", "right0")],
    ),
    "an integer equals its text": ([left(0, 7), right(1, "7")], [(1, "7", "left0", "right0")]),
    "an integer beyond 64 bits too": ([left(0, 2**70), right(1, f"{2**70}")], [(1, f"{2**70}", "left0", "right0")]),
    "another number does not": (
        [left(0, 7), right(1, 7.0), right(30, "x")],
        [(20, "7", "left0", "-"), (21, "7.0", "-", "right0")],
    ),
    "a half alone has its own time and wait": ([left(3, "a"), right(50, "x")], [(23, "a", "left0", "-")]),
    "the first that is there meets": (
        [left(0, "a"), left(21, "a"), right(20, "a"), right(50, "x")],
        [(20, "a", "left0", "right0"), (41, "a", "left1", "-")],
    ),
    "it goes out by time and key": (
        [left(2, "b"), left(2, "a"), left(1, "c"), right(2, "a"), right(2, "b"), right(1, "c")],
        [(1, "c", "left2", "right2"), (2, "a", "left1", "right0"), (2, "b", "left0", "right1")],
    ),
}


@pytest.mark.parametrize(("table", "expected"), CASES.values(), ids=CASES.keys())
def test_halves_meet_by_key_and_time(table: list[Line], expected: Pairs) -> None:
    """With `wait: 20s`, at the end of the input everything complete has gone out, and halves that waited in vain."""
    assert pairs([*table, END]) == expected


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param([left(0, "a"), left(0, "a"), right(1, "a")], [(1, "a", "left0", "right0")], id="sent twice"),
        pytest.param([left(0, "a"), left(20, "a"), right(1, "a")], [(1, "a", "left0", "right0")], id="within wait"),
        pytest.param(
            [left(5, "a"), left(3, "a"), right(6, "a")], [(6, "a", "left0", "right0")], id="first is which came first"
        ),
        pytest.param(
            [left(0, "a"), right(0, "a"), left(15, "x"), right(15, "x"), left(16, "a"), right(17, "a")],
            [(0, "a", "left0", "right0"), (15, "x", "left1", "right1")],
            id="after the pair went out",
        ),
        pytest.param(
            [left(0, "a"), right(0, "a"), left(15, "a"), left(30, "a"), right(30, "a")],
            [(0, "a", "left0", "right0"), (30, "a", "left2", "right1")],
            id="of the first, not of a duplicate",
        ),
    ],
)
def test_the_second_is_a_duplicate(table: list[Line], expected: Pairs) -> None:
    """Of one side and key within `wait` of the first only that counts."""
    assert pairs([*table, END]) == expected


def test_duplicates_and_late_halves_are_counted() -> None:
    """A duplicate is counted by name, a late half too, and both are messages."""
    _, memory = after([left(0, "a"), left(1, "a"), left(100, "b"), left(5, "c"), right(0, "a")])
    counts = memory.pipelines[0].counts

    assert (counts.messages, counts.duplicates, counts.late, counts.applied) == (5, 1, 1, 4)


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        pytest.param((15, 15), [], id="at time + lateness nothing goes out"),
        pytest.param((15.000001, 15), [], id="one stream is not enough"),
        pytest.param((15.000001, 15.000001), [(5, "a", "left0", "right0")], id="once both have passed it it does"),
    ],
)
def test_a_pair_goes_out_once_both_streams_have_passed(moved: tuple[float, float], expected: Pairs) -> None:
    """The pair of second 5 goes out when both streams' times have passed it by `lateness`, which is 10 s."""
    table = [left(1, "a"), right(5, "a"), At(moved[0], "left"), At(moved[1], "right")]

    assert pairs(table) == expected


def test_lateness_is_that_of_each_stream() -> None:
    """A stream that says another `lateness` is waited for as long as it says."""
    given = plan()
    streams = {**given.streams, "left": msgspec.structs.replace(given.streams["left"], lateness=0)}
    table = [left(1, "a"), right(5, "a"), At(15.000001, "right"), At(5, "left")]
    own = msgspec.structs.replace(given, streams=streams)

    assert shown(feed(own, table).emissions) == []
    assert shown(feed(own, [*table, At(5.000001, "left")]).emissions) == [(5, "a", "left0", "right0")]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param(
            [left(100, "x"), left(90, "a"), right(90, "a"), right(100, "x")],
            [(90, "a", "left1", "right0"), (100, "x", "left0", "right1")],
            id="at newest - lateness it is not late",
        ),
        pytest.param(
            [left(100, "x"), left(50, "a"), right(100, "x"), right(95, "a")],
            [(95, "a", "left1!", "right1"), (100, "x", "left0", "right0")],
            id="it counts as of newest - lateness",
        ),
        pytest.param(
            [left(100, "x"), left(50, "a"), right(60, "a"), right(130, "y")],
            [(80, "a", "-", "right0"), (110, "a", "left1!", "-"), (120, "x", "left0", "-")],
            id="for wait too",
        ),
        pytest.param(
            [left(0, "y"), At(100, "left"), left(50, "a"), right(95, "a")],
            [(20, "y", "left0", "-"), (95, "a", "left1!", "right0")],
            id="a tick moves its stream's time",
        ),
    ],
)
def test_a_late_half_counts_as_of_its_streams_time(table: list[Line], expected: Pairs) -> None:
    """A half older than its own stream's time less `lateness` is marked, and counts as if it were just that old."""
    assert pairs([*table, END]) == expected


def test_the_own_time_of_a_late_half_stays() -> None:
    """The record of a late half has the time that it came with."""
    monitor = Times()
    table = [left(100, "x"), left(50, "a"), right(95, "a"), END]

    assert feed(plan_of(monitor), table).metrics("pair_seen", key="a") == [(95, 50)]


class Times(Plain):
    """Shows the time of the first half."""

    def on_record(self, record: object, state: object) -> list[Metric]:
        """Emit the seconds of the first half."""
        first = getattr(record, "first", None)
        seen = Plain.emits[0].at(getattr(record, "time", 0), 0 if first is None else first.time / SECOND)
        seen.tags = {"key": getattr(record, "key", "")}
        return [seen]


def test_the_end_drains_complete_pairs_and_what_has_waited() -> None:
    """At the end complete pairs go out though they are younger than `lateness`; a half only if its wait is over."""
    table = [left(0, "old"), left(95, "b"), right(80, "c"), right(96, "b"), left(86, "d"), right(100, "x"), END]

    assert pairs(table) == [(20, "old", "left0", "-"), (96, "b", "left1", "right1"), (100, "c", "-", "right0")]


def test_a_stream_that_never_came_holds_nothing_back_at_the_end() -> None:
    """Where only one stream had records, its halves go out alone at the end."""
    assert pairs([left(0, "a"), left(30, "b"), END]) == [(20, "a", "left0", "-")]


def test_a_stream_that_has_ended_does_not_hold_back_the_other() -> None:
    """Once the input of one stream is closed the other alone moves the time of the group."""
    _, memory = after([left(0, "a"), right(1, "a"), left(100, "b")])

    closed = shown(memory.close("right").emissions)

    assert closed == [(1, "a", "left0", "right0")]


def test_timers_come_in_one_order_with_pairs() -> None:
    """A timer comes before the pair of its time and after all earlier ones; the alert follows the pairs."""
    table = [left(0, "a"), left(9, "b"), right(9, "b"), right(0, "a"), left(10, "c"), right(10, "c"), At(90)]
    fed = feed(plan(), table)

    assert fed.metrics("pairs_of_ten_seconds") == [(10, 2), (20, 1)]
    assert odd(fed.emissions) == []
