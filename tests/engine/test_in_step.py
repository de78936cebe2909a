"""The order in which messages of several partitions go into one topic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.in_step import InStep

Log = list[int]
"""The event times of one partition."""


def taken(step: InStep[str, int], *, unread: tuple[str, ...] = (), most: int = 1_000) -> list[tuple[str, int]]:
    """Take what may go."""
    return list(step.take(unread, most))


def held(**logs: Log) -> InStep[str, int]:
    """Hold these partitions; what is held of a message is its time."""
    step: InStep[str, int] = InStep(logs)
    for place, times in logs.items():
        step.add(place, [(time, time) for time in times])
    return step


def test_the_one_that_is_furthest_behind_goes_first() -> None:
    """Two partitions of which one begins an hour later come out by time; of two at the same time the first named."""
    step = held(a=[1, 4, 5], b=[2, 4, 9])

    assert taken(step) == [("a", 1), ("b", 2), ("a", 4), ("b", 4), ("a", 5), ("b", 9)]
    assert not step.holds


def test_nothing_goes_ahead_of_what_was_not_read_yet() -> None:
    """A partition that is behind, and has more, is waited for: also one of which nothing is known yet."""
    step = held(a=[1, 2, 3], b=[])
    assert taken(step, unread=("b",)) == []

    step.add("b", [(2, 2)])
    assert taken(step, unread=("b",)) == [("a", 1), ("a", 2), ("b", 2)]
    assert taken(step, unread=("b",)) == []
    assert taken(step) == [("a", 3)]


def test_what_is_behind_of_what_is_ahead_goes_on() -> None:
    """A partition that is ahead is not waited for, though it has more."""
    step = held(a=[1, 2], b=[5])
    assert taken(step, unread=("b",)) == [("a", 1), ("a", 2), ("b", 5)]

    step.add("a", [(4, 4)])
    assert taken(step, unread=("b",)) == [("a", 4)]


def test_a_message_without_a_time_goes_with_the_one_before() -> None:
    """What cannot be decoded, and what is older than the one before, holds nobody back and keeps its place."""
    step: InStep[str, str] = InStep(["a", "b"])
    step.add("a", [(None, "first"), (5, "five"), (None, "bad"), (1, "old"), (6, "six")])
    step.add("b", [(5, "other")])

    assert [item for _, item in step.take((), 100)] == ["first", "five", "bad", "old", "other", "six"]


@given(st.lists(st.lists(st.integers(0, 20), max_size=8), min_size=1, max_size=4), st.data())
def test_every_cut_gives_every_message_in_its_partitions_order(logs: list[Log], data: st.DataObject) -> None:
    """However it is read and taken, nothing is lost or doubled, and no message overtakes another of its partition."""
    places = list(range(len(logs)))
    step: InStep[int, tuple[int, int]] = InStep(places)
    rest = {place: [(time, (place, number)) for number, time in enumerate(log)] for place, log in enumerate(logs)}
    found: list[tuple[int, int]] = []
    while any(rest.values()) or step.holds:
        place = data.draw(st.sampled_from(places))
        count = data.draw(st.integers(1, 3))
        step.add(place, rest[place][:count])
        rest[place] = rest[place][count:]
        unread = [one for one in places if rest[one]]
        found += [item for _, item in step.take(unread, data.draw(st.integers(1, 5)))]

    for place, log in enumerate(logs):
        assert [number for of, number in found if of == place] == list(range(len(log)))


@given(st.lists(st.lists(st.integers(0, 20)).map(sorted), min_size=1, max_size=4), st.integers(1, 4))
def test_partitions_in_order_become_one_in_order(logs: list[Log], at_once: int) -> None:
    """However little is fetched at once: where each partition is in the order of time, so is the whole."""
    places = list(range(len(logs)))
    step: InStep[int, int] = InStep(places)
    rest = dict(enumerate(logs))
    found: list[int] = []
    while any(rest.values()) or step.holds:
        for place in places:
            step.add(place, [(time, time) for time in rest[place][:at_once]])
            rest[place] = rest[place][at_once:]
        found += [item for _, item in step.take([one for one in places if rest[one]], 1_000)]

    assert found == sorted(time for log in logs for time in log)
