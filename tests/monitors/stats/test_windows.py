"""Windows by number and by time, one after the other and sliding; lengths and budgets as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.times import HOUR, SECOND
from monitors.stats.extents import Extent, chance, read_budget, read_extent
from monitors.stats.windows import Course, Windows, read_windows


def closed(windows: Windows, times: list[int], cuts: list[int]) -> list[tuple[int, int, int]]:
    """Feed records in parts; gives place, time and number of records of each window that closes."""
    course, found, counts = Course(), list[tuple[int, int, int]](), [0]
    ends = sorted({cut for cut in cuts if cut < len(times)} | {len(times)})

    def add(start: int, stop: int) -> None:
        counts[-1] += stop - start

    def close(time: int) -> list[Any]:
        records = sum(counts[-windows.panes :])
        counts.append(0)
        return [(time, records)] if windows.whole(course) and records else []

    for start, stop in zip([0, *ends], ends, strict=False):
        found += [(start + at, *told) for at, told in windows.run(course, times[start:stop], add, close)]
    return found


@pytest.mark.parametrize(
    ("window", "slide", "times", "expected"),
    [
        (3, None, [1, 2, 3, 4, 5, 6, 7], [(2, 3, 3), (5, 6, 3)]),
        (4, 2, [1, 2, 3, 4, 5, 6], [(3, 4, 4), (5, 6, 4)]),
        ("10us", None, [1, 9, 10, 35], [(2, 10, 2), (3, 20, 1)]),
        ("10us", None, [12, 3, 20], [(2, 20, 2)]),
        ("10us", "5us", [1, 6, 8, 30], [(1, 5, 1), (3, 10, 3), (3, 15, 2)]),
    ],
)
def test_windows_close_where_they_should(window: Any, slide: Any, times: list[int], expected: list[Any]) -> None:
    """By number with the last record; by time at multiples of the slide, by the record that comes after."""
    assert closed(read_windows(window, slide), times, []) == expected


@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=60),
    st.lists(st.integers(1, 60), max_size=8),
    st.sampled_from([(5, None), (6, 2), ("20us", None), ("20us", "5us")]),
)
def test_cuts_change_nothing(times: list[int], cuts: list[int], lengths: tuple[Any, Any]) -> None:
    """However the records come in parts, the same windows close at the same records."""
    windows = read_windows(*lengths)

    assert closed(windows, times, cuts) == closed(windows, times, [])


@pytest.mark.parametrize("slide", ["1h", 7, 1, 2000])
def test_a_slide_divides_its_window(slide: Any) -> None:
    """A slide is of the window's kind, and goes into it at most twenty times without rest."""
    with pytest.raises(ValueError, match="slide"):
        read_windows(1000, slide)


def test_lengths_and_budgets_read_as_people_write_them() -> None:
    """Numbers are records, durations have a unit, budgets are so many per one of them."""
    assert read_extent("250 records") == Extent(records=250)
    assert read_extent("1h") == Extent(micros=HOUR)
    assert read_budget("2 per 30d").per == Extent(micros=720 * HOUR)
    assert read_budget("0.5 per 10s") == (read_budget("0.5 per 10s").__class__)(0.5, Extent(micros=10 * SECOND))


@pytest.mark.parametrize("given_", [0, -5, "0s", "soon", True, None, 1.5])
def test_what_is_no_length_is_refused(given_: object) -> None:
    """The sentence says what is expected."""
    with pytest.raises(ValueError, match="expected a number of records such as 1000, or a duration such as 1h"):
        read_extent(given_)


@pytest.mark.parametrize("text", ["never", "1 per", "0 per 30d", "1 per moon", "per 30d"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    """A budget is a number above 0, `per`, and a length; the sentence shows one."""
    with pytest.raises(ValueError, match="expected a"):
        read_budget(text)


def test_the_share_of_a_field_is_what_fires() -> None:
    """With p the chance of a drifted window, p (1 - p) of all windows begin an alert: the field's share."""
    limit = chance(read_budget("1 per 5000 records"), 2, Extent(records=100))

    assert limit * (1 - limit) == pytest.approx(1 / 50 / 2)


@pytest.mark.parametrize(
    ("budget", "step", "said"),
    [
        ("1 per 30d", Extent(records=100), "both in records or both in time"),
        ("1 per 1000 records", Extent(micros=HOUR), "both in records or both in time"),
        ("1 per 100 records", Extent(records=100), "at most"),
    ],
)
def test_budgets_that_cannot_be_kept_are_refused(budget: str, step: Extent, said: str) -> None:
    """The mix of records and time, and more than one alert in five windows."""
    with pytest.raises(ValueError, match=said):
        chance(read_budget(budget), 1, step)
