"""Clocks: the one of the machine, and the one that tests move by hand."""

from __future__ import annotations

import pytest

from engine.clock import Clock, ManualClock, SystemClock


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock(5)], ids=["system", "manual"])
def test_a_clock_tells_whole_microseconds_and_seconds(clock: Clock) -> None:
    """Whatever clock a runner is given, times are integers and durations floats that never go back."""
    before = clock.monotonic()

    assert type(clock.now()) is int
    assert type(before) is float
    assert clock.monotonic() >= before


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    """Only `advance` moves it; its seconds count from its beginning."""
    clock = ManualClock(1_000_000)
    still = (clock.now(), clock.monotonic())
    clock.advance(500_000)
    clock.advance(1)

    assert still == (1_000_000, 0.0)
    assert (clock.now(), clock.monotonic()) == (1_500_001, 0.500001)
