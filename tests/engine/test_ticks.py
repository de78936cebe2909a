"""Ticks on the archive topic: what moved comes back as it was, and a tick is told where it caused nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.coverage import ticked
from engine.events import Metric, Tags, decode_emissions
from engine.ticks import Moved, read_tick, write_tick

TIMES = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(0, 2**33 * 1_000_000 - 1), max_size=3)


@given(times=TIMES, offset=st.integers(0, 2**53))
def test_a_tick_comes_back_as_it_was(times: dict[str, int], offset: int) -> None:
    """To the microsecond; a stream without an offset was at the beginning."""
    known = dict.fromkeys(sorted(times)[:1], offset)

    found = read_tick(write_tick(times, known))

    assert found == {name: Moved(known.get(name, 0), time) for name, time in times.items()}


def test_a_tick_that_causes_nothing_is_told() -> None:
    """As an empty array, with the tick beside it; one that causes something has it beside each part."""
    tick = write_tick({"notify": 1_000_000}, {})
    (empty,) = ticked([], "notify", tick)
    parts = ticked([Metric("m", time, 1.0, Tags({"a": "b" * 200})) for time in range(3_000)], "notify", tick)

    assert (empty.data, empty.cause, empty.first, empty.tick) == (b"[]", "tick", None, tick)
    assert len(parts) > 1
    assert all((part.cause, part.first, part.tick) == ("tick", None, tick) for part in parts)
    assert sum(len(decode_emissions(part.data)) for part in parts) == 3_000
