"""The counts that several monitors share: one number of a reading, and records between totals."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.record_count import RecordCount
from monitors.rejected_records import RejectedRecords
from monitors.stats.counting import COUNTS_MEAN, grown, reading
from monitors.throughput import Throughput

TOTALS = st.lists(st.integers(0, 2**40).map(float), min_size=1, max_size=30)


@given(TOTALS)
def test_a_number_is_itself_and_a_list_its_sum_or_its_last(values: list[float]) -> None:
    """An interval of several readings has the records of all, a total is the last one."""
    assert reading(values, "interval") == sum(values)
    assert reading(values, "total") == values[-1]
    assert reading(values[0], "interval") == reading(values[0], "total") == values[0]


@given(TOTALS)
def test_a_total_that_only_grows_gives_all_but_its_beginning(values: list[float]) -> None:
    """Without a restart the records are the last total without the first."""
    totals = sorted(values)
    before = [None, *totals]

    assert sum(grown(total, last) for last, total in zip(before, totals, strict=False)) == totals[-1] - totals[0]


@given(TOTALS)
def test_a_restart_never_takes_records_away(values: list[float]) -> None:
    """However totals rise and fall, the records between two of them are never negative, nor more than the new one."""
    assert all(0 <= grown(total, last) <= total for last, total in pairwise(values))


def test_the_first_total_gives_nothing() -> None:
    """Nobody knows what an engine had counted for others before it was seen."""
    assert grown(100.0, None) == 0


@pytest.mark.parametrize("monitor", [Throughput, RecordCount, RejectedRecords])
def test_monitors_of_counts_have_the_same_option(monitor: type[Throughput | RecordCount | RejectedRecords]) -> None:
    """`counts` is spelled, described and defaulted alike wherever counts are read."""
    field = monitor.Options.model_fields["counts"]

    assert (field.default, field.description) == ("interval", COUNTS_MEAN)
