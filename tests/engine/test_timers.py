"""Timers: one order of (time, monitor, series), and one entry an owner that counts."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from engine.monitor import Key
from engine.series import NEVER
from engine.timers import Timers


class Owner:
    """Something with a time."""

    def __init__(self, index: int = 0, key: Key = ()) -> None:
        """Belong to a monitor and a series, with nothing due."""
        self.index = index
        self.key = key
        self.due = NEVER


def popped(timers: Timers, until: int) -> list[tuple[int, object]]:
    """Take all that is due."""
    return list(iter(lambda: timers.pop(until), None))


def test_what_is_due_comes_in_the_order_of_time_monitor_and_series() -> None:
    """The order in which timers were set is nothing."""
    owners = [Owner(1, ("a",)), Owner(0, ("b",)), Owner(0, ("a",)), Owner(0, ("a", "a"))]
    timers = Timers()
    for owner in owners:
        timers.set(10, owner.index, owner.key, owner)
    first = Owner(9, ("z",))
    timers.set(9, first.index, first.key, first)

    assert popped(timers, 10) == [(9, first), (10, owners[2]), (10, owners[3]), (10, owners[1]), (10, owners[0])]


def test_only_what_is_due_by_then_is_taken() -> None:
    """The time itself counts, a microsecond later does not."""
    soon, later = Owner(), Owner()
    timers = Timers()
    timers.set(10, 0, ("a",), soon)
    timers.set(11, 0, ("b",), later)

    assert popped(timers, 10) == [(10, soon)]
    assert timers.next == 11
    assert popped(timers, 11) == [(11, later)]
    assert timers.next == NEVER


def test_a_new_time_takes_the_place_of_the_old_one() -> None:
    """Earlier or later, an owner fires once, at the time that was set last."""
    timers = Timers()
    earlier, later = Owner(), Owner()
    for owner, times in ((earlier, (20, 10)), (later, (5, 30))):
        for time in times:
            timers.set(time, 0, (), owner)

    assert popped(timers, 40) == [(10, earlier), (30, later)]


def test_never_is_not_set() -> None:
    """An owner that wants no timer loses the one it had."""
    timers = Timers()
    owner = Owner()
    timers.set(10, 0, (), owner)
    timers.set(NEVER, 0, (), owner)

    assert popped(timers, NEVER - 1) == []


def test_what_was_taken_is_no_longer_due() -> None:
    """An owner that is not set again never fires again."""
    timers = Timers()
    owner = Owner()
    timers.set(10, 0, (), owner)
    timers.pop(10)

    assert owner.due == NEVER
    assert timers.pop(100) is None


def last_times(sets: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Say what should fire: each owner at its last time, in order."""
    return sorted((time, number) for number, time in dict(sets).items())


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 50)), max_size=30))
def test_each_owner_fires_once_at_its_last_time(sets: list[tuple[int, int]]) -> None:
    """However often times are set, `next` is never later than what is due."""
    timers = Timers()
    owners = [Owner(number) for number in range(5)]
    for number, time in sets:
        timers.set(time, number, (), owners[number])
    fired = []
    while (entry := timers.pop(50)) is not None:
        due, owner = entry
        assert timers.next >= due
        assert isinstance(owner, Owner)
        fired.append((due, owner.index))

    assert fired == last_times(sets)
